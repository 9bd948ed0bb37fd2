#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The Signet authors
# SPDX-License-Identifier: Apache-2.0
"""A smartcard reader with emulated PIV cards (card.py) behind a pcscd of its own, for the real stack: pcscd, libpcsclite, OpenSC.

usage: reader.py serve DIR [--pin PIN] [--slots 9a=ec:P-256,9c=rsa:2048,…]
           until SIGTERM; DIR/control is made when all is up, with the card 'card' inserted
       reader.py tell DIR COMMAND [ARGUMENT…]

Programs reach it with PCSCLITE_CSOCK_NAME=DIR/pcscd/pcscd.comm. pcscd runs in a mount and a network namespace of its own, so that
neither its directory nor the port of the virtual reader (vpcd) meets those of another run, or of the machine. Needs root.

Commands, a line each on the Unix socket DIR/control, and their answers:

  insert [NAME]         the card of that name, made at its first insertion ('card' if none is given)
  remove                and pcscd learns it at that moment, as from readers and USB tokens that tell it; answered when it is done
  yank                  and pcscd learns it when it looks next, up to 0.4 s later, or when a command fails
  delay SECONDS         from now on before the answer to each signature (GENERAL AUTHENTICATE)
  tries [N]             PIN tries that are left on the card that was inserted last; sets them, as wrong PINs would
  count WHAT            verify (VERIFY commands with a PIN), wrong (those that were refused), sign, apdu: since the card was made
  pin PIN               the card has this PIN from now on
  rekey SLOT TYPE       another key and certificate in a slot
  certificate SLOT      in hex

DIR/opensc.conf has OpenSC keep the card to itself between operations: version 0.23 waits for itself for ever when it finds that a PIV
card is gone as it takes the reader (sc_lock leaves its mutex locked), and no one else is there to be disturbed. Use it with OPENSC_CONF.
It can happen even so while the card is opened and pcscd does not know yet, that is, after 'yank'.

DIR/apdu.log has the header of every command and the status of its answer: no PINs.
"""

import argparse
import ctypes
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import time

PORT = 0x8C7B  # of vpcd, in the network namespace
READER = """FRIENDLYNAME "Signet test reader"
DEVICENAME /dev/null:0x8C7B
LIBPATH /usr/lib/pcsc/drivers/serial/libifdvpcd.so
CHANNELID 0x8C7B
"""
OPENSC = "app opensc-pkcs11 { pkcs11 { lock_login = true; } }\n"
HISTORY = b"Signet"
ATR_BODY = bytes([0x80 | len(HISTORY), 0x80, 0x01]) + HISTORY  # T=0 and T=1
SIGN = 0x87


def atr():
    check = 0
    for byte in ATR_BODY:
        check ^= byte
    return b"\x3B" + ATR_BODY + bytes([check])


class Slot:
    """One end of vpcd's protocol: packets with a length before them; one byte is a signal to the card, more are a command APDU."""

    def __init__(self, log):
        self.sock, self.card, self.log = None, None, log
        self.delay, self.reply, self.reply_at = 0.0, None, 0.0
        self.leaving = []  # clients who wait for the card to be removed

    def insert(self, card):
        self.remove()
        self.sock = socket.create_connection(("127.0.0.1", PORT))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.card = card

    def remove(self):
        if self.sock:
            self.sock.close()
            self.card.reset()
        self.sock, self.reply = None, None
        for client in self.leaving:
            client.sendall(b"ok\n")
            client.close()
        self.leaving = []

    def receive(self, size):
        data = b""
        while len(data) < size:
            # vpcd sends length and content apart, and would wait 40 ms for a delayed acknowledgement of the first.
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
            more = self.sock.recv(size - len(data))
            if not more:
                raise ConnectionError("pcscd is gone")
            data += more
        return data

    def send(self, data):
        self.sock.sendall(struct.pack(">H", len(data)) + data)

    def serve(self):
        packet = self.receive(struct.unpack(">H", self.receive(2))[0])
        if packet == b"\x04":  # pcscd looks whether there is a card
            if self.leaving:
                self.remove()
            else:
                self.send(atr())
        elif len(packet) == 1:
            self.card.reset()
        else:
            self.reply = self.card.process(packet)
            self.reply_at = time.monotonic() + (self.delay if packet[1] == SIGN and not packet[0] & 0x10 else 0)
            self.log.write("%s %d -> %s\n" % (packet[:4].hex(), len(packet), self.reply[-2:].hex()))
            self.log.flush()

    def answer(self):
        reply, self.reply = self.reply, None
        self.send(reply)


class Drawer:
    """The cards, and what may be ordered."""

    def __init__(self, slot, pin, slots):
        from card import Card  # not needed to tell
        self.make, self.slot, self.cards, self.last = lambda name: Card(name, pin, slots), slot, {}, None

    def insert(self, name="card"):
        if name not in self.cards:
            self.cards[name] = self.make(name)
        self.last = self.cards[name]
        self.slot.insert(self.last)

    def remove(self):
        """Of a card that is there obey_one() sees to it."""

    def yank(self):
        self.slot.remove()

    def delay(self, seconds):
        self.slot.delay = float(seconds)

    def tries(self, number=None):
        if number is not None:
            self.last.tries = int(number)
            self.last.verified = self.last.fresh = False
        return self.last.tries

    def count(self, what):
        return self.last.counts[what]

    def pin(self, pin):
        self.last.pin = pin.encode()

    def rekey(self, slot, key_type):
        self.last.rekey(int(slot, 16), key_type)

    def certificate(self, slot):
        return self.last.certificate(int(slot, 16)).hex()

    def obey(self, line):
        words = line.split()
        orders = "insert", "remove", "yank", "delay", "tries", "count", "pin", "rekey", "certificate"
        if not words or words[0] not in orders:
            return "error: what is '%s'?" % line.strip()
        try:
            answer = getattr(self, words[0])(*words[1:])
        except (TypeError, ValueError, KeyError) as error:
            return "error: '%s': %r" % (line.strip(), error)
        return "ok" if answer is None else str(answer)


