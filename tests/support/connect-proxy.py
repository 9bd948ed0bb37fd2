#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The Signet authors
# SPDX-License-Identifier: Apache-2.0
"""An HTTP proxy for tests that knows CONNECT only.

usage: connect-proxy.py DIR

DIR/port is its port on loopback, DIR/log has a line for each connection: CONNECT HOST:PORT.
"""

import os
import select
import socket
import socketserver
import sys


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        request = self.rfile.readline().decode("ascii", "replace").split()
        while self.rfile.readline().strip():
            pass
        with open(f"{sys.argv[1]}/log", "a", encoding="ascii") as f:
            f.write(" ".join(request[:2]) + "\n")
        if len(request) < 2 or request[0] != "CONNECT":
            self.wfile.write(b"HTTP/1.1 405 CONNECT only\r\n\r\n")
            return
        host, port = request[1].rsplit(":", 1)
        with socket.create_connection((host, int(port)), 10) as other:
            self.wfile.write(b"HTTP/1.1 200 Connected\r\n\r\n")
            self.pump(other)

    def pump(self, other):
        ends = {self.connection: other, other: self.connection}
        while True:
            for end in select.select(list(ends), [], [])[0]:
                data = end.recv(65536)
                if not data:
                    return
                ends[end].sendall(data)


class Proxy(socketserver.ThreadingTCPServer):
    daemon_threads = True


with Proxy(("127.0.0.1", 0), Handler) as proxy:
    with open(f"{sys.argv[1]}/port.new", "w", encoding="ascii") as out:
        out.write(str(proxy.server_address[1]))
    os.rename(f"{sys.argv[1]}/port.new", f"{sys.argv[1]}/port")
    proxy.serve_forever()
