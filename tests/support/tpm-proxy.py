#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The Signet authors
# SPDX-License-Identifier: Apache-2.0
"""Stands between a program and a software TPM on a Unix socket, and writes down every command that passes.

usage: tpm-proxy.py LISTEN-PATH TPM-PATH LOG

One line per command: its code in hex (TCG TPM 2.0 part 2, 6.5.2). One client at a time, as the TPM has it.
"""

import os
import socket
import struct
import sys


def read_packet(sock):
    """A TPM command or response: tag, size, code (part 1, 18.1); None at the end."""
    data = b""
    while len(data) < 10 or len(data) < struct.unpack(">I", data[2:6])[0]:
        more = sock.recv(65536)
        if not more:
            return None
        data += more
    return data


def serve(client, tpm_path, log):
    with socket.socket(socket.AF_UNIX) as tpm:
        tpm.connect(tpm_path)
        while (command := read_packet(client)) is not None:
            log.write(f"{struct.unpack('>I', command[6:10])[0]:08x}\n")
            log.flush()
            tpm.sendall(command)
            response = read_packet(tpm)
            if response is None:
                return
            client.sendall(response)


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    listen_path, tpm_path, log_path = sys.argv[1:]
    with socket.socket(socket.AF_UNIX) as listener, open(log_path, "a", encoding="ascii") as log:
        if os.path.exists(listen_path):
            os.unlink(listen_path)
        listener.bind(listen_path)
        listener.listen(1)
        while True:
            client, _ = listener.accept()
            with client:
                serve(client, tpm_path, log)


if __name__ == "__main__":
    main()
