# SPDX-FileCopyrightText: 2026 The Signet authors
# SPDX-License-Identifier: Apache-2.0
"""An HTTP server that misbehaves on demand, for CAs of any protocol.

A server derives its handler from Handler and calls self.misbehaves(OPERATION) before it answers. What an operation
does is read for each request from the file 'mode' in the server's directory: lines "OPERATION MODE", or "* MODE".
Modes that are not of HTTP (testca.WRONGS, and those of the protocol) are left to the server: self.mode(OPERATION).
"""

import http.server
import os
import ssl
import threading
import time

HUGE = 100 * 1024 * 1024


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    content_type = "application/octet-stream"

    def log_message(self, *args):
        pass

    def note(self, line):
        with self.server.lock, open(f"{self.server.dir}/log", "a", encoding="utf-8") as f:
            f.write(line + "\n")

    def mode(self, operation):
        try:
            with open(f"{self.server.dir}/mode", encoding="ascii") as f:
                rows = [line.split(None, 1) for line in f if line.strip()]
        except FileNotFoundError:
            return "honest"
        for name, mode in rows:
            if name in (operation, "*"):
                return mode.strip()
        return "honest"

    def answer(self, status, body=b"", content_type=None, headers=()):
        self.send_response(status)
        if body:
            self.send_header("Content-Type", content_type or self.content_type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _garbage(self):
        self.answer(200, os.urandom(3000))

    def _text(self):
        self.answer(200, b"<html>please log in</html>", "text/html")

    def _empty(self):
        self.answer(200)

    def _huge(self):
        self.send_response(200)
        self.send_header("Content-Type", self.content_type)
        self.send_header("Content-Length", str(HUGE))
        self.end_headers()
        for _ in range(HUGE // 65536):
            self.wfile.write(b"A" * 65536)

    def _endless(self):
        self.send_response(200)
        self.send_header("Content-Type", self.content_type)
        self.send_header("Connection", "close")
        self.end_headers()
        for _ in range(HUGE // 65536):
            self.wfile.write(b"A" * 65536)

    def _headers(self):
        self.send_response(200)
        for i in range(2000):
            self.send_header(f"X-{i}", "A" * 100)
        self.end_headers()

    def _drip(self):
        self.send_response(200)
        self.send_header("Content-Type", self.content_type)
        self.send_header("Content-Length", "3000")
        self.end_headers()
        for _ in range(3000):
            self.wfile.write(b"M")
            self.wfile.flush()
            time.sleep(0.5)

    def _never(self):
        time.sleep(600)

    def _cut(self):
        self.send_response(200)
        self.send_header("Content-Length", "3000")
        self.end_headers()
        self.wfile.write(b"MII")

    def _redirect_loop(self):
        self.answer(307, headers=[("Location", self.path)])

    def _redirect_elsewhere(self):
        self.answer(307, headers=[("Location", "https://elsewhere.invalid" + self.path)])

    def _redirect_http(self):
        self.answer(307, headers=[("Location", f"http://{self.headers['Host']}{self.path}")])

    def _hold(self):
        """Until DIR/held, which is written here, is gone: meanwhile somebody may die. Then on as if nothing had been."""
        with open(f"{self.server.dir}/held", "w", encoding="ascii"):
            pass
        for _ in range(300):
            if not os.path.exists(f"{self.server.dir}/held"):
                return
            time.sleep(0.05)

    def misbehaves(self, operation):
        """TRUE when the answer has been given, or withheld."""
        mode = self.mode(operation)
        if mode == "hold":
            self._hold()
            return False
        ways = {
            "garbage": self._garbage, "text": self._text, "empty": self._empty, "huge": self._huge, "endless": self._endless,
            "headers": self._headers, "drip": self._drip, "never": self._never, "cut": self._cut,
            "redirect-loop": self._redirect_loop, "redirect-elsewhere": self._redirect_elsewhere,
            "redirect-http": self._redirect_http,
        }
        if mode.startswith("status-"):
            self.answer(int(mode[7:]), b"because the test says so\n", "text/plain")
        elif mode in ways:
            ways[mode]()
        else:
            return False
        self.note(f"{operation} {mode}")
        self.close_connection = True
        return True


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, directory, handler, context=None, port=0):
        self.dir = directory
        self.lock = threading.Lock()
        self.context = context
        super().__init__(("127.0.0.1", port), handler)
        with open(f"{directory}/port.new", "w", encoding="ascii") as f:
            f.write(str(self.server_address[1]))
        os.rename(f"{directory}/port.new", f"{directory}/port")

    def process_request_thread(self, request, client_address):
        """The handshake belongs to the connection's thread: a slow client must not stop the others."""
        try:
            if self.context:
                request = self.context.wrap_socket(request, server_side=True)
        except (ssl.SSLError, OSError) as error:
            with self.lock, open(f"{self.dir}/log", "a", encoding="utf-8") as f:
                f.write(f"handshake failed: {error}\n")
            request.close()
            return
        super().process_request_thread(request, client_address)

    def handle_error(self, request, client_address):
        pass


def tls(certificate, client_anchors=None, version=None):
    """Client certificates are asked for but not insisted on."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    if version == "1.2":
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    if version == "1.3":
        context.minimum_version = ssl.TLSVersion.TLSv1_3
    if client_anchors:
        context.load_verify_locations(client_anchors)
        context.verify_mode = ssl.CERT_OPTIONAL
    return context
