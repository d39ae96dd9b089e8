#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""ns-engine on live ports: packets sent = packets analysed, and an orderly end.

usage: live_test.py CASE NS-ENGINE PCAP-ANALYZER GEN-CAPTURE
"""
import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time

import harness
from harness import WHOLE, Engine, all_analysed, check, records, same_records

PACKETS = 20000


def capture(folder, gen, packets=PACKETS, flows=500):
    path = os.path.join(folder, "in.pcap")
    harness.run(gen, "imix", path, str(packets), str(flows), "7")
    frames = harness.read_pcap(path)
    return path, frames


def expected(folder, analyzer, path, options=()):
    """What pcap-analyzer makes of the same packets."""
    out = os.path.join(folder, "expected.csv")
    words = [w for o in options for w in ("-o", o)]
    harness.run(analyzer, "--quiet", "--report", "none", *words, "-w", "csv:" + out, path)
    want = records(out)
    check(len(want) > 100, f"only {len(want)} flows to compare with")
    return want


def rows_of_sqlite(path):
    for more in "-wal", "-shm":
        check(not os.path.exists(path + more), f"{path}{more} is left")
    with contextlib.closing(sqlite3.connect(path)) as db:
        check(db.execute("pragma integrity_check").fetchone()[0] == "ok", "damaged database")
        return db.execute("select count(*), sum(packets + rev_packets) from flow").fetchone()


def null(folder, engine, *_):
    """Packets without end: epochs, both signals, both modes."""
    pipeline = ["engine.workers=1"]
    two = ["engine.workers=2", "engine.rx=2", "ethdev.profile=null"]
    rtc = ["engine.mode=rtc", "engine.workers=2"]
    for options, target, number, ms in ((pipeline, "net_null0", signal.SIGINT, 1000),
                                        (two, "anything", signal.SIGTERM, 100),
                                        (rtc, "net_null0", signal.SIGTERM, 100)):
        with Engine(engine, target, options=options, epoch_ms=ms) as en:
            en.wait(lambda: len(en.epochs) >= 3, "three epochs")
            times = [m.group(0)[:19] for m in en.epochs]
            if ms == 1000:
                check(len(set(times)) == len(times), f"not an epoch a second: {times}")
            check(all(float(m.group(2)) > 0 for m in en.epochs), "an epoch without packets")
            seen = en.seen()
            r = en.stop(number)
        check(r["received"] >= seen > 0 and r["analysed"] > 0, f"too few packets: {r}")
        check(r["octets"] == 64 * r["received"], f"octets are not 64 each: {r}")
        check(set(r["drops"]) <= {"ring_full"}, f"drops that can't be: {r}")
        check(options is not rtc or not r["drops"], f"drops without a ring: {r}")
    # two signals at once, as timeout(1) sends them, are one wish
    with Engine(engine, "net_null0") as en:
        en.wait_packets(1)
        en.kill(signal.SIGTERM)
        en.kill(signal.SIGINT)
        en.kill(signal.SIGTERM)
        en.finish()


def pcap(folder, engine, analyzer, gen):
    """A file through net_pcap: the records are those of pcap-analyzer."""
    path, frames = capture(folder, gen)
    for options in (["engine.workers=1"], ["engine.workers=2"], ["engine.mode=rtc"]):
        want = expected(folder, analyzer, path, ())
        out = os.path.join(folder, "out.csv")
        db = os.path.join(folder, "out.db")
        # profile pcap: the file's own time, so that time-outs fall where pcap-analyzer sees them;
        # rings that hold the file, as a file comes faster than packets do
        with Engine(engine, path, options=["ethdev.profile=pcap", "dispatch.ring=32768", *options],
                    words=["-w", "csv:" + out, "-w", "sqlite:" + db]) as en:
            en.wait_packets(len(frames))
            r = en.stop()
        all_analysed(r, len(frames))
        got = records(out)
        same_records(got, want, f"net_pcap, {options}")
        check(r["records"] == len(got), f"{r['records']} records, {len(got)} in the file")
        check(rows_of_sqlite(db) == (len(got), len(frames)), f"sqlite: {rows_of_sqlite(db)}")
        os.unlink(db)


def task_rows(path, name):
    with open(path, encoding="utf-8") as f:
        return [r for r in map(json.loads, f) if r["kind"] == name]


def tasks(folder, engine, _, gen):
    """Epochs: every packet is in the rows of each interval once, and no epoch is left out."""
    path = os.path.join(folder, "in.pcap")
    harness.run(gen, "udp64", path, "1000", "100", "1", "7") # flows that do not end
    target = f"net_pcap0,rx_pcap={path},infinite_rx=1"
    fast, slow = os.path.join(folder, "fast.json"), os.path.join(folder, "slow.json")
    for options in (["engine.workers=1"], ["engine.workers=3"],
                    ["engine.mode=rtc", "engine.workers=1"]):
        what = "tasks=[{name: rates, type: rate}, {name: pairs, type: exact, key: [src_ip]}]"
        with Engine(engine, target, options=["engine.mbufs=32767", what, *options],
                    words=["-w", "json@100ms:" + fast, "-w", "json@1s:" + slow]) as en:
            en.wait(lambda: len(en.epochs) >= 25, "25 epochs")
            r = en.stop()
        for file, ns in (fast, 10**8), (slow, 10**9):
            rows = [x for x in task_rows(file, "rates") if x["layer"] == "all"]
            seen = sum(x["packets"] for x in rows)
            check(seen == r["analysed"], f"{seen} in the rows of {file}, {r} {options}")
            pairs = sum(x["packets"] for x in task_rows(file, "pairs"))
            check(0 < pairs <= seen, f"{pairs} packets of flows among {seen}")
            check(all(x["end_ns"] - x["start_ns"] == ns for x in rows), "other intervals")
            starts = [x["start_ns"] for x in rows]
            check(starts == sorted(set(starts)), f"intervals twice or out of order: {starts}")
            numbers = [x["epoch"] for x in rows]
            check(numbers == sorted(set(numbers)), f"epochs out of order: {numbers}")
        check(len(starts) >= 2, f"only {len(starts)} intervals of a second")


def over_wire(folder, engine, analyzer, gen, target, options, interface, packets=PACKETS,
              rate=8000, number=signal.SIGINT, env=None):
    """Frames into an interface while the engine watches; all must be analysed."""
    path, frames = capture(folder, gen, packets)
    want = expected(folder, analyzer, path, WHOLE)
    out = os.path.join(folder, "out.csv")
    with Engine(engine, target, options=[*WHOLE, *options], words=["-w", "csv:" + out],
                env=env) as en:
        n = harness.send(interface, frames, rate)
        en.wait_packets(n)
        r = en.stop(number)
    all_analysed(r, n)
    got = records(out)
    check(r["records"] == len(got), f"{r['records']} records, {len(got)} in the file")
    same_records(got, want, f"{target}, {options}")


def af_packet(folder, engine, analyzer, gen):
    watched, sender = harness.veth()
    profile = "ethdev.profile=af_packet"
    over_wire(folder, engine, analyzer, gen, watched, [profile, "engine.workers=1"], sender)
    over_wire(folder, engine, analyzer, gen, watched, [profile, "engine.workers=2"], sender,
              number=signal.SIGTERM, packets=4000)
    over_wire(folder, engine, analyzer, gen, watched, [profile, "engine.mode=rtc"], sender,
              packets=4000)
    # the kernel's fan-out keeps both directions of a flow together: the records stay the same
    over_wire(folder, engine, analyzer, gen, watched,
              [profile, "engine.mode=rtc", "engine.workers=2"], sender, packets=4000)
    over_wire(folder, engine, analyzer, gen, f"net_af_packet0,iface={watched}",
              ["engine.rx=2", "engine.workers=2"], sender, packets=4000)


def af_xdp(folder, engine, analyzer, gen):
    # one queue: the driver wants combined channels for more, and veth has none
    watched, sender = harness.veth()
    profile = "ethdev.profile=af_xdp"
    # what libxdp keeps for itself is not ours to free
    env = {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}
    over_wire(folder, engine, analyzer, gen, watched, [profile, "engine.workers=1"], sender,
              env=env)
    over_wire(folder, engine, analyzer, gen, watched, [profile, "engine.workers=2"], sender,
              env=env, number=signal.SIGTERM, packets=4000)
    over_wire(folder, engine, analyzer, gen, watched, [profile, "engine.mode=rtc"], sender,
              env=env, packets=4000)


def tap(folder, engine, analyzer, gen):
    for options, packets in ((["engine.workers=1"], PACKETS), (["engine.workers=2"], 4000),
                             (["engine.mode=rtc"], 4000)):
        over_wire(folder, engine, analyzer, gen, "nstap0",
                  ["ethdev.profile=tap", *options], "nstap0", packets)
        check(not os.path.exists("/sys/class/net/nstap0"), "the tap interface is left")


def ring(folder, engine, *_):
    """net_ring belongs to its process: nobody outside can fill it, but it must start and stop."""
    for options in ([], ["engine.mode=rtc"]):
        with Engine(engine, "net_ring0", options=options) as en:
            en.wait(lambda: len(en.epochs) >= 2, "two epochs")
            check(en.stop(signal.SIGTERM)["received"] == 0, "packets from nowhere")


def quiet(folder, engine, *_):
    """Flows of a port that falls silent end by the clock, and their records are written then."""
    watched, sender = harness.veth()
    old = os.path.join(folder, "old.pcap")
    harness.write_pcap(old, [harness.udp_frame(i) for i in range(200)])
    out = os.path.join(folder, "out.csv")
    for target, options in ((watched, ["ethdev.profile=af_packet"]),
                            (watched, ["ethdev.profile=af_packet", "engine.mode=rtc"]),
                            (old, ["ethdev.profile=pcap", "engine.workers=2"])):
        with Engine(engine, target, options=["flow.idle=1", *options],
                    words=["-w", "csv:" + out]) as en:
            if target is watched:
                harness.send(sender, [harness.udp_frame(i) for i in range(200)])
            en.wait_packets(200)
            harness.wait_for(lambda: sum(1 for _ in open(out, "rb")) == 201, "200 records")
            check(en.process.poll() is None, "ended by itself")
            r = en.stop()
        all_analysed(r, 200)
        check({x[-1] for x in records(out)} == {"1"}, "flows ended for another reason than idle")


def evicted(folder, engine, *_):
    """A table that is too small ends flows early and counts them; each still has its record."""
    path, out = os.path.join(folder, "in.pcap"), os.path.join(folder, "out.csv")
    n = 20000
    harness.write_pcap(path, [harness.udp_frame(i) for i in range(n)])
    for options in (["engine.workers=2"], ["engine.mode=rtc"]):
        with Engine(engine, path, words=["-w", "csv:" + out],
                    options=["ethdev.profile=pcap", "dispatch.ring=32768", "flow.max=4096",
                             "flow.idle=1000", *options]) as en:
            en.wait_packets(n)
            r = en.stop()
        all_analysed(r, n)
        early = n - 4096
        check(early <= r["evicted"] < n, f"evicted {r['evicted']} of {n}")
        got = records(out)
        lost = r["notes"].get("records_lost", 0)
        check(r["created"] == n and len(got) + lost == n, f"{len(got)} records of {n}: {r}")
        if lost == 0:
            ended_early = sum(1 for x in got if x[-1] == "5")
            check(ended_early == r["evicted"], f"{ended_early} say so, {r['evicted']} counted")


def records_lost(folder, engine, *_):
    """A writer that stands still never holds up packets: records are lost, and counted."""
    path, fifo = os.path.join(folder, "in.pcap"), os.path.join(folder, "fifo")
    n = 60000
    harness.write_pcap(path, [harness.udp_frame(i) for i in range(n)])
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    got = []

    def drain():
        with os.fdopen(reader, "rb") as f:
            got.extend(f)
    with Engine(engine, path, words=["-w", "csv:" + fifo],
                options=["ethdev.profile=pcap", "engine.mode=rtc", "flow.max=4096",
                         "flow.idle=1000"]) as en:
        # without a ring between, what is received is analysed
        en.wait_packets(n)
        # only now somebody reads, and the engine may end
        os.set_blocking(reader, True)
        en.kill(signal.SIGTERM)
        t = threading.Thread(target=drain)
        t.start()
        r = en.finish()
        t.join()
    all_analysed(r, n)
    lost = r["notes"].get("records_lost", 0)
    check(lost > 0, f"no record was lost: {r}")
    check(len(got) - 1 == n - lost == r["records"],
          f"{len(got) - 1} lines, {lost} lost of {n}: {r}")


def latency(folder, engine, *_):
    """From RX to the end of analysis: said each epoch and at the end, and true: an engine that
    stands still for a while has a packet that took as long."""
    for options, roles in (
            (["engine.mode=rtc"], ["reads and analyses"]),
            (["engine.workers=2"], ["reads", "analyses", "analyses"])):
        with Engine(engine, "net_null0", options=options) as en:
            en.wait(lambda: en.epochs and en.epochs[-1].group(8), "a latency")
            en.kill(signal.SIGSTOP)
            time.sleep(0.5)
            en.kill(signal.SIGCONT)
            seen = len(en.epochs)
            en.wait(lambda: len(en.epochs) >= seen + 3, "epochs")
            r = en.stop()
        p50, p99, p999, most = r["latency"]
        check(0 < p50 <= p99 <= p999 <= most, f"latency: {r}")
        check(0.4 < most < 0.5 + harness.PATIENCE and p50 < 0.1, f"it stood still: {r}")
        check([x["role"] for x in r["lcores"]] == roles, f"roles: {r}")
        for x in r["lcores"]:
            # all packets of a null port have one flow: the other worker is left without any
            idle = x["role"] == "analyses" and x["bursts"] == 0
            check(idle or (0 < x["each"] <= 32 and 0 < x["busy"] <= 100.1 and x["longest"] > 0),
                  f"lcore: {x}")
        check(any(x["longest"] > 0.4 for x in r["lcores"]), f"no burst stood still: {r}")
        check(sum(x["bursts"] * x["each"] for x in r["lcores"] if x["role"] != "reads")
              > 0.98 * r["analysed"], f"packets of bursts: {r}")


def drops(folder, engine, *_):
    """Each drop that only a live port can have, made to happen."""
    one = {min(os.sched_getaffinity(0))}
    # ring_full: a worker that shares its CPU with a reader of packets without end
    with Engine(engine, "net_null0", options=["dispatch.ring=64"], cpus=one) as en:
        en.wait(lambda: en.epochs and int(en.epochs[-1].group(6)) > 0, "a full ring")
        r = en.stop()
    check(set(r["drops"]) == {"ring_full"} and r["drops"]["ring_full"] > 0, f"ring_full: {r}")
    ring_full = sum(int(x.split()[1]) for x in en.lines if x.startswith("ring_full["))
    check(ring_full == r["drops"]["ring_full"], f"ring_full by worker: {ring_full}, {r}")

    # port_nombuf: the driver reads a packet of the file before it asks for a buffer
    path = os.path.join(folder, "in.pcap")
    n = 100000
    harness.write_pcap(path, [harness.udp_frame(i) for i in range(n)])
    with Engine(engine, path, options=["ethdev.profile=pcap", "engine.mbufs=256"],
                cpus=one) as en:
        en.wait_packets(n)
        r = en.stop()
    check(r["received"] == n and set(r["drops"]) == {"port_nombuf"}, f"port_nombuf: {r}")

    # port_errors: the driver's count when a file breaks off within a packet
    harness.write_pcap(path, [harness.udp_frame(i) for i in range(100)], cut=10)
    with Engine(engine, path, options=["ethdev.profile=pcap"]) as en:
        en.wait_packets(100)
        r = en.stop()
    check((r["analysed"], r["drops"]) == (99, {"port_errors": 1}), f"port_errors: {r}")

    # filtered: by the expression of the configuration
    with Engine(engine, path, options=["ethdev.profile=pcap",
                                       "engine.filter=src host 10.0.0.7"]) as en:
        en.wait_packets(99)
        r = en.stop()
    check((r["analysed"], r["drops"]["filtered"]) == (1, 98), f"filtered: {r}")


def missed(folder, engine, *_):
    """port_missed: an engine that stands still while more packets come than the port can hold."""
    watched, sender = harness.veth()
    frames = [harness.udp_frame(i) for i in range(3000)]
    target = f"net_af_packet0,iface={watched},blocksz=4096,framesz=2048,framecnt=512"
    for options in ([], ["engine.mode=rtc"]):
        with Engine(engine, target, options=options) as en:
            en.kill(signal.SIGSTOP)
            harness.send(sender, frames, rate=0)
            en.kill(signal.SIGCONT)
            en.wait_packets(len(frames))
            r = en.stop()
        check(r["received"] == len(frames) and set(r["drops"]) == {"port_missed"}
              and 0 < r["drops"]["port_missed"] < len(frames), f"port_missed: {r}")


def refused(folder, engine, *_):
    """What can't work is said clearly, with status 1, and nothing runs."""
    harness.veth()
    env = dict(os.environ, NS_DRIVERS_CONFIG=os.path.join(harness.ROOT, "drivers-config"))
    user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    named = "ethdev.profile="
    cases = (
        ([], ["net_nosuch0"], 'port "net_nosuch0": "net_nosuch0" is no device'),
        ([], ["net_af_packet0,iface=nosuch0"], 'there is no interface "nosuch0"'),
        ([], ["-o", named + "af_packet", "nosuch0"], 'there is no interface "nosuch0"'),
        ([], ["-o", named + "af_xdp", "nosuch0"], 'there is no interface "nosuch0"'),
        ([], ["net_pcap0,rx_iface_in=nosuch0"], 'there is no interface "nosuch0"'),
        ([], ["-o", named + "pcap", "/nosuch.pcap"], 'file "/nosuch.pcap": No such file'),
        ([], ["-o", named + "nosuch", "watched"], 'profile "nosuch": no file nosuch.yaml'),
        ([], ["7"], "there is no port of that number"),
        ([], ["net_null0", "net_null0"], "given twice"),
        ([], [], "engine.targets is empty"),
        ([], ["-o", "engine.mbufs=100", "net_null0"], "engine.mbufs: 100 are fewer than"),
        ([], ["-o", "engine.filter=no (such", "net_null0"], "filter"),
        ([], ["-w", "csv:/nosuch/out.csv", "net_null0"], "/nosuch/out.csv: No such file"),
        ([], ["-w", "nosuch:x", "net_null0"], "nosuch"),
        ([], ["-c", "/nosuch.yaml", "net_null0"], "/nosuch.yaml: No such file"),
        ([], ["--nosuch"], "there is no option --nosuch"),
        (user, ["-o", named + "af_packet", "watched"], "CAP_NET_RAW"),
    )
    for before, words, text in cases:
        # as somebody else only where that person may read the program
        if before and subprocess.run([*before, engine, "-V"], check=False, env=env,
                                     capture_output=True).returncode != 0:
            print(f"left out: nobody can't run {engine}")
            continue
        out = subprocess.run([*before, engine, *words], capture_output=True, text=True, env=env,
                             check=False, timeout=harness.PATIENCE)
        check(out.returncode == 1, f"{words}: status {out.returncode}\n{out.stderr}")
        check(text in out.stderr, f"{words}: no \"{text}\" in\n{out.stderr}")
        check("running" not in out.stdout, f"{words}: runs")


