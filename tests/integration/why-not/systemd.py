#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The Signet authors
# SPDX-License-Identifier: Apache-2.0
"""Stands in for systemd's manager on a private bus: knows units, their processes and settings.

usage: systemd.py FILE    FILE: JSON, {"nginx.service": {"MainPID": 7, "User": "www-data", "Environment": ["A=b"]}}, read at every question
"""

import json
import sys

from gi.repository import Gio, GLib

MANAGER = """<node><interface name='org.freedesktop.systemd1.Manager'><method name='LoadUnit'>
<arg type='s' direction='in'/><arg type='o' direction='out'/></method></interface></node>"""
SERVICE = """<node><interface name='org.freedesktop.systemd1.Service'><property name='MainPID' type='u' access='read'/>
<property name='User' type='s' access='read'/><property name='Environment' type='as' access='read'/></interface></node>"""
ROOT = "/org/freedesktop/systemd1"
units = {}  # path: name


def settings(name):
    with open(sys.argv[1], encoding="utf-8") as file:
        return json.load(file).get(name)


def on_load(connection, _sender, _path, _interface, _method, parameters, invocation):
    name = parameters.unpack()[0]
    if settings(name) is None:
        invocation.return_dbus_error("org.freedesktop.systemd1.NoSuchUnit", f"Unit {name} not found.")
        return
    path = f"{ROOT}/unit/u{len(units)}"
    units[path] = name
    connection.register_object(path, Gio.DBusNodeInfo.new_for_xml(SERVICE).interfaces[0], None, on_get, None)
    invocation.return_value(GLib.Variant("(o)", (path,)))


def on_get(_connection, _sender, path, _interface, name):
    value = settings(units[path]).get(name)
    return {"MainPID": lambda: GLib.Variant("u", value or 0), "User": lambda: GLib.Variant("s", value or ""),
            "Environment": lambda: GLib.Variant("as", value or [])}[name]()


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    Gio.bus_own_name(Gio.BusType.SYSTEM, "org.freedesktop.systemd1", Gio.BusNameOwnerFlags.NONE,
                     lambda connection, _: connection.register_object(
                         ROOT, Gio.DBusNodeInfo.new_for_xml(MANAGER).interfaces[0], on_load, None, None),
                     None, lambda *_: sys.exit("systemd.py: cannot own the name"))
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
