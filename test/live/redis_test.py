#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The state of ns-engine in a real Redis: what stands there, for how long, and when Redis fails.

usage: redis_test.py CASE NS-ENGINE REDIS-FEED
"""
import json
import os
import shutil
import signal
import socket
import statistics
import sys
import threading
import time

import harness
from harness import Engine, check, wait_for
from redis_peer import Redis

NODE = "probe-1"
P = "ns:{" + NODE + "}:"
TASKS = ("[{name: src, type: heavy, key: [src_ip], by: octets, top: 60},"
         " {name: talk, type: heavy, key: [src_ip, dst_ip, src_port, dst_port, proto], top: 60},"
         " {name: n_src, type: cardinality, key: [src_ip]},"
         " {name: sizes, type: quantile, value: l2_octets},"
         " {name: sums, type: exact, key: [proto, responder_port], order: octets},"
         " {name: rates, type: rate}]")
KEYED = {"src": ["src_ip"], "talk": ["src_ip", "dst_ip", "src_port", "dst_port", "proto"],
         "sizes": ["percentile"], "sums": ["proto", "responder_port"],
         "rates": ["layer", "protocol"]}
SCORE = {"sums": "octets", "rates": "octets"}


def pairs(flat):
    return dict(zip(flat[::2], flat[1::2]))


def options(*more):
    return ("engine.node=" + NODE, *more)


def word(v):
    return "none" if v is None else str(v)


def snapshot(c):
    """All of one moment: {"health": {...}, "task": {name: (about, top, rows)}, ...}."""
    names = list(KEYED) + ["n_src"]
    ask = [["HGETALL", P + "health"], ["HGETALL", P + "epoch"], ["SMEMBERS", P + "tasks"],
           ["ZRANGE", P + "hosts", "0", "-1", "WITHSCORES"],
           ["ZRANGE", P + "flows", "0", "-1", "WITHSCORES"], ["HGETALL", P + "flows:rows"],
           ["HGETALL", P + "counters"], ["HGETALL", P + "writers"]]
    for n in names:
        ask += [["HGETALL", P + "task:" + n],
                ["ZRANGE", P + f"task:{n}:top", "0", "-1", "WITHSCORES"],
                ["HGETALL", P + f"task:{n}:rows"]]
    got = c.at_once(*ask)
    s = {"health": pairs(got[0]), "epoch": pairs(got[1]), "tasks": set(got[2]),
         "hosts": pairs(got[3]), "flows": pairs(got[4]), "flows:rows": pairs(got[5]),
         "counters": pairs(got[6]), "writers": pairs(got[7])}
    s["task"] = {n: tuple(pairs(x) for x in got[8 + 3 * i:11 + 3 * i])
                 for i, n in enumerate(names)}
    return s


def same_task(name, want, about, top, rows, most):
    """Rows of a task of one epoch as the JSON writer put them, against what Redis holds."""
    check(int(about["rows"]) == len(want), f"{name}: {about} but {len(want)} rows")
    check(rows == {str(i + 1): line for i, line in enumerate(want[:most])},
          f"{name}: the rows differ")
    values = [json.loads(line) for line in want[:most]]
    if name == "n_src":
        check(about["estimate"] == str(values[0]["estimate"]), f"{name}: {about}")
        return
    score = SCORE.get(name, "estimate")
    # bool: the row of all groups without room is no member
    members = {" ".join(word(v[k]) for k in KEYED[name]): v[score] for v in values
               if v[score] is not None and not v.get("overflow")}
    check({m: float(s) for m, s in top.items()} == members, f"{name}: {top}, not {members}")
    check(len(values) < 2 or len(members) > 1, f"{name}: few members: {members}")


def same_epoch(s, lines, most):
    e = s["health"]["epoch"]
    check(s["epoch"]["epoch"] == e, f"two epochs: {s['health']}, {s['epoch']}")
    want = lines.get(int(e), {})
    for name, (about, top, rows) in s["task"].items():
        check((name in want) == (name in s["tasks"]), f"{name}: {s['tasks']} but {list(want)}")
        check(name in want or not (about or top or rows), f"{name} is left from before")
        if name in want:
            check(about["epoch"] == e, f"{name} is of {about['epoch']}, not of {e}")
            same_task(name, want[name], about, top, rows, most)
    check(s["hosts"] == s["task"]["src"][1], "hosts are not those of src")
    flows = s["task"]["talk"][1]
    check(len(s["flows"]) == min(len(flows), most // 2) and s["flows"].items() <= flows.items(),
          f"flows: {s['flows']}")
    check(len(s["flows:rows"]) == len(s["flows"]), "flows:rows")
    n = {k: int(v) for k, v in s["epoch"].items() if k in (
        "received", "analysed", "dropped", "in_flight")}
    check(n["received"] == n["analysed"] + n["dropped"] + n["in_flight"], f"not conserved: {n}")
    return int(want and s["epoch"]["epoch_received"])


def read_lines(path):
    """{epoch: {task: [line, ...]}}"""
    lines = {}
    with open(path, encoding="utf-8") as f:
        for line in f:
            r = json.loads(line)
            if "epoch" in r:
                lines.setdefault(r["epoch"], {}).setdefault(r["kind"], []).append(line[:-1])
    return lines


def alive(c, epoch_ms):
    """Each key has a time to live, of three epochs at most."""
    keys = c.do("KEYS", "*")
    for k in keys:
        check(k.startswith(P), f"a strange key: {k}")
        ttl = c.do("PTTL", k)
        check(ttl == -2 or 0 < ttl <= 3 * epoch_ms, f"{k} lives {ttl} ms")
    return keys


def state(folder, engine, _feed):
    """Each epoch in Redis is what the JSON writer of the same run says of it."""
    ms, most, out = 500, 40, os.path.join(folder, "rows.json")
    watched, sender = harness.veth()
    frames = [harness.udp_frame(i * 7919 % 500 << 8 | i % 3) for i in range(6000)]
    seen, keys = [], []
    with Redis(folder) as r:
        more = options("ethdev.profile=af_packet", "tasks=" + TASKS, f"redis.top={most}",
                       f"redis.flows={most // 2}")
        words = ["-w", f"redis:unix:{r.socket}", "-w", f"json@{ms}ms:{out}"]
        with Engine(engine, watched, options=more, words=words, epoch_ms=ms) as en:
            c = r.client()
            t = threading.Thread(target=harness.send, args=(sender, frames, 1500))
            t.start()
            while t.is_alive() or len(seen) < 8:
                time.sleep(ms / 3000)
                s = snapshot(c)
                if s["health"] and (not seen or s["health"] != seen[-1]["health"]):
                    seen.append(s)
                keys = alive(c, ms) or keys
                check(len(seen) < 200, "the engine does not get on")
            t.join()
            en.stop()
        last = snapshot(c)
    lines = read_lines(out)
    packets = sum(same_epoch(s, lines, most) for s in seen)
    check(packets > 2000, f"only {packets} packets in {len(seen)} epochs")
    check(any(len(s["task"]["src"][1]) == most for s in seen), "never as many hosts as there may be")
    check(last["health"].get("status") == "stopped" and last["epoch"]["last"] == "1",
          f"the last epoch: {last['health']}")
    check(last["epoch"]["received"] == str(len(frames)), f"{last['epoch']}, sent {len(frames)}")
    w = json.loads(seen[-1]["writers"]["redis"])
    check(w["status"] == "ok" and w["lost"] == 0 and w["octets"] > 1000, f"writer: {w}")
    check(any(k.startswith(P + "lcore:") for k in keys), f"keys: {keys}")
    print(f"{len(seen)} epochs with {packets} packets equal, {len(keys)} keys")


def caps(folder, engine, _feed):
    """100 000 hosts, and no set has more members than it may."""
    path, hosts = os.path.join(folder, "in.pcap"), 100000
    harness.write_pcap(path, [harness.udp_frame(i) for i in range(hosts)])
    task = f"[{{name: src, type: exact, key: [src_ip], max: {2 * hosts}, top: {2 * hosts}}}]"
    with Redis(folder) as r:
        more = options("tasks=" + task, "redis.top=100", "redis.flows=10", "flow.max=262144",
                       "flow.idle=2", "engine.mode=rtc", "engine.idle=sleep")
        with Engine(engine, f"net_pcap0,rx_pcap={path}", options=more,
                    words=["-w", f"redis:unix:{r.socket}"], epoch_ms=2000) as en:
            c, rows, most = r.client(), {}, {}

            def full():
                about = pairs(c.do("HGETALL", P + "task:src"))
                if about:
                    rows[about["epoch"]] = int(about["rows"])
                for key, kind, cap in (("task:src:top", "ZCARD", 100), ("hosts", "ZCARD", 100),
                                       ("task:src:rows", "HLEN", 100), ("flows", "ZCARD", 10),
                                       ("flows:rows", "HLEN", 10)):
                    n = c.do(kind, P + key)
                    check(n <= cap, f"{key} has {n} members")
                    most[key] = max(most.get(key, 0), n)
                return (sum(rows.values()) >= hosts and most["hosts"] == 100 and
                        most["flows"] == 10)
            en.wait(full, "all hosts, and their flows to end")
            check(c.do("DBSIZE") < 40, "too many keys")
            en.kill(signal.SIGKILL)
    print(f"{sum(rows.values())} hosts, at most {most}")


def gone(folder, engine, _feed):
    """After kill -9 nothing is left after three epochs."""
    ms = 500
    with Redis(folder) as r:
        with Engine(engine, "net_null0", options=options("engine.idle=sleep"), epoch_ms=ms,
                    words=["-w", f"redis:unix:{r.socket}"]) as en:
            c = r.client()
            en.wait(lambda: c.do("DBSIZE") > 5, "keys")
            en.kill(signal.SIGKILL)
            en.process.wait()
            end = time.monotonic()
            wait_for(lambda: not c.do("KEYS", "*"), "the keys to go")
            took = time.monotonic() - end
        check(took < 3 * ms / 1000 + 0.5, f"keys were there for {took:.1f} s")
    print(f"no key {took:.2f} s after the end, three epochs are {3 * ms / 1000} s")


def packets(en, start, end):
    """Packets an epoch, the median of the epochs between the two moments; 0: too few epochs."""
    seen = [int(m.group(7)) for m in en.epochs[start:end]]
    return statistics.median(b - a for a, b in zip(seen, seen[1:])) if len(seen) > 5 else 0


def sagging(en, c_of, begin, end, seconds):
    """Packets an epoch while Redis is away, as part of what they are before and after."""
    time.sleep(3)
    marks = [0, len(en.epochs)]
    begin()
    time.sleep(seconds)
    marks.append(len(en.epochs))
    end()
    began, c = time.monotonic(), c_of()

    def back():
        e = c.do("HGET", P + "health", "epoch")
        return e is not None and int(e) >= len(en.epochs) - 4
    en.wait(back, "the state to be back")
    took = time.monotonic() - began
    check(took < 10, f"the state was back only after {took:.1f} s")
    check({k for k in ("health", "epoch", "writers", "lcore:1")} <=
          {k[len(P):] for k in c.do("KEYS", "*")}, f"not all is back: {c.do('KEYS', '*')}")
    marks.append(len(en.epochs))
    time.sleep(3)
    marks.append(len(en.epochs))
    before, during, after = (packets(en, marks[i], marks[i + 1]) for i in (0, 1, 3))
    print(f"packets an epoch: {before:.0f} before, {during:.0f} without Redis, {after:.0f} after;"
          f" the state was back after {took:.2f} s", flush=True)
    # an lcore may be kept from its CPU for seconds by others: that says nothing about Redis
    return during / min(before, after) if before and after else 0


def away(folder, engine, begin, end, seconds):
    """Redis goes away and comes back; the writer says so, the engine runs on."""
    for attempt in range(3):
        with Redis(folder) as r, Engine(
                engine, "net_null0", options=options("engine.mode=rtc", "redis.ttl_epochs=30"),
                epoch_ms=200, words=["-w", f"redis:unix:{r.socket}"]) as en:
            c = r.client()
            en.wait(lambda: c.do("HGET", P + "health", "epoch"), "state")
            part = sagging(en, r.client, lambda: begin(r), lambda: end(r), seconds)
            if part >= 0.7:
                w = json.loads(r.client().do("HGET", P + "writers", "redis"))
                check(w["status"] == "ok" and w["lost"] > 0 and w["reconnects"] >= 1, f"{w}")
                downs = [x for x in en.errors if "trying again" in x]
                ups = [x for x in en.errors if "is written again" in x]
                check(1 <= len(downs) <= 3 and len(ups) == 1, f"messages: {en.errors}")
                en.stop(signal.SIGTERM)
                return
        print(f"attempt {attempt + 1}: {part:.2f}", flush=True)
    raise harness.Failure(f"without Redis the rate is {part:.2f} of what it was")


def stopped(folder, engine, _feed):
    """Redis hangs for five seconds."""
    away(folder, engine, lambda r: r.process.send_signal(signal.SIGSTOP),
         lambda r: r.process.send_signal(signal.SIGCONT), 5)


def killed(folder, engine, _feed):
    """Redis is killed, stays away for three seconds, and starts empty."""
    def kill(r):
        r.process.kill()
        r.process.wait()
    away(folder, engine, kill, lambda r: r.start(), 3)


def password(folder, engine, _feed):
    """A wrong password is said once, tried again, and shown nowhere; then it is mended."""
    secret, wrong = "open-sesame-4711", "close-sesame-1147"
    path = os.path.join(folder, "secret")
    with open(path, "w", encoding="ascii") as f:
        f.write(wrong + "\n")
    with Redis(folder, password=secret) as r:
        more = options("engine.idle=sleep", "redis.password_file=" + path)
        with Engine(engine, "net_null0", options=more, epoch_ms=100, words=["-w",
                    f"redis:unix:{r.socket}"]) as en:
            c = r.client()
            en.wait(lambda: len(en.epochs) > 30, "three seconds")
            failed = int(c.info("commandstats")["cmdstat_auth"].split("failed_calls=")[1])
            check(3 <= failed < 12, f"tried {failed} times in three seconds")
            said = [x for x in en.errors if "refused (WRONGPASS)" in x]
            check(len(said) == 1 and "unix:" in said[0], f"messages: {en.errors}")
            check(not c.do("KEYS", "*"), "keys without a log-in")
            with open(path, "w", encoding="ascii") as f:
                f.write(secret)
            en.wait(lambda: c.do("HGET", P + "health", "epoch"), "state after the right password")
            w = c.do("HGET", P + "writers", "redis")
            check(json.loads(w)["target"], f"writer: {w}")
            en.wait(lambda: any("written again" in x for x in en.errors), "the good news")
            en.stop()
        text = "\n".join(en.lines + en.errors) + w
        check(secret not in text and wrong not in text, "a password is shown")
    print(f"{failed} attempts in three seconds, said once")


def acl(folder, engine, _feed):
    """A user that may do nothing but what is documented, over TCP, IPv6, in database 3."""
    with open("/proc/sys/net/ipv6/conf/lo/disable_ipv6", "w", encoding="ascii") as f:
        f.write("0")
    with socket.socket(socket.AF_INET6) as s:
        s.bind(("::1", 0))
        port = s.getsockname()[1]
    with Redis(folder, "--bind", "::1", port=port) as r:
        c = r.client()
        c.do("ACL", "SETUSER", "netspectra", "on", ">pass", "resetchannels", "~ns:*", "-@all",
             "+multi", "+exec", "+del", "+hset", "+zadd", "+sadd", "+zunionstore", "+pexpire",
             "+ping", "+select")
        c.do("SELECT", "3")
        more = options("engine.idle=sleep", "redis.username=netspectra", "redis.password=pass",
                       "redis.db=3")
        with Engine(engine, "net_null0", options=more, epoch_ms=200, words=["-w",
                    f"redis:[::1]:{port}"]) as en:
            en.wait(lambda: int(c.do("HGET", P + "health", "epoch") or 0) > 5, "six epochs")
            check(alive(c, 200) and not c.do("ACL", "LOG"), f"denied: {c.do('ACL', 'LOG')}")
            users = [x for x in c.do("CLIENT", "LIST").splitlines() if "user=netspectra" in x]
            check(len(users) == 1 and "db=3" in users[0], f"clients: {users}")
            en.stop()
            check("trying" not in "".join(en.errors), f"{en.errors}")
    print("wrote as a user of ns:* only")


def feed_of(program, *words):
    out = harness.run(program, *map(str, words))
    return json.loads(out)


def memory(folder, _engine, feed):
    """An hour of epochs with ten million hosts: the memory of Redis stays as it is."""
    samples, done = [], threading.Event()
    with Redis(folder) as r:
        c, sampler = r.client(), r.client()

        def sample():
            while not done.wait(0.25):
                i = sampler.info("all")
                samples.append((int(i["used_memory_dataset"]), int(sampler.do("DBSIZE"))))
        t = threading.Thread(target=sample)
        t.start()
        began = time.monotonic()
        try:
            got = feed_of(feed, f"unix:{r.socket}", 3600, 2778, 100, 5)
        finally:
            done.set()
            t.join()
        took = time.monotonic() - began
        wrote = int(c.info("commandstats")["cmdstat_exec"].split("calls=")[1].split(",")[0])
        wait_for(lambda: not c.do("KEYS", "*"), "the keys to go")
    check(got["hosts"] >= 10 ** 7, f"{got}")
    check(wrote > 3000, f"only {wrote} of 3600 epochs written")
    full = [m for m, keys in samples[len(samples) // 5:] if keys > 5]
    check(len(full) > 8, f"only {len(full)} samples")
    half = len(full) // 2
    first, second = statistics.median(full[:half]), statistics.median(full[half:])
    print(f"{got['hosts']} hosts in {got['epochs']} epochs, {wrote} written in {took:.0f} s, "
          f"{got['octets'] / 1e6:.0f} MB; used_memory_dataset {first:.0f} in the first half, "
          f"{second:.0f} in the second, {min(full)} to {max(full)}; at most "
          f"{max(k for _, k in samples)} keys", flush=True)
    check(second < first * 1.1 + 65536, "the memory grows")
    check(max(full) < first * 1.5 + 262144, "the memory is not flat")


def put_time(folder, _engine, feed):
    """No put waits for Redis: here, hung, away."""
    with Redis(folder) as r:
        out = []
        t = threading.Thread(target=lambda: out.append(
            feed_of(feed, f"unix:{r.socket}", 80, 5000, 100, 100, "redis.top=5000")))
        t.start()
        time.sleep(1.5)
        r.process.send_signal(signal.SIGSTOP)
        time.sleep(4)
        r.process.kill()
        r.process.send_signal(signal.SIGCONT)
        t.join()
    check(out, "redis-feed failed")
    got = out[0]
    # one that waits would do so for seconds; the machine may take its CPU away for less
    check(got["longest_us"] < 500000 and got["long_puts"] <= 5, f"a put waited: {got}")
    check(got["lost"] > 100000, f"Redis was not away: {got}")
    print(f"longest put {got['longest_us'] / 1000:.1f} ms, {got['long_puts']} of {got['puts']} "
          "over 50 ms")


if __name__ == "__main__":
    if not shutil.which("redis-server"):
        harness.skip("needs redis-server")
    CASES = (state, caps, gone, stopped, killed, password, acl, memory, put_time)
    sys.exit(harness.main({c.__name__: c for c in CASES}, sys.argv))