def conf(folder, engine, *_):
    """Every example of conf/ is accepted, and one of them runs."""
    where = os.path.join(harness.ROOT, "conf")
    names = sorted(n for n in os.listdir(where) if n.endswith(".yaml"))
    check(len(names) >= 4, f"few examples: {names}")
    env = dict(os.environ, NS_DRIVERS_CONFIG=os.path.join(harness.ROOT, "drivers-config"))
    for name in names:
        harness.run(engine, "--check", "-c", os.path.join(where, name), env=env)
    bad = os.path.join(folder, "bad.yaml")
    with open(bad, "w", encoding="ascii") as f:
        f.write("engine:\n  workers: 1\n  wrokers: 2\n")
    out = subprocess.run([engine, "--check", "-c", bad], capture_output=True, text=True,
                         check=False)
    check(out.returncode == 1 and f"{bad}:3:" in out.stderr, f"accepted: {out.stderr}")
    with Engine(engine, words=["-c", os.path.join(where, "null-bench.yaml")]) as en:
        en.wait_packets(1)
        en.stop()


if __name__ == "__main__":
    CASES = (null, latency, pcap, af_packet, af_xdp, tap, ring, quiet, evicted, records_lost, drops,
             missed, refused, conf, tasks)
    sys.exit(harness.main({c.__name__: c for c in CASES}, sys.argv))