# --- pcscd ---

def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def pcscd_command(folder):
    """From version 2 on (Debian 13) pcscd asks polkit, on the system's bus, about each client, and refuses all where there is no bus."""
    command = ["/usr/sbin/pcscd", "--foreground", "--config", folder + "/readers"]
    known = subprocess.run([command[0], "--help"], stdout=subprocess.PIPE, text=True, check=True).stdout
    return command + ["--disable-polkit"] * ("--disable-polkit" in known)


def start_pcscd(folder):
    """In the namespaces that main() made: /run is empty but for the directory that the outside sees too."""
    os.makedirs(folder + "/pcscd", exist_ok=True)
    os.makedirs(folder + "/readers", exist_ok=True)
    with open(folder + "/readers/vpcd", "w", encoding="ascii") as config:
        config.write(READER)
    with open(folder + "/opensc.conf", "w", encoding="ascii") as config:
        config.write(OPENSC)
    pcscd = os.path.realpath(folder + "/pcscd")
    outside = os.open(pcscd, os.O_PATH | os.O_DIRECTORY)
    subprocess.check_call(["mount", "-t", "tmpfs", "none", "/run"])
    os.mkdir("/run/pcscd")
    subprocess.check_call(["mount", "--bind", "/proc/self/fd/%d" % outside, "/run/pcscd"], pass_fds=[outside])
    os.close(outside)
    subprocess.check_call(["ip", "link", "set", "lo", "up"])
    with open(folder + "/pcscd.log", "w", encoding="ascii") as log:
        return subprocess.Popen(pcscd_command(folder), stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=die_with_parent)


def await_reader(pcscd):
    """vpcd listens when pcscd has loaded it."""
    until = time.monotonic() + 10
    while time.monotonic() < until and pcscd.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", PORT)).close()
            return
        except ConnectionRefusedError:
            time.sleep(0.02)
    sys.exit("reader.py: pcscd did not come up; see pcscd.log")


def listen(folder):
    path = folder + "/control"
    if os.path.exists(path):
        os.unlink(path)
    control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    control.bind(path)
    control.listen()
    return control


def obey_one(control, drawer):
    client, _ = control.accept()
    line = client.makefile().readline()
    if line.strip() == "remove" and drawer.slot.sock:
        drawer.slot.leaving.append(client)
        return
    with client:
        client.sendall((drawer.obey(line) + "\n").encode())


def loop(control, slot, drawer):
    while True:
        waiting = [control] + ([slot.sock] if slot.sock and not slot.reply else [])
        left = max(0, slot.reply_at - time.monotonic()) if slot.reply else None
        ready = select.select(waiting, [], [], left)[0]
        if control in ready:
            obey_one(control, drawer)
        elif slot.sock in ready:
            slot.serve()
        elif slot.reply:
            slot.answer()


def parse_slots(text):
    pairs = (pair.split("=") for pair in text.split(","))
    return {int(slot, 16): key_type for slot, key_type in pairs}


def serve(arguments):
    pcscd = start_pcscd(arguments.folder)
    try:
        await_reader(pcscd)
        with open(arguments.folder + "/apdu.log", "w", encoding="ascii") as log:
            slot = Slot(log)
            drawer = Drawer(slot, arguments.pin, parse_slots(arguments.slots))
            drawer.insert()
            loop(listen(arguments.folder), slot, drawer)
    finally:
        pcscd.terminate()
        pcscd.wait()


def tell(arguments):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as control:
        control.connect(arguments.folder + "/control")
        control.sendall((" ".join(arguments.words) + "\n").encode())
        answer = control.makefile().readline().strip()
    print(answer)
    sys.exit(answer.startswith("error:") or not answer)


def stop(*_):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(0)


def main():
    parser = argparse.ArgumentParser(description="A reader with emulated PIV cards.")
    commands = parser.add_subparsers(dest="what", required=True)
    server = commands.add_parser("serve")
    server.add_argument("folder")
    server.add_argument("--pin", default="123456")
    server.add_argument("--slots", default="9a=ec:P-256,9c=rsa:2048,9d=rsa:2048,9e=ec:P-256")
    teller = commands.add_parser("tell")
    teller.add_argument("folder")
    teller.add_argument("words", nargs="+")
    arguments = parser.parse_args()
    if arguments.what == "tell":
        tell(arguments)
    if "SIGNET_PIV_INSIDE" not in os.environ:
        os.environ["SIGNET_PIV_INSIDE"] = "yes"
        os.execvp("unshare", ["unshare", "--mount", "--net", sys.executable] + sys.argv)
    signal.signal(signal.SIGTERM, stop)
    serve(arguments)


main()
