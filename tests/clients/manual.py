#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The Signet authors
# SPDX-License-Identifier: Apache-2.0

"""Makes signet-clients(7) from what the scenarios run: their rows (NAME/about) and their own configuration files.

manual.py OUTPUT writes the page; manual.py --check proves that every file in it is one that its scenario uses, and the other way round.
"""

import configparser
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
NOT_SHOWN = re.compile(r"^(test|about|.*\.helper)$")


def scenarios():
    names = sorted(name for name in os.listdir(HERE) if os.path.exists(os.path.join(HERE, name, "about")))
    return {name: read_about(name) for name in names}


def read(*path):
    with open(os.path.join(HERE, *path), encoding="utf-8") as f:
        return f.read()


def read_about(name):
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(read(name, "about"))
    return parser


def roff(text, example=False):
    text = text.replace("\\", "\\e").replace("-", "\\-" if example else "-").replace("'", "\\(aq" if example else "'")
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.M)


def rows(about):
    return [about[section] for section in about.sections() if section != "program"]


def page():
    parts = []
    for name, about in sorted(scenarios().items(), key=lambda item: item[1]["program"]["section"].lower()):
        parts.append(f".SS {roff(about['program']['section'])}")
        shown = set()
        for row in rows(about):
            cannot = ", cannot" if row.get("works", "yes") == "no" else ""
            parts.append(f".TP\n.B {roff(row['role'])} ({row['door']}{cannot})\n{roff(row['says'])}")
            for file in [f for f in row["files"].split() if f not in shown]:
                shown.add(file)
                parts.append(f".IP\n.EX\n{roff(read(name, file).rstrip(), True)}\n.EE")
    return read("signet-clients.7.in").replace("@PROGRAMS@\n", "\n".join(parts) + "\n")


def check():
    for name, about in scenarios().items():
        test = read(name, "test")
        named = {file for row in rows(about) for file in row["files"].split()}
        there = {file for file in os.listdir(os.path.join(HERE, name)) if not NOT_SHOWN.match(file)}
        for file in sorted(named - there):
            yield f"{name}/about names {file}, which is not there"
        for file in sorted(named & there):
            if not re.search(rf"\b(config|command_of|ask)( +\"?\S+)? +{re.escape(file)}\b", test):
                yield f"{name}/test does not run {file}, which the manual page shows"
        for file in sorted(there - named):
            yield f"{name}/{file} is not in the manual page; what is not for it is called NAME.helper"
        for row in (section for section in about.sections() if section != "program"):
            if not re.search(rf"^\s*row {re.escape(row)}$", test, re.M):
                yield f"{name}/test has no row {row}"
        for row in re.findall(r"^\s*row ([\w-]+)$", test, re.M):
            if row not in about.sections():
                yield f"{name}/about has no row {row}"


def groff_warnings():
    result = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", "/dev/stdin"], input=page(), text=True, capture_output=True)
    return [line for line in result.stderr.splitlines() if line.strip()]


def report(number, title, problems):
    print(f"{'not ok' if problems else 'ok'} {number} - {title}")
    for problem in problems:
        print(f"#   {problem}")
    return bool(problems)


def main():
    if sys.argv[1:] == ["--check"]:
        bad = report(1, "the manual page shows what the scenarios run, all of it", list(check()))
        bad |= report(2, "and is good troff", groff_warnings())
        print("1..2")
        return int(bad)
    with open(sys.argv[1], "w", encoding="utf-8") as f:
        f.write(page())
    return 0


if __name__ == "__main__":
    sys.exit(main())
