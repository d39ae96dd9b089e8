#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The writer zmq as its subscribers see it: nothing is missing, or it is seen to be.

usage: zmq_test.py CASE NS-ENGINE PCAP-ANALYZER GEN-CAPTURE

Runs under Debian's Python, for python3-zmq and python3-protobuf.
"""
import collections
import csv
import os
import re
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness
from harness import ROOT, check, skip

try:
    import zmq
    import zmq.auth
    import google.protobuf  # noqa: F401
except ImportError as missing:
    skip(f"/usr/bin/python3 has no {missing.name} (python3-zmq, python3-protobuf)")

from zmq_reader import Reader, ZmqEngine, columns, conserved, gaps, messages, no_gaps, unpack

TASKS = "tasks=[{name: rates, type: rate}, {name: pairs, type: exact, key: [src_ip]}]"
# Flows that go on for ever and leave a record each second.
BUSY = ["engine.mbufs=32767", "flow.active=1", TASKS]


def endless(folder, gen):
    path = os.path.join(folder, "in.pcap")
    harness.run(gen, "udp64", path, "1000", "100", "1", "7")
    return f"net_pcap0,rx_pcap={path},infinite_rx=1"


def null(folder, engine, _, __):
    """The null driver: every epoch is whole and nothing is missing, over TCP and a socket."""
    wire = messages()
    ipc = f"ipc://{folder}/sock"
    tcp = f"tcp://127.0.0.1:{harness_port()}"
    with ZmqEngine(engine, "net_null0", options=["engine.workers=1"],
                   words=["-w", f"zmq:{tcp},{ipc}"]) as en, \
            Reader(wire, ipc) as a, Reader(wire, tcp) as b:
        en.wait(lambda: min(len(a.of("epoch")), len(b.of("epoch"))) >= 10, "ten epochs")
        en.kill(signal.SIGINT)
        for r in (a, b):
            r.drain(en)
        report = en.finish()
    for r in (a, b):
        no_gaps(r.got, "null")
        check(conserved(r.got) >= 10, "too few epochs")
        e = r.of("epoch")[-1].epoch
        check((e.received, e.analysed) == (report["received"], report["analysed"]) and
              e.in_flight == 0, f"{e} is not the report {report}")
        check(dict(e.drops) == report["drops"], f"{e.drops}, not {report['drops']}")
        health = r.of("health")[-1].health
        check([x.role for x in health.lcores] == ["rx", "analysis"], f"lcores: {health}")
        check([(x.name, x.status, x.lost) for x in health.writers] == [("zmq", "ok", 0)],
              f"writers: {health}")
        check(health.lcores[1].packets > 0, "an lcore without packets")


def harness_port():
    """A port of the loopback that nobody listens on; the world is our own."""
    import socket
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def records(folder, engine, _, gen):
    """What subscribers sum up is what the CSV writer of the same run has, flows and tasks."""
    wire = messages()
    for more in ([], ["zmq.compression=always", "zmq.compress_min=1", "engine.workers=2"]):
        endpoint, out = f"ipc://{folder}/sock", os.path.join(folder, "out.csv")
        with ZmqEngine(engine, endless(folder, gen), options=[*BUSY, *more],
                       words=["-w", "zmq:" + endpoint, "-w", "csv@100ms:" + out]) as en, \
                Reader(wire, endpoint) as r:
            en.wait(lambda: len(r.of("epoch")) >= 22, "epochs")
            en.kill(signal.SIGTERM)
            r.drain(en)
            en.finish()
        no_gaps(r.got, "records")
        check(conserved(r.got) >= 22, "too few epochs")
        packed = [m.compression == wire.COMPRESSION_ZSTD for m in r.got]
        if more:
            check(any(packed) and not all(packed), f"{sum(packed)} of {len(packed)} are packed")
            unpacked = [unpack(wire, m, folder) for m in r.got]
            check(all(m.flows.records.rows > 0 for m in unpacked if m.topic.endswith("/flow")),
                  "packed messages without rows")
            continue
        check(not any(packed), "packed between programs of one machine")
        first = r.of("flows")[0]
        check(first.seq == 1, f"the first flow message is {first.seq}")
        sums = collections.Counter()
        for m in r.of("flows"):
            col = columns(m.flows.records)
            sums["rows"] += m.flows.records.rows
            for name in "packets", "ip_octets", "l2_octets", "rev_packets":
                sums[name] += sum(col[name])
            sums["ports"] += sum(col["src_port"])
        check(sums == csv_sums(out), f"{sums}, not {csv_sums(out)} as in CSV")
        pairs = collections.Counter()
        for m in (m for m in r.of("task") if m.task.task == "pairs"):
            col = columns(m.task.rows)
            check(set(col["epoch"]) == {m.task.epoch}, f"rows of other epochs: {m}")
            pairs[m.task.epoch] += sum(col["packets"])
        want = collections.Counter()
        with open(out.replace(".csv", ".pairs.csv"), encoding="utf-8") as f:
            for row in csv.DictReader(f):
                want[int(row["epoch"])] += int(row["packets"])
        first = min(pairs)
        check(first <= 10 and sum(pairs.values()) > 0, f"tasks from epoch {first}")
        check(pairs == collections.Counter({k: v for k, v in want.items() if k >= first}),
              f"packets of pairs by epoch: {pairs}, not {want}")


def csv_sums(path):
    sums = collections.Counter()
    with open(path, newline="", encoding="utf-8") as f:
        for row in csv.DictReader(f):
            sums["rows"] += 1
            for name in "packets", "ip_octets", "l2_octets", "rev_packets":
                sums[name] += int(row[name])
            sums["ports"] += int(row["src_port"])
    return sums


def late(folder, engine, _, gen):
    """Who comes late gets the last epoch at once; who was there can tell that it is a replay."""
    wire = messages()
    endpoint = f"ipc://{folder}/sock"
    # epochs so long that what comes at once can only be a replay
    with ZmqEngine(engine, endless(folder, gen), options=BUSY, epoch_ms=2000,
                   words=["-w", "zmq:" + endpoint]) as en, Reader(wire, endpoint) as early:
        en.wait(lambda: len([m for m in early.of("epoch") if not m.replayed]) >= 2, "an epoch")
        with Reader(wire, endpoint) as r:
            en.wait(lambda: r.of("epoch"), "a replay")
            first = list(r.got)
            want = [m for m in early.of("epoch") if not m.replayed][-1]
            got = r.of("epoch")[0]
            check(got.replayed, "the last epoch is not marked as replayed")
            check((got.seq, got.boot, got.epoch) == (want.seq, want.boot, want.epoch),
                  f"replayed {got.seq}, the last was {want.seq}")
            bodies = collections.Counter(m.WhichOneof("body") for m in first if m.replayed)
            check(bodies == {"task": 2, "health": 1, "epoch": 1}, f"replayed: {bodies}")
            en.wait(lambda: any(not m.replayed for m in r.of("epoch")), "the next epoch")
            live = [m for m in r.of("epoch") if not m.replayed][0]
            check(live.seq == got.seq + 1, f"{live.seq} follows the replay of {got.seq}")
        # only what one has asked for
        with Reader(wire, endpoint, prefix=f"{want.topic}") as r:
            en.wait(lambda: r.of("epoch"), "a replay")
            check(set(m.topic for m in r.got) == {want.topic}, "other topics")
        en.stop()
    no_gaps(early.got, "who was there all the time")


STUCK = """
import sys, time, zmq
s = zmq.Context().socket(zmq.SUB)
s.setsockopt(zmq.RCVHWM, 1)
s.setsockopt(zmq.RCVBUF, 4096)
s.subscribe("")
s.connect(sys.argv[1])
print(s.recv_multipart()[0], flush=True)
sys.stdin.readline()
end = time.time() + 2
while time.time() < end and s.poll(300):
    sys.stdout.buffer.write(len(m := s.recv_multipart()[1]).to_bytes(4, "little") + m)
    sys.stdout.flush()
