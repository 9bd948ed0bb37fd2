#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The Signet authors
# SPDX-License-Identifier: Apache-2.0
"""An ACME server (RFC 8555, with RFC 9773's renewalInfo) for tests: honest, or hostile as DIR/mode says (hostile.py, testca.py).

usage: acme-server.py DIR [--port N]

It believes all names. DIR/ca is the CA, DIR/port the port once it listens, DIR/log has a line for each signed request:
OPERATION STATUS account=N|- payload=JSON
Modes of its own: elsewhere (URLs of another server), no-nonce, challenge-failed (while authorisation and order stay pending), pending-N (order, with
Retry-After: N), not-replaced (an order that replaces something is refused). For operation 'renewal-info': window START END [RETRY-AFTER],
in seconds from now; honest: 404.
"""

import argparse
import base64
import datetime
import json
import os

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

import hostile
import testca

OPERATIONS = ("new-nonce", "new-account", "new-order", "order", "authz", "challenge", "finalize", "certificate")


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def verify(jwk, jws):
    """ES256 with P-256 only, as the account of these tests has it."""
    x, y = (int.from_bytes(decode(jwk[name]), "big") for name in "xy")
    key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    raw = decode(jws["signature"])
    if len(raw) != 64:
        raise ValueError("the signature is not r and s")
    signature = utils.encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    key.verify(signature, f"{jws['protected']}.{jws['payload']}".encode(), ec.ECDSA(hashes.SHA256()))


class Acme(hostile.Handler):
    content_type = "application/json"

    def url(self, *parts):
        return "/".join((f"https://{self.headers['Host']}", *map(str, parts)))

    def say(self, operation, status, value, headers=()):
        nonce = base64.urlsafe_b64encode(os.urandom(12)).decode()
        self.server.nonces.add(nonce)
        if self.mode(operation) != "no-nonce":
            headers = [*headers, ("Replay-Nonce", nonce)]
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.answer(status, body, headers=headers)

    def refuse(self, operation, status, kind, detail):
        self.note(f"{operation} {status} {kind}")
        self.say(operation, status, {"type": "urn:ietf:params:acme:error:" + kind, "detail": detail})

    def do_HEAD(self):
        if not self.misbehaves("new-nonce"):
            self.say("new-nonce", 200, b"")

    def renewal_info(self, identifier):
        """RFC 9773 4.2."""
        mode = self.mode("renewal-info").split()
        self.note(f"renewal-info {identifier}")
        if self.misbehaves("renewal-info"):
            return
        if mode[0] != "window":
            self.answer(404)
            return
        now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
        start, end = ((now + datetime.timedelta(seconds=int(text))).strftime("%Y-%m-%dT%H:%M:%SZ") for text in mode[1:3])
        headers = [("Retry-After", mode[3])] if len(mode) > 3 else []
        self.say("renewal-info", 200, {"suggestedWindow": {"start": start, "end": end}, "explanationURL": "https://ca.test/why"}, headers)

    def do_GET(self):
        if self.path.startswith("/renewal-info/"):
            self.renewal_info(self.path[len("/renewal-info/"):])
            return
        if self.misbehaves("directory"):
            return
        base = self.url() if self.mode("directory") != "elsewhere" else "https://elsewhere.invalid"
        self.say("directory", 200, {"newNonce": f"{base}/new-nonce", "newAccount": f"{base}/new-account", "newOrder": f"{base}/new-order",
                                    "renewalInfo": f"{base}/renewal-info"})

    def do_POST(self):
        operation, _, number = self.path.strip("/").partition("/")
        jws = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        if operation not in OPERATIONS:
            self.answer(404)
        elif not self.misbehaves(operation):
            self.serve(operation, number, jws)

    def serve(self, operation, number, jws):
        head = json.loads(decode(jws["protected"]))
        if head["nonce"] not in self.server.nonces:
            self.refuse(operation, 400, "badNonce", "that nonce is not of today")
            return
        self.server.nonces.remove(head["nonce"])
        jwk = head.get("jwk") or self.server.accounts[int(head["kid"].rsplit("/", 1)[1])]
        verify(jwk, jws)
        if head["url"] != self.url(*self.path.strip("/").split("/")):
            raise ValueError("it was signed for another URL")
        payload = json.loads(decode(jws["payload"])) if jws["payload"] else None
        self.note(f"{operation} asked payload={json.dumps(payload)}")
        getattr(self, operation.replace("-", "_"))(number and int(number), payload, jwk)

    def new_account(self, _, payload, jwk):
        accounts = self.server.accounts
        if jwk not in accounts and payload.get("onlyReturnExisting"):
            self.refuse("new-account", 400, "accountDoesNotExist", "never heard of it")
            return
        if jwk not in accounts:
            accounts.append(jwk)
        self.say("new-account", 200, {"status": "valid"}, [("Location", self.url("account", accounts.index(jwk)))])

    def show(self, operation, number, status=200):
        mode = self.mode("order")
        order = dict(self.server.orders[number], finalize=self.url("finalize", number), authorizations=[self.url("authz", number)])
        headers = [("Location", self.url("order", number))]
        if mode.startswith("pending") and order["status"] in ("ready", "valid"):
            order["status"] = "processing"
            headers.append(("Retry-After", mode[8:] or "1"))
        if mode == "challenge-failed":
            order["status"] = "pending"
        if order["status"] == "valid":
            order["certificate"] = self.url("certificate", number)
        self.say(operation, status, order, headers)

    def new_order(self, _, payload, _jwk):
        if "replaces" in payload and self.mode("new-order") == "not-replaced":
            self.refuse("new-order", 409, "alreadyReplaced", "it has been replaced")
            return
        self.server.orders.append({"status": "ready", "identifiers": payload["identifiers"]})
        self.show("new-order", len(self.server.orders) - 1, 201)

    def order(self, number, _payload, _jwk):
        self.show("order", number)

    def authz(self, number, _payload, _jwk):
        failed = self.mode("order") == "challenge-failed"
        challenge = {"type": "http-01", "url": self.url("challenge", number), "token": "token", "status": "invalid" if failed else "valid"}
        if failed:
            challenge["error"] = {"type": "urn:ietf:params:acme:error:connection", "detail": "nobody is there"}
        self.say("authz", 200, {"status": "pending" if failed else "valid", "challenges": [challenge],
                                "identifier": self.server.orders[number]["identifiers"][0]})

    def finalize(self, number, payload, _jwk):
        mode = self.mode("finalize")
        csr = testca.run("openssl", "req", "-inform", "DER", data=decode(payload["csr"]))
        testca.run("openssl", "req", "-verify", "-noout", data=csr)
        order = self.server.orders[number]
        self.server.certificates[number] = self.server.ca.issue(csr, mode if mode in testca.WRONGS else "honest")
        order["status"] = "valid"
        self.show("finalize", number)

    def certificate(self, number, _payload, _jwk):
        self.say("certificate", 200, "".join(self.server.certificates[number]).encode())


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("dir")
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    ca = testca.Ca(f"{options.dir}/ca")
    server = hostile.Server(options.dir, Acme, hostile.tls(ca.path("server.pem")), options.port)
    server.ca = ca
    server.nonces, server.accounts, server.orders, server.certificates = set(), [], [], {}
    server.serve_forever()


main()
