#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""--schema and --show-defaults: the schema is one, fits what is right and refuses what is wrong; the
defaults load again to the same. Needs Debian's python3-jsonschema and python3-yaml."""
import json
import os
import subprocess
import sys

import ns

try:
    import jsonschema
    import yaml
except ImportError as error:
    print(f"skipped: {error} (Debian: python3-jsonschema, python3-yaml)")
    sys.exit(77)

ENGINE = os.path.join(os.environ.get("NS_BUILD_ROOT", ""), "app", "ns-engine", "ns-engine")
CONF = os.path.join(ns.ROOT, "conf")

# text: the path to the fault in the instance
WRONG = {
    "engien: {}\n": [],
    "engine: {workres: 2}\n": ["engine"],
    "engine: [workers]\n": ["engine"],
    "engine: {workers: two}\n": ["engine", "workers"],
    "engine: {workers: [1]}\n": ["engine", "workers"],
    "engine: {workers: 1.5}\n": ["engine", "workers"],
    "engine: {mode: turbo}\n": ["engine", "mode"],
    "engine: {targets: eth0}\n": ["engine", "targets"],
    "engine: {targets: [eth0, [eth1]]}\n": ["engine", "targets", 1],
    "engine: {source: ''}\n": ["engine", "source"],
    "flow: {idle: -1}\n": ["flow", "idle"],
    "flow: {idle: 4294967296}\n": ["flow", "idle"],
    "flow: {tcp_end: maybe}\n": ["flow", "tcp_end"],
    "flow: 3\n": ["flow"],
    "tasks: {a: {type: rate}}\n": ["tasks"],
    "tasks: [rate]\n": ["tasks", 0],
    "tasks: [{name: a}]\n": ["tasks", 0],
    "tasks: [{name: a, type: havy}]\n": ["tasks", 0, "type"],
    "tasks: [{name: a, type: rate, key: [src_ip]}]\n": ["tasks", 0],
    "tasks: [{name: a, type: exact, key: src_ip}]\n": ["tasks", 0, "key"],
    "tasks: [{type: rate}]\n": ["tasks", 0],
    "plugins: a.so\n": ["plugins"],
    "plugins: [{a: b}]\n": ["plugins", 0],
    "- engine\n": [],
}

RIGHT = ("", "flow:\n", "flow: {idle: 0x1f, tcp_end: yes}\n", "engine: {cpus: [0, '1', 2]}\n",
         "tasks: []\n", "tasks:\n", "engine: {filter: 53}\n", "plugins: [a.so]\n")


def leaves(errors):
    """The innermost complaints: a schema that chooses by type hides them in its context."""
    for e in errors:
        if e.context:
            yield from leaves(e.context)
        else:
            yield list(e.absolute_path)


