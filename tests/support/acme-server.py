#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The Signet authors
# SPDX-License-Identifier: Apache-2.0
"""An ACME server (RFC 8555, with RFC 9773's renewalInfo) for tests: honest, or hostile as DIR/mode says (hostile.py, testca.py).

usage: acme-server.py DIR [--port N]

It believes all names, but a permanent identifier only with evidence (device-attest-01), which it judges by code of its own and the CAs for attestation keys
in DIR/attesters.pem; the key of that order has to be the one of the evidence. DIR/ca is the CA, DIR/port the port once it listens, DIR/log has a line for each signed request:
OPERATION STATUS account=N|- payload=JSON
Modes of its own: elsewhere (URLs of another server), no-nonce, challenge-failed (while authorisation and order stay pending), pending-N (order, with
Retry-After: N), not-replaced (an order that replaces something is refused). For operation 'renewal-info': window START END [RETRY-AFTER],
in seconds from now; honest: 404.
Of evidence, before it is judged: spoil-nonce, spoil-key, spoil-attributes, spoil-signature, spoil-chain, spoil-cbor (one byte each), garbage-evidence.
"""

import argparse
import base64
import datetime
import hashlib
import json
import os

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

import hostile
import testca
import tpmattest

OPERATIONS = ("new-nonce", "new-account", "new-order", "order", "authz", "challenge", "finalize", "certificate")


IDENTIFIERS_MAX = 16


def spki(key):
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


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


def read_cbor(data):
    """One value of RFC 8949, as far as attestation objects have them; and what follows it."""
    major, size, data = data[0] >> 5, data[0] & 31, data[1:]
    if size in (24, 25):
        length = size - 23
        size, data = int.from_bytes(data[:length], "big"), data[length:]
    elif size > 25:
        raise tpmattest.Wrong("that is no CBOR of this kind")
    if major in (0, 1):
        return (size if major == 0 else -1 - size), data
    if major in (2, 3):
        if len(data) < size:
            raise tpmattest.Wrong("it ends too early")
        part = data[:size]
        return (part if major == 2 else part.decode()), data[size:]
    if major not in (4, 5):
        raise tpmattest.Wrong("that is no CBOR of this kind")
    items = []
    for _ in range(size if major == 4 else 2 * size):
        item, data = read_cbor(data)
        items.append(item)
    return (items if major == 4 else dict(zip(items[::2], items[1::2]))), data


def thumbprint(jwk):
    text = json.dumps({name: jwk[name] for name in ("crv", "kty", "x", "y")}, sort_keys=True, separators=(",", ":"))
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")


def flip(data, at):
    data = bytearray(data)
    data[at] ^= 1
    return bytes(data)


def check_attester(chain, trusted):
    """WebAuthn 8.3.1; the public key of the attestation key's certificate."""
    leaf = x509.load_der_x509_certificate(chain[0])
    issuers = [c for c in trusted if c.subject == leaf.issuer]
    try:
        issuers[0].public_key().verify(leaf.signature, leaf.tbs_certificate_bytes, ec.ECDSA(leaf.signature_hash_algorithm))
    except (IndexError, InvalidSignature) as e:
        raise tpmattest.Wrong("nobody known has certified the attestation key") from e
    extensions = leaf.extensions
    usage = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DirectoryName)[0]
    maker = {a.oid.dotted_string for a in names}
    if leaf.subject.rdns or next(iter(usage)).dotted_string != "2.23.133.8.3" or not {"2.23.133.2.1", "2.23.133.2.2", "2.23.133.2.3"} <= maker:
        raise tpmattest.Wrong("the certificate is not that of an attestation key")
    if extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
        raise tpmattest.Wrong("the certificate is a CA's")
    return leaf.public_key()


