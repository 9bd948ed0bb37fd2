# SPDX-FileCopyrightText: 2026 The Signet authors
# SPDX-License-Identifier: Apache-2.0
"""A CA for tests, of openssl's commands in one directory: honest, or wrong in one named way.

Servers of any protocol use it: issue() gives the PEM certificates that an answer is made of.
"""

import datetime
import os
import re
import subprocess
import threading

CONFIG = """
[ca]
default_ca = one
[one]
dir = {dir}
database = {dir}/index
new_certs_dir = {dir}/issued
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
copy_extensions = {copy}
x509_extensions = leaf
[any]
countryName = optional
stateOrProvinceName = optional
organizationName = optional
organizationalUnitName = optional
commonName = optional
emailAddress = optional
[leaf]
basicConstraints = critical,CA:FALSE
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[req]
distinguished_name = dn
[dn]
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
"""

# What may be wrong with a certificate: how issue() makes it so.
WRONGS = ("wrong-key", "someone-else", "other-names", "no-eku", "expired", "not-yet-valid", "one-minute", "fifty-years", "long-chain", "other-ca")


def run(*argv, data=None):
    done = subprocess.run(argv, input=data, capture_output=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(argv)}: {done.stderr.decode(errors='replace')}")
    return done.stdout


def stamp(moment):
    return moment.strftime("%Y%m%d%H%M%SZ")


class Ca:
    """root.pem signs sub.pem, which issues; server.pem (with its key) is for a server on localhost."""

    def __init__(self, directory, name="Test"):
        self.dir = directory
        self.lock = threading.Lock()
        os.makedirs(f"{directory}/issued", exist_ok=True)
        for copy in ("copy", "none"):
            with open(f"{directory}/{copy}.cnf", "w", encoding="ascii") as f:
                f.write(CONFIG.format(dir=directory, copy=copy).replace("[req]", self._more() + "[req]"))
        open(f"{directory}/index", "a", encoding="ascii").close()
        if not os.path.exists(self.path("root.pem")):
            self._make(name)

    def _more(self):
        """DIR/leaf.cnf: further extensions of what is issued."""
        try:
            return self.read("leaf.cnf")
        except FileNotFoundError:
            return ""

    def path(self, name):
        return os.path.join(self.dir, name)

    def read(self, name):
        with open(self.path(name), encoding="ascii") as f:
            return f.read()

    def _key(self, name):
        run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", self.path(name))

    def _make(self, name):
        self._key("root.key")
        run("openssl", "req", "-x509", "-config", self.path("copy.cnf"), "-extensions", "root", "-key", self.path("root.key"),
            "-subj", f"/O=Signet tests/CN={name} root", "-days", "3650", "-out", self.path("root.pem"))
        self._key("sub.key")
        run("openssl", "req", "-new", "-config", self.path("copy.cnf"), "-key", self.path("sub.key"),
            "-subj", f"/O=Signet tests/CN={name} issuing CA", "-out", self.path("sub.csr"))
        run("openssl", "x509", "-req", "-in", self.path("sub.csr"), "-CA", self.path("root.pem"), "-CAkey", self.path("root.key"),
            "-extfile", self.path("copy.cnf"), "-extensions", "root", "-days", "3000", "-out", self.path("sub.pem"))
        self._key("server.key")
        run("openssl", "req", "-new", "-config", self.path("copy.cnf"), "-key", self.path("server.key"), "-subj", "/CN=localhost",
            "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-addext", "extendedKeyUsage=serverAuth",
            "-out", self.path("server.csr"))
        with open(self.path("server.pem"), "w", encoding="ascii") as f:
            f.write("".join(self.issue(self.read("server.csr").encode(), "honest")) + self.read("server.key"))

    def pin(self):
        """SHA-256 of the root's SubjectPublicKeyInfo, as Pin= has it."""
        key = run("openssl", "x509", "-in", self.path("root.pem"), "-noout", "-pubkey")
        der = run("openssl", "pkey", "-pubin", "-outform", "DER", data=key)
        return "sha256:" + run("openssl", "dgst", "-sha256", "-r", data=der).decode().split()[0]

    def _other_request(self, csr, subject=None):
        """A request for a key of nobody's, with the subject of csr or another one."""
        if subject is None:
            subject = run("openssl", "req", "-noout", "-subject", "-nameopt", "compat", data=csr).decode().strip()
            subject = "/" + subject.split("=", 1)[1].strip().lstrip("/").replace(", ", "/")
        self._key("other.key")
        return run("openssl", "req", "-new", "-config", self.path("copy.cnf"), "-key", self.path("other.key"), "-subj", subject)

    def _only_names(self, csr):
        """A configuration that gives the request's alternative names and nothing else of what it asks for."""
        text = run("openssl", "req", "-noout", "-text", data=csr).decode()
        names = re.search(r"Subject Alternative Name:[^\n]*\n\s*([^\n]+)", text)
        config = self.read("none.cnf")
        if names:
            config = config.replace("[leaf]", "[leaf]\nsubjectAltName = " + names[1].replace("IP Address", "IP"))
        with open(self.path("names.cnf"), "w", encoding="ascii") as f:
            f.write(config)
        return "names.cnf"

    def issue(self, csr, wrong="honest", seconds=86400):
        """PEM certificates, leaf first, the issuing CA behind it. wrong: one of WRONGS."""
        now = datetime.datetime.now(datetime.timezone.utc)
        begin, end = now - datetime.timedelta(seconds=60), now + datetime.timedelta(seconds=seconds)
        config, signer, subject = "copy.cnf", self, []
        if wrong == "wrong-key":
            csr = self._other_request(csr)
        elif wrong == "someone-else":
            csr = self._other_request(csr, "/CN=somebody.else")
        elif wrong == "other-names":
            subject = ["-subj", "/CN=somebody.else"]
        elif wrong == "no-eku":
            config = self._only_names(csr)
        elif wrong == "expired":
            begin, end = now - datetime.timedelta(days=3), now - datetime.timedelta(days=1)
        elif wrong == "not-yet-valid":
            begin, end = now + datetime.timedelta(days=1), now + datetime.timedelta(days=3)
        elif wrong == "one-minute":
            end = now + datetime.timedelta(seconds=60)
        elif wrong == "fifty-years":
            end = now + datetime.timedelta(days=50 * 365)
        elif wrong == "other-ca":
            signer = Ca(self.path("other-ca"), "Another")
        elif wrong not in ("honest", "long-chain"):
            raise ValueError(f"there is no wrong '{wrong}'")
        leaf = signer._sign(csr, config, [*subject, "-startdate", stamp(begin), "-enddate", stamp(end)])
        chain = [leaf, signer.read("sub.pem")]
        return chain + [self.read("root.pem")] * 198 if wrong == "long-chain" else chain

    def _sign(self, csr, config, arguments):
        with self.lock:
            return run("openssl", "ca", "-batch", "-notext", "-config", self.path(config), "-in", "/dev/stdin",
                       "-cert", self.path("sub.pem"), "-keyfile", self.path("sub.key"),
                       *arguments, data=csr).decode()

    def pkcs7(self, certificates):
        """DER of a certs-only PKCS#7."""
        return run("openssl", "crl2pkcs7", "-nocrl", "-certfile", "/dev/stdin", "-outform", "DER",
                   data="".join(certificates).encode())
