#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The command line and the configuration: what is wrong with them is said, with status 1."""
import os
import re

import ns

DNS = os.path.join(ns.DATA, "dns.pcap")


class Usage(ns.Case):
    def wrong(self, *args, words=(), hint=False):
        r = ns.run(*args)
        self.assertEqual(r.status, 1, (args, r.text))
        self.assertEqual(r.out, b"", args)
        self.assertTrue(r.text.startswith("pcap-analyzer: "), r.text)
        self.assertEqual("--help" in r.text, hint, r.text)
        for w in words:
            self.assertIn(w, r.text)

    def test_wrong_calls(self):
        for args, words in (
                ([], ("no capture file",)), (["-c"], ("-c", "value")), (["--frob"], ("--frob",)),
                (["-x", DNS], ("-x",)), (["-j", "0", DNS], ("0", "63")),
                (["-j", "64", DNS], ("64",)), (["-j", "2x", DNS], ("2x",)),
                (["-j", "-1", DNS], ("-1",)), (["--report", "xml", DNS], ("xml", "json")),
                (["--report"], ("--report",)), (["-j"], ("-j",)), (["--quiet=1", DNS], ()),
                (["-o", "flow.idle=5"], ("no capture file",)),
                ([*["-w", "csv:x"] * 65, DNS], ("64",))):
            with self.subTest(args=args[:4]):
                self.wrong(*args, words=words, hint=True)

    def test_sections_of_ns_engine(self):
        """One file serves both programs; a word that neither knows is refused."""
        conf = self.path("both.yaml")
        for text, status in (("console: {mode: 0600}\nzmq: {hwm: 5}\nflow: {idle: 5}\n", 0),
                             ("metrics: {listen: ''}\nmetrix: {}\n", 1)):
            with open(conf, "w", encoding="utf-8") as f:
                f.write(text)
            r = ns.run("--check", "-c", conf)
            self.assertEqual(r.status, status, r.text)
        self.assertIn(conf + ":2:1: ", r.text)

    def test_overrides(self):
        for text, words in (
                ("flow.idle=x", ("flow.idle", '"x"')), ("flow.idle=", ("flow.idle",)),
                ("flow.idle=0", ("flow.idle", "0 is not between")), ("flow", ("section.key",)),
                ("flow.idel=5", ('"idel"', '"idle"')), ("flo.idle=5", ("flo",)),
                ("=5", ()), ("flow.idle", ()), ("flow.tcp_end=maybe", ("tcp_end", "maybe")),
                ("flow.idle=99999999999", ("flow.idle",)), ("flow.idle=-1", ("flow.idle",)),
                ("engine.mode=fast", ("fast",)), ("engine.workers=64", ("64",)),
                ("dispatch.buckets=100", ("dispatch.buckets",)),
                ("engine.source=nobody", ("nobody", "pcap"))):
            with self.subTest(override=text):
                self.wrong("-o", text, DNS, words=words)
        self.assertEqual(ns.run("--quiet", "-o", "flow.idle=5", "-o", "flow.idle=6", DNS).status, 0)

    def test_configuration(self):
        for text, place, *words in (
                ("flow:\n  idle: 0\n", "2:3", "flow.idle"),
                ("flow:\n  active: 1\n  idle: none\n", "3:", "idle", "none"),
                ("flow:\n  idel: 5\n", "2:3", '"idel"', '"idle"'),
                ("flow:\n  idle: 5\nnothing:\n  x: 1\n", "3:1", "nothing"),
                ("flow:\n  idle: 5\n  idle: 6\n", "3:3", "idle"),
                ("flow: [\n", "2:1"), ("flow:\n\tidle: 5\n", "2:1"), ("- a\n", "1:1"),
                ("flow: 5\n", "1:", "flow"), ("engine:\n  workers: [1]\n", "2:", "workers")):
            with self.subTest(text=text):
                path = self.put("c.yaml", text.encode())
                for args in (["-c", path, DNS], ["-c", path, "--check"]):
                    r = ns.run(*args)
                    self.assertEqual((r.status, r.out), (1, b""), r.text)
                    self.assertRegex(r.text, re.escape(f"{path}:{place}") + r"\d*")
                    self.assertRegex(r.text, re.escape(path) + r":\d+:\d+: ")
                    for w in words:
                        self.assertIn(w, r.text)
        self.wrong("-c", self.path("missing.yaml"), DNS, words=("missing.yaml", "No such file"))
        self.wrong("-c", self.dir, DNS, words=(self.dir,))

    def test_configuration_is_used(self):
        out = self.path("flows.csv")
        path = self.put("c.yaml", f"""\
# all that the command line could say
engine:
  targets: [{DNS}]
  writers: ["csv:{out}"]
  workers: 2
  filter: tcp
flow:
  tcp_end: false
""".encode())
        self.assertEqual(ns.run("-c", path, "--check").status, 0)
        report = self.analyse("-c", path, DNS)
        self.assertGreater(report["conservation"]["drops"]["filtered"], 0)
        self.assertEqual({r["proto"] for r in ns.read_csv(out)}, {"tcp"})
        self.assertEqual({r["end_reason"] for r in ns.read_csv(out)}, {"4"})
        # what the command line says goes first
        report = self.analyse("-c", path, "-f", "udp", "-o", "flow.tcp_end=true", "-j", "1", DNS)
        self.assertEqual({r["proto"] for r in ns.read_csv(out)}, {"udp"})

    def test_filters(self):
        self.wrong("-f", "port foo bar", DNS, words=("port foo bar", "foo"))
        self.wrong("-f", "(", DNS, words=("filter",))
        whole = self.analyse(DNS)["conservation"]
        seen = 0
        for f in ("tcp", "udp", "not tcp and not udp"):
            c = self.analyse("-f", f, DNS)["conservation"]
            self.assertEqual(c["received"], whole["received"])
            self.assertEqual(c["received"], c["analysed"] + c["drops"]["filtered"])
            seen += c["analysed"]
        self.assertEqual(seen, whole["received"])


