#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The Signet authors
# SPDX-License-Identifier: Apache-2.0
"""Forges evidence: with an attestation key of its own making, in software, which signs whatever it is told to, and somebody's endorsement certificate.

usage: forge.py EVIDENCE OUT [WRONG]    EVIDENCE gives certificates, nonce and names; WRONG is what to do beside that:
    attester-ATTRIBUTE, key-ATTRIBUTE   that key lacks it, or has restricted or decrypt that it should not
    other-key                           another key is certified than the one in the file
    magic, type, left-over, cut         of the attestation
    digest                              signed with SHA-1
"""

import base64
import hashlib
import json
import struct
import sys

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

BITS = {"fixedTPM": 1 << 1, "fixedParent": 1 << 4, "sensitiveDataOrigin": 1 << 5, "restricted": 1 << 16, "decrypt": 1 << 17, "sign": 1 << 18}
KEY = BITS["fixedTPM"] | BITS["fixedParent"] | BITS["sensitiveDataOrigin"] | 1 << 6 | BITS["sign"]


def sized(data):
    return struct.pack(">H", len(data)) + data


def coordinates(key):
    numbers = key.public_key().public_numbers()
    return sized(numbers.x.to_bytes(32, "big")) + sized(numbers.y.to_bytes(32, "big"))


def public(unique, attributes, scheme):
    return struct.pack(">HHI", 0x23, 0xB, attributes) + sized(b"") + b"\0\x10" + scheme + struct.pack(">HH", 3, 0x10) + unique


def name(area):
    return b"\0\x0b" + hashlib.sha256(area).digest()


def certificate_key(evidence):
    """The unique field of the real key, so that the certificate still fits: it stands at the end of its public area."""
    return base64.b64decode(evidence["key"])[-68:]


def attest(wrong, extra, certified):
    magic = 0xFF544348 if wrong == "magic" else 0xFF544347
    kind = 0x8018 if wrong == "type" else 0x8017
    data = struct.pack(">IH", magic, kind) + sized(name(b"somebody")) + sized(extra) + bytes(17 + 8) + sized(certified) + sized(name(b"qualified"))
    if wrong == "cut":
        return data[:-1]
    return data + b"\0" if wrong == "left-over" else data


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        evidence = json.load(f)
    wrong = sys.argv[3] if len(sys.argv) > 3 else ""
    whose, _, attribute = wrong.partition("-")
    attributes = {"attester": KEY | BITS["restricted"], "key": KEY}
    if whose in attributes:
        attributes[whose] ^= BITS[attribute]
    attester = ec.generate_private_key(ec.SECP256R1())
    attester_area = public(coordinates(attester), attributes["attester"], struct.pack(">HH", 0x18, 0xB))
    key_area = public(certificate_key(evidence), attributes["key"], b"\0\x10")
    certified = name(b"another") if wrong == "other-key" else name(key_area)
    attestation = attest(wrong, base64.b64decode(evidence["nonce"]), certified)
    digest, number = (hashes.SHA1(), 4) if wrong == "digest" else (hashes.SHA256(), 0xB)
    r, s = utils.decode_dss_signature(attester.sign(attestation, ec.ECDSA(digest)))
    signature = struct.pack(">HH", 0x18, number) + sized(r.to_bytes(32, "big")) + sized(s.to_bytes(32, "big"))
    for member, value in (("attestation", attestation), ("signature", signature), ("key", key_area), ("attester", attester_area)):
        evidence[member] = base64.b64encode(value).decode()
    with open(sys.argv[2], "w", encoding="utf-8") as f:
        json.dump(evidence, f)


main()