def judge(attestation, authorization, trusted, mode):
    """The key that evidence speaks of, or Wrong."""
    if mode == "garbage-evidence":
        attestation = b"\xa2\x63fmt\x63tpm"
    if mode == "spoil-cbor":
        attestation = flip(attestation, 0)
    try:
        whole, rest = read_cbor(attestation)
        statement = whole["attStmt"]
    except (IndexError, KeyError, TypeError, UnicodeDecodeError) as e:
        raise tpmattest.Wrong("the attestation object is malformed") from e
    if rest or whole["fmt"] != "tpm" or statement["ver"] != "2.0" or statement["alg"] != -7 or len(whole) != 2 or len(statement) != 6:
        raise tpmattest.Wrong("the attestation object is not of this kind")
    key, signature, chain = statement["pubArea"], statement["sig"], statement["x5c"]
    if mode == "spoil-nonce":
        authorization += "x"
    if mode == "spoil-attributes":
        key = flip(key, 5)
    if mode == "spoil-key":
        key = tpmattest.another_key(key)
    if mode == "spoil-signature":
        signature = flip(signature, -1)
    if mode == "spoil-chain":
        chain = [flip(chain[0], -1)]
    return tpmattest.check(statement["certInfo"], signature, key, check_attester(chain, trusted), hashlib.sha256(authorization.encode()).digest())


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
        self.note(f"new-account account={accounts.index(jwk)}")
        self.say("new-account", 200, {"status": "valid"}, [("Location", self.url("account", accounts.index(jwk)))])

    def show(self, operation, number, status=200):
        mode = self.mode("order")
        order = {name: self.server.orders[number][name] for name in ("status", "identifiers")}
        order["finalize"] = self.url("finalize", number)
        order["authorizations"] = [self.url("authz", number * IDENTIFIERS_MAX + i) for i in range(len(order["identifiers"]))]
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
        is_device = any(i["type"] == "permanent-identifier" for i in payload["identifiers"])
        self.server.orders.append({"status": "pending" if is_device else "ready", "identifiers": payload["identifiers"], "problem": None, "key": None})
        self.show("new-order", len(self.server.orders) - 1, 201)

    def order(self, number, _payload, _jwk):
        self.show("order", number)

    def authz(self, place, _payload, _jwk):
        number, index = divmod(place, IDENTIFIERS_MAX)
        order = self.server.orders[number]
        identifier = order["identifiers"][index]
        if identifier["type"] == "permanent-identifier":
            self.show_device(place, order, identifier)
            return
        failed = self.mode("order") == "challenge-failed"
        challenge = {"type": "http-01", "url": self.url("challenge", place), "token": "token", "status": "invalid" if failed else "valid"}
        if failed:
            challenge["error"] = {"type": "urn:ietf:params:acme:error:connection", "detail": "nobody is there"}
        self.say("authz", 200, {"status": "pending" if failed else "valid", "challenges": [challenge], "identifier": identifier})

    def show_device(self, place, order, identifier):
        """What has failed shows at the challenge only."""
        status = "valid" if order["key"] else "invalid" if order["problem"] else "pending"
        challenge = {"type": "device-attest-01", "url": self.url("challenge", place), "token": f"token-{place}", "status": status}
        if order["problem"]:
            challenge["error"] = {"type": "urn:ietf:params:acme:error:badAttestationStatement", "detail": order["problem"]}
        self.say("authz", 200, {"status": "valid" if order["key"] else "pending", "challenges": [challenge], "identifier": identifier})

    def challenge(self, place, payload, jwk):
        order = self.server.orders[place // IDENTIFIERS_MAX]
        with open(f"{self.server.dir}/attesters.pem", "rb") as f:
            trusted = [x509.load_pem_x509_certificate(f.read())]
        try:
            order["key"] = judge(decode(payload["attObj"]), f"token-{place}.{thumbprint(jwk)}", trusted, self.mode("challenge")).key
            order["status"] = "ready"
            self.note("challenge attested")
        except tpmattest.Wrong as e:
            order["problem"] = str(e)
            self.note(f"challenge refused {e}")
        self.say("challenge", 200, {"type": "device-attest-01", "url": self.url("challenge", place), "status": "processing", "token": f"token-{place}"})

    def finalize(self, number, payload, _jwk):
        mode = self.mode("finalize")
        csr = testca.run("openssl", "req", "-inform", "DER", data=decode(payload["csr"]))
        testca.run("openssl", "req", "-verify", "-noout", data=csr)
        order = self.server.orders[number]
        public = x509.load_pem_x509_csr(csr if isinstance(csr, bytes) else csr.encode()).public_key()
        if order["key"] and spki(public) != spki(order["key"]):
            self.refuse("finalize", 403, "unauthorized", "that is not the key of the evidence")
            return
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
