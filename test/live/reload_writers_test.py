#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writers that come, change and go while packets come: each has all that is of its time, and no more.

usage: reload_writers_test.py CASE NS-ENGINE NS-CONSOLE GEN-CAPTURE WIDE.so

Runs under Debian's Python, for python3-zmq and python3-protobuf.
"""
import collections
import csv
import json
import os
import signal
import socket
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness
from harness import check, skip

try:
    import zmq  # noqa: F401
    import google.protobuf  # noqa: F401
except ImportError as missing:
    skip(f"/usr/bin/python3 has no {missing.name} (python3-zmq, python3-protobuf)")

from zmq_reader import Reader, ZmqEngine, columns, conserved, messages, no_gaps

ROUNDS = int(os.environ.get("NS_RELOADS", "20"))
CONF = """console: {{path: {folder}/console}}
flow: {{active: {active}, tcp_end: false}}
tasks: [{{name: total, type: exact, key: [proto]}}]
zmq: {{hwm: {hwm}, linger: 10000}}
engine:
  mode: {mode}
  workers: {workers}
  mbufs: 32767
  writers:
{writers}
"""
HOLDS = "holds from the next epoch on"


class Live(ZmqEngine):
    """An engine on a capture that is played for ever, and its configuration."""

    def __init__(self, folder, engine, console, gen, mode, words):
        self.folder, self.mode, self.console = folder, mode, console
        self.conf = os.path.join(folder, "ns.yaml")
        capture = os.path.join(folder, "in.pcap")
        harness.run(gen, "imix", capture, "4000", "400", "1")
        self.write([])
        super().__init__(engine, f"net_pcap0,rx_pcap={capture},infinite_rx=1",
                         words=["-c", self.conf, *words])

    def write(self, writers, active=1, hwm=100000, more=""):
        with open(self.conf, "w", encoding="utf-8") as f:
            f.write(CONF.format(folder=self.folder, mode=self.mode, active=active, hwm=hwm,
                                workers=1 if self.mode == "rtc" else 2,
                                writers="".join(f"    - \"{w}\"\n" for w in writers) or "    []\n")
                    + more)

    def hup(self, want, epochs=3):
        """A SIGHUP, and what the engine says to it."""
        n = len(self.errors)
        self.kill(signal.SIGHUP)
        self.wait(lambda: any(": reload: " in x for x in self.errors[n:]), "an answer to SIGHUP")
        said = next(x for x in self.errors[n:] if ": reload: " in x)
        check(want in said, f"not \"{want}\": {said}")
        seen = len(self.epochs)
        self.wait(lambda: len(self.epochs) >= seen + epochs, f"{epochs} epochs more")

    def ask(self, command):
        out = subprocess.run([self.console, "-s", self.folder + "/console", "--json", "-e",
                              command], capture_output=True, text=True, check=False)
        check(out.returncode == 0, f"{command}: {out.stderr}{out.stdout}")
        return [json.loads(line) for line in out.stdout.splitlines()]


def lines(path):
    """(flow records, rows of the task) of a JSON file."""
    flows, rows = [], []
    with open(path, encoding="utf-8") as f:
        for line in f:
            (flows if '"kind":"flow"' in line else rows).append(line)
    return flows, [json.loads(x) for x in rows]


def windows(rows):
    """Packets and octets in each tenth of a second."""
    sums = collections.Counter()
    for x in rows:
        for what in "packets", "octets":
            sums[x["start_ns"] // 100000000, what] += x[what]
    return sums


def packets(rows):
    return sum(int(x["packets"]) for x in rows)


def rounds(folder, engine, console, gen, _, mode):
    """Each round adds a writer, changes one and removes one; two see none of it."""
    wire = messages()
    keep, whole, steady = f"ipc://{folder}/keep", f"{folder}/all.json", f"{folder}/steady.csv"

    def at(i):
        # in another place of the list each time, and at another interval
        w = [f"zmq:{keep}", f"csv@{'300ms' if i % 2 else '200ms'}:{steady}",
             f"json@100ms:{folder}/{i}.json", f"zmq:ipc://{folder}/{i}",
             f"json@500ms:{folder}/half{i}.json"]
        return w[i % 5:] + w[:i % 5]
    with Live(folder, engine, console, gen, mode,
              ["-w", "json@100ms:" + whole, "-w", f"json@500ms:{folder}/slow.json"]) as en, \
            Reader(wire, keep) as kept:
        en.wait(lambda: len(en.epochs) >= 2, "epochs")
        for i in range(ROUNDS):
            en.write(at(i))
            en.hup(HOLDS, 2)
            if i == 0:
                en.wait(lambda: kept.of("epoch"), "the first message")
            if i == ROUNDS // 2:
                with Reader(wire, f"ipc://{folder}/{i}") as new:
                    en.wait(lambda: len(new.of("epoch")) >= 3, "epochs of a writer that came")
                no_gaps(new.got, "a writer that came")
        said = {w["name"]: w for w in en.ask("show writers")}
        report_kill(en, kept)
        r = en.finish()
    check(not r["notes"].get("records_lost"), f"records were lost: {r['notes']}")
    if mode == "rtc":
        check(not r["drops"], f"packets were dropped: {r['drops']}")
    check(not any(": error: " in x for x in en.errors), "\n".join(en.errors))
    first = each_in_its_writer(folder, whole, r)
    # its intervals change and go on: of none a part is missing
    with open(steady.replace(".csv", ".total.csv"), encoding="utf-8") as f:
        table = list(csv.DictReader(f))
    want = packets(x for x in lines(whole)[1] if x["epoch"] >= first)
    check(packets(table) == want, f"{packets(table)} packets of {want} in {steady}")
    # of an interval that others go on with, who goes and who comes have each their part
    halves = sum(packets(lines(f"{folder}/half{i}.json")[1]) for i in range(ROUNDS))
    check(halves == want, f"{halves} packets of {want} in parts of intervals")
    slow = collections.defaultdict(set)
    for x in lines(folder + "/slow.json")[1]:
        slow[x["start_ns"] // 500000000].add(x["epoch"])
    check(len(slow) > 3 and all(len(v) == 1 for v in slow.values()),
          f"the intervals of one that stayed were cut: {dict(slow)}")
    untouched(kept, whole, said)


def report_kill(en, kept):
    en.kill(signal.SIGTERM)
    kept.drain(en)


def each_in_its_writer(folder, whole, r):
    """The files of all rounds are one behind the other what the one that stayed has."""
    flows, rows = lines(whole)
    parts = [lines(f"{folder}/{i}.json") for i in range(ROUNDS)]
    check(packets(rows) == r["analysed"], f"{packets(rows)} packets, {r['analysed']} analysed")
    spans = [sorted({x["epoch"] for x in p[1]}) for p in parts]
    check(all(spans), f"writers without an epoch: {spans}")
    for a, b in zip(spans, spans[1:]):
        check(a[-1] < b[0], f"epochs {a[0]} to {a[-1]}, then {b[0]} to {b[-1]}")
    # one that stays may sum two short epochs up, where one goes between them
    want = windows(x for x in rows if x["epoch"] >= spans[0][0])
    check(windows(x for p in parts for x in p[1]) == want,
          "rows of the task are not those of the writer that stayed")
    before = collections.Counter(flows)
    mine = collections.Counter(x for p in parts for x in p[0])
    check(not mine - before, f"{sum((mine - before).values())} flow records that nobody else has")
    # what is missing is of before the first round; its writer began with an epoch
    began = min(x["start_ns"] for x in rows if x["epoch"] == spans[0][0])
    late = [x for x in (before - mine).elements() if json.loads(x)["end_ns"] >= began]
    check(not late, f"{len(late)} of {len(flows)} flow records are missing: {late[:2]}")
    check(sum(mine.values()) > 400, f"only {sum(mine.values())} flow records")
    check(len(flows) == r["records"], f"{len(flows)} flow records of {r['records']}")
    return spans[0][0]


def untouched(kept, whole, said):
    """A writer that stayed: no message is missing, no epoch, no record."""
    no_gaps(kept.got, "kept")
    conserved(kept.got)
    check(kept.of("flows")[0].seq <= 2, f"the first is {kept.of('flows')[0].seq}")
    check({"zmq", "zmq#2", "csv", "removed", "json", "json#2",
                                                   "json#3", "json#4"} >= set(said), f"writers: {said}")
    check(said["removed"]["records"] > 0 and said["removed"]["lost"] == 0, f"{said['removed']}")
    got = []
    for m in kept.of("task"):
        col = columns(m.task.rows)
        got += [dict(zip(col, row)) for row in zip(*col.values())]
    first = min(x["start_ns"] // 100000000 for x in got)
    seen = {k: v for k, v in windows(got).items() if k[0] > first}
    want = {k: v for k, v in windows(lines(whole)[1]).items() if k[0] > first}
    check(seen == want and len(want) > 40,
          f"kept: {seen.items() - want.items()}, not {want.items() - seen.items()}")


def pipeline(*args):
    rounds(*args, "pipeline")


def rtc(*args):
    rounds(*args, "rtc")


def broken(folder, engine, console, gen, _):
    """Whatever is wrong with one part: nothing is changed, not even of the parts that are right."""
    old = "nothing was changed: "
    ipc, out, new = f"ipc://{folder}/keep", f"{folder}/out.csv", f"{folder}/new.csv"
    now = [f"zmq:{ipc}", f"csv@100ms:{out}"]
    wire = messages()
    with socket.socket() as busy, \
            Live(folder, engine, console, gen, "rtc", ["-w", f"json@100ms:{folder}/all"]) as en, \
            Reader(wire, ipc) as kept:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        en.write(now)
        en.hup(HOLDS)
        before = en.ask("show writers")
        for writers, more, want in (
                (now[:1] + [f"csvv:{new}"], {}, f"{en.conf}:11:7: engine.writers[1]: writer "
                 f"\"csvv:{new}\": no such writer"),
                (now + [f"csv:{new}"], {"more": "flwo: {}\n"}, f"{en.conf}:14:1: unknown section"),
                (now + [f"csv:{new}"], {"active": "-1"}, f"{en.conf}:2:16: flow.active"),
                (now + [f"csv:{new}"], {"more": "dispatch: {ring: 128}\n"}, "dispatch.ring can't "
                 "change while the engine runs: restart it for that; these can: engine.filter, "
                 "engine.writers, flow.active, "),
                (now + [f"csv:{folder}/no/where.csv"], {}, f"{en.conf}:12:7: engine.writers[2]: "
                 f"{folder}/no/where.csv: folder {folder}/no: No such file"),
                (now + [f"csv:{new}", f"zmq:tcp://127.0.0.1:{port}"], {},
                 f"tcp://127.0.0.1:{port}: Address already in use"),
                ([f"zmq:ipc://{folder}/free", f"zmq:tcp://127.0.0.1:{port}", *now], {},
                 f"tcp://127.0.0.1:{port}: Address already in use"),
                (now + [f"csv@150ms:{new}"], {}, "the interval is no multiple of an epoch"),
                (now[:1] + [f"json:{out}"], {}, f"{out} is still written by csv"),
                (now + [f"json:{folder}/../{os.path.basename(folder)}/out.csv"], {},
                 "is still written by csv"),
                (now + [f"csv:{new}"], {"hwm": 7}, f"{ipc}: Address already in use; writers that "
                 "go are closed when those that come are open"),
                (now + [f"csv:{folder}/{i}.csv" for i in range(15)], {}, "more than 16 writers")):
            en.write(writers, **more)
            en.hup(old, 1)
            check(want in en.errors[-1], f"not \"{want}\": {en.errors[-1]}")
        check(not os.path.exists(new), "a refused reload has made a file")
        after = en.ask("show writers")
        check([(x["name"], x["target"], x["status"]) for x in after] ==
              [(x["name"], x["target"], x["status"]) for x in before] and
              all(a["records"] > b["records"] for a, b in zip(after, before)),
              f"{before} became {after}")
        # by two reloads it can be done; the old one still closes, maybe
        en.write(now[1:], hwm=7)
        en.hup(HOLDS)
        en.wait(lambda: any(f"zmq:{ipc}: closed" in x for x in en.errors), "the end of zmq")
        seen = len(kept.of("epoch"))
        en.write(now, hwm=7)
        en.hup(HOLDS)
        en.wait(lambda: len(kept.of("epoch")) > seen + 2, "zmq again")
        r = en.stop()
    # who connects again meets numbers that go on
    seqs = [m.seq for m in kept.of("epoch") if not m.replayed]
    check(seqs == sorted(set(seqs)) and seqs[-1] < seqs[0] + len(seqs) + 30, f"{seqs}")
    with open(out.replace(".csv", ".total.csv"), encoding="utf-8") as f:
        check(packets(csv.DictReader(f)) > 0, "no rows")
    check(not r["drops"] and not r["notes"].get("records_lost"), f"lost: {r}")


def times(folder, engine, console, gen, _):
    """Time-outs of flows change between two epochs, and the interval of a writer goes on."""
    whole = f"{folder}/all.json"
    with Live(folder, engine, console, gen, "rtc", ["-w", f"json@100ms:{whole}"]) as en:
        en.write([], active=100000)
        en.hup(HOLDS)
        n = int(en.epochs[-1].group(1))
        en.wait(lambda: int(en.epochs[-1].group(1)) >= n + 30, "three seconds")
        quiet = [int(e.group(5)) for e in en.epochs if int(e.group(1)) > n + 2]
        check(en.ask("set flow.active 1")[0]["text"].startswith("flow.active=1 holds"), "set")
        en.wait(lambda: sum(int(e.group(5)) for e in en.epochs[-10:]) > 400, "records again")
        said = en.ask(f"set engine.writers '[\"csv:{folder}/set.csv\"]'")[0]["text"]
        check(said.endswith("from the next epoch on, until the engine ends"), said)
        en.wait(lambda: any(w["name"] == "csv" for w in en.ask("show writers")), "the writer")
        r = en.stop()
    check(os.path.exists(f"{folder}/set.csv"), "no file of the writer that was set")
    check(not any(quiet), f"records while no flow was due: {quiet}")
    check(packets(lines(whole)[1]) == r["analysed"], "packets are missing in rows")


def wide(folder, engine, console, gen, module):
    """A task whose rows are longer than the batches have room for takes nothing else along."""
    whole, new = f"{folder}/all.json", f"{folder}/new.csv"
    row = "  - {{name: rows, type: wide, width: {}}}\n"
    with Live(folder, engine, console, gen, "rtc",
              ["--plugin", module, "-w", "json@100ms:" + whole]) as en:
        tasks = "tasks: [{name: total, type: exact, key: [proto]}]\n"

        def write(writers, width):
            en.write(writers)
            with open(en.conf, encoding="utf-8") as f:
                text = f.read()
            check(tasks in text, text)
            with open(en.conf, "w", encoding="utf-8") as f:
                f.write(text.replace(tasks, "tasks:\n  - {name: total, type: exact, key: [proto]}\n"
                                     + row.format(width)))
        write([f"csv@100ms:{new}"], 5000)
        en.hup("nothing was changed: a task's row has 5024 octets, there is room for 4096: restart "
               "the engine for that")
        check(not os.path.exists(new), "a refused reload has made a file")
        check([x["name"] for x in en.ask("show writers")] == ["json"], "a writer came")
        write([f"csv@100ms:{new}"], 4072)
        en.hup(HOLDS)
        r = en.stop()
    rows = lines(whole)[1]
    texts = [x for x in rows if x["kind"] == "rows"]
    check(texts and all(x["text"] == "x" for x in texts), f"{len(texts)} wide rows")
    check(packets(x for x in rows if x["kind"] == "total") == r["analysed"], "packets are missing")
    check(os.path.exists(new.replace(".csv", ".rows.csv")), "the new writer has no rows")


def main():
    cases = {c.__name__: c for c in (pipeline, rtc, broken, times, wide)}
    return harness.main(cases, sys.argv)


if __name__ == "__main__":
    sys.exit(main())
