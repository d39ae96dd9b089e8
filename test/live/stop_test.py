#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""SIGTERM while everything is busy: every packet that was received is in a record that got out.

usage: stop_test.py CASE NS-ENGINE GEN-CAPTURE

Runs under Debian's Python, for python3-zmq and python3-protobuf.
"""
import csv
import os
import signal
import sqlite3
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness
from harness import check, skip

try:
    import zmq
    import google.protobuf  # noqa: F401
except ImportError as missing:
    skip(f"/usr/bin/python3 has no {missing.name} (python3-zmq, python3-protobuf)")

from zmq_reader import Reader, ZmqEngine, columns, conserved, messages, no_gaps

SUMS = ("packets", "rev_packets")


class Pulled(Reader):
    """What comes out of a PUSH socket: the same messages, and nobody else gets them."""

    def join(self, endpoint):
        self.socket = self.context.socket(zmq.PULL)
        self.socket.setsockopt(zmq.RCVHWM, 0)
        self.socket.bind(endpoint)


def of_messages(got):
    """(records, packets) of the flow messages."""
    n = total = 0
    for m in got.of("flows"):
        col = columns(m.flows.records)
        n += m.flows.records.rows
        total += sum(sum(col[name]) for name in SUMS)
    return n, total


def of_csv(path):
    with open(path, newline="", encoding="utf-8") as f:
        rows = [sum(int(row[name]) for name in SUMS) for row in csv.DictReader(f)]
    return len(rows), sum(rows)


def of_sqlite(path):
    with sqlite3.connect(path) as db:
        return db.execute("SELECT count(*), sum(packets + rev_packets) FROM flow").fetchone()


def run(folder, engine, capture, options, reader):
    """Stopped when there is much of everything; then each way out is compared with the report."""
    wire = messages()
    endpoint, out, db = f"ipc://{folder}/sock", f"{folder}/out.csv", f"{folder}/out.db"
    options = ["engine.mbufs=32767", "zmq.hwm=1000000", "zmq.linger=20000", *options]
    with reader(wire, endpoint) as got, \
            ZmqEngine(engine, f"net_pcap0,rx_pcap={capture},infinite_rx=1", options=options,
                      words=["-w", f"zmq:ipc://{folder}/pub" if reader is Pulled else
                             f"zmq:{endpoint}", "-w", f"csv:{out}", "-w", f"sqlite:{db}"]) as en:
        en.wait(lambda: len(en.epochs) >= 15 and got.of("epoch"), "15 epochs")
        en.kill(signal.SIGTERM)
        got.drain(en)
        r = en.finish()
    check(not r["notes"].get("records_lost"), f"records were lost: {r['notes']}")
    dropped = sum(r["drops"].values())
    check(r["received"] > 10000, f"hardly any packets: {r}")
    no_gaps(got.got, "stop")
    conserved(got.got)
    check(got.of("flows")[0].seq == 1, "the first messages are missing")
    for what, (n, packets) in {"messages": of_messages(got), "csv": of_csv(out),
                               "sqlite": of_sqlite(db)}.items():
        check(n == r["records"], f"{what}: {n} records of {r['records']}")
        check(packets + dropped == r["received"],
              f"{what}: {packets} packets and {dropped} dropped, {r['received']} received")
    last = got.of("epoch")[-1].epoch
    check(last.last and (last.received, last.in_flight) == (r["received"], 0), f"{last}")
    return r


def made(folder, gen, *words):
    path = os.path.join(folder, "in.pcap")
    harness.run(gen, words[0], path, *words[1:])
    return path


def few(folder, engine, gen):
    """Few flows, that go on for ever; two lcores that can't keep up drop by name."""
    r = run(folder, engine, made(folder, gen, "imix", "4000", "400", "1"),
            ["engine.workers=2", "flow.active=1", "flow.tcp_end=false"], Reader)
    check(r["records"] >= 400, f"{r['records']} records")


def many(folder, engine, gen):
    """Far more flows than end by themselves: the stop ends them all at once."""
    r = run(folder, engine, made(folder, gen, "udp64", "30000", "28000", "0", "7"),
            ["engine.mode=rtc", "flow.active=0", "flow.max=131072"], Reader)
    check(r["records"] > 15000, f"{r['records']} records")


def push(folder, engine, gen):
    """Over PUSH, to the one who pulls."""
    run(folder, engine, made(folder, gen, "imix", "4000", "400", "1"),
        ["engine.mode=rtc", "flow.active=1", "flow.tcp_end=false",
         f"zmq.push=[\"ipc://{folder}/sock\"]"], Pulled)


if __name__ == "__main__":
    sys.exit(harness.main({c.__name__: c for c in (few, many, push)}, sys.argv))
