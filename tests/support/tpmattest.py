#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The Signet authors
# SPDX-License-Identifier: Apache-2.0
"""What a TPM says of a key, read and judged by other code than Signet's own (TCG TPM 2.0 part 2).

usage: tpmattest.py DIR HEX    DIR has attestation, signature, key and attester; key.der and attester.der (SubjectPublicKeyInfo) are compared with the last
                               two where they are there; HEX: what was signed along. Says "good", or why not, with status 1.
"""

import hashlib
import os
import struct
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa, utils

CURVES = {3: ec.SECP256R1(), 4: ec.SECP384R1(), 5: ec.SECP521R1()}
FIXED_TPM, FIXED_PARENT, ORIGIN, RESTRICTED, DECRYPT, SIGN = 1 << 1, 1 << 4, 1 << 5, 1 << 16, 1 << 17, 1 << 18


class Wrong(ValueError):
    pass


class Reader:
    def __init__(self, data):
        self.data = data

    def take(self, size):
        if len(self.data) < size:
            raise Wrong("it ends too early")
        part, self.data = self.data[:size], self.data[size:]
        return part

    def number(self, code):
        return struct.unpack(">" + code, self.take(struct.calcsize(code)))[0]

    def sized(self):
        return self.take(self.number("H"))

    def end(self):
        if self.data:
            raise Wrong("something is left over")


class Public:
    """TPMT_PUBLIC"""

    def __init__(self, data):
        r = Reader(data)
        kind, self.hash, self.attributes = r.number("H"), r.number("H"), r.number("I")
        r.sized()
        if kind not in (1, 0x23):
            raise Wrong("it is neither an RSA nor an EC key")
        if r.number("H") != 0x10:  # of storage keys
            r.take(4)
        if r.number("H") != 0x10:
            r.take(2)
        if kind == 1:
            r.number("H")
            exponent = r.number("I") or 65537
            self.key = rsa.RSAPublicNumbers(exponent, int.from_bytes(r.sized(), "big")).public_key()
        else:
            curve = CURVES[r.number("H")]
            if r.number("H") != 0x10:
                r.take(2)
            x, y = (int.from_bytes(r.sized(), "big") for _ in range(2))
            self.key = ec.EllipticCurvePublicNumbers(x, y, curve).public_key()
        r.end()
        if self.hash != 0xB:
            raise Wrong("its name is not by SHA-256")
        self.name = struct.pack(">H", self.hash) + hashlib.sha256(data).digest()

    def spki(self):
        return self.key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def read_signature(data):
    """TPMT_SIGNATURE by ECDSA with SHA-256, as DER"""
    r = Reader(data)
    if r.number("I") != 0x0018000B:
        raise Wrong("the signature is not ECDSA with SHA-256")
    parts = [int.from_bytes(r.sized(), "big") for _ in range(2)]
    r.end()
    return utils.encode_dss_signature(*parts)


def check_attestation(data, name, extra):
    r = Reader(data)
    if r.number("I") != 0xFF544347 or r.number("H") != 0x8017:
        raise Wrong("it does not certify a key")
    r.sized()
    if r.sized() != extra:
        raise Wrong("it was not made for this")
    r.take(17 + 8)
    if r.sized() != name:
        raise Wrong("it certifies another key")
    r.sized()
    r.end()


def check(attestation, signature, key, attester, extra):
    """key: TPMT_PUBLIC; attester: a public key of cryptography. Returns the certified key (Public), or raises Wrong."""
    certified = Public(key)
    try:
        attester.verify(read_signature(signature), attestation, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as e:
        raise Wrong("the signature is not the attester's") from e
    check_attestation(attestation, certified.name, extra)
    if certified.attributes & (FIXED_TPM | FIXED_PARENT | ORIGIN) != FIXED_TPM | FIXED_PARENT | ORIGIN:
        raise Wrong("the key may leave the TPM, or was not made there")
    if certified.attributes & RESTRICTED:
        raise Wrong("the key is restricted")
    return certified


def another_key(area):
    """The public area of an EC key on P-256, with a new key's point."""
    numbers = ec.generate_private_key(ec.SECP256R1()).public_key().public_numbers()
    return area[:-68] + b"".join(b"\0\x20" + n.to_bytes(32, "big") for n in (numbers.x, numbers.y))


def main():
    def read(name):
        with open(os.path.join(sys.argv[1], name), "rb") as f:
            return f.read()

    attester = Public(read("attester"))
    certified = check(read("attestation"), read("signature"), read("key"), attester.key, bytes.fromhex(sys.argv[2]))
    wanted = FIXED_TPM | FIXED_PARENT | ORIGIN | RESTRICTED | SIGN
    if attester.attributes & wanted != wanted or attester.attributes & DECRYPT:
        raise Wrong("the attester signs other things too")
    for name, public in (("attester.der", attester), ("key.der", certified)):
        if os.path.exists(os.path.join(sys.argv[1], name)) and read(name) != public.spki():
            raise Wrong(f"{name} is another key")
    print("good")


if __name__ == "__main__":
    try:
        main()
    except Wrong as wrong:
        print(wrong)
        sys.exit(1)
