#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The Signet authors
# SPDX-License-Identifier: Apache-2.0
"""A character device that behaves like /dev/tpmrm0, before a software TPM.

usage: tpm-device.py SOCKET LINK

One write is one command, and the answer can be read then, as tpm(4) has it. The device is the slave of a pseudo terminal in raw
mode, LINK a symbolic link to it; SOCKET is swtpm's. A client that closes the device leaves it usable for the next."""
import os
import pty
import signal
import socket
import sys
import termios
import tty

HEADER = 10


def read_exactly(read, size):
    data = b''
    while len(data) < size:
        part = read(size - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def read_message(read):
    """A TPM command or response: its size stands in bytes 2 to 5 of the header."""
    head = read_exactly(read, HEADER)
    return head + read_exactly(read, int.from_bytes(head[2:6], 'big') - HEADER)


def main():
    path, link = sys.argv[1:]
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    master, slave = pty.openpty()  # the slave stays open: without it the master reads EIO between two clients
    tty.setraw(slave, termios.TCSANOW)
    tpm = socket.socket(socket.AF_UNIX)
    tpm.connect(path)
    if os.path.lexists(link):
        os.unlink(link)
    os.symlink(os.ttyname(slave), link)
    while True:
        command = read_message(lambda size: os.read(master, size))
        tpm.sendall(command)
        response = read_message(tpm.recv)
        while response:
            response = response[os.write(master, response):]


main()
