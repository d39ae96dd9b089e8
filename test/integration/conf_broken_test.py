#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Broken configurations: each is refused by --check of both programs, at the right line and column.

In the texts below « stands where the fault is; it is taken out before the program sees them.
"""
import os
import subprocess

import ns

MARK = "«"
ENGINE = os.path.join(os.environ.get("NS_BUILD_ROOT", ""), "app", "ns-engine", "ns-engine")

# name: (text, words that the message must have)
CASES = {
    # YAML itself
    "tab": ("engine:\n«\tworkers: 2\n", ["found character that cannot start any token"]),
    "tab after blanks": ("engine:\n  workers: 2\n  «\trx: 1\n", ["found a tab character"]),
    "truncated list": ("engine:\n  targets: [eth0,\n«", ["did not find expected node content"]),
    "truncated quote": ("engine:\n  filter: \"tcp port\n«", ["unexpected end of stream"]),
    "no colon": ("engine:\n  «workers 2\n", ["engine: expected a mapping"]),
    "two documents": ("flow:\n  idle: 3\n«---\nflow:\n  idle: 4\n", ["second document"]),
    "unknown alias": ("flow:\n  idle: «*seconds\n", ["undefined alias"]),
    "alias to itself": ("flow: &a\n  idle: 3\n  «active: *a\n", ["an alias of what it is a part of"]),
    "alias of another shape": ("dispatch: &d {ring: 4096}\nflow:\n  «idle: *d\n",
                               ["expected a whole number", "not a mapping"]),
    "bad escape": ("engine:\n  filter: \"tcp «\\q\"\n", ["unknown escape character"]),
    "control character": ("flow:\n  idle: 3\n#«\x01\n", ["control characters are not allowed"]),
    "wrong indent": ("flow:\n    idle: 3\n  «active: 4\n", ["did not find expected key"]),
    "only an anchor": ("&a\n«&b\n", ["did not find expected <document start>"]),

    # keys
    "duplicate section": ("flow:\n  idle: 3\nengine:\n  rx: 1\n«flow:\n  active: 3\n",
                          ["duplicate key \"flow\", first at line 1, column 1"]),
    "duplicate key": ("flow:\n  idle: 3\n  active: 4\n  «idle: 5\n",
                      ["duplicate key \"idle\", first at line 2, column 3"]),
    "duplicate key in a task": ("tasks:\n  - {name: a, type: rate, «name: b}\n",
                                ["duplicate key \"name\", first at line 2, column 6"]),
    "key that is a list": ("«[a, b]: 3\n", ["a key must be plain text"]),
    "unknown section": ("flow:\n  idle: 3\n«engien:\n  rx: 1\n",
                        ["unknown section \"engien\"", "did you mean \"engine\"?"]),
    "unknown key": ("engine:\n  rx: 1\n  «workres: 2\n",
                    ["engine: unknown key \"workres\"", "did you mean \"workers\"?"]),
    "unknown key in a task": ("tasks:\n  - name: a\n    type: heavy\n    key: [src_ip]\n"
                              "    «membry: 1 MiB\n",
                              ["tasks[0]: unknown key \"membry\"", "did you mean \"memory\"?"]),
    "key of another task type": ("tasks:\n  - {name: a, type: rate, «key: [src_ip]}\n",
                                 ["tasks[0]: unknown key \"key\""]),
    "wrong case": ("«Flow:\n  idle: 3\n", ["unknown section \"Flow\"", "did you mean \"flow\"?"]),

    # shapes
    "text alone": ("«engine\n", ["expected a mapping"]),
    "list alone": ("«- engine\n- flow\n", ["expected a mapping", "not a list"]),
    "list for a section": ("engine:\n  «- workers\n  - rx\n", ["engine: expected a mapping"]),
    "word for a section": ("flow: «3\n", ["flow: expected a mapping", "not \"3\""]),
    "mapping for a list": ("engine:\n  targets:\n    «eth0: 1\n", ["engine.targets: expected a list"]),
    "word for a list": ("engine:\n  targets: «eth0\n",
                        ["engine.targets: expected a list", "not \"eth0\""]),
    "list for a number": ("engine:\n  workers: «[1, 2]\n",
                          ["engine.workers: expected a whole number", "not a list"]),
    "list in a list": ("engine:\n  cpus: [0, «[1]]\n", ["engine.cpus[1]: expected text"]),
    "mapping for tasks": ("tasks:\n  «a: {type: rate}\n", ["tasks: expected a list of mappings"]),
    "word for a task": ("tasks:\n  - {name: a, type: rate}\n  - «rate\n",
                        ["tasks[1]: expected a mapping"]),
    "nothing for a number": ("flow:\n  idle:«\n  active: 3\n",
                             ["flow.idle: expected a whole number", "not nothing"]),
    "nested too deep": ("engine:\n  targets: " + "[" * 31 + "«[" + "]" * 32 + "\n",
                        ["nested deeper than 32 levels"]),

    # values
    "word for a number": ("flow:\n  idle: «long\n", ["flow.idle: expected a whole number"]),
    "number with a tail": ("flow:\n  idle: «5x\n", ["not \"5x\""]),
    "duration for seconds": ("flow:\n  idle: «5s\n", ["flow.idle", "not \"5s\""]),
    "negative": ("flow:\n  idle: «-1\n", ["from 0 to 4294967295", "not \"-1\""]),
    "fraction": ("flow:\n  idle: «1.5\n", ["not \"1.5\""]),
    "octal": ("flow:\n  idle: «010\n", ["starts with a zero"]),
    "too large for its type": ("flow:\n  idle: «4294967296\n", ["from 0 to 4294967295"]),
    "huge": ("flow:\n  max: «" + "9" * 400 + "\n", ["flow.max: expected a whole number"]),
    "no truth value": ("flow:\n  tcp_end: «maybe\n", ["flow.tcp_end: expected true or false"]),
    "no word of an enumeration": ("engine:\n  mode: «turbo\n",
                                  ["engine.mode: expected one of auto, pipeline, rtc"]),
    "not a number": ("tasks:\n  - {name: a, type: quantile, value: l2_octets, error: «.nan}\n",
                     ["tasks[0].error: expected a number"]),
    "out of range": ("engine:\n  «workers: 64\n", ["engine.workers: 64 is not between 1 and 63"]),
    "zero": ("engine:\n  «epoch_ms: 0\n", ["engine.epoch_ms: 0 is not between 10 and 3600000 ms"]),
    "no power of two": ("dispatch:\n  «buckets: 500\n", ["dispatch.buckets"]),
    "bad size": ("tasks:\n  - {name: a, type: heavy, key: [src_ip], «memory: 5 MB}\n",
                 ["tasks[0].memory: expected a whole number of octets, KiB, MiB or GiB"]),
    "size beyond 64 bits": ("tasks:\n  - {name: a, type: heavy, key: [src_ip], "
                            "«memory: 99999999999 GiB}\n", ["is more than 18446744073709551615"]),
    "bad interval": ("engine:\n  writers:\n    - csv:a.csv\n    - «csv@5days:b.csv\n",
                     ["engine.writers[1]", "whole number of seconds, or with ms, s, m or h"]),
    "text too short": ("engine:\n  source: «''\n", ["engine.source: expected text"]),
    "name of a node": ("engine:\n  «node: my node\n", ["engine.node: \"my node\" is no name"]),

    # meaning
    "bad filter": ("engine:\n  rx: 1\n  «filter: tcp prot 80\n",
                   ["engine.filter: ", "syntax error"]),
    "filter with an unknown host": ("engine:\n  «filter: net 300.1.2.3\n", ["engine.filter: "]),
    "bad filter of a task": ("tasks:\n  - {name: a, type: rate}\n  - name: b\n    type: heavy\n"
                             "    key: [src_ip]\n    «when: udp prot 53\n",
                             ["tasks[1].when: ", "syntax error"]),
    "unknown source": ("engine:\n  «source: socket\n",
                       ["engine.source: no source is named \"socket\"; there are: "]),
    "unknown writer": ("engine:\n  writers:\n    - csv:a.csv\n    - «cvs:b.csv\n",
                       ["engine.writers[1]: writer \"cvs:b.csv\": no such writer; there are: "]),
    "writer without a target": ("engine:\n  writers: [«csv]\n",
                                ["engine.writers[0]: ", "say where to"]),
    "folder that is not there": ("engine:\n  writers:\n    - «json:/nowhere/at/all/flows.json\n",
                                 ["engine.writers[0]: ", "/nowhere/at/all",
                                  "No such file or directory"]),
    "folder that can't be written": ("engine:\n  writers:\n    - «csv:/proc/sys/flows.csv\n",
                                     ["engine.writers[0]: ", "folder /proc/sys"]),
    "folder instead of a file": ("engine:\n  writers: [«\"sqlite:/\"]\n",
                                 ["engine.writers[0]: /: Is a directory"]),
    "unknown type of task": ("tasks:\n  - {name: a, type: rate}\n  - {name: b, type: «havy}\n",
                             ["tasks[1].type: unknown type \"havy\"", "did you mean \"heavy\"?"]),
    "task without a type": ("tasks:\n  - «{name: a}\n", ["tasks[0]: the key \"type\" is required"]),
    "task without a name": ("tasks:\n  - «{type: rate}\n", ["tasks[0]", "name"]),
    "two tasks of one name": ("tasks:\n  - {name: a, type: rate}\n  - {«name: a, type: entropy, "
                              "key: [src_ip]}\n", ["tasks[1].name: there is a task \"a\" already"]),
    "bad name of a task": ("tasks:\n  - {«name: Top Ten, type: rate}\n",
                           ["tasks[0].name: \"Top Ten\" is no name"]),
    "unknown field": ("tasks:\n  - name: a\n    type: exact\n    key: [src_ip, «source]\n",
                      ["tasks[0].key[1]: "]),
    "prefix too long": ("tasks:\n  - {name: a, type: exact, key: [«src_ip/33]}\n",
                        ["tasks[0].key[0]: "]),
    "plug-in that is not there": ("flow: {idle: x}\nplugins:\n  - «./nowhere.so\n",
                                  ["plugins[0]: plug-in ./nowhere.so: "]),
    "library that is no plug-in": ("plugins: [«libm.so.6]\n",
                                   ["plugins[0]: plug-in libm.so.6: registers nothing"]),
    "word for plug-ins": ("plugins: «nowhere.so\n", ["plugins: expected a list"]),
}

# Octets that no text can stand for: name: (octets, line, column, words)
OCTETS = {
    "binary": (bytes(range(128, 256)), 1, 1, ["invalid"]),
    "program": (b"\x7fELF\x02\x01\x01" + bytes(9), 1, 1, ["control characters are not allowed"]),
    "half a character": (b"flow:\n  idle: \xc3\x28\n", 2, 10, ["invalid trailing UTF-8 octet"]),
    "Latin-1": ("# größer\nflow:\n  idle: 3\n".encode("latin-1"), 1, 6, ["UTF-8"]),
    "UTF-16 cut in the middle": ("flow:\n  idle: 3\n".encode("utf-16-le")[:-1], 1, 2, []),
    "UTF-16 with a fault": ("\ufeffflow:\n  idle: x\n".encode("utf-16-le"), 2, 9,
                            ["flow.idle: expected a whole number"]),
    "BOM with a fault": ("\ufeffflow:\n  idle: x\n".encode("utf-8"), 2, 9,
                         ["flow.idle: expected a whole number"]),
    "BOM with a fault in line 1": ("\ufeffflow: x\n".encode("utf-8"), 1, 7,
                                   ["flow: expected a mapping"]),
    "NUL in a text": (b"engine:\n  source: \"a\\0b\"\n", 2, 11, ["NUL"]),
    "too long": (b"# " + b"x" * (1 << 20) + b"\n", 1, 1, ["longer than 1048576 octets"]),
    "aliases that multiply": (b"a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
                              b"c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
                              b"d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
                              b"e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n", 5, 4,
                              ["more than 16384 values"]),
}

# What looks odd and is right.
TAKEN = {
    "empty": b"",
    "comments": b"# nothing\n\n# at all\n",
    "end mark": b"---\n...\n",
    "BOM": "\ufeffflow:\n  idle: 3\n".encode("utf-8"),
    "UTF-16": "\ufeffflow:\n  idle: 3\n".encode("utf-16-le"),
    "UTF-16, big end first": "\ufeffflow:\n  idle: 3\n".encode("utf-16-be"),
    "CR LF": b"flow:\r\n  idle: 3\r\n",
    "empty sections": b"flow:\nengine:\ntasks: []\nplugins: []\n",
    "hexadecimal": b"flow: {idle: 0x1f}\n",
    "alias": b"flow: {idle: &t 5, active: *t}\n",
    "filter of another link": b"engine: {filter: type mgt}\n",
    "JSON": b'{"flow": {"idle": 3}, "tasks": [{"name": "a", "type": "rate"}]}\n',
}


class Broken(ns.Case):
    def setUp(self):
        super().setUp()
        self.programs = [ns.ANALYZER] + ([ENGINE] if ns.have(ENGINE) else [])

    def check(self, program, data):
        path = self.put("t.yaml", data)
        p = subprocess.run([program, "--check", "-c", path], capture_output=True, check=False,
                           timeout=ns.TIMEOUT, cwd=self.dir)
        return p.returncode, p.stdout, p.stderr.decode("utf-8", "replace"), path

    def refused(self, name, data, line, column, words):
        for program in self.programs:
            with self.subTest(name, program=os.path.basename(program)):
                status, out, text, path = self.check(program, data)
                self.assertEqual((status, out), (1, b""), text)
                self.assertEqual(len(text.splitlines()), 1, text)
                where = f"{os.path.basename(program)}: {path}:{line}:{column}: "
                self.assertEqual(text[:len(where)], where, text)
                for word in words:
                    self.assertIn(word, text)

    def test_texts(self):
        self.assertGreater(len(CASES) + len(OCTETS), 60)
        for name, (text, words) in CASES.items():
            before = text[:text.index(MARK)]
            line = before.count("\n") + 1
            column = len(before) - (before.rfind("\n") + 1) + 1
            self.assertEqual(text.count(MARK), 1, name)
            self.refused(name, text.replace(MARK, "").encode(), line, column, words)

    def test_octets(self):
        for name, (data, line, column, words) in OCTETS.items():
            self.refused(name, data, line, column, words)

    def test_taken(self):
        for name, data in TAKEN.items():
            for program in self.programs:
                with self.subTest(name, program=os.path.basename(program)):
                    self.assertEqual(self.check(program, data)[:3], (0, b"", ""))

    def test_files(self):
        for path, words in ((self.path("none.yaml"), "No such file"), (self.dir, "Is a directory")):
            for program in self.programs:
                p = subprocess.run([program, "--check", "-c", path], capture_output=True,
                                   check=False, timeout=ns.TIMEOUT)
                self.assertEqual(p.returncode, 1)
                self.assertIn(f"{path}: {words}", p.stderr.decode())


if __name__ == "__main__":
    ns.main()
