#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The Signet authors
# SPDX-License-Identifier: Apache-2.0
"""Removes a card and puts it back while four clients sign with a key on it, and judges every single request.

usage: unplug.py READER-DIRECTORY KEY ROUNDS

A request counts as made while the card was in when it began after the first success since the card came back, and ended before the next
removal was ordered. Clients are openssl processes; a failure is late when it takes 200 ms longer than their median success, and than the
machine holds up whoever wants to run: meanwhile another openssl does nothing again and again, and the slowest of these counts for each of
the three processes that a request waits for besides its own (agent, pcscd, reader).
"""

import os
import random
import socket
import statistics
import subprocess
import sys
import threading
import time

folder, key, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
requests, idle, stop = [], [], threading.Event()


def tell(order):
    with socket.socket(socket.AF_UNIX) as control:
        control.connect(folder + "/control")
        control.sendall((order + "\n").encode())
        answer = control.makefile().read().strip()
    assert answer == "ok", answer


def client():
    command = ["openssl", "pkeyutl", "-sign", "-rawin", "-digest", "sha256", "-inkey", key]
    while not stop.is_set():
        began = time.monotonic()
        done = subprocess.run(command, input=b"hello", capture_output=True, check=False)
        requests.append((began, time.monotonic(), done.returncode == 0, done.stderr.decode()))


def do_nothing():
    env = {name: value for name, value in os.environ.items() if name != "OPENSSL_CONF"}
    while not stop.is_set():
        began = time.monotonic()
        subprocess.run(["openssl", "version"], env=env, stdout=subprocess.DEVNULL, check=True)
        idle.append(time.monotonic() - began)


def await_success(since):
    while time.monotonic() < since + 10:
        ends = [end for began, end, ok, _ in requests[-200:] if ok and began >= since]
        if ends:
            return min(ends)
        time.sleep(0.01)
    sys.exit("it never worked again")


clients = [threading.Thread(target=client) for _ in range(4)] + [threading.Thread(target=do_nothing)]
for thread in clients:
    thread.start()
stays, returns = [], []
back = await_success(time.monotonic())
for _ in range(rounds):
    time.sleep(random.uniform(0.1, 0.5))
    stays.append((back, time.monotonic()))
    tell("remove")
    time.sleep(random.uniform(0.1, 0.8))
    inserted = time.monotonic()
    tell("insert")
    back = await_success(inserted)
    returns.append(back - inserted)
stop.set()
for thread in clients:
    thread.join()

usual = statistics.median(end - began for began, end, ok, _ in requests if ok)
failures = [request for request in requests if not request[2]]
inside = [f for f in failures if any(start <= f[0] and f[1] <= end for start, end in stays)]
hold_up = 3 * max(idle)
late = [f for f in failures if f[1] - f[0] > usual + hold_up + 0.2]
silent = [f for f in failures if "insert it" not in f[3]]
slow = [seconds for seconds in returns if seconds > 1 + usual + hold_up]
print("requests: %d, failures: %d, usual time: %.0f ms" % (len(requests), len(failures), usual * 1000))
print("slowest that does nothing: %.0f ms" % (max(idle) * 1000))
print("slowest failure: %.0f ms" % (max((f[1] - f[0] for f in failures), default=0) * 1000))
print("return: median %.0f ms, slowest %.0f ms" % (statistics.median(returns) * 1000, max(returns) * 1000))
print("failed while it was in: %d" % len(inside))
print("late failures: %d" % len(late))
print("failures without words: %d" % len(silent))
print("late returns: %d" % len(slow))
for failure in (inside + silent)[:3]:
    print(failure[3])