"""


def stuck_after(child):
    """What is read by who had stopped, from then on."""
    data, out = child.communicate(b"go\n", timeout=30)[0], []
    while data:
        n = int.from_bytes(data[:4], "little")
        out.append(data[4:4 + n])
        data = data[4 + n:]
    return out


def slow(folder, engine, _, gen):
    """One subscriber stops reading: the engine and the other one do not notice; it sees its gap."""
    wire = messages()
    # of a local socket little is under way: the queue fills within seconds
    endpoint = f"ipc://{folder}/sock"
    path = os.path.join(folder, "many.pcap")
    harness.run(gen, "udp64", path, "2000", "2000", "1", "7")
    target = f"net_pcap0,rx_pcap={path},infinite_rx=1"
    with ZmqEngine(engine, target, options=["engine.mbufs=32767", "flow.active=1", "zmq.hwm=128"],
                   words=["-w", "zmq:" + endpoint]) as en, \
            Reader(wire, endpoint, prefix="") as good, \
            subprocess.Popen(["/usr/bin/python3", "-c", STUCK, endpoint], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE) as child:
        try:
            en.wait(lambda: len(good.of("epoch")) >= 3, "epochs")
            child.stdout.readline()
            lost = lambda: [w.lost for m in good.of("health") for w in m.health.writers][-1]
            en.wait(lambda: lost() > 0, "a loss that is counted")
            n = len(good.of("epoch"))
            en.wait(lambda: len(good.of("epoch")) >= n + 10, "ten more epochs")
            rest = [wire.Envelope.FromString(m) for m in stuck_after(child)]
            en.kill(signal.SIGINT)
            good.drain(en)
            en.finish()
        finally:
            child.kill()
    missing = gaps(rest)
    check(sum(missing.values()) > 0, f"no gap to see: {missing}")
    no_gaps(good.got, "the other subscriber")
    epochs = [m for m in good.of("epoch") if not m.replayed]
    check(conserved(good.got) > 10, "too few epochs")
    took = [b.time_ns - a.time_ns for a, b in zip(epochs, epochs[1:])]
    check(sorted(took)[len(took) // 2] < 5e8, f"epochs of 100 ms take {took}")
    check(len(good.of("flows")) > 100, "too few flows to tell")


def curve(folder, engine, _, gen):
    """Keys: none, a wrong one of the server's, one that is not in the list, the right one."""
    wire = messages()
    endpoint = f"tcp://127.0.0.1:{harness_port()}"
    if not zmq.has("curve"):
        skip("this libzmq has no CURVE")
    os.umask(0o077)
    public, secret = zmq.auth.create_certificates(folder, "engine")
    server = zmq.auth.load_certificate(public)[0]
    good, other = zmq.curve_keypair(), zmq.curve_keypair()
    allow = os.path.join(folder, "allow")
    with open(allow, "w", encoding="ascii") as f:
        f.write("# who may listen\n" + good[0].decode() + " the operator\n")
    keys = [f"zmq.curve_key={secret}", f"zmq.curve_allow={allow}"]
    with ZmqEngine(engine, endless(folder, gen), options=[*BUSY, *keys],
                   words=["-w", "zmq:" + endpoint]) as en:
        with Reader(wire, endpoint, server=server, client=good) as right, \
                Reader(wire, endpoint, server=other[0], client=good) as wrong, \
                Reader(wire, endpoint, server=server, client=other) as stranger, \
                Reader(wire, endpoint) as plain:
            en.wait(lambda: len(right.of("epoch")) >= 15, "epochs for the right key")
            for r, who in (wrong, "a wrong key of the server"), (stranger, "a key that is not "
                           "in the list"), (plain, "no key"):
                check(not r.got, f"{who} gets {len(r.got)} messages")
            # a key that is put into the list is let in from then on
            with open(allow, "a", encoding="ascii") as f:
                f.write(other[0].decode() + "\n")
            with Reader(wire, endpoint, server=server, client=other) as friend:
                en.wait(lambda: friend.of("epoch"), "the key that is in the list now")
            en.kill(signal.SIGINT)
            right.drain(en)
            en.finish()
        check(not wrong.got and not plain.got, "wrong keys get messages at the end")
    no_gaps(right.got, "the right key")
    check(conserved(right.got) >= 15, "too few epochs")
    check(any("refused" in x for x in en.errors), f"nobody says who was refused: {en.errors}")
    refused(folder, engine, secret, allow)


