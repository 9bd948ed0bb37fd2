# SPDX-FileCopyrightText: 2026 The Signet authors
# SPDX-License-Identifier: Apache-2.0
"""A PIV card in memory: command APDUs in, response APDUs out. It knows nothing of readers.

Of NIST SP 800-73-4 part 2 it speaks what a program needs that uses a card which somebody else has filled:

  SELECT                     of the PIV application by its AID, whole or without the version
  GET DATA                   discovery object, CHUID, CCC, the certificates of slots 9A, 9C, 9D and 9E (part 1, table 3)
  VERIFY                     of the PIV PIN: 63Cx counts down, 6983 when it is locked; empty: how many tries are left; P1=FF: forget it
  GENERAL AUTHENTICATE       signs with RSA-2048 and ECC P-256 (SP 800-78-4 algorithms 07 and 11), ECDH with P-256; slot 9E without PIN,
                             slot 9C only with a PIN verified for this very signature
  command chaining, GET RESPONSE, short and extended lengths

and what it does not: the management key, GENERATE ASYMMETRIC KEY PAIR, PUT DATA, CHANGE REFERENCE DATA and RESET RETRY COUNTER
(6D00), secure messaging, biometrics. Keys are made when the card is, and a key is replaced by rekey().
"""

import datetime
import os
import struct

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.x509.oid import NameOID

AID = bytes.fromhex("A000000308000010000100")
RSA_2048, ECC_P256 = 0x07, 0x11
KEY_TYPES = {"rsa:2048": RSA_2048, "ec:P-256": ECC_P256}
# Slot: the object with its certificate.
CERTIFICATES = {0x9A: "5FC105", 0x9C: "5FC10A", 0x9D: "5FC10B", 0x9E: "5FC101"}
MAX_TRIES = 3

OK, FAILED_COUNTER, NO_INFO = b"\x90\x00", 0x63C0, b""
SECURITY, BLOCKED, NOT_SELECTED, BAD_DATA = b"\x69\x82", b"\x69\x83", b"\x69\x85", b"\x6A\x80"
NOT_FOUND, NO_REFERENCE, NO_INSTRUCTION = b"\x6A\x82", b"\x6A\x88", b"\x6D\x00"


def tlv(tag, value):
    """BER-TLV; tag in hex."""
    size = len(value)
    if size < 0x80:
        length = bytes([size])
    elif size < 0x100:
        length = bytes([0x81, size])
    else:
        length = b"\x82" + struct.pack(">H", size)
    return bytes.fromhex(tag) + length + value


def parse_tlv(data):
    """{tag in hex: value} of one level."""
    found, at = {}, 0
    while at < len(data):
        end = at + 1
        if data[at] & 0x1F == 0x1F:
            while data[end] & 0x80:
                end += 1
            end += 1
        tag, size = data[at:end].hex().upper(), data[end]
        at = end + 1
        if size in (0x81, 0x82):
            size, at = int.from_bytes(data[at:at + size - 0x80], "big"), at + size - 0x80
        found[tag], at = data[at:at + size], at + size
    return found


class Command:
    """ISO 7816-4 command APDU, cases 1 to 4, short and extended."""

    def __init__(self, apdu):
        self.cla, self.ins, self.p1, self.p2 = apdu[:4]
        body, self.data, rest = apdu[4:], b"", b""
        extended = len(body) >= 3 and body[0] == 0
        if extended and len(body) > 3:
            size = struct.unpack(">H", body[1:3])[0]
            self.data, rest = body[3:3 + size], body[3 + size:]
        elif not extended and len(body) > 1:
            self.data, rest = body[1:1 + body[0]], body[1 + body[0]:]
        else:
            rest = body[1:] if extended else body
        self.most = int.from_bytes(rest, "big") or (0x10000 if extended else 0x100)


def make_key(key_type):
    if KEY_TYPES[key_type] == RSA_2048:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return ec.generate_private_key(ec.SECP256R1())


def make_certificate(key, name):
    now = datetime.datetime.utcnow()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number(),
                                      now - datetime.timedelta(days=1), now + datetime.timedelta(days=3650))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


