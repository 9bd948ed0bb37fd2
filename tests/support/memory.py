#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The Signet authors
# SPDX-License-Identifier: Apache-2.0
"""Looks for texts in the memory of a process: memory.py PID, with the texts on standard input, a line each.

Says where it found which, and ends with status 1 then; with 2 when it could read nothing. The texts are not arguments: those are memory, too.
"""

import sys

BLOCK = 1 << 20


def regions(pid):
    with open(f"/proc/{pid}/maps", encoding="utf-8", errors="replace") as maps:
        for line in maps:
            fields = line.split(maxsplit=5)
            if fields[1].startswith("r") and not line.rstrip().endswith(("[vvar]", "[vsyscall]")):
                begin, end = (int(x, 16) for x in fields[0].split("-"))
                yield begin, end, fields[5].strip() if len(fields) > 5 else "anonymous"


def main():
    pid = int(sys.argv[1])
    needles = [line.rstrip(b"\n") for line in sys.stdin.buffer if line.strip()]
    found = read = 0
    with open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for begin, end, name in regions(pid):
            tail = b""
            for at in range(begin, end, BLOCK):
                try:
                    memory.seek(at)
                    data = tail + memory.read(min(BLOCK, end - at))
                except OSError:
                    break
                read += len(data)
                for number, needle in enumerate(needles):
                    if needle in data:
                        found += 1
                        print(f"text {number + 1} in {name} near {at:x}")
                tail = data[-max(map(len, needles)):]
    print(f"{read} bytes read")
    sys.exit(2 if not read else 1 if found else 0)


main()
