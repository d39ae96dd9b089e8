#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The spool before SQLite, with the real engine: a database that is locked, a process that is killed,
a disk that is full. What the spool says it took is read from its files.

usage: spool_test.py locked|killed|full|rate NS-ENGINE PCAP-ANALYZER GEN-CAPTURE
"""
import glob
import os
import re
import signal
import sqlite3
import struct
import sys
import time

import harness
from harness import Engine, check

REPORT = re.compile(r"write\.spool: notice: \S+: (\d+) records appended, (\d+) found, (\d+) delivered, "
                    r"(\d+) wait; lost: (\d+) full, (\d+) no_space, (\d+) damaged, (\d+) layout, "
                    r"(\d+) too_large; (\d+) torn, (\d+) converted$")
NAMES = ("appended", "found", "delivered", "wait", "full", "no_space", "damaged", "layout",
         "too_large", "torn", "converted")


def report(en):
    """What the spool said at its end."""
    found = [m for m in map(REPORT.search, en.errors) if m]
    check(len(found) == 1, f"no report of the spool in {en.errors}")
    return dict(zip(NAMES, map(int, found[0].groups())))


def spooled(where):
    """[(first seq, records)] of all entries in the segments of a spool, from its files."""
    entries = []
    for path in sorted(glob.glob(os.path.join(where, "*", "*.seg"))):
        try:
            with open(path, "rb") as f:
                data = f.read()
        except FileNotFoundError:  # delivered meanwhile
            continue
        if not any(data[:8]):  # only just made
            continue
        check(data[:8] == b"NSSPOOL1", f"{path}: no segment")
        at = 64
        while at + 32 <= len(data):
            magic, length, seq, _, records, _ = struct.unpack_from("<IIQQII", data, at)
            if magic != 0x4553534e:
                break
            entries.append((seq, records))
            at += 32 + length + 7 & ~7
    return entries


def rows(db):
    """Rows in the order in which they came, as (source address, source port)."""
    con = sqlite3.connect(f"file:{db}?mode=ro", uri=True)
    try:
        return list(con.execute("SELECT src_ip, src_port FROM flow ORDER BY rowid"))
    except sqlite3.OperationalError as e:
        check("no such table" in str(e), str(e))
        return []
    finally:
        con.close()


def lock(db):
    con = sqlite3.connect(db, isolation_level=None)
    con.execute("BEGIN EXCLUSIVE")
    return con


def ask(db, sql):
    con = sqlite3.connect(f"file:{db}?mode=ro", uri=True)
    try:
        return con.execute(sql).fetchone()
    finally:
        con.close()


def count(db):
    try:
        return ask(db, "SELECT count(*) FROM flow")[0]
    except sqlite3.OperationalError as e:
        check("no such table" in str(e) or "unable to open" in str(e), str(e))
        return 0


def once(db, what):
    """How many records there are; a record is told apart by all that it says."""
    total, distinct = ask(db, "SELECT (SELECT count(*) FROM flow), "
                              "(SELECT count(*) FROM (SELECT DISTINCT * FROM flow))")
    check(total == distinct, f"{what}: {total} records, {distinct} different")
    return total


def traffic(folder, gen):
    """Packets without end whose 3000 flows have a record each second."""
    path = os.path.join(folder, "mix.pcap")
    harness.run(gen, "imix", path, "20000", "3000", "1")
    return f"net_pcap0,rx_pcap={path},infinite_rx=1"


def engine_on(program, target, where, db, *options, segment="256 KiB", most="256 MiB"):
    return Engine(program, target, words=["-w", "spool+sqlite:" + db], options=[
        "tasks=[]", "engine.mode=rtc", "engine.mbufs=65536", "flow.active=1", "flow.tcp_end=false",
        "sqlite.busy_timeout=50", f"spool.directory={where}",
        f"spool.segment={segment}", f"spool.max={most}", "spool.linger=10s", *options])


def said(en, text):
    return any(text in x for x in en.errors)


def rows_come(en, db, more):
    """Waits for so many rows more."""
    before = count(db)
    en.wait(lambda: count(db) > before + more, "rows")


def appended(where):
    return sum(n for _, n in spooled(where))


def nothing_lost(s):
    check(sum(s[k] for k in NAMES[4:10]) == 0, f"lost: {s}")


def from_the_start(folder, engine):
    """Locked before the engine starts: it starts all the same."""
    path, db = os.path.join(folder, "in.pcap"), os.path.join(folder, "a.db")
    where = os.path.join(folder, "a")
    harness.write_pcap(path, [harness.udp_frame(i) for i in range(10000)])
    for turn in range(2):
        con = lock(db) if turn == 1 else None
        with engine_on(engine, path, where, db, "ethdev.profile=pcap", "flow.active=0",
                       "flow.idle=1000") as en:
            en.wait_packets(10000)
            if con is not None:
                check(said(en, "database is locked"), f"the lock is not met: {en.errors}")
            en.kill(signal.SIGTERM)
            if con is not None:
                en.wait(lambda: appended(where) >= 10000, "records in the spool")
                con.execute("ROLLBACK")
                con.close()
            r = en.finish()
        s = report(en)
        check(s["appended"] == s["delivered"] == r["records"] == 10000, f"{s}, {r['records']}")
        nothing_lost(s)
        check(len(rows(db)) == 10000 * (turn + 1), f"{len(rows(db))} rows")
    # of one table of flows and one lcore: in the order of the spool, which is the order of flows
    check(rows(db)[:10000] == rows(db)[10000:], "another order than without a lock")
    check(len(set(rows(db))) == 10000, "not all flows are there")


def locked(folder, engine, _, gen):
    """Another process has the database for itself for a while: all arrives, once."""
    from_the_start(folder, engine)
    where, db = os.path.join(folder, "b"), os.path.join(folder, "b.db")
    with engine_on(engine, traffic(folder, gen), where, db) as en:
        for _ in range(2):
            rows_come(en, db, 100)
            con = lock(db)
            have = len(spooled(where))
            en.wait(lambda: said(en, "database is locked"), "the lock to be met")
            en.wait(lambda have=have: len(spooled(where)) > have + 60, "records in the spool")
            con.execute("ROLLBACK")
            con.close()
        en.wait(lambda: said(en, "takes records again"), "the end of it")
        en.stop()
    s = report(en)
    total = once(db, "locked")
    check(s["appended"] == s["delivered"] == total and s["wait"] == 0, f"{total} rows: {s}")
    nothing_lost(s)
    check(spooled(where) == [], "something is left in the spool")


def killed(folder, engine, _, gen):
    """kill -9 while the database is locked, while it is not, and while the spool is emptied: each
    record that the spool ever took is in the database exactly once."""
    where, db = os.path.join(folder, "sp"), os.path.join(folder, "f.db")
    target, taken, seqs = traffic(folder, gen), 0, {}
    for life in range(4):
        with engine_on(engine, target, where, db) as en:
            rows_come(en, db, 100)
            con = lock(db) if life != 1 else None
            have = len(spooled(where))
            if con is not None:
                en.wait(lambda: said(en, "database is locked"), "the lock to be met")
                en.wait(lambda have=have: len(spooled(where)) > have + 60, "the spool to fill")
            if life == 2:
                con.execute("ROLLBACK")
                time.sleep(0.3)
            en.kill(signal.SIGKILL)
            en.process.wait()
            if con is not None:
                con.close()
        entries = spooled(where)
        check([x for x, _ in entries] == sorted({x for x, _ in entries}), "numbers are not in order")
        for seq, n in entries:
            check(seqs.setdefault(seq, n) == n, f"the number {seq} came again for another record")
        seq, = ask(db, "SELECT max(seq) FROM ns_source")
        before, taken = taken, count(db) + sum(n for x, n in entries if x > seq)
        check(taken > before or life == 1, f"{before} records, then {taken}")
        print(f"life {life}: {count(db)} rows, {taken - count(db)} in the spool only")
    quiet = os.path.join(folder, "none.pcap")
    harness.write_pcap(quiet, [harness.udp_frame(1)])
    with engine_on(engine, quiet, where, db, "ethdev.profile=pcap") as en:
        en.wait_packets(1)
        en.stop()
    s = report(en)
    check(s["wait"] == 0 and s["found"] > 0, f"{s}")
    nothing_lost(s)
    total = once(db, "killed")
    check(total == taken + s["appended"], f"{total} records, {taken} and {s['appended']} spooled")
    check(ask(db, "SELECT count(*) FROM ns_source") == (1,), "more than one source")


def full(folder, engine, _, gen):
    """A small disk under the spool and a locked database: records are lost by name, packets are not
    held up; with room again it goes on."""
    disk, db = os.path.join(folder, "disk"), os.path.join(folder, "f.db")
    os.mkdir(disk)
    harness.run("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk)

    def packets_a_second():
        seen, start = en.seen(), time.monotonic()
        en.wait(lambda: time.monotonic() > start + 3, "three seconds")
        return (en.seen() - seen) / (time.monotonic() - start)
    try:
        with engine_on(engine, traffic(folder, gen), os.path.join(disk, "sp"), db) as en:
            rows_come(en, db, 100)
            con = lock(db)
            en.wait(lambda: said(en, "No space left"), "the disk to be full")
            blocked = packets_a_second()
            harness.run("mount", "-o", "remount,size=500m", disk)
            en.wait(lambda: said(en, "there is room again"), "room")
            con.execute("ROLLBACK")
            con.close()
            en.wait(lambda: said(en, "takes records again"), "the database")
            rows_come(en, db, 5000)
            free = packets_a_second()
            en.stop()
        s = report(en)
        check(s["no_space"] > 0, f"nothing was lost for lack of room: {s}")
        check(s["full"] == s["damaged"] == s["layout"] == s["too_large"] == s["wait"] == 0, f"{s}")
        check(once(db, "full") == s["delivered"] == s["appended"], f"{count(db)} rows: {s}")
        print(f"disk full: {blocked:.0f} packets/s, with room {free:.0f}; {s}")
        check(blocked > 0 and free > 0, f"{blocked:.0f} packets/s, then {free:.0f}")
    finally:
        harness.run("umount", "-l", disk)


def rate(folder, engine, _, gen):
    """Packets a second with the spool on and off, turn by turn: said, and not worlds apart."""
    target, where = traffic(folder, gen), os.path.join(folder, "sp")
    rates = {True: [], False: []}
    for turn in range(4):
        on, db = turn % 2 == 0, os.path.join(folder, f"{turn}.db")
        words = ["-w", ("spool+" if on else "") + "sqlite:" + db]
        with Engine(engine, target, words=words, options=[
                "tasks=[]", "engine.mode=rtc", "engine.mbufs=65536", "flow.active=1", "flow.tcp_end=false",
                f"spool.directory={where}"]) as en:
            rows_come(en, db, 100)
            seen, start = en.seen(), time.monotonic()
            en.wait(lambda start=start: time.monotonic() > start + 3, "three seconds")
            rates[on].append((en.seen() - seen) / (time.monotonic() - start))
            en.stop()
        if on:
            s = report(en)
            check(s["appended"] > 0, f"{s}")
            nothing_lost(s)
    ratio = max(rates[True]) / max(rates[False])
    print(f"{max(rates[True]):.0f} packets/s with, {max(rates[False]):.0f} without, {ratio:.2f}")
    check(ratio > 0.5, f"{rates}")


if __name__ == "__main__":
    CASES = (locked, killed, full, rate)
    sys.exit(harness.main({c.__name__: c for c in CASES}, sys.argv))
