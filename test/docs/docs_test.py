#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The generated pages say what the program says, the pages' links lead somewhere, and doc/tasks.md
tells of every type of task and of every field of packets.

usage: docs_test.py NS-ENGINE SOURCE-ROOT [--write]
"""
import os
import re
import subprocess
import sys

PAGES = {"doc/configuration.md": "--config-reference", "doc/records.md": "--record-reference"}


def generated(engine, option):
    return subprocess.run([engine, option], capture_output=True, check=True).stdout


def links(root):
    """Links of all pages to files that are not there."""
    listed = subprocess.run(["git", "-C", root, "ls-files", "--cached", "--others",
                             "--exclude-standard", "*.md"], capture_output=True, text=True,
                            check=False)
    pages = listed.stdout.split() if listed.returncode == 0 else ["README.md"]
    for page in pages:
        path = os.path.join(root, page)
        if not os.path.exists(path):
            continue
        with open(path, encoding="utf-8") as f:
            text = re.sub(r"```.*?```", "", f.read(), flags=re.S)
        for target in re.findall(r"\]\(([^)#\s]+)", text):
            if "://" not in target and not os.path.exists(
                    os.path.join(os.path.dirname(path), target)):
                yield f"{page}: {target} does not exist"


def tasks(engine, root):
    """Types of tasks and fields of packets that doc/tasks.md does not tell of."""
    with open(os.path.join(root, "doc/tasks.md"), encoding="utf-8") as f:
        page = f.read()
    for line in generated(engine, "--list").decode().splitlines():
        kind, name = line.split()[:2]
        if kind == "task" and f"\n## {name}\n" not in page:
            yield f"doc/tasks.md: no chapter about the type {name}"
    refused = subprocess.run([engine, "--check", "-c", "/dev/stdin"], capture_output=True,
                             input="tasks:\n- {name: x, type: exact, key: [none]}\n", text=True,
                             check=False).stderr
    fields = refused.rpartition("there are: ")[2].strip().split(", ")
    if len(fields) < 10:
        yield f"a field that is not there is refused without those that are: {refused}"
    for field in fields:
        if f"`{field}`" not in page:
            yield f"doc/tasks.md: the field {field} is missing"


def main(argv):
    engine, root = argv[1], argv[2]
    failed = 0
    for page, option in PAGES.items():
        path, text = os.path.join(root, page), generated(engine, option)
        if "--write" in argv:
            with open(path, "wb") as f:
                f.write(text)
            continue
        with open(path, "rb") as f:
            if f.read() != text:
                failed += 1
                print(f"FAIL {page} is stale: make it again with ns-engine {option} > {page}")
    for problem in [*links(root), *tasks(engine, root)]:
        failed += 1
        print("FAIL " + problem)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