def refused(folder, engine, secret, allow):
    """Files of keys that are none, or that others may read."""
    bad = os.path.join(folder, "bad")
    with open(bad, "w", encoding="ascii") as f:
        f.write("# no key\nnonsense\n")
    for options, says in ((["zmq.curve_key=/nowhere/key"], "/nowhere/key: No such file"),
                          ([f"zmq.curve_key={bad}"], "no line is a secret key"),
                          ([f"zmq.curve_allow={allow}"], "needs curve_key"),
                          ([f"zmq.curve_key={secret}", f"zmq.curve_allow={bad}"], "bad:2: no")):
        words = [w for o in options for w in ("-o", o)]
        p = subprocess.run([engine, *words, "-w", f"zmq:ipc://{folder}/s", "net_null0"],
                           capture_output=True, text=True, timeout=30, check=False)
        check(p.returncode != 0 and says in p.stderr, f"{options}: {p.returncode} {p.stderr}")
    os.chmod(secret, 0o644)
    p = subprocess.run([engine, "-o", f"zmq.curve_key={secret}", "-w", f"zmq:ipc://{folder}/s",
                        "net_null0"], capture_output=True, text=True, timeout=30, check=False)
    check(p.returncode != 0 and "others may read" in p.stderr, f"{p.returncode} {p.stderr}")


