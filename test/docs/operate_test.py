#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""doc/operate.md tells of each drop and note that the engine knows, of no other, and of keys and
options that there are.

usage: operate_test.py NS-ENGINE NS-WATCHDOG SOURCE-ROOT
"""
import os
import re
import subprocess
import sys


def shown(program, *args):
    return subprocess.run([program, *args], capture_output=True, check=True, text=True).stdout


def rows(page, heading):
    """The rows of the first table of a chapter."""
    chapter = page.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    table = re.search(r"(?:^\|.*\n)+", chapter, re.M)[0]
    return [[cell.strip() for cell in line.strip("|").split(" | ")]
            for line in table.splitlines()[2:]]


def faults(engine, watchdog, root):
    with open(os.path.join(root, "doc", "operate.md"), encoding="utf-8") as f:
        page = f.read()
    known = {tuple(line.split()[:2]) for line in shown(engine, "--counters").splitlines()}
    told = set()
    for kind, heading in ("drop", "What drops mean"), ("note", "What notes mean"):
        for name, means, do in rows(page, heading):
            told.add((kind, name.strip("`")))
            if len(means) < 10 or len(do) < 5:
                yield f"{name}: what it means and what to do about it"
    for kind, name in sorted(known - told):
        yield f"the {kind} {name} is missing"
    for kind, name in sorted(told - known):
        yield f"the {kind} {name} does not exist"

    keys = set(re.findall(r"^\| `([a-z_.]+)` \|", shown(engine, "--config-reference"), re.M))
    sections = set(re.findall(r"^## `(\w+)`", shown(engine, "--config-reference"), re.M))
    for section, key in re.findall(r"`(\w+)\.(\w+)(?:: \w+)?`", page):
        if section in sections and key not in keys:
            yield f"the key {section}.{key} does not exist"
    for program, text in (("ns-engine", shown(engine, "--help")),
                          ("ns-watchdog", shown(watchdog, "--help"))):
        for option in re.findall(rf"^{program} (--[\w-]+)", page, re.M):
            if option not in text:
                yield f"{program} has no option {option}"
    for path in re.findall(r"\busertools/([\w-]+)", page):
        if not os.path.exists(os.path.join(root, "usertools", path)):
            yield f"usertools/{path} does not exist"


def main(argv):
    found = list(faults(*argv[1:]))
    for fault in found:
        print("FAIL doc/operate.md: " + fault)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
