#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Plug-ins built as modules, from the templates that usertools/new takes, and loaded by name."""
import os
import re
import shlex
import struct
import subprocess

import ns

DNS = os.path.join(ns.DATA, "dns.pcap")
HEADERS = os.path.join(os.environ.get("NS_BUILD_ROOT", ""), "lib", "inc")


def compiler_flags():
    flags = subprocess.run(["pkg-config", "--cflags", "libdpdk", "libcyaml"], check=True,
                           capture_output=True, timeout=ns.TIMEOUT).stdout.decode()
    return shlex.split(flags) + ["-I" + os.path.join(HEADERS, d)
                                 for d in sorted(os.listdir(HEADERS))]


class Plugins(ns.Case):
    def module(self, kind, name, change=lambda text: text, flags=()):
        """A module out of the template of that kind."""
        template = os.path.join(ns.ROOT, "usertools", "templates", kind, "plugin.c.in")
        with open(template, encoding="utf-8") as f:
            text = change(f.read().replace("@NAME@", name))
        return self.compiled(name, text, flags)

    def compiled(self, name, text, flags=()):
        source, module = self.path(name + ".c"), self.path(name + ".so")
        with open(source, "w", encoding="utf-8") as f:
            f.write(text)
        p = subprocess.run(["cc", "-std=gnu17", "-O1", "-D_GNU_SOURCE", "-shared", "-fPIC",
                            *compiler_flags(), source, "-o", module, *flags],
                           capture_output=True, timeout=ns.TIMEOUT, check=False)
        self.assertEqual(p.returncode, 0, p.stderr.decode())
        return module

    def refused(self, *args, words):
        r = ns.run(*args)
        self.assertEqual((r.status, r.out), (1, b""), r.text)
        for w in words:
            self.assertIn(w, r.text)

    def test_writer(self):
        module = self.module("writer", "lines")
        self.assertIn("lines", ns.run("--plugin", module, "--list").out.decode())
        self.assertNotIn("lines ", ns.run("--list").out.decode())
        out = self.path("out")
        report, rows = self.flows("--plugin", module, "-w", "lines:" + out, DNS)
        lines = [x for x in ns.read_bytes(out).decode().splitlines() if x.startswith("flow ")]
        self.assertEqual(len(lines), report["flows"]["count"])
        self.assertEqual(sorted(re.search(r"community_id=(\S+)", x)[1] for x in lines),
                         sorted(r["community_id"] for r in rows))
        self.refused("-w", "lines:" + out, DNS, words=("lines", "no such writer"))

    def test_named_in_the_configuration(self):
        """`plugins:` is `--plugin`: known before the rest of the file is read, refused in its place."""
        module = self.module("writer", "lines")
        out = self.path("out")
        conf = self.put("c.yaml", f"engine:\n  writers: ['lines:{out}']\nplugins: [{module}]\n"
                        .encode())
        r = ns.run("--quiet", "-c", conf, DNS)
        self.assertEqual(r.status, 0, r.text)
        self.assertIn(b"flow ", ns.read_bytes(out))
        # named twice, by the option and the file, it is one
        self.assertEqual(ns.run("--check", "--plugin", module, "-c", conf).status, 0)
        self.assertIn(f"plugins: [{module}]", ns.run("--show-defaults", "-c", conf).out.decode())
        self.refused("--check", "-o", f"engine.writers=['lines:{out}']",
                     words=("engine.writers[0]", "no such writer"))
        broken = self.put("b.yaml", f"plugins:\n  - {module}\n  - {module}x\n".encode())
        self.refused("--check", "-c", broken,
                     words=(f"{broken}:3:5: plugins[1]: plug-in {module}x: ", "No such file"))

    def test_tunnel(self):
        module = self.module("tunnel", "wormhole")
        inner = ns.ipv4(ns.udp(sport=7, dport=8), 17, "192.0.2.1", "192.0.2.2")
        path = self.put("a.pcap", ns.pcap(ns.ether(ns.ipv4(ns.udp(
            struct.pack(">BBHI", 1, 0, 0x0800, 77) + inner, 5000, 1021), 17))))
        _, rows = self.flows(path)
        self.assertEqual([(r["src_ip"], r["tunnel"]) for r in rows], [("10.0.0.1", "")])
        _, rows = self.flows("--plugin", module, path)
        self.assertEqual([(r["src_ip"], r["src_port"], r["tunnel"], r["outer_src"]) for r in rows],
                         [("192.0.2.1", "7", "wormhole:77", "10.0.0.1")])

    def test_source(self):
        module = self.module("source", "numbers")
        for workers in ("1", "2"):
            report, rows = self.flows("--plugin", module, "-o", "engine.source=numbers", "-j",
                                      workers, "5000")
            self.conserved(report)
            self.assertEqual([(r["packets"], r["dst_port"]) for r in rows], [("5000", "9")])

    def test_task(self):
        module = self.module("task", "tally")
        tasks = "tasks=[{name: busy, type: tally, key: [src_ip], top: 1000}]"
        out = self.path("flows.csv")
        self.refused("-o", tasks, DNS, words=("tally", "exact"))
        for workers in ("1", "2"):
            rows = self.flows("--plugin", module, "-o", tasks, "-j", workers, DNS)[1]
            want = {}
            for r in rows:
                for ip, n in ((r["src_ip"], r["packets"]), (r["dst_ip"], r["rev_packets"])):
                    want[ip] = want.get(ip, 0) + int(n)
            got = ns.read_csv(out.replace(".csv", ".busy.csv"))
            self.assertEqual({r["src_ip"]: int(r["packets"]) for r in got},
                             {ip: n for ip, n in want.items() if n > 0})

    def test_several(self):
        a, b = self.module("writer", "one"), self.module("writer", "two")
        self.analyse("--plugin", a, "--plugin", b, "-w", "one:" + self.path("1"), "-w",
                     "two:" + self.path("2"), DNS)
        self.assertEqual(ns.read_bytes(self.path("1")), ns.read_bytes(self.path("2")))
        self.assertGreater(os.path.getsize(self.path("1")), 100)

    def test_dpdk_of_the_program(self):
        """A module uses the program's DPDK: its EAL has memory, and there is no second one."""
        def change(text):
            text = text.replace("#include <stdio.h>", """
#include <rte_hash.h>
#include <rte_hash_crc.h>
#include <rte_malloc.h>
#include <rte_ring.h>
#include <stdio.h>""")
            return text.replace("\tw->target = args->target;\n", """
	struct rte_hash_parameters p = {.name = "module", .entries = 64, .key_len = 4};
	struct rte_hash *h = rte_hash_create(&p);
	struct rte_ring *r = rte_ring_create("module", 8, SOCKET_ID_ANY, 0);
	uint32_t key = 7, *copy = rte_malloc(NULL, 4, 0);
	char line[512];
	unsigned eals = 0;
	FILE *maps = fopen("/proc/self/maps", "r");

	while (maps != NULL && fgets(line, sizeof(line), maps) != NULL)
		eals += strstr(line, "librte_eal") != NULL && strstr(line, " 00000000 ") != NULL;
	fclose(maps);
	if (h == NULL || r == NULL || copy == NULL || eals > 1 || rte_hash_add_key(h, &key) < 0 ||
		rte_hash_lookup(h, &key) < 0 || rte_hash_count(h) != 1 || rte_hash_find_existing(
		"module") != h || rte_malloc_validate(copy, NULL) != 0) {
		ns_fail(e, EINVAL, "another DPDK, EALs: %u", eals);
		return NULL;
	}
	rte_hash_free(h);
	rte_ring_free(r);
	rte_free(copy);
	w->target = args->target;
""")
        module = self.module("writer", "keys", change)
        out = self.path("out")
        self.analyse("--plugin", module, "-w", "keys:" + out, DNS)
        self.assertGreater(os.path.getsize(out), 100)

    def test_dpdk_of_its_own(self):
        """One that brings its own is refused by a program that has DPDK in it."""
        module = self.module("writer", "both", flags=["-Wl,--no-as-needed", "-lrte_hash"])
        libraries = subprocess.run(["ldd", ns.ANALYZER], check=True, capture_output=True,
                                   timeout=ns.TIMEOUT).stdout
        if b"librte_eal" in libraries:
            self.analyse("--plugin", module, "-w", "both:" + self.path("out"), DNS)
        else:
            self.refused("--plugin", module, DNS, words=(module, "librte_", "program's DPDK"))

    def test_another_abi(self):
        module = self.module("writer", "old", lambda text: text.replace(
            ".abi = NS_PLUGIN_ABI", ".abi = NS_PLUGIN_ABI + 6"))
        for args in (["--list"], ["--check"], [DNS]):
            self.refused("--plugin", module, *args, words=("old", "ABI 9"))

    def test_a_name_twice(self):
        self.refused("--plugin", self.module("writer", "csv"), DNS,
                     words=("two plug-ins", "csv"))

    def test_no_plugin(self):
        text = self.put("text.so", b"Once upon a time\n")
        self.refused("--plugin", text, DNS, words=(text,))
        self.refused("--plugin", self.path("missing.so"), DNS, words=("missing.so",))
        empty = self.compiled("empty", "int nothing;\n")
        self.refused("--plugin", empty, DNS, words=(empty, "registers nothing"))


if __name__ == "__main__":
    ns.main()
