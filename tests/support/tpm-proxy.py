#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The Signet authors
# SPDX-License-Identifier: Apache-2.0
"""Stands between a program and a software TPM on a Unix socket, writes down every command that passes, and makes the software TPM
as slow and as moody as TPMs really are.

usage: tpm-proxy.py [--latency TABLE] LISTEN-PATH TPM-PATH LOG

LOG gets one line per command: its code in hex (TCG TPM 2.0 part 2, 6.5.2), and the fault if there was one. One client at a time, as
the TPM has it.

Faults are ordered by a file LOG.faults, made whole and renamed into place; it is removed when it is read, which is when the next
command comes. Each line is `N KIND`: the N-th command from there on, 1 being the one that came, meets the fault:

  retry yielded testing nv-rate       the TPM answers TPM_RC_… and does nothing
  object-memory object-handles session-memory session-handles memory lockout failure
                                      likewise
  reset                               the TPM loses power before the command and waits for TPM2_Startup
  resume                              likewise, but somebody (a kernel) has sent TPM2_Startup already
  cut                                 the connection is closed in place of an answer; the command was not run
  lost                                likewise, but it was run

`N+ KIND` means that command and all that follow, until the next file comes.

A latency table adds waiting to commands. Maximal PSS salts, which many TPMs insist on, are not played: the agent pads PSS itself and
gives the TPM bare numbers.
"""

import argparse
import os
import socket
import struct
import time

# TCG TPM 2.0 part 2, 6.6.3.
RESPONSES = {
    "retry": 0x922, "yielded": 0x908, "testing": 0x90A, "nv-rate": 0x920, "lockout": 0x921, "failure": 0x101,
    "object-memory": 0x902, "object-handles": 0x906, "session-memory": 0x903, "session-handles": 0x905, "memory": 0x904,
}

CREATE, CREATE_PRIMARY, LOAD, SIGN, RSA_DECRYPT, ECDH_ZGEN = 0x153, 0x131, 0x157, 0x15D, 0x159, 0x154
START_AUTH_SESSION = 0x176
TPM_ALG_RSA, TPM_ST_SESSIONS = 0x0001, 0x8002

# Milliseconds by command code; by (code, algorithm) where that matters. ECDSA, RSA and RSA key generation of the SLB9670 are published
# measurements; the rest is what is usual for such chips.
LATENCIES = {
    "none": {},
    "slb9670": {
        SIGN: 69, RSA_DECRYPT: 163, ECDH_ZGEN: 69, LOAD: 20, START_AUTH_SESSION: 60,
        CREATE: 250, (CREATE, TPM_ALG_RSA): 2200, CREATE_PRIMARY: 250, (CREATE_PRIMARY, TPM_ALG_RSA): 2200, None: 3,
    },
}


def read_packet(sock):
    """A TPM command or response: tag, size, code (part 1, 18.1); None at the end."""
    data = b""
    while len(data) < 10 or len(data) < struct.unpack(">I", data[2:6])[0]:
        more = sock.recv(65536)
        if not more:
            return None
        data += more
    return data


def code_of(packet):
    return struct.unpack(">I", packet[6:10])[0]


def new_key_algorithm(command):
    """What kind of key TPM2_Create or TPM2_CreatePrimary is to make (part 3, 12.1 and 24.1)."""
    at = 14
    if struct.unpack(">H", command[:2])[0] == TPM_ST_SESSIONS:
        at += 4 + struct.unpack_from(">I", command, at)[0]
    at += 2 + struct.unpack_from(">H", command, at)[0]
    return struct.unpack_from(">H", command, at + 2)[0]


class Proxy:
    def __init__(self, tpm_path, log, faults_path, latencies):
        self.tpm_path = tpm_path
        self.log = log
        self.faults_path = faults_path
        self.latencies = latencies
        self.count = 0
        self.faults = {}
        self.from_now_on = {}

    def read_orders(self):
        try:
            with open(self.faults_path, encoding="ascii") as f:
                lines = f.read().split("\n")
            os.unlink(self.faults_path)
        except FileNotFoundError:
            return
        self.count, self.faults, self.from_now_on = 0, {}, {}
        for number, kind in (line.split() for line in lines if line):
            where = self.from_now_on if number.endswith("+") else self.faults
            where[int(number.rstrip("+"))] = kind

    def next_fault(self):
        self.read_orders()
        self.count += 1
        lasting = [kind for number, kind in self.from_now_on.items() if number <= self.count]
        return self.faults.get(self.count, lasting[-1] if lasting else None)

    def wait(self, command):
        code = code_of(command)
        specific = (code, new_key_algorithm(command)) if code in (CREATE, CREATE_PRIMARY) else code
        table = self.latencies
        time.sleep(table.get(specific, table.get(code, table.get(None, 0))) / 1000)

    def reset(self):
        """CMD_INIT over the control channel (swtpm_ioctls(3)): power off and on."""
        with socket.socket(socket.AF_UNIX) as control:
            control.connect(self.tpm_path + ".ctrl")
            control.sendall(struct.pack(">II", 2, 0))
            if control.recv(4) != bytes(4):
                raise RuntimeError("swtpm refused the reset")

    def answer(self, tpm, command, fault):
        """The response; None: the connection is to be closed."""
        if fault in RESPONSES:
            return struct.pack(">HII", 0x8001, 10, RESPONSES[fault])
        if fault == "cut":
            return None
        if fault in ("reset", "resume"):
            self.reset()
        if fault == "resume":
            tpm.sendall(bytes.fromhex("80010000000c000001440000"))  # TPM2_Startup(TPM_SU_CLEAR)
            read_packet(tpm)
        self.wait(command)
        tpm.sendall(command)
        response = read_packet(tpm)
        return None if fault == "lost" else response

    def serve(self, client):
        with socket.socket(socket.AF_UNIX) as tpm:
            tpm.connect(self.tpm_path)
            while (command := read_packet(client)) is not None:
                fault = self.next_fault()
                self.log.write(f"{code_of(command):08x}{' ' + fault if fault else ''}\n")
                self.log.flush()
                response = self.answer(tpm, command, fault)
                if response is None:
                    return
                client.sendall(response)


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1].replace("usage: ", ""))
    parser.add_argument("--latency", choices=LATENCIES, default="none")
    parser.add_argument("listen_path")
    parser.add_argument("tpm_path")
    parser.add_argument("log_path")
    options = parser.parse_args()
    with socket.socket(socket.AF_UNIX) as listener, open(options.log_path, "a", encoding="ascii") as log:
        listener.bind(options.listen_path + ".new")
        listener.listen(1)
        os.rename(options.listen_path + ".new", options.listen_path)
        proxy = Proxy(options.tpm_path, log, options.log_path + ".faults", LATENCIES[options.latency])
        while True:
            client, _ = listener.accept()
            with client:
                try:
                    proxy.serve(client)
                except (ConnectionError, FileNotFoundError):
                    pass  # the program or the TPM went away; the next client is welcome


if __name__ == "__main__":
    main()