class Card:
    """slots: {0x9A: "ec:P-256", …}"""

    def __init__(self, name, pin, slots):
        self.name, self.pin, self.tries = name, pin.encode(), MAX_TRIES
        self.counts = {"verify": 0, "wrong": 0, "sign": 0, "apdu": 0}
        self.keys, self.objects = {}, {}
        guid = os.urandom(16)
        # FASC-N of an issuer that has none (SP 800-73-4 part 1, 3.1.2), GUID, expiry.
        fasc_n = bytes.fromhex("D4E739DA739CED39CE739D836858210842108421C84210C3EB")
        self.objects["5FC102"] = tlv("53", tlv("30", fasc_n) + tlv("34", guid) + tlv("35", b"20491231") + tlv("3E", b"") +
                                     tlv("FE", b""))
        self.objects["5FC107"] = tlv("53", tlv("F0", bytes.fromhex("A000000116FF02") + os.urandom(14)) + tlv("F1", b"\x21") +
                                     tlv("F2", b"\x21") + tlv("F3", b"") + tlv("F4", b"\x00") + tlv("F5", b"\x10") +
                                     b"".join(tlv(t, b"") for t in ("F6", "F7", "FA", "FB", "FC", "FD", "FE")))
        self.objects["7E"] = tlv("7E", tlv("4F", AID) + tlv("5F2F", b"\x40\x00"))
        for slot, key_type in slots.items():
            self.rekey(slot, key_type)
        self.reset()

    def rekey(self, slot, key_type):
        key = make_key(key_type)
        certificate = make_certificate(key, "%s %02X" % (self.name, slot))
        self.keys[slot] = KEY_TYPES[key_type], key
        self.objects[CERTIFICATES[slot]] = tlv("53", tlv("70", certificate) + tlv("71", b"\x00") + tlv("FE", b""))

    def certificate(self, slot):
        return parse_tlv(parse_tlv(self.objects[CERTIFICATES[slot]])["53"])["70"]

    def reset(self):
        """Power or reset: what was verified is forgotten, what the card keeps is not."""
        self.selected = self.verified = self.fresh = False
        self.chain, self.more = b"", b""

    # --- commands ---

    def process(self, apdu):
        self.counts["apdu"] += 1
        command = Command(apdu)
        if command.cla & 0x10:
            self.chain += command.data
            return OK
        command.data, self.chain = self.chain + command.data, b""
        if command.ins == 0xC0:
            return self.give(self.more, command.most)
        if command.ins == 0xA4:
            return self.select(command)
        handlers = {0xCB: self.get_data, 0x20: self.verify, 0x87: self.general_authenticate}
        if command.ins not in handlers:
            return NO_INSTRUCTION
        return handlers[command.ins](command) if self.selected else NOT_SELECTED

    def give(self, data, most):
        """What does not fit is fetched with GET RESPONSE."""
        part, self.more = data[:most], data[most:]
        return part + (bytes([0x61, min(len(self.more), 0x100) & 0xFF]) if self.more else OK)

    def select(self, command):
        if command.p1 != 4 or len(command.data) < 9 or not AID.startswith(command.data):
            return NOT_FOUND
        self.selected, self.verified, self.fresh = True, False, False
        return self.give(tlv("61", tlv("4F", AID[5:]) + tlv("79", tlv("4F", AID[:5])) + tlv("50", b"Signet test card")),
                         command.most)

    def get_data(self, command):
        wanted = parse_tlv(command.data).get("5C", b"").hex().upper()
        return self.give(self.objects[wanted], command.most) if wanted in self.objects else NOT_FOUND

    def left(self):
        return struct.pack(">H", FAILED_COUNTER | self.tries) if self.tries else BLOCKED

    def verify(self, command):
        if command.p2 != 0x80:
            return NO_REFERENCE
        if command.p1 == 0xFF:
            self.verified = self.fresh = False
            return OK
        if not command.data:
            return OK if self.verified else self.left()
        if len(command.data) != 8:
            return BAD_DATA
        self.counts["verify"] += 1
        if self.tries and command.data.rstrip(b"\xFF") == self.pin:
            self.verified, self.fresh, self.tries = True, True, MAX_TRIES
            return OK
        self.counts["wrong"] += 1
        self.verified, self.fresh, self.tries = False, False, max(0, self.tries - 1)
        return self.left()

    def may_use(self, slot):
        if slot == 0x9E:
            return True
        return self.fresh if slot == 0x9C else self.verified

    def general_authenticate(self, command):
        slot, template = command.p2, parse_tlv(parse_tlv(command.data).get("7C", b""))
        if slot not in self.keys:
            return NO_REFERENCE
        algorithm, key = self.keys[slot]
        allowed, self.fresh = self.may_use(slot), False
        if algorithm != command.p1 or ("81" not in template and "85" not in template):
            return BAD_DATA
        if not allowed:
            return SECURITY
        self.counts["sign"] += 1
        return self.give(tlv("7C", tlv("82", use_key(algorithm, key, template))), command.most)


def use_key(algorithm, key, template):
    if algorithm == RSA_2048:
        private = key.private_numbers()
        message = int.from_bytes(template["81"], "big")
        first, second = pow(message, private.dmp1, private.p), pow(message, private.dmq1, private.q)
        return (second + (first - second) * private.iqmp % private.p * private.q).to_bytes(256, "big")
    if "85" in template:
        return key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(key.curve, template["85"]))
    return key.sign(template["81"].rjust(32, b"\0")[:32], ec.ECDSA(Prehashed(hashes.SHA256())))
