#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The Signet authors
# SPDX-License-Identifier: Apache-2.0
"""wait.py MODULE IDENTITY: a long-lived program that uses PKCS#11 as a browser does. It finds a key and a certificate, says "waiting", sleeps in
C_WaitForSlotEvent until something changes, finds them again, and signs with the old handle and the new one. Fails after 60 s."""

import ctypes
import signal
import sys

ULONG = ctypes.c_ulong
CKO_CERTIFICATE, CKO_PRIVATE_KEY = 1, 3
CKA_CLASS, CKA_VALUE, CKA_ID = 0x000, 0x011, 0x102
CKM_ECDSA = 0x1041
# places in CK_FUNCTION_LIST, counted from C_Initialize
INITIALIZE, FINALIZE, OPEN_SESSION, GET_ATTRIBUTE, FIND_INIT, FIND, FIND_FINAL, SIGN_INIT, SIGN, WAIT = 0, 1, 12, 24, 26, 27, 28, 42, 43, 67


class Attribute(ctypes.Structure):
    _fields_ = [("type", ULONG), ("value", ctypes.c_void_p), ("size", ULONG)]


class Mechanism(ctypes.Structure):
    _fields_ = [("type", ULONG), ("parameter", ctypes.c_void_p), ("size", ULONG)]


class Module:
    def __init__(self, path):
        library = ctypes.CDLL(path)
        table = ctypes.c_void_p()
        assert library.C_GetFunctionList(ctypes.byref(table)) == 0
        self.functions = ctypes.cast(table.value + ctypes.sizeof(ctypes.c_void_p), ctypes.POINTER(ctypes.c_void_p))

    def call(self, place, *arguments):
        function = ctypes.CFUNCTYPE(ULONG)(self.functions[place])
        rv = function(*arguments)
        if rv != 0:
            sys.exit(f"function {place}: 0x{rv:x}")

    def find(self, session, kind, name):
        kind, name = ULONG(kind), ctypes.create_string_buffer(name.encode(), len(name))
        template = (Attribute * 2)(
            Attribute(CKA_CLASS, ctypes.addressof(kind), ctypes.sizeof(kind)),
            Attribute(CKA_ID, ctypes.addressof(name), len(name)),
        )
        found, count = ULONG(), ULONG()
        self.call(FIND_INIT, session, template, ULONG(2))
        self.call(FIND, session, ctypes.byref(found), ULONG(1), ctypes.byref(count))
        self.call(FIND_FINAL, session)
        assert count.value == 1
        return found

    def certificate(self, session, name):
        room = ctypes.create_string_buffer(8192)
        attribute = Attribute(CKA_VALUE, ctypes.addressof(room), 8192)
        self.call(GET_ATTRIBUTE, session, self.find(session, CKO_CERTIFICATE, name), ctypes.byref(attribute), ULONG(1))
        return room.raw[: attribute.size]

    def sign(self, session, key):
        signature, size = ctypes.create_string_buffer(256), ULONG(256)
        self.call(SIGN_INIT, session, ctypes.byref(Mechanism(CKM_ECDSA, None, 0)), key)
        self.call(SIGN, session, b"d" * 32, ULONG(32), signature, ctypes.byref(size))
        assert size.value == 64


def main():
    signal.alarm(60)
    module, name, session, slot = Module(sys.argv[1]), sys.argv[2], ULONG(), ULONG(9)
    module.call(INITIALIZE, None)
    module.call(OPEN_SESSION, ULONG(0), ULONG(4), None, None, ctypes.byref(session))
    old, old_certificate = module.find(session, CKO_PRIVATE_KEY, name), module.certificate(session, name)
    print("waiting", flush=True)
    module.call(WAIT, ULONG(0), ctypes.byref(slot), None)
    new, new_certificate = module.find(session, CKO_PRIVATE_KEY, name), module.certificate(session, name)
    assert slot.value == 0 and new.value != old.value and new_certificate != old_certificate
    module.sign(session, old)
    module.sign(session, new)
    module.call(FINALIZE, None)
    print("woken: another certificate, both keys sign")


main()
