#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The Signet authors
# SPDX-License-Identifier: Apache-2.0
#
# Stands before a SCEP server and spoils its answers: scep-proxy.py DIR URL. DIR/mode says how (honest, garbage, empty, huge, error,
# flipped, replay); DIR/port is written when it listens.
import http.server
import os
import sys
import urllib.request

directory, server = sys.argv[1:3]
kept = {}


def mode():
    with open(os.path.join(directory, "mode"), encoding="ascii") as file:
        return file.read().strip()


def spoil(answer):
    way = mode()
    if way == "honest":
        kept.setdefault("first", answer)
        return 200, answer
    if way == "flipped":
        return 200, answer[:-1] + bytes([answer[-1] ^ 1])  # the last byte of the signature
    return {
        "garbage": (200, b"\x30\x82" + os.urandom(2000)),
        "empty": (200, b""),
        "huge": (200, bytes(10_000_000)),
        "error": (500, b"no"),
        "replay": (200, kept.get("first", b"")),
    }[way]


class Handler(http.server.BaseHTTPRequestHandler):
    def relay(self, body):
        with urllib.request.urlopen(urllib.request.Request(server + self.path, data=body)) as reply:
            answer, kind = reply.read(), reply.headers.get("Content-Type", "")
        status = 200
        if "PKIOperation" in self.path:
            status, answer = spoil(answer)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        try:
            self.wfile.write(answer)
        except OSError:
            pass

    def do_GET(self):
        self.relay(None)

    def do_POST(self):
        self.relay(self.rfile.read(int(self.headers["Content-Length"])))

    def log_message(self, *arguments):
        pass


listener = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
with open(os.path.join(directory, "port.new"), "w", encoding="ascii") as file:
    file.write(str(listener.server_address[1]))
os.rename(os.path.join(directory, "port.new"), os.path.join(directory, "port"))
listener.serve_forever()
