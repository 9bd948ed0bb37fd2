#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The Signet authors
# SPDX-License-Identifier: Apache-2.0
"""Stands in for systemd's manager on a private bus: writes down which units it is asked to reload.

usage: systemd.py LOG    the unit 'missing.service' is not there, as systemd would say it; the job of 'broken.service' fails
"""

import sys

from gi.repository import Gio, GLib

XML = """<node><interface name='org.freedesktop.systemd1.Manager'><method name='ReloadOrTryRestartUnit'>
<arg type='s' direction='in'/><arg type='s' direction='in'/><arg type='o' direction='out'/></method><method name='Subscribe'/>
<signal name='JobRemoved'><arg type='u'/><arg type='o'/><arg type='s'/><arg type='s'/></signal></interface></node>"""
jobs = [0]


def on_call(connection, _sender, path, interface, method, parameters, invocation):
    if method == "Subscribe":
        invocation.return_value(None)
        return
    unit, mode = parameters.unpack()
    with open(sys.argv[1], "a", encoding="utf-8") as log:
        log.write(f"{method} {unit} {mode}\n")
    if unit == "missing.service":
        invocation.return_dbus_error("org.freedesktop.systemd1.NoSuchUnit", "Unit missing.service not found.")
    else:
        jobs[0] += 1
        job = f"{path}/job/{jobs[0]}"
        # another's job for the same unit says nothing about ours
        removed = [(0, f"{path}/job/1000", unit, "failed"), (jobs[0], job, unit, "failed" if unit == "broken.service" else "done")]
        invocation.return_value(GLib.Variant("(o)", (job,)))
        for what in removed:
            connection.emit_signal(None, path, interface, "JobRemoved", GLib.Variant("(uoss)", what))


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
