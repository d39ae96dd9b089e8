#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""house_test.py TEST: breaks the law of the floors in a copy of the tree, see README.md."""
import contextlib
import csv
import hashlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile

SOURCE = os.environ.get("NS_SOURCE_ROOT") or os.path.dirname(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LEFT_OUT = shutil.ignore_patterns(".git", "__pycache__", "*.pcap*", ".new-*")
SKIPPED = 77
LICENCE = "SPDX-License-Identifier: BSD-3-Clause"


class Copy:
    """A private copy of the tree; what is built in it goes to the folder `out`."""

    def __init__(self, top, programs=False):
        self.root = os.path.join(top, "tree")
        self.out = os.path.join(top, "out")
        os.mkdir(self.root)
        for name in os.listdir(SOURCE):
            full = os.path.join(SOURCE, name)
            if name == ".git" or name.startswith("build"):
                continue
            if os.path.isdir(full):
                shutil.copytree(full, os.path.join(self.root, name),
                                ignore=LEFT_OUT)
            else:
                shutil.copy2(full, self.root)
        # The copy is of the house alone, unless what is built shall run.
        for name in ("test",) if programs else ("app", "conf", "doc", "drivers-config", "test",
                                                "usertools"):
            self.edit("meson.build", f"subdir('{name}')\n", "")

    def path(self, name):
        return os.path.join(self.root, name)

    def write(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w", encoding="utf-8") as f:
            f.write(text)

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as f:
            return f.read()

    def edit(self, name, old, new):
        text = self.read(name)
        need(old in text, f"{name} holds {old!r}")
        self.write(name, text.replace(old, new))

    def run(self, *argv):
        env = {k: v for k, v in os.environ.items() if not k.startswith(("MESON", "NINJA"))}
        got = subprocess.run(argv, cwd=self.root, env=env, text=True, check=False,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace")
        return got.returncode, got.stdout

    def must(self, *argv):
        status, out = self.run(*argv)
        need(status == 0, f"{' '.join(argv)} succeeds, its output:\n{out}")
        return out

    def must_fail(self, says, *argv):
        status, out = self.run(*argv)
        need(status != 0 and re.search(says, out),
             f"{' '.join(argv)} fails and says {says!r}, it ended with {status}:\n{out}")

    def sums(self):
        found = {}
        for top, dirs, names in os.walk(self.root):
            dirs[:] = [d for d in dirs if d != "__pycache__"]
            for name in names:
                with open(os.path.join(top, name), "rb") as f:
                    path = os.path.relpath(os.path.join(top, name), self.root)
                    found[path] = hashlib.sha256(f.read()).hexdigest()
        return found

    def two_rooms(self):
        """In place of the real rooms a cellar and a roof on top of it."""
        text = self.read("lib/meson.build")
        text, n = re.subn(r"(?ms)^house = \[\n.*?^\]\n",
                          "house = [\n\t['low', ['cellar']],\n\t['high', ['roof']],\n]\n", text)
        need(n == 1, "lib/meson.build has one list of rooms")
        self.write("lib/meson.build", text)
        self.write("lib/cellar/meson.build", "sources = ['cellar.c']\nheaders = ['ns_cellar.h']\n")
        self.write("lib/cellar/ns_cellar.h", "#pragma once\nint ns_cellar(void);\n")
        self.write("lib/cellar/cellar_priv.h", "#pragma once\n#define DEPTH 3\n")
        self.write("lib/cellar/cellar.c", '#include "cellar_priv.h"\n\n#include <ns_cellar.h>\n\n'
                   "int ns_cellar(void)\n{\n\treturn DEPTH;\n}\n")
        self.write("lib/roof/meson.build", "sources = ['roof.c']\nheaders = ['ns_roof.h']\n"
                   "deps = ['cellar']\n")
        self.write("lib/roof/ns_roof.h", "#pragma once\nint ns_roof(void);\n")
        self.write("lib/roof/roof.c", "#include <ns_cellar.h>\n#include <ns_roof.h>\n\n"
                   "int ns_roof(void)\n{\n\treturn ns_cellar();\n}\n")

    def build(self):
        return ("usertools/build", self.out)


class Broken(Exception):
    pass


def need(true, what):
    if not true:
        raise Broken(f"expected that {what}")


KINDS = {"tunnel": "decode", "source": "source", "writer": "write", "task": "task"}


def test_plugins(copy):
    before = copy.sums()
    for kind, room in KINDS.items():
        name = f"new_{kind}"
        copy.must("usertools/new", kind, name)
        copy.must_fail("is already there", "usertools/new", kind, name)
        for bad in ("Upper", "9nine", "a-b", "../up", "int", "a_test", "x" * 32, ""):
            copy.must_fail("new: ", "usertools/new", kind, bad)
        need(os.path.isdir(copy.path(f"lib/{room}/{name}")), f"lib/{room}/{name} is there")
    copy.must_fail("there are: tunnel, source, writer, task", "usertools/new", "door", "x")
    added = set(copy.sums()) - set(before)
    need(all(p.split("/")[2].startswith("new_") for p in added), f"only folders are new: {added}")

    targets = [f"lib/test_{room}_new_{kind}_new_{kind}" for kind, room in KINDS.items()]
    copy.must(*copy.build(), "--werror", "--", *targets)
    tests = [f"{room}/new_{kind}/new_{kind}" for kind, room in KINDS.items()]
    out = copy.must("meson", "test", "-C", copy.out, "--no-rebuild", *tests)
    need(re.search(rf"(?m)^Ok: +{len(KINDS)}\b", out), f"the new tests pass:\n{out}")
    listed = copy_list(copy)
    for kind, room in KINDS.items():
        need(f"{room}/new_{kind}" in listed, f"{room}/new_{kind} is in plugins.list: {listed}")
    _, out = copy.run("usertools/lint", "--only", "spdx,blanks,include,length,marks,readme")
    need("new_" not in out, f"lint finds nothing in them:\n{out}")

    for kind, room in KINDS.items():
        shutil.rmtree(copy.path(f"lib/{room}/new_{kind}"))
    out = copy.must(*copy.build(), "--", "lib/libns_base.a")
    need("plug-in folders changed" in out, f"the build notices the removal:\n{out}")
    need(not [p for p in copy_list(copy) if "new_" in p], "the removed are listed no more")
    need(copy.sums() == before, "no file differs from before")


def copy_list(copy):
    with open(os.path.join(copy.out, "lib", "plugins.list"), encoding="utf-8") as f:
        return f.read().split()


def laid_out(copy, page):
    """Writes the files that the blocks of a page make up: ```c lib/task/x/x.c; their folder."""
    files = {}
    for path, text in re.findall(r"(?ms)^```\w+ (lib/\S+)\n(.*?)^```$", copy.read(page)):
        files[path] = files.get(path, "") + text
    need(files, f"{page} holds files")
    for path, text in files.items():
        copy.write(path, text)
    folders = {os.path.dirname(p) for p in files}
    need(len(folders) == 1, f"{page} is about one folder: {folders}")
    return folders.pop()


# A task of each of the two types, and what its rows are made of.
TASKS = """\
tasks:
  - {name: made, type: new_task, key: [src_ip], top: 3}
  - {name: told, type: histogram, value: l2_octets}
"""
COLUMNS = {"made": ["src_ip", "packets", "octets"], "told": ["from", "to", "count"]}


def shown(copy, *more):
    """What pcap-analyzer prints with these tasks."""
    copy.write("tasks.yaml", TASKS)
    try:
        return copy.must(os.path.join(copy.out, "app/pcap-analyzer/pcap-analyzer"), "--quiet",
                         "-c", "tasks.yaml", *more,
                         os.path.join(SOURCE, "test", "data", "demo.pcapng"))
    finally:
        os.remove(copy.path("tasks.yaml"))


def everywhere(copy):
    """The rows of the tasks are the same wherever they come out."""
    out = os.path.join(copy.out, "flows")
    text = shown(copy, "-w", f"csv:{out}.csv", "-w", f"json:{out}.json", "-w", f"sqlite:{out}.db")
    report = json.loads(shown(copy, "--report", "json"))
    with open(out + ".json", encoding="utf-8") as f:
        lines = [json.loads(line) for line in f]
    for name, columns in COLUMNS.items():
        with open(f"{out}.{name}.csv", encoding="utf-8", newline="") as f:
            rows = [[r[c] for c in columns] for r in csv.DictReader(f)]
        need(rows, f"task {name} has rows")
        got = [[str(r[c]) for c in columns] for r in lines if r["kind"] == name]
        need(got == rows, f"JSON has the rows of CSV: {got} {rows}")
        with contextlib.closing(sqlite3.connect(out + ".db")) as db:
            fields = ", ".join(f'"{c}"' for c in columns)
            got = [list(map(str, r)) for r in db.execute(f"SELECT {fields} FROM {name}")]
        need(got == rows, f"SQLite has the rows of CSV: {got} {rows}")
        task = [t for t in report["tasks"] if t["name"] == name]
        need(len(task) == 1, f"the JSON report has one task {name}: {report['tasks']}")
        got = [[str(r[c]) for c in columns] for r in task[0]["rows"]]
        need(got == rows, f"the JSON report has the rows of CSV: {got} {rows}")
        need(re.search(rf"(?m)^.*\b{name}\b", text) and rows[0][0] in text,
             f"the report shows task {name}:\n{text}")


def test_task(copy):
    before = copy.sums()
    copy.must("usertools/new", "task", "new_task")
    told = laid_out(copy, "doc/howto/add-a-task.md")
    need(told == "lib/task/histogram", "the page makes lib/task/histogram")
    added = set(copy.sums()) - set(before)
    need({os.path.dirname(p) for p in added} == {"lib/task/new_task", told},
         f"only two folders are new: {added}")

    copy.must(*copy.build(), "--werror", "--", "app/pcap-analyzer/pcap-analyzer",
              "lib/test_task_new_task_new_task", "lib/test_task_histogram_histogram")
    out = copy.must("meson", "test", "-C", copy.out, "--no-rebuild", "task/new_task/new_task",
                    "task/histogram/histogram")
    need(re.search(r"(?m)^Ok: +2\b", out), f"the new tests pass:\n{out}")
    everywhere(copy)

    for folder in ("lib/task/new_task", told):
        shutil.rmtree(copy.path(folder))
    need(copy.sums() == before, "no file differs from before")


def test_upward(copy):
    text = copy.read("lib/packet/meson.build")
    copy.write("lib/packet/meson.build", re.sub(r"deps = \['base'", "deps = ['base', 'flow'", text, 1))
    need(copy.read("lib/packet/meson.build") != text, "lib/packet asks for base")
    copy.must_fail('lib/packet, on floor "packet", asks for "flow", which is not below it',
                   "meson", "setup", copy.out)


def test_private(copy):
    copy.two_rooms()
    copy.must(*copy.build())
    for header in ("cellar_priv.h", "cellar/cellar_priv.h"):
        text = copy.read("lib/roof/roof.c")
        copy.write("lib/roof/roof.c", f'#include "{header}"\n' + text)
        copy.must_fail(r"cellar_priv\.h: No such file|'[a-z/]*cellar_priv\.h' file not found",
                       *copy.build())
        copy.write("lib/roof/roof.c", text)
    # Nor can one be seen that is public, in a room that was not asked for.
    copy.edit("lib/roof/meson.build", "deps = ['cellar']\n", "")
    copy.must_fail(r"ns_cellar\.h: No such file|'ns_cellar\.h' file not found", *copy.build())


def test_alone(copy):
    copy.two_rooms()
    copy.must(*copy.build())
    copy.write("lib/roof/ns_roof.h", "#pragma once\nint ns_roof(void);\nuint32_t ns_rain(void);\n")
    copy.edit("lib/roof/roof.c", "#include <ns_cellar.h>", "#include <stdint.h>\n#include <ns_cellar.h>")
    copy.must_fail(r"unknown type name .uint32_t", *copy.build())
    copy.edit("lib/roof/ns_roof.h", "#pragma once\n", "#pragma once\n#include <stdint.h>\n")
    copy.must(*copy.build())


def test_swept(copy):
    copy.two_rooms()
    copy.must(*copy.build())
    staged = os.path.join(copy.out, "lib", "inc", "cellar", "ns_cellar.h")
    need(os.path.exists(staged), "the public header is staged")
    copy.edit("lib/cellar/meson.build", "headers = ['ns_cellar.h']\n", "")
    copy.must_fail(r"ns_cellar\.h", *copy.build())
    need(not os.path.exists(staged), "the header is gone once it is declared no more")


# What is wrong, in which file, and the line and rule that must be printed for it.
FAULTS = [
    ("spdx", "lib/cellar/bare.h", "#pragma once\n", 1),
    ("spdx", "usertools/bare", "#!/bin/sh\ntrue\n", 1),
    ("blanks", "doc/blanks.md", "<!-- LICENCE -->\nfine\nnot fine \n", 3),
    ("blanks", "doc/end.md", "<!-- LICENCE -->\nno newline", 2),
    ("include", "lib/roof/up.c", '/* LICENCE */\n#include "../cellar/cellar_priv.h"\n', 2),
    ("length", "lib/roof/long.c", "/* LICENCE */\n" + "extern int x;\n" * 800, 801),
    ("marks", "lib/roof/later.c", "/* LICENCE */\n/* TO" "DO: finish */\n", 2),
    ("readme", "lib/roof/meson.build", None, 1),
    ("format", "lib/roof/shape.c", "/* LICENCE */\nint  shape ;\n", 2),
    ("spelling", "doc/spelled.md", "<!-- LICENCE -->\nan occur" "ence\n", 2),
    ("shell", "usertools/loose", "#!/bin/sh\n# LICENCE\nrm -r $1/x\n", 3),
    ("cppcheck", "lib/roof/zero.c", "/* LICENCE */\nint z(int a)\n{\n\tint b[2];\n\n\tb[2] = a;\n"
     "\treturn b[2];\n}\n", 6),
    ("tidy", "lib/roof/null.c", "/* LICENCE */\nint *n(int a);\nint *n(int a)\n{\n"
     "\tint *p = 0;\n\n\tif (a > 3)\n\t\t*p = a;\n\treturn p;\n}\n", 8),
]
TOOLS = {"format": "clang-format", "spelling": "codespell", "shell": "shellcheck",
         "cppcheck": "cppcheck", "tidy": "run-clang-tidy"}


def test_lint(copy):
    absent = sorted(t for t in TOOLS.values() if shutil.which(t) is None)
    if absent:
        print("not installed:", *absent)
        sys.exit(SKIPPED)
    for name in os.listdir(copy.path("lib")):
        if name != "meson.build":
            shutil.rmtree(copy.path("lib/" + name))
    for name in ("app", "test", "doc"):
        shutil.rmtree(copy.path(name), ignore_errors=True)
    copy.two_rooms()
    readme = "# A room\n\n" + "It stands here to be looked at. " * 8
    copy.write("lib/cellar/README.md", readme.rstrip() + "\n")
    copy.write("lib/roof/README.md", readme.rstrip() + "\n")
    copy.must("usertools/lint", "--fix", "--only", "spdx,blanks,format")
    build = ("--build", copy.out)
    copy.must(*copy.build())
    copy.must("usertools/lint", *build)

    for rule, name, content, _ in FAULTS:
        if content is None:
            os.remove(copy.path("lib/roof/README.md"))
        else:
            copy.write(name, content.replace("LICENCE", LICENCE))
    copy.edit("lib/roof/meson.build", "'roof.c'", "'roof.c', 'null.c'")
    copy.must(*copy.build())
    status, out = copy.run("usertools/lint", *build)
    need(status == 1, f"lint ends with 1:\n{out}")
    for rule, name, content, line in FAULTS:
        need(f"{name}:{line}: [{rule}] " in out, f"{name}:{line}: [{rule}] is found in:\n{out}")

    copy.must("usertools/lint", "--fix", "--only", "spdx,blanks,format")
    status, out = copy.run("usertools/lint", "--only", "spdx,blanks,format")
    need(status == 0, f"--fix mended these:\n{out}")


def main(name):
    # A test that takes too long is asked to end, and cleans up all the same.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="ns-house-") as top:
        try:
            globals()["test_" + name](Copy(top, programs=name == "task"))
        except Broken as e:
            print(e)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