class Writers(ns.Case):
    def test_unknown(self):
        for spec, words in (("foo:x", ("foo", "csv, ipfix, json, redis", "sqlite")),
                            ("csv", ("TARGET",)), ("csv:", ("TARGET",)), (":x", ("csv",)),
                            ("", ("csv",))):
            with self.subTest(writer=spec):
                r = ns.run("-w", spec, DNS)
                self.assertEqual((r.status, r.out), (1, b""), r.text)
                for w in words:
                    self.assertIn(w, r.text)

    def test_can_not_be_opened(self):
        for writer in ("csv", "json", "sqlite", "ipfix"):
            for target in (self.path("no/such/folder"), self.dir):
                with self.subTest(writer=writer, target=target):
                    r = ns.run("-w", f"{writer}:{target}", DNS)
                    self.assertEqual((r.status, r.out), (1, b""), r.text)
                    self.assertIn(target, r.text)
        for target in ("udp://", "udp://127.0.0.1:99999", "tcp://127.0.0.1:1",
                       "udp://[::zz]:4739"):
            with self.subTest(target=target):
                r = ns.run("-w", "ipfix:" + target, DNS)
                self.assertEqual(r.status, 1, r.text)
                self.assertIn("ipfix:" + target, r.text)

    # The report is printed all the same; the other writer is not hurt.
    def test_full_disk(self):
        want = len(self.flows(DNS)[1])
        for writer in ("csv", "json", "ipfix"):
            for data in (DNS, self.made("imix", 30000, 3000, 1)):
                with self.subTest(writer=writer, capture=os.path.basename(data)):
                    out = self.path("other.csv")
                    r = ns.run("--report", "json", "-w", f"{writer}:/dev/full", "-w",
                               "csv:" + out, data)
                    self.assertEqual(r.status, 1, r.text)
                    self.assertIn("/dev/full", r.text)
                    self.assertIn("No space left", r.text)
                    self.conserved(r.report)
                    if data == DNS:
                        self.assertEqual(len(ns.read_csv(out)), want)
        lost = re.findall(r"\d+ records not written", r.text)
        self.assertLessEqual(len(lost), 1, r.text)

    def test_report_that_can_not_be_written(self):
        for kind in ("text", "json"):
            with open("/dev/full", "wb") as full:
                p = ns.subprocess.run([ns.ANALYZER, "--report", kind, DNS], stdout=full,
                                      stderr=ns.subprocess.PIPE, timeout=ns.TIMEOUT, check=False)
            self.assertEqual(p.returncode, 1, kind)
            self.assertIn(b"No space left", p.stderr)

    def test_standard_output(self):
        r = ns.run("--quiet", "--report", "none", "-w", "csv:-", DNS)
        self.assertEqual(r.status, 0, r.text)
        lines = r.out.decode().splitlines()
        self.assertEqual(lines[0].split(",")[:len(ns.COLUMNS)], ns.COLUMNS)
        self.assertEqual(len(lines) - 1, len(self.flows(DNS)[1]))


def live_only(folder):
    """Whether the plug-in is linked by ns-engine alone."""
    with open(os.path.join(os.environ["NS_SOURCE_ROOT"], "lib", folder, "meson.build"),
              encoding="utf-8") as f:
        return "live = true" in f.read()


class Information(ns.Case):
    def shown(self, *args):
        r = ns.run(*args)
        self.assertEqual((r.status, r.text), (0, ""), args)
        return r.out.decode()

    def test_help(self):
        text = self.shown("--help")
        self.assertEqual(self.shown("-h"), text)
        for option in ("--config", "--option", "--workers", "--filter", "--write", "--report",
                       "--quiet", "--check", "--list", "--plugin", "--version", "Exit status"):
            self.assertIn(option, text)

    def test_version(self):
        self.assertRegex(self.shown("--version"), r"^pcap-analyzer \(NetSpectra\) \d+\.\d+\.\d+\n$")

    def test_list(self):
        found = {tuple(line.split()[:2]) for line in self.shown("--list").splitlines()}
        with open(os.path.join(os.environ["NS_BUILD_ROOT"], "lib", "plugins.list"),
                  encoding="utf-8") as f:
            kinds = {"decode": "tunnel", "source": "source", "task": "task", "write": "writer"}
            folders = [x.strip() for x in f if x.strip()]
        built = {(kinds[x.split("/")[0]], x.split("/")[1]) for x in folders if not live_only(x)}
        self.assertEqual(found, built)

    def test_references(self):
        keys = self.shown("--config-reference")
        for section in ("engine", "flow", "decode", "defrag", "dispatch", "ipfix", "sqlite"):
            self.assertRegex(keys, rf"(?m)^#+ .*{section}")
        self.assertIn("tcp_linger", keys)
        fields = self.shown("--record-reference")
        fields = fields[fields.index("## flow"):]
        at = [fields.index(f"`{c}`") if f"`{c}`" in fields else fields.index(c)
              for c in ns.COLUMNS]
        self.assertEqual(at[0], min(at))

    def test_check_looks_at_nothing_else(self):
        self.shown("--check")
        self.shown("--check", "-o", "flow.idle=5", self.path("missing"))
        self.assertEqual(ns.run("--check", "-o", "flow.idle=x").status, 1)


if __name__ == "__main__":
    ns.main()
