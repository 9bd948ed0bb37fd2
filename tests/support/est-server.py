#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The Signet authors
# SPDX-License-Identifier: Apache-2.0
"""An EST server (RFC 7030) for tests: honest, or hostile as DIR/mode says (hostile.py, testca.py).

usage: est-server.py DIR [--port N] [--user NAME:PASSWORD] [--need any|certificate|password|both] [--label TEXT] [--tls 1.2|1.3] [--expired] [--link]
                         [--form wrapped|unwrapped|der|pem]

DIR/ca is the CA (DIR/cacerts, where it is there, what it shows of itself), DIR/port the port once it listens, DIR/request.b64 the last request that waits, DIR/last.pem the last that was understood, DIR/log has a line for each request:
OPERATION STATUS certificate=SERIAL|- password=yes|no|- request=SHA-256|-
Modes of its own: pending-N (202 with Retry-After: N), pending (for ever the same), lifetime-N (seconds), refused-revoked (401 to any certificate),
refused (401 to everybody), takes-password, takes-nobody, takes-SERIAL (401 to everybody else), keeps-… (the same, but 202).
"""

import argparse
import base64
import hashlib
import os
import re
import subprocess

import hostile
import testca

PREFIX = "/.well-known/est"


class Est(hostile.Handler):
    content_type = "application/pkcs7-mime"

    def send_certificates(self, operation, certificates):
        der = self.server.ca.pkcs7(certificates)
        text = base64.b64encode(der)
        form = self.server.options.form
        if form == "wrapped":
            text = b"\n".join(text[i:i + 64] for i in range(0, len(text), 64)) + b"\n"
        elif form == "pem":
            text = b"-----BEGIN PKCS7-----\n" + base64.encodebytes(der) + b"-----END PKCS7-----\n"
        elif form == "der":
            text = der
        self.answer(200, text, "application/pkcs7-mime; smime-type=certs-only", [("Content-Transfer-Encoding", "base64")])
        self.tell(operation, 200)

    def tell(self, operation, status):
        self.note(f"{operation} {status} certificate={self.serial or '-'} password={self.password} request={self.digest}")

    def say(self, operation, status, body=b"", headers=()):
        self.answer(status, body, "text/plain", headers)
        self.tell(operation, status)

    def look(self, body):
        """Who asks, and what."""
        certificate = self.connection.getpeercert() if self.server.context else None
        self.serial = certificate.get("serialNumber") if certificate else None
        given = self.headers.get("Authorization", "")
        right = "Basic " + base64.b64encode((self.server.options.user or "").encode()).decode()
        self.password = "-" if not given else "yes" if given == right else "no"
        self.digest = hashlib.sha256(body).hexdigest() if body else "-"

    def is_welcome(self, mode):
        has_certificate = self.serial is not None and mode != "refused-revoked"
        has_password = self.password == "yes"
        if mode == "refused":
            return False
        if mode.startswith(("takes-", "keeps-")):
            who = "password" if self.password == "yes" else self.serial.lstrip("0") if self.serial else "nobody"
            return who == mode[6:]
        return {"any": True, "certificate": has_certificate, "password": has_password,
                "both": has_certificate and has_password,
                "either": has_certificate or has_password}[self.server.options.need]

    def operation(self):
        label = self.server.options.label
        prefix = PREFIX + ("/" + label if label else "") + "/"
        return self.path[len(prefix):] if self.path.startswith(prefix) else None

    def authorities(self):
        ca = self.server.ca
        if os.path.exists(f"{self.server.dir}/cacerts"):
            with open(f"{self.server.dir}/cacerts", encoding="ascii") as f:
                return [f.read()]
        return [ca.read("root.pem"), ca.read("sub.pem")]

    def do_GET(self):
        operation = self.operation()
        self.look(b"")
        if operation is None or operation not in ("cacerts", "csrattrs"):
            self.say("unknown", 404)
        elif self.misbehaves(operation):
            pass
        elif operation == "cacerts":
            self.send_certificates(operation, self.authorities())
        elif os.path.exists(f"{self.server.dir}/csrattrs"):
            with open(f"{self.server.dir}/csrattrs", "rb") as f:
                self.answer(200, base64.encodebytes(f.read()), "application/csrattrs")
            self.tell(operation, 200)
        else:
            self.say(operation, 204)

    def do_POST(self):
        operation = self.operation()
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.look(body)
        mode = self.mode(operation)
        if operation not in ("simpleenroll", "simplereenroll"):
            self.say("unknown", 404)
        elif self.misbehaves(operation):
            pass
        elif not self.is_welcome(mode):
            self.say(operation, 401, headers=[("WWW-Authenticate", 'Basic realm="est"')])
        elif mode.startswith(("pending", "keeps-")):
            with open(f"{self.server.dir}/request.b64", "wb") as f:
                f.write(body)
            self.say(operation, 202, headers=[("Retry-After", mode[8:] if mode.startswith("pending-") else "1")])
        elif any(len(line) > 76 for line in body.split(b"\n")):
            self.say(operation, 400, b"a line of the request is too long\n")
        else:
            self.enrol(operation, mode, body)

    def is_linked(self, pem):
        """RFC 7030 3.5: the challenge password is tls-unique of this connection."""
        unique = self.connection.get_channel_binding("tls-unique") if self.connection.version() == "TLSv1.2" else None
        text = testca.run("openssl", "req", "-noout", "-text", data=pem).decode()
        given = re.search(r"challengePassword\s*:(\S+)", text)
        return bool(unique and given and given[1] == base64.b64encode(unique).decode())

    def enrol(self, operation, mode, body):
        pem = b"-----BEGIN CERTIFICATE REQUEST-----\n" + body + b"-----END CERTIFICATE REQUEST-----\n"
        seconds = int(mode[9:]) if mode.startswith("lifetime-") else 86400
        wrong = mode if mode in testca.WRONGS else "honest"
        try:
            testca.run("openssl", "req", "-verify", "-noout", data=pem)
            with open(f"{self.server.dir}/last.pem", "wb") as f:
                f.write(pem)
            if self.server.options.link and not self.is_linked(pem):
                raise RuntimeError("the request does not belong to this connection")
            certificates = self.server.ca.issue(pem, wrong, seconds)
        except (RuntimeError, subprocess.SubprocessError) as error:
            self.say(operation, 400, str(error).encode()[:200])
            return
        if wrong != "long-chain":
            certificates = certificates[:1]
        self.send_certificates(operation, certificates)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("dir")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--user")
    parser.add_argument("--need", default="any", choices=("any", "certificate", "password", "both", "either"))
    parser.add_argument("--label")
    parser.add_argument("--tls")
    parser.add_argument("--link", action="store_true", help="requests have to belong to their connection")
    parser.add_argument("--expired", action="store_true", help="certificates may have expired")
    parser.add_argument("--form", default="wrapped", choices=("wrapped", "unwrapped", "der", "pem"))
    options = parser.parse_args()
    ca = testca.Ca(f"{options.dir}/ca")
    if not os.path.exists(f"{options.dir}/ca/clients.pem"):
        with open(f"{options.dir}/ca/clients.pem", "w", encoding="ascii") as f:
            f.write(ca.read("root.pem") + ca.read("sub.pem"))
    context = hostile.tls(ca.path("server.pem"), f"{options.dir}/ca/clients.pem", options.tls)
    if options.expired:
        context.verify_flags |= 0x200000  # X509_V_FLAG_NO_CHECK_TIME
    server = hostile.Server(options.dir, Est, context, options.port)
    server.ca = ca
    server.options = options
    server.serve_forever()


main()
