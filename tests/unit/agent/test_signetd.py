#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The Signet authors
# SPDX-License-Identifier: Apache-2.0
"""signetd as a process: its start, its end, its socket, its policy. Needs no token.

usage: test_signetd.py SIGNETD SUPERVISOR PROVIDER    prints TAP
"""

import contextlib
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

SIGNETD, SUPERVISOR, PROVIDER = sys.argv[1:4]
IDENTITY = "[Identity]\nKey=ec:P-256\n"
HELLO, FACTORY, ADOPT = 1, 8, 9
OK = 0


def await_(condition, what, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen within {seconds} s")
        time.sleep(0.02)


class Home:
    """Directories of one agent."""

    def __init__(self):
        self.path = tempfile.mkdtemp(prefix="signet-agent.", dir="/tmp")
        os.chmod(self.path, 0o755)
        self.socket = f"{self.path}/agent.sock"
        self.log = f"{self.path}/log"
        self.put("signet.conf", f"[Token tpm]\nType=tpm\nTcti=swtpm:path={self.path}/no-tpm\n")

    def put(self, name, text):
        full = f"{self.path}/etc/{name}"
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(full, 0o644)

    def command(self, *more):
        return [SIGNETD, "--config-dir", f"{self.path}/etc", "--state-dir", f"{self.path}/state", "--socket", self.socket,
                *(more or ["--no-bus"])]

    def text(self):
        with open(self.log, encoding="utf-8") as file:
            return file.read()

    def says(self, pattern):
        return os.path.exists(self.log) and re.search(pattern, self.text()) is not None

    @contextlib.contextmanager
    def running(self, *more, command=None, env=None):
        with open(self.log, "ab") as log:
            process = subprocess.Popen(command or self.command(*more), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                       env=os.environ | {"TSS2_LOG": "all+NONE"} | (env or {}))
        try:
            await_(lambda: self.says("info ready") or process.poll() is not None, "the start")
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.wait(20)


def call(sock, op, body=b""):
    sock.send(struct.pack(">BBHI", 1, op, 0, 9) + body)
    reply = sock.recv(65536)
    return struct.unpack(">BBHI", reply[:8])[2] if reply else None


def connect(path):
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    sock.settimeout(20)
    sock.connect(path)
    return sock


def hello(path):
    with connect(path) as sock:
        return call(sock, HELLO, b"\x01\x00\x00")


def a_clean_start_and_end(home):
    with home.running() as process:
        assert hello(home.socket) == OK
        assert os.stat(home.socket).st_mode & 0o777 == 0o666
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert not os.path.exists(home.socket)


def another_agent_is_not_pushed_aside(home):
    other = Home()
    try:
        with home.running():
            command = other.command()
            command[command.index("--socket") + 1] = home.socket
            second = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
            assert second.returncode == 1, second
            assert "another agent answers" in second.stderr, second.stderr
            assert hello(home.socket) == OK
    finally:
        shutil.rmtree(other.path)


def a_dead_agents_socket_is_replaced(home):
    with home.running() as process:
        process.kill()
        process.wait()
    assert os.path.exists(home.socket)
    with home.running():
        await_(lambda: home.text().count("info ready") == 2, "the second start")
        assert hello(home.socket) == OK


def what_is_not_a_socket_is_left_alone(home):
    with open(home.socket, "w", encoding="ascii") as file:
        file.write("mine")
    result = subprocess.run(home.command(), capture_output=True, text=True, timeout=20, check=False)
    assert result.returncode == 1 and "not a socket" in result.stderr, result
    with open(home.socket, encoding="ascii") as file:
        assert file.read() == "mine"


def a_bad_policy_at_start_ends_it(home):
    home.put("identities.d/a.conf", "[Identity]\nKey=ec:P-1\nColour=red\n")
    result = subprocess.run(home.command(), capture_output=True, text=True, timeout=20, check=False)
    assert result.returncode == 78, result
    assert "Colour" in result.stderr and "Key" in result.stderr, result.stderr
    check = subprocess.run([*home.command(), "--check-config"], capture_output=True, text=True, timeout=20, check=False)
    assert check.returncode == 78 and "Colour" in check.stderr, check


def a_bad_new_policy_never_replaces_the_good_old_one(home):
    home.put("identities.d/a.conf", IDENTITY)
    with home.running() as process:
        home.put("identities.d/b.conf", "[Identity]\nColour=red\n")
        process.send_signal(signal.SIGHUP)
        await_(lambda: home.says("Colour"), "the complaint")
        assert home.says("the old one stays in force")
        assert hello(home.socket) == OK
        home.put("identities.d/b.conf", IDENTITY)
        process.send_signal(signal.SIGHUP)
        await_(lambda: home.says("policy read again: 3 identities"), "the new policy")


def a_missing_bus_is_no_reason_to_stop(home):
    with home.running("--bus-address", f"unix:path={home.path}/no-bus") as process:
        await_(lambda: home.says("not on D-Bus"), "the complaint")
        assert hello(home.socket) == OK
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def openssl_configuration_is_not_read(home):
    config = f"{home.path}/openssl.cnf"
    with open(config, "w", encoding="ascii") as file:
        file.write("openssl_conf = i\n[i]\nproviders = p\n[p]\ndefault = d\nsignet = s\n[d]\nactivate = 1\n"
                   f"[s]\nmodule = {PROVIDER}\nsocket = {home.socket}\nactivate = 1\n")
    # A module built with a sanitizer needs its runtime in front of everything.
    linked = subprocess.run(["ldd", PROVIDER], capture_output=True, text=True, timeout=20, check=True).stdout
    runtime = re.search(r"libasan\S* => (\S+)", linked)
    env = {"OPENSSL_CONF": config} | ({"LD_PRELOAD": runtime[1], "ASAN_OPTIONS": "detect_leaks=0"} if runtime else {})
    listed = subprocess.run(["openssl", "list", "-providers"], env=os.environ | env, capture_output=True,
                            text=True, timeout=20, check=True)
    assert "signet" in listed.stdout, listed  # others would load it
    with home.running(env={"OPENSSL_CONF": config}) as process:
        assert hello(home.socket) == OK
        with open(f"/proc/{process.pid}/maps", encoding="ascii") as file:
            assert PROVIDER not in file.read()


def it_leaves_no_core_dump(home):
    with home.running() as process:
        with open(f"/proc/{process.pid}/limits", encoding="ascii") as file:
            assert re.search(r"Max core file size\s+0\s+0\s", file.read())


def version_and_nonsense_on_the_command_line(_home):
    version = subprocess.run([SIGNETD, "--version"], capture_output=True, text=True, timeout=20, check=True)
    assert re.fullmatch(r"signetd \d+\.\d+\.\d+\n", version.stdout), version
    for wrong in (["--nonsense"], ["word"]):
        result = subprocess.run([SIGNETD, *wrong], capture_output=True, text=True, timeout=20, check=False)
        assert result.returncode == 2 and "signetd:" in result.stderr, result


def the_supervisor_keeps_socket_and_factories(home):
    command = ["/usr/bin/python3", SUPERVISOR, "--socket", home.socket, "--notify", f"{home.path}/notify",
               "--pid-file", f"{home.path}/pid", "--ready-file", f"{home.path}/ready", "--log", home.log, "--",
               *home.command()]
    with home.running(command=command) as process:
        factory = connect(home.socket)
        assert call(factory, FACTORY) == OK
        for life in range(1, 4):
            with open(f"{home.path}/pid", encoding="ascii") as file:
                os.kill(int(file.read()), signal.SIGKILL)
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            theirs.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            ours.settimeout(20)
            # at once: nobody is there yet
            factory.sendmsg([struct.pack(">BBHI", 1, ADOPT, 0, 0)],
                            [(socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack("i", theirs.fileno()))])
            theirs.close()
            assert call(ours, HELLO, b"\x01\x00\x00") == OK
            assert hello(home.socket) == OK
            await_(lambda n=life: home.text().count("info ready") == n + 1, "another start")
        assert home.says("1 descriptors stored")
        factory.close()
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert not os.path.exists(home.socket) and not os.path.exists(f"{home.path}/pid")


def the_watchdog_is_fed(home):
    command = ["/usr/bin/python3", SUPERVISOR, "--socket", home.socket, "--notify", f"{home.path}/notify", "--watchdog", "1",
               "--pid-file", f"{home.path}/pid", "--log", home.log, "--", *home.command()]
    with home.running(command=command):
        time.sleep(2.5)
        assert not home.says("silent for too long"), home.text()
        with open(f"{home.path}/pid", encoding="ascii") as file:
            os.kill(int(file.read()), signal.SIGSTOP)
        await_(lambda: home.says("silent for too long"), "the watchdog")
        await_(lambda: home.text().count("info ready") == 2, "the next life")


def main():
    tests = [a_clean_start_and_end, another_agent_is_not_pushed_aside, a_dead_agents_socket_is_replaced,
             what_is_not_a_socket_is_left_alone, a_bad_policy_at_start_ends_it,
             a_bad_new_policy_never_replaces_the_good_old_one, a_missing_bus_is_no_reason_to_stop,
             openssl_configuration_is_not_read, it_leaves_no_core_dump, version_and_nonsense_on_the_command_line,
             the_supervisor_keeps_socket_and_factories, the_watchdog_is_fed]
    failed = 0
    print(f"1..{len(tests)}")
    for number, test in enumerate(tests, 1):
        home = Home()
        name = test.__name__.replace("_", " ")
        try:
            test(home)
            print(f"ok {number} - {name}", flush=True)
        except Exception as error:  # pylint: disable=broad-except
            failed += 1
            print(f"not ok {number} - {name}: {type(error).__name__}: {error}", flush=True)
            if os.path.exists(home.log):
                print("# " + home.text().replace("\n", "\n# "), flush=True)
        shutil.rmtree(home.path, ignore_errors=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
