#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The Signet authors
# SPDX-License-Identifier: Apache-2.0
"""What a hostile local user can send to the private socket.

usage: attack.py WHAT SOCKET    exits 0 when its programme was carried out, whatever the agent answered
"""

import array
import contextlib
import os
import random
import resource
import socket
import struct
import sys
import time

OPS = range(0, 14)


def connect(path):
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    sock.settimeout(3)
    sock.connect(path)
    return sock


def packet(op, body=b"", version=1, status=0, serial=1):
    return struct.pack(">BBHI", version, op, status, serial) + body


def send(sock, data, *fds):
    """The agent may well close on us: that is its right."""
    with contextlib.suppress(OSError):
        if fds:
            sock.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))])
        else:
            sock.send(data)
        return sock.recv(65536)
    return b""


def garbage(path):
    rng = random.Random(1)
    for _ in range(300):
        with connect(path) as sock:
            for _ in range(20):
                send(sock, rng.randbytes(rng.randrange(1, 2000)))


def truncated(path):
    """Every operation, cut at every byte of a plausible body."""
    body = b"\x03app" + struct.pack(">I", 0) + b"\x01\x03\x00\x00\x00" + struct.pack(">I", 130) + b" " * 130
    for op in OPS:
        for cut in range(0, len(body), 7):
            with connect(path) as sock:
                send(sock, packet(op, body[:cut]))


def oversized(path):
    for size in (65536, 65537, 100_000, 200_000):
        with connect(path) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 400_000)
            send(sock, packet(4, b"\x03app" + b"\xff" * (size - 12)))


def versions(path):
    for version in range(256):
        with connect(path) as sock:
            send(sock, packet(1, b"\x01\x00\x00", version=version))


def foreign_fds(path):
    """Descriptors where none belong, and many of them."""
    for op in OPS:
        for count in (1, 2, 50):
            fds = [os.open("/dev/null", os.O_RDONLY) for _ in range(count)]
            with connect(path) as sock:
                send(sock, packet(op), *fds)
            for fd in fds:
                os.close(fd)


def half_closed(path):
    for how in (socket.SHUT_RD, socket.SHUT_WR, socket.SHUT_RDWR):
        for _ in range(50):
            with connect(path) as sock:
                sock.send(packet(2, b"\x00"))
                sock.shutdown(how)


def no_reading(path):
    """Asks a lot and never reads an answer."""
    socks = [connect(path) for _ in range(20)]
    for sock in socks:
        sock.setblocking(False)
        with contextlib.suppress(OSError):
            for serial in range(5000):
                sock.send(packet(2, b"\x00", serial=serial))
    time.sleep(0.5)


def silent(path):
    socks = [connect(path) for _ in range(200)]
    time.sleep(0.5)
    for sock in socks:
        sock.close()


def factory_abuse(path):
    """A factory that is sent everything but a fresh, unnamed SEQPACKET socketpair."""
    def give(*fds):
        with connect(path) as sock:
            send(sock, packet(1, b"\x01\x00\x00"))
            send(sock, packet(8))
            with contextlib.suppress(OSError):
                sock.sendmsg([packet(9)], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else [])
                sock.send(packet(2, b"\x00"))
    give()
    with open("/dev/null", "rb") as null:
        give(null.fileno())
    for family, kind in ((socket.AF_INET, socket.SOCK_STREAM), (socket.AF_UNIX, socket.SOCK_STREAM),
                         (socket.AF_UNIX, socket.SOCK_DGRAM), (socket.AF_UNIX, socket.SOCK_SEQPACKET)):
        with socket.socket(family, kind) as sock:
            give(sock.fileno())
    with connect(path) as mine:
        give(mine.fileno())
    for _ in range(300):
        a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with a, b:
            give(a.fileno())
            a.send(packet(2, b"\x00"))


def flood(path):
    """Ten thousand connections, as many as the limits allow, held until killed."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 16384), hard))
    socks, refused = [], 0
    for _ in range(10_000):
        try:
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            sock.settimeout(0.2)
            sock.connect(path)
            sock.send(packet(2, b"\x00"))
            socks.append(sock)
        except OSError:
            refused += 1
    print(f"holding {len(socks)} connections, {refused} refused", flush=True)
    time.sleep(20)


def main():
    if len(sys.argv) != 3 or sys.argv[1].replace("-", "_") not in globals():
        sys.exit(__doc__)
    globals()[sys.argv[1].replace("-", "_")](sys.argv[2])


if __name__ == "__main__":
    main()
