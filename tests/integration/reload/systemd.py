#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The Signet authors
# SPDX-License-Identifier: Apache-2.0
"""Stands in for systemd's manager on a private bus: writes down which units it is asked to reload.

usage: systemd.py LOG    the unit 'missing.service' is not there, as systemd would say it
"""

import sys

from gi.repository import Gio, GLib

XML = """<node><interface name='org.freedesktop.systemd1.Manager'><method name='ReloadOrTryRestartUnit'>
<arg type='s' direction='in'/><arg type='s' direction='in'/><arg type='o' direction='out'/></method></interface></node>"""


def on_call(_connection, sender, _path, _interface, method, parameters, invocation):
    unit, mode = parameters.unpack()
    with open(sys.argv[1], "a", encoding="utf-8") as log:
        log.write(f"{method} {unit} {mode}\n")
    if unit == "missing.service":
        invocation.return_dbus_error("org.freedesktop.systemd1.NoSuchUnit", "Unit missing.service not found.")
    else:
        invocation.return_value(GLib.Variant("(o)", ("/org/freedesktop/systemd1/job/1",)))


def on_bus(connection, _name):
    interface = Gio.DBusNodeInfo.new_for_xml(XML).interfaces[0]
    connection.register_object("/org/freedesktop/systemd1", interface, on_call, None, None)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    Gio.bus_own_name(Gio.BusType.SYSTEM, "org.freedesktop.systemd1", Gio.BusNameOwnerFlags.NONE, on_bus, None,
                     lambda *_: sys.exit("systemd.py: cannot own the name"))
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
