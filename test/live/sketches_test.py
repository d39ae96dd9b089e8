#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Sketches that leave an engine: what two have counted merges to what one counts that saw it all.

usage: sketches_test.py CASE NS-ENGINE NS-CONSOLE

Runs under Debian's Python, for python3-zmq and python3-protobuf.
"""
import importlib.machinery
import importlib.util
import json
import os
import re
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness
from harness import ROOT, check, skip

try:
    import zmq  # noqa: F401
    import google.protobuf  # noqa: F401
except ImportError as missing:
    skip(f"/usr/bin/python3 has no {missing.name} (python3-zmq, python3-protobuf)")

from flows_test import words as offered
from zmq_reader import Reader, ZmqEngine, columns, conserved, messages, no_gaps

TASKS = ("tasks=[{name: hosts, type: cardinality, key: [src_ip]},"
         "{name: few, type: cardinality, key: [dst_ip], per: dst_port},"
         "{name: sent, type: frequency, key: [src_ip], by: octets, plain: true, memory: 64 KiB},"
         "{name: top, type: heavy, key: [src_ip], top: 5, memory: 64 KiB},"
         "{name: sizes, type: quantile, value: l2_octets},"
         "{name: rates, type: rate}]")
SKETCHED = {"hosts", "few", "sent", "top", "sizes"}
HALF, OVERLAP = 20000, 10000  # hosts that a node sees, and that both see


def tool():
    """usertools/merge-nodes as a module: it reads and merges by doc/wire.md alone."""
    loader = importlib.machinery.SourceFileLoader(
        "merge_nodes", os.path.join(ROOT, "usertools", "merge-nodes"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("merge_nodes", loader))
    loader.exec_module(module)
    return module


def captures(folder):
    """Of hosts 0.., of which each capture has HALF; the third is one behind the other."""
    frames = [[harness.udp_frame(i) for i in range(start, start + HALF)]
              for start in (0, HALF - OVERLAP)]
    paths = [os.path.join(folder, n + ".pcap") for n in "abw"]
    for path, some in zip(paths, frames + [frames[0] + frames[1]]):
        harness.write_pcap(path, some)
    return paths


def engine_of(program, path, node, endpoint, words=()):
    """Plays the capture once, with no ring to be full. Who connects at once misses no epoch."""
    return ZmqEngine(program, f"net_pcap0,rx_pcap={path}", epoch_ms=1500,
                     options=[TASKS, f"engine.node={node}", 'zmq.sketches=["*"]',
                              "engine.mbufs=32767", "engine.mode=rtc"],
                     words=["-w", "zmq:" + endpoint, *words])


def together(merge_nodes, got):
    """{task: {label: sketch}} of all epochs of one node, and its heads."""
    out, heads = {}, []
    for m in got:
        if not m.task.sketches or m.replayed:
            continue
        head, forms = merge_nodes.parse(m.task.sketches)
        heads.append((m, head))
        into = out.setdefault(m.task.task, {})
        for label, form in forms.items():
            if form[4] not in merge_nodes.KINDS:
                continue
            sketch = merge_nodes.KINDS[form[4]](form)
            check(sketch.octets() == form, f"{head['task']}: reading loses something")
            if label in into:
                into[label].merge(sketch)
            else:
                into[label] = sketch
    return out, heads


def order(got):
    """Of each epoch: rows, then sketches, then health and the account that closes it."""
    rank = {"task": 0, "sketch": 1, "health": 2, "epoch": 3}
    last, seen = 3, 0
    for m in (m for m in got if not m.replayed and "/flow" not in m.topic):
        now = rank[m.topic.split("/")[2]]
        check(now >= last or last == 3, f"{m.topic} comes too late")
        last, seen = now, seen + (now == 1)
    return seen


def estimates(merge_nodes, got):
    """What is read from a sketch is what the row of the same epoch says."""
    rows = {m.task.epoch: columns(m.task.rows)["estimate"][0] for m in got
            if m.topic.endswith("/task/hosts")}
    forms = {m.task.epoch: merge_nodes.parse(m.task.sketches)[1][b""] for m in got
             if m.topic.endswith("/sketch/hosts")}
    check(rows and rows.keys() == forms.keys(), f"epochs {rows.keys()}, {forms.keys()}")
    for epoch, form in forms.items():
        check(abs(merge_nodes.Hll(form).estimate() - rows[epoch]) <= 0.51,
              f"epoch {epoch}: {merge_nodes.Hll(form).estimate()}, the row says {rows[epoch]}")


def merge(folder, program, _):
    """Byte by byte: the merged states of two nodes are the state of one that saw all."""
    wire, merge_nodes = messages(), tool()
    result = {}
    for path, node in zip(captures(folder), ("a", "b", "w")):
        endpoint = f"ipc://{folder}/{node}"
        with Reader(wire, endpoint) as r, engine_of(program, path, node, endpoint) as en:
            want = 2 * HALF if node == "w" else HALF
            en.wait(lambda: en.seen() >= want, "all packets")
            n = len(r.of("epoch"))
            en.wait(lambda: len(r.of("epoch")) > n, "one more epoch")
            en.kill(signal.SIGINT)
            r.drain(en)
            report = en.finish()
        check(report["analysed"] == want, f"{report}")
        no_gaps(r.got, node)
        check(conserved(r.got) >= 2, "too few epochs")
        check(order(r.got) >= len(SKETCHED), "too few sketches")
        result[node], heads = together(merge_nodes, r.got)
        check({m.task.task for m, _ in heads} == SKETCHED, f"sketches of {set(result[node])}")
        for m, head in heads:
            check(m.topic == f"ns/{node}/sketch/{head['task']}" and m.task.task == head["task"] and
                  not m.task.rows.columns, f"{m.topic}: {head}")
            check((m.task.epoch, m.task.start_ns, m.task.end_ns) ==
                  (head["epoch"], head["start_ns"], head["end_ns"]), f"times of {head}")
        check(min(m.seq for m, _ in heads) == 1, "the first sketch is missing")
    for task, labels in (("hosts", 1), ("sent", 1), ("few", 2)):
        a, b, w = (result[n][task] for n in "abw")
        check(set(a) == set(b) == set(w) and len(w) == labels, f"{task}: labels {set(a), set(w)}")
        for label, sketch in a.items():
            sketch.merge(b[label])
            check(sketch.octets() == w[label].octets(), f"{task}: the merged state is another one")
    estimates(merge_nodes, r.got)
    hosts = result["w"]["hosts"][b""].estimate()
    check(hosts == result["a"]["hosts"][b""].estimate(), "estimates differ")
    exact = 2 * HALF - OVERLAP
    check(0 < abs(hosts / exact - 1) < 4 * 0.0059, f"{hosts} hosts, there are {exact}")
    check(result["w"]["sent"][b""].total == 2 * HALF * 60, "octets are not those of the packets")
    # what must not be merged says why
    try:
        result["a"]["hosts"][b""].merge(result["a"]["sent"][b""])
        check(False, "a cardinality merges with a frequency")
    except ValueError as e:
        check("differ" in str(e), str(e))


def engines(program, folder):
    return [engine_of(program, path, node, f"ipc://{folder}/{node}")
            for path, node in zip(captures(folder), "ab")]


def tool_case(folder, program, _):
    """usertools/merge-nodes beside two engines: the union, and what each of them has."""
    child = subprocess.Popen(
        ["/usr/bin/python3", "-u", os.path.join(ROOT, "usertools", "merge-nodes"),
         *(f"ipc://{folder}/{n}" for n in "ab")], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True)
    try:
        a, b = engines(program, folder)
        with a, b:
            for en in a, b:
                en.wait(lambda: en.seen() >= HALF, "all packets")
            n = len(b.epochs)
            b.wait(lambda: len(b.epochs) >= n + 2, "two more epochs")
            a.stop()
            b.stop()
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=30)
    finally:
        child.kill()
        child.wait()
    check(child.returncode == 0, err)
    number = r"([\d,]+) ±1\.2 %"
    m = re.search(rf"^in all +hosts: together {number}; a {number}; b {number}$", out, re.M)
    check(m, out + err)
    union, own_a, own_b = (int(x.replace(",", "")) for x in m.groups())
    for got, exact in (union, 2 * HALF - OVERLAP), (own_a, HALF), (own_b, HALF):
        check(abs(got / exact - 1) < 4 * 0.0059, f"{got} hosts, there are {exact}: {out}")
    check(re.search(r"^\d\d:\d\d:\d\d hosts: together ", out, re.M), out)
    check(f"in all   sent: together {2 * HALF * 60:,} in " in out, out)


def refused(folder, program, _):
    """Tasks that are not there, or have nothing to merge, are refused by name."""
    for names, says in (('["nobody"]', 'zmq.sketches: there is no task "nobody"'),
                        ('["hosts", "rates"]', 'zmq.sketches: task "rates" of type rate has none')):
        p = subprocess.run([program, "-o", TASKS, "-o", f"zmq.sketches={names}", "-w",
                            f"zmq:ipc://{folder}/s", "net_null0"], capture_output=True, text=True,
                           timeout=60, check=False)
        check(p.returncode != 0 and says in p.stderr, f"{names}: {p.returncode} {p.stderr}")


def console(folder, program, client):
    """show sketch: what there is, how full it is, and the numbers of the last epoch."""
    path, sock = captures(folder)[0], os.path.join(folder, "sock")

    def ask(command, status=0):
        p = subprocess.run([client, "-s", sock, "--json", "-e", command], capture_output=True,
                           text=True, timeout=20, check=False)
        check(p.returncode == status, f"{command}: {p.returncode} {p.stderr}")
        return [json.loads(x) for x in p.stdout.splitlines()] if status == 0 else p.stderr
    options = [TASKS, f"console.path={sock}", "engine.mbufs=32767", "engine.workers=2"]
    for words in [], ["-w", f"csv@60s:{folder}/out.csv"]:
        with harness.Engine(program, f"net_pcap0,rx_pcap={path},infinite_rx=1", options=options,
                            words=words, epoch_ms=500) as en:
            en.wait(lambda: len(en.epochs) >= 3, "epochs")
            all_of = {r["task"]: r for r in ask("show sketch")}
            check(set(all_of) == SKETCHED, f"{set(all_of)}")
            hosts, = ask("show sketch hosts")
            check(hosts["sketch"] == "hll" and hosts["parameters"] == "p 14" and
                  hosts["cells"] == 2**14 and hosts["hash"] == "fold64", f"{hosts}")
            check(0.6 < hosts["used"] / hosts["cells"] < 0.8 and hosts["saturated"] == 0 and
                  "0.594 %" in hosts["bound"], f"{hosts}")
            check(abs(hosts["estimate"] / HALF - 1) < 4 * 0.0059 and
                  hosts["lower"] < hosts["estimate"] < hosts["upper"], f"{hosts}")
            # two lcores with a pair each, and control's own: one, or three with another interval
            states = 2 * 2 + (3 if words else 1)
            check(hosts["octets"] == 2**14 + 64 and hosts["octets_lcore"] == 2 * hosts["octets"] and
                  hosts["octets_all"] == states * hosts["octets"], f"{hosts}")
            sent, = ask("show sketch sent")
            check(sent["sketch"] == "cms" and sent["octets"] == 65536 + 64 and
                  "width" in sent["parameters"] and "depth" in sent["parameters"], f"{sent}")
            check(sent["estimate"] > 0 and sent["estimate"] % 60 == 0, f"{sent}")
            few = ask("show sketch few")
            check([x["label"] for x in few] == [None, "3500000000000000"] and
                  few[1]["estimate"] == 1, f"{few}")
            check("no sketch: its rows can be added" in ask("show sketch rates", 1), "rates")
            check('no task "nobody"' in ask("show sketch nobody", 1), "nobody")
            check(set(offered(folder, "show sketch ")) == SKETCHED and
                  set(offered(folder, "show sketch s")) == {"sent", "sizes"}, "Tab")
            before = len(en.epochs)
            for _ in range(40):
                check(len(ask("show sketch hosts")) == 1, "no answer")
            en.wait(lambda: len(en.epochs) > before, "epochs go on")
            text = subprocess.run([client, "-s", sock, "-e", "show sketch hosts"],
                                  capture_output=True, text=True, timeout=20, check=True).stdout
            check("standard error 0.594 %" in text, text)
            en.stop()


CASES = {"merge": merge, "tool": tool_case, "refused": refused, "console": console}

if __name__ == "__main__":
    sys.exit(harness.main(CASES, sys.argv))
