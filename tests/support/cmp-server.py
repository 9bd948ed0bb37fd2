#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The Signet authors
# SPDX-License-Identifier: Apache-2.0
"""A CMP server (RFC 4210, RFC 6712) for tests: honest, or hostile as DIR/mode says (hostile.py, cmp-ca.c).

usage: cmp-server.py DIR --engine CMP-CA [--port N] [--tls] [--reference TEXT] [--secret TEXT]

DIR/ca is the CA, DIR/port the port once it listens, DIR/key.der the last public key that was to be certified, DIR/log has a line for each message:
OPERATION ANSWER by=mac-sha256|mac-sha1|signature|nobody [old=SERIAL] …, where ANSWER is an operation too, or '-'.
Operations: ir cr p10cr kur rr certconf pollreq error. Modes of its own: those of testca.py, refuse-BIT (PKIFailureInfo), refuse-signed-BIT (what is signed), pending-N
(asked again after N seconds), lifetime-N (seconds), device-signs, other-signs, other-secret, unprotected (who protects the answer), replay (the answer to the
first message of that kind), flip (a bit of the answer's body).
"""

import argparse
import os
import struct
import subprocess
import threading

import hostile
import testca

NAMES = {0: "ir", 1: "ip", 2: "cr", 3: "cp", 4: "p10cr", 7: "kur", 8: "kup", 11: "rr", 12: "rp", 19: "pkiconf", 21: "genm", 22: "genp", 23: "error",
         24: "certconf", 25: "pollreq", 26: "pollrep"}
PBM = bytes.fromhex("06092a864886f67d07420d")
HMAC_SHA256 = bytes.fromhex("06082a864886f70d0209")


def tlv(data, at):
    """Tag, where the content begins, and where it ends."""
    first = data[at + 1]
    if first < 0x80:
        return data[at], at + 2, at + 2 + first
    width = first & 0x7F
    begin = at + 2 + width
    return data[at], begin, begin + int.from_bytes(data[at + 2:begin], "big")


class Message:
    def __init__(self, der):
        _, begin, _ = tlv(der, 0)
        _, header, body = tlv(der, begin)
        tag, self.content, self.end = tlv(der, body)
        self.name = NAMES.get(tag & 0x1F, f"body-{tag & 0x1f}")
        head = der[header:body]
        protected = self.end < len(der) and der[self.end] == 0xA0
        if PBM in head:
            self.by = "mac-sha256" if HMAC_SHA256 in head else "mac-sha1"
        else:
            self.by = "signature" if protected else "nobody"
        self.key = self._key(der) if self.name in ("ir", "cr", "kur") else None

    def _key(self, der):
        """SubjectPublicKeyInfo of the one CertTemplate (RFC 4211 section 5)."""
        at = self.content
        for _ in range(3):
            _, at, _ = tlv(der, at)
        _, at, end = tlv(der, tlv(der, at)[2])
        while at < end:
            tag, _, behind = tlv(der, at)
            if tag == 0xA6:
                return b"\x30" + der[at + 1:behind]
            at = behind
        return None


class Engine:
    def __init__(self, program, *arguments):
        self.lock = threading.Lock()
        self.child = subprocess.Popen([program, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, mode, der):
        frame = bytes([len(mode)]) + mode.encode() + der
        with self.lock:
            self.child.stdin.write(struct.pack(">I", len(frame)) + frame)
            self.child.stdin.flush()
            size = struct.unpack(">I", self.child.stdout.read(4))[0]
            answer = self.child.stdout.read(size)
        return answer[1:1 + answer[0]].decode(errors="replace"), answer[1 + answer[0]:]


class Cmp(hostile.Handler):
    content_type = "application/pkixcmp"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("Content-Type") != self.content_type:
            self.answer(415, b"not a CMP message\n", "text/plain")
            return
        request = Message(body)
        if request.key:
            with open(f"{self.server.dir}/key.der", "wb") as f:
                f.write(request.key)
        if self.misbehaves(request.name):
            return
        mode = self.mode(request.name)
        if mode.startswith("refuse-signed-"):
            mode = "refuse-" + mode[14:] if request.by == "signature" else "honest"
        note, reply = self.server.engine.ask(mode, body)
        if not reply:
            self.note(f"{request.name} - by={request.by}{note}")
            self.answer(500, b"the CA has no answer\n", "text/plain")
            return
        first = self.server.first.setdefault(request.name, reply)
        if mode == "replay":
            reply = first
        if mode == "flip":
            at = (Message(reply).content + Message(reply).end) // 2
            reply = reply[:at] + bytes([reply[at] ^ 1]) + reply[at + 1:]
        self.note(f"{request.name} {Message(reply).name} by={request.by}{note}")
        self.answer(200, reply)


def add_signer(ca):
    """cmp.pem: a certificate that may speak for the CA."""
    if os.path.exists(ca.path("cmp.pem")):
        return
    testca.run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", ca.path("cmp.key"))
    testca.run("openssl", "req", "-new", "-config", ca.path("copy.cnf"), "-key", ca.path("cmp.key"), "-subj", "/O=Signet tests/CN=cmp",
               "-addext", "keyUsage=digitalSignature", "-addext", "extendedKeyUsage=1.3.6.1.5.5.7.3.27", "-out", ca.path("cmp.csr"))
    with open(ca.path("cmp.pem"), "w", encoding="ascii") as f:
        f.write("".join(ca.issue(ca.read("cmp.csr").encode(), "honest", 30 * 86400)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("dir")
    parser.add_argument("--engine", required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--reference", default="device-1")
    parser.add_argument("--secret", default="s3cret-of-this-test")
    options = parser.parse_args()
    ca = testca.Ca(f"{options.dir}/ca")
    for one in (ca, testca.Ca(ca.path("other-ca"), "Another")):
        add_signer(one)
    context = hostile.tls(ca.path("server.pem")) if options.tls else None
    server = hostile.Server(options.dir, Cmp, context, options.port)
    server.engine = Engine(options.engine, ca.dir, options.reference, options.secret)
    server.first = {}
    server.serve_forever()


main()
