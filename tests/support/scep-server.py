#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The Signet authors
# SPDX-License-Identifier: Apache-2.0
"""A SCEP server (RFC 8894) for tests: honest, or hostile as DIR/mode says (hostile.py, testca.py).

usage: scep-server.py DIR [--port N] [--secret TEXT] [--caps WORDS]

DIR/ca is the CA, whose RA speaks for it; DIR/port the port once it listens, DIR/request.pem the last request that waits, DIR/next what the CA goes on with, DIR/log has a line for each message:
OPERATION STATUS transaction=HEX password=yes|no|-, STATUS as RFC 8894 3.2.1.3 has it: 0 success, 2 failure, 3 pending.
Operations: getcacaps getcacert pkcsreq renewalreq certpoll. Modes of its own: pending (an operation that asks for a certificate is kept; certpoll
answers it), lifetime-N (seconds), refuse-N (failInfo), other-signs, wrong-transaction, wrong-nonce, flip (a bit of the signature), replay (the first answer).
"""

import argparse
import os
import tempfile
import urllib.parse

import hostile
import testca

TYPES = {b"3": "certrep", b"17": "renewalreq", b"19": "pkcsreq", b"20": "certpoll"}
SUCCESS, FAILURE, PENDING = 0, 2, 3

# DER of object identifiers: 2.16.840.1.113733.1.9.N and those of RFC 5652.
VERISIGN = bytes.fromhex("060a6086480186f8450109")
MESSAGE_TYPE, STATUS, FAIL_INFO, SENDER_NONCE, RECIPIENT_NONCE, TRANSACTION = (VERISIGN + bytes([n]) for n in range(2, 8))
DATA, SIGNED_DATA = bytes.fromhex("06092a864886f70d010701"), bytes.fromhex("06092a864886f70d010702")
CONTENT_TYPE, MESSAGE_DIGEST = bytes.fromhex("06092a864886f70d010903"), bytes.fromhex("06092a864886f70d010904")
SHA256, RSA = bytes.fromhex("300d06096086480165030402010500"), bytes.fromhex("300d06092a864886f70d0101010500")


def tlv(tag, *parts):
    body = b"".join(parts)
    if len(body) < 0x80:
        return bytes([tag, len(body)]) + body
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size)]) + size + body


def split(der, at=0):
    """Where the content begins, and where it ends."""
    first, begin = der[at + 1], at + 2
    if first & 0x80:
        begin += first & 0x7F
        first = int.from_bytes(der[at + 2:begin], "big")
    return begin, begin + first


def attribute(message, oid):
    """The first value of the attribute, as it stands; None without one."""
    at = message.find(oid)
    if at < 0:
        return None
    begin, _ = split(message, at + len(oid))
    return message[begin:split(message, begin)[1]]


def content(der):
    begin, end = split(der)
    return der[begin:end]


def issuer_and_serial(certificate):
    """RFC 5652 10.2.4, from a certificate's DER."""
    at, _ = split(certificate, split(certificate)[0])
    at = split(certificate, at)[1]  # version
    serial_end = split(certificate, at)[1]
    issuer = split(certificate, serial_end)[1]
    return tlv(0x30, certificate[issuer:split(certificate, issuer)[1]], certificate[at:serial_end])


class Signer:
    """An RA: RSA, certified by a CA."""

    def __init__(self, ca):
        self.key, self.pem = ca.path("ra.key"), ca.path("ra.pem")
        if not os.path.exists(self.pem):
            testca.run("openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", self.key)
            testca.run("openssl", "req", "-new", "-config", ca.path("copy.cnf"), "-key", self.key, "-subj", "/O=Signet tests/CN=ra",
                       "-addext", "keyUsage=digitalSignature,keyEncipherment", "-out", ca.path("ra.csr"))
            with open(self.pem, "w", encoding="ascii") as f:
                f.write(ca.issue(ca.read("ra.csr").encode(), "honest", 30 * 86400)[0])
        self.der = testca.run("openssl", "x509", "-in", self.pem, "-outform", "DER")

    def sign(self, body, attributes):
        """SignedData around body (None: nothing), DER."""
        digest = testca.run("openssl", "dgst", "-sha256", "-binary", data=body or b"")
        attributes = [(CONTENT_TYPE, DATA), (MESSAGE_DIGEST, tlv(0x04, digest)), *attributes]
        signed = b"".join(sorted(tlv(0x30, oid, tlv(0x31, value)) for oid, value in attributes))
        signature = testca.run("openssl", "dgst", "-sha256", "-sign", self.key, data=tlv(0x31, signed))
        signer = tlv(0x30, tlv(0x02, b"\1"), issuer_and_serial(self.der), SHA256, tlv(0xA0, signed), RSA, tlv(0x04, signature))
        inside = tlv(0x30, DATA, *([tlv(0xA0, tlv(0x04, body))] if body else []))
        return tlv(0x30, SIGNED_DATA, tlv(0xA0, tlv(0x30, tlv(0x02, b"\1"), tlv(0x31, SHA256), inside, tlv(0xA0, self.der), tlv(0x31, signer))))


class Message:
    """What was asked; RuntimeError when it is not signed, or not for us."""

    def __init__(self, der, ra):
        with tempfile.TemporaryDirectory() as place:
            self.name = TYPES[content(attribute(der, MESSAGE_TYPE))]
            envelope = testca.run("openssl", "cms", "-verify", "-noverify", "-inform", "DER", "-signer", f"{place}/signer", data=der)
            self.content = testca.run("openssl", "cms", "-decrypt", "-inform", "DER", "-recip", ra.pem, "-inkey", ra.key, data=envelope)
            with open(f"{place}/signer", encoding="ascii") as f:
                self.signer = f.read()
        self.transaction = attribute(der, TRANSACTION)
        self.nonce = attribute(der, SENDER_NONCE)

    def envelop(self, der):
        """For whoever signed the request."""
        with tempfile.NamedTemporaryFile("w", encoding="ascii") as recipient:
            recipient.write(self.signer)
            recipient.flush()
            return testca.run("openssl", "cms", "-encrypt", "-binary", "-aes-128-cbc", "-outform", "DER", recipient.name, data=der)


