#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The Signet authors
# SPDX-License-Identifier: Apache-2.0
"""Tells what is revoked: /ocsp by openssl's own responder, over the CA of tests/support/testca.py in CADIR; /crl is DIR/crl.

usage: revocation-server.py DIR CADIR [--port N]

DIR/mode says how it answers (hostile.py), with modes of its own for operation 'ocsp': forged (signed by the CA in DIR/forger,
whose list counts), delegated (signed by DIR/responder.pem), unauthorized, replay (the answer to another question).
DIR/log has a line for each request.
"""

import argparse
import os
import subprocess
import tempfile

import hostile

UNAUTHORIZED = bytes.fromhex("30030a0106")


class Revocation(hostile.Handler):
    def do_GET(self):
        if self.path != "/crl":
            self.answer(404)
        elif not self.misbehaves("crl"):
            with open(f"{self.server.dir}/crl", "rb") as f:
                self.answer(200, f.read(), "application/pkix-crl")
            self.note("crl 200")

    def do_POST(self):
        question = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        mode = self.mode("ocsp")
        if self.path != "/ocsp":
            self.answer(404)
        elif not self.misbehaves("ocsp"):
            answer = UNAUTHORIZED if mode == "unauthorized" else self.respond(question, mode)
            self.answer(200, answer, "application/ocsp-response")
            self.note(f"ocsp 200 {mode}")

    def respond(self, question, mode):
        ca, signer = self.server.ca, f"{self.server.ca}/sub"
        index = f"{ca}/index"
        if mode == "forged":
            signer, index = f"{self.server.dir}/forger/sub", f"{self.server.dir}/forger/index"
        certificate, key = f"{signer}.pem", f"{signer}.key"
        if mode == "delegated":
            certificate = key = f"{self.server.dir}/responder.pem"
        last = f"{self.server.dir}/last"
        if mode == "replay" and os.path.exists(last):
            with open(last, "rb") as f:
                return f.read()
        with tempfile.TemporaryDirectory() as directory:
            with open(f"{directory}/question", "wb") as f:
                f.write(question)
            subprocess.run(["openssl", "ocsp", "-index", index, "-CA", f"{ca}/sub.pem", "-rsigner", certificate, "-rkey", key,
                            "-reqin", f"{directory}/question", "-respout", f"{directory}/answer", "-nmin", "5"],
                           check=True, capture_output=True)
            with open(f"{directory}/answer", "rb") as f:
                answer = f.read()
        if mode == "honest":
            with open(last, "wb") as f:
                f.write(answer)
        return answer


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("dir")
    parser.add_argument("ca")
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    server = hostile.Server(options.dir, Revocation, None, options.port)
    server.ca = options.ca
    server.serve_forever()


main()