class Schema(ns.Case):
    def setUp(self):
        super().setUp()
        self.programs = [ns.ANALYZER] + ([ENGINE] if ns.have(ENGINE) else [])

    def shown(self, program, *args):
        p = subprocess.run([program, *args], capture_output=True, timeout=ns.TIMEOUT, check=False)
        self.assertEqual((p.returncode, p.stderr), (0, b""))
        return p.stdout.decode()

    def validator(self, program):
        schema = json.loads(self.shown(program, "--schema"))
        jsonschema.Draft202012Validator.check_schema(schema)
        return jsonschema.Draft202012Validator(schema)

    def test_examples(self):
        names = sorted(n for n in os.listdir(CONF) if n.endswith(".yaml"))
        self.assertGreaterEqual(len(names), 8)
        for program in self.programs:
            validator = self.validator(program)
            for name in names:
                with open(os.path.join(CONF, name), encoding="utf-8") as f:
                    errors = [f"{list(e.absolute_path)}: {e.message}"
                              for e in validator.iter_errors(yaml.safe_load(f))]
                with self.subTest(name, program=os.path.basename(program)):
                    checked = subprocess.run([program, "--check", "-c", os.path.join(CONF, name)],
                                             cwd=self.dir, capture_output=True, check=False,
                                             timeout=ns.TIMEOUT)
                    # an example of what only the live engine has is none of pcap-analyzer's
                    if checked.returncode == 0:
                        self.assertEqual(errors, [])
                    else:
                        self.assertNotEqual(program, ENGINE, checked.stderr.decode())

    def test_right(self):
        validator = self.validator(self.programs[-1])
        for text in RIGHT:
            with self.subTest(text):
                self.assertEqual([e.message for e in validator.iter_errors(yaml.safe_load(text))],
                                 [])

    def test_wrong(self):
        """What the schema refuses the program refuses too."""
        validator = self.validator(self.programs[-1])
        for text, path in WRONG.items():
            with self.subTest(text):
                self.assertIn(path, list(leaves(validator.iter_errors(yaml.safe_load(text)))))
                r = subprocess.run([self.programs[-1], "--check", "-c",
                                    self.put("t.yaml", text.encode())], capture_output=True,
                                   timeout=ns.TIMEOUT, check=False)
                self.assertEqual(r.returncode, 1, r.stderr)

    def test_every_key_says_what_it_means(self):
        schema = self.validator(self.programs[-1]).schema

        def silent(name, node):
            for key, value in node.get("properties", {}).items():
                if "description" not in value and "properties" not in value:
                    yield f"{name}.{key}"
                yield from silent(f"{name}.{key}", value)

        found = list(silent("", schema))
        for name, node in schema["$defs"].items():
            if "." in name:
                found += silent(name, node)
        self.assertEqual(found, [])

    def test_defaults(self):
        for program in self.programs:
            with self.subTest(program=os.path.basename(program)):
                validator = self.validator(program)
                text = self.shown(program, "--show-defaults")
                again = self.put("defaults.yaml", text.encode())
                self.assertEqual(self.shown(program, "--show-defaults", "-c", again), text)
                self.assertEqual(self.shown(program, "--check", "-c", again), "")
                found = yaml.safe_load(text)
                self.assertEqual(list(validator.iter_errors(found)), [])
                self.assertEqual((found["plugins"], found["flow"]["idle"],
                                  found["engine"]["epoch_ms"]), ([], 60, 1000))
                # what the schema calls the default is it
                for section, node in validator.schema["properties"].items():
                    for key, value in node.get("properties", {}).items():
                        if "default" in value:
                            self.assertEqual(found[section][key], value["default"],
                                             f"{section}.{key}")
                self.assertEqual(found["tasks"],
                                 validator.schema["properties"]["tasks"]["default"])

    def test_effective(self):
        """With -c and -o: what holds then."""
        for program in self.programs:
            text = self.shown(program, "--show-defaults", "-c", os.path.join(CONF, "offline.yaml"),
                              "-o", "flow.idle=7")
            found = yaml.safe_load(text)
            self.assertEqual((found["flow"]["idle"], found["flow"]["tcp_end"],
                              found["engine"]["source"], found["engine"]["writers"]),
                             (7, False, "pcap", ["csv:flows.csv"]))

    def test_secrets(self):
        """Passwords are not for those who look over a shoulder, or read a ticket."""
        for program in self.programs:
            text = self.shown(program, "--show-defaults", "-o",
                              "engine.targets=[\"redis://user:geheim@127.0.0.1:4739\"]")
            self.assertIn("redis://user:***@127.0.0.1:4739", text)
            self.assertNotIn("geheim", text)
        text = self.shown(self.programs[-1], "--show-defaults", "-o", "redis.password=geheim")
        self.assertIn("  password: ***\n", text)
        self.assertNotIn("geheim", text)

    def test_check_writers(self):
        """--check looks at what -w adds too, and opens nothing."""
        out = os.path.join(self.dir, "out.csv")
        for program in self.programs:
            self.assertEqual(self.shown(program, "--check", "-w", "csv:" + out), "")
            self.assertFalse(os.path.exists(out))
            for spec, want in (("csvv:x", "writer \"csvv:x\": no such writer"),
                               ("csv@soon:x", "writer \"csv@soon:x\": interval"),
                               ("csv:" + os.path.join(self.dir, "no", "x"), "folder")):
                r = subprocess.run([program, "--check", "-w", "csv:" + out, "-w", spec],
                                   capture_output=True, text=True, timeout=ns.TIMEOUT,
                                   check=False)
                self.assertEqual(r.returncode, 1, r.stderr)
                self.assertIn(want, r.stderr)


if __name__ == "__main__":
    ns.main()