def push(folder, engine, _, gen):
    """PUSH besides PUB: each message to one of those who pull, some topics only."""
    wire = messages()
    context = zmq.Context()
    pull = [context.socket(zmq.PULL) for _ in range(2)]
    try:
        for i, s in enumerate(pull):
            s.setsockopt(zmq.LINGER, 0)
            s.setsockopt(zmq.RCVHWM, 100000)
            s.bind(f"ipc://{folder}/pull{i}") if i == 0 else s.connect(f"ipc://{folder}/bound")
        options = [*BUSY, f'zmq.push=["ipc://{folder}/pull0", "@ipc://{folder}/bound"]',
                   "zmq.topics=[epoch, task]"]
        with ZmqEngine(engine, endless(folder, gen), options=options,
                       words=["-w", f"zmq:ipc://{folder}/sock"]) as en:
            en.wait(lambda: len(en.epochs) >= 5, "epochs")
            en.stop()
        for s in pull:
            got = []
            while s.poll(500):
                got.append(wire.Envelope.FromString(s.recv_multipart()[1]))
            no_gaps(got, "PULL")
            check({m.WhichOneof("body") for m in got} == {"epoch", "task"}, "other topics")
            check(got[-1].epoch.last and conserved(got) >= 5, "not up to the end")
    finally:
        for s in pull:
            s.close()
        context.term()


def talkers(folder, engine, _, gen):
    """usertools/top-talkers names the addresses that send."""
    endpoint = f"ipc://{folder}/sock"
    with ZmqEngine(engine, endless(folder, gen), options=BUSY,
                   words=["-w", "zmq:" + endpoint]) as en:
        out = harness.run(os.path.join(ROOT, "usertools", "top-talkers"), endpoint, "40",
                          timeout=50)
        en.stop()
    found = re.findall(r"^(10\.\S+) +([\d,]+) octets$", out, re.M)
    check(out.count("-- ") == 40 and len(found) >= 10,
          out[:800] + "\n".join(en.lines[:3] + en.lines[-3:]))
    check("missing" not in out, out)
    numbers = [int(n.replace(",", "")) for _, n in found[-10:]]
    check(numbers == sorted(numbers, reverse=True) and numbers[0] > 0, out)


CASES = {"null": null, "records": records, "late": late, "slow": slow, "curve": curve,
         "push": push, "talkers": talkers}

if __name__ == "__main__":
    sys.exit(harness.main(CASES, sys.argv))