class Scep(hostile.Handler):
    content_type = "application/x-pki-message"

    def question(self):
        return urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query).get("operation", [""])[0].lower()

    def do_GET(self):
        operation = self.question()
        ca = self.server.ca
        if self.misbehaves(operation):
            return
        if operation == "getcacaps":
            self.answer(200, self.server.options.caps.replace(" ", "\n").replace(",", "\n").encode(), "text/plain")
        elif operation == "getcacert":
            with open(self.server.ra.pem, encoding="ascii") as f:
                self.answer(200, ca.pkcs7([f.read(), ca.read("sub.pem"), ca.read("root.pem")]), "application/x-x509-ca-ra-cert")
        elif operation == "getnextcacert" and os.path.exists(f"{self.server.dir}/next"):
            self.answer(200, self.announcement(), "application/x-x509-next-ca-cert")
        else:
            self.answer(404)

    def announcement(self):
        """RFC 8894 4.7.1: the certificates of DIR/next, signed by the CA in the directory that DIR/announcer names (default: this one)."""
        announcer = self.server.ca.dir
        if os.path.exists(f"{self.server.dir}/announcer"):
            with open(f"{self.server.dir}/announcer", encoding="utf-8") as f:
                announcer = f.read().strip()
        with open(f"{self.server.dir}/next", encoding="ascii") as f:
            certificates = self.server.ca.pkcs7([f.read()])
        self.note("getnextcacert")
        return testca.run("openssl", "cms", "-sign", "-binary", "-nodetach", "-nosmimecap", "-md", "sha256", "-outform", "DER",
                          "-signer", f"{announcer}/sub.pem", "-inkey", f"{announcer}/sub.key", data=certificates)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            message = Message(body, self.server.ra)
        except (RuntimeError, KeyError, TypeError) as error:
            self.note(f"- {error}")
            self.answer(400, b"not a message of SCEP\n", "text/plain")
            return
        if not self.misbehaves(message.name):
            self.reply(message, self.mode(message.name))

    def reply(self, message, mode):
        transaction = content(message.transaction).decode()
        status, fail_info, certificates, password = self.decide(message, mode, transaction)
        self.note(f"{message.name} {status} transaction={transaction} password={password}")
        attributes = [(MESSAGE_TYPE, tlv(0x13, b"3")), (STATUS, tlv(0x13, b"%d" % status)), (SENDER_NONCE, tlv(0x04, os.urandom(16))),
                      (TRANSACTION, tlv(0x13, b"0" * 64) if mode == "wrong-transaction" else message.transaction),
                      (RECIPIENT_NONCE, tlv(0x04, bytes(16)) if mode == "wrong-nonce" else message.nonce)]
        if fail_info is not None:
            attributes.append((FAIL_INFO, tlv(0x13, fail_info)))
        body = message.envelop(self.server.ca.pkcs7(certificates)) if certificates else None
        signer = self.server.stranger if mode == "other-signs" else self.server.ra
        answer = signer.sign(body, attributes)
        if mode == "replay":
            answer = self.server.first
        if mode == "flip":
            answer = answer[:-1] + bytes([answer[-1] ^ 1])
        self.server.first = self.server.first or answer
        self.answer(200, answer)

    def decide(self, message, mode, transaction):
        """Status, failInfo, certificates, and what is to be said of the password."""
        waiting = self.server.waiting
        if mode.startswith("refuse-"):
            return FAILURE, mode[7:].encode(), None, "-"
        if message.name == "certpoll":
            if transaction not in waiting:
                return FAILURE, b"4", None, "-"
            return (PENDING, None, None, "-") if mode == "pending" else (SUCCESS, None, self.issue(waiting[transaction], mode), "-")
        request = testca.run("openssl", "req", "-inform", "DER", data=message.content)
        testca.run("openssl", "req", "-verify", "-noout", data=request)
        text = testca.run("openssl", "req", "-noout", "-text", data=request).decode()
        secret = self.server.options.secret
        password = "-" if "challengePassword" not in text else "yes" if f"challengePassword        :{secret}\n" in text else "no"
        if message.name == "pkcsreq" and password != "yes":
            return FAILURE, b"2", None, password
        if mode == "pending":
            waiting[transaction] = request
            with open(f"{self.server.dir}/request.pem", "wb") as f:
                f.write(request)
            return PENDING, None, None, password
        return SUCCESS, None, self.issue(request, mode), password

    def issue(self, request, mode):
        seconds = int(mode[9:]) if mode.startswith("lifetime-") else 86400
        return self.server.ca.issue(request, mode if mode in testca.WRONGS else "honest", seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("dir")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--secret", default="s3cret-of-this-test")
    parser.add_argument("--caps", default="AES SHA-256 POSTPKIOperation Renewal SCEPStandard")
    options = parser.parse_args()
    ca = testca.Ca(f"{options.dir}/ca")
    server = hostile.Server(options.dir, Scep, None, options.port)
    server.ca, server.options = ca, options
    server.ra, server.stranger = Signer(ca), Signer(testca.Ca(ca.path("other-ca"), "Another"))
    server.waiting, server.first = {}, None
    server.serve_forever()


main()
