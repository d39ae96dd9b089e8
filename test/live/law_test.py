#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Law 3: lcores allocate nothing, lock nothing and make no system call once they run.

usage: law_test.py calls|syscalls NS-ENGINE GEN-CAPTURE WATCH-LIBRARY
"""
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time

import harness
from harness import Engine, check

WATCHED_S = float(os.environ.get("NS_LIVE_WATCHED", "3"))  # seconds that are watched
WORKER = re.compile(r"^(rte|lcore|dpdk)-worker")


def traffic(folder, gen):
    """A port that gives the same 20 000 packets of 2000 flows for ever."""
    path = os.path.join(folder, "in.pcap")
    harness.run(gen, "imix", path, "20000", "2000", "1")
    return f"net_pcap0,rx_pcap={path},infinite_rx=1"


def busy(folder):
    """Options with which everything happens all the time: flows begin, end and are thrown out,
    records and rows of tasks are written, an epoch is handed over ten times a second."""
    return ["engine.idle=poll", "flow.active=1", "flow.idle=1", "flow.max=4096",
            "tasks=[{name: top, type: heavy, key: [src_ip]}, "
            "{name: different, type: cardinality, key: [dst_ip]}, "
            "{name: ended, type: quantile, of: flows, value: packets}]",
            f"engine.writers=[\"csv@100ms:{folder}/out.csv\"]", "engine.mbufs=65536"]


def started(en):
    """All lcores run, flows have begun to end, epochs were handed over."""
    en.wait(lambda: len(en.epochs) >= 15 and en.seen() > 0, "the engine to be busy")


def workers(pid):
    """The threads of lcores."""
    found = {}
    for tid in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{tid}/comm", encoding="ascii") as f:
            name = f.read().strip()
        if WORKER.match(name):
            found[int(tid)] = name
    return found


def watched(folder, engine, watch, target, options, words=(), begun=None):
    """Calls by function: {name: (by lcores, by others, at start)}; begun() is called before."""
    report = os.path.join(folder, "watch")
    if os.path.exists(report):
        os.unlink(report)
    env = {"LD_PRELOAD": watch, "NS_WATCH": report}

    def finished():
        if not os.path.exists(report):
            return False
        with open(report, encoding="ascii") as f:
            return f.read().endswith("end\n")
    with Engine(engine, target, options=options, words=words, env=env) as en:
        started(en)
        if begun:
            begun()
        en.kill(signal.SIGUSR1)
        time.sleep(WATCHED_S)
        en.kill(signal.SIGUSR2)
        en.wait(finished, "the report")
        r = en.stop()
    with open(report, encoding="ascii") as f:
        found = re.findall(r"^(\w+) lcores (\d+) others (\d+) start (\d+)$", f.read(), re.M)
    return {n: tuple(map(int, v)) for n, *v in found}, r


def bad_plugin(folder):
    """The template of a task, which then asks for memory at every burst."""
    with open(os.path.join(harness.ROOT, "usertools", "templates", "task", "plugin.c.in"),
              encoding="utf-8") as f:
        text = f.read().replace("@NAME@", "greedy")
    text, n = re.subn(r"(static void feed\([^)]*\)\n\{\n)",
                      r"\1\tvoid *volatile p = malloc(100);\n\n\tfree(p);\n", text)
    check(n == 1, "the template has no feed() of the expected form")
    source, module = os.path.join(folder, "greedy.c"), os.path.join(folder, "greedy.so")
    with open(source, "w", encoding="utf-8") as f:
        f.write(text)
    flags = shlex.split(harness.run("pkg-config", "--cflags", "libdpdk", "libcyaml"))
    inc = os.path.join(os.environ["NS_BUILD_ROOT"], "lib", "inc")
    flags += ["-I" + os.path.join(inc, d) for d in sorted(os.listdir(inc))]
    harness.run("cc", "-std=gnu17", "-O1", "-D_GNU_SOURCE", "-shared", "-fPIC", *flags, source,
                "-o", module)
    return module


def calls(folder, engine, gen, watch):
    """No call that allocates, frees, locks or wakes."""
    target = traffic(folder, gen)
    for mode in "pipeline", "rtc":
        seen, r = watched(folder, engine, watch, target, busy(folder) + ["engine.mode=" + mode])
        wrong = {n: v[0] for n, v in seen.items() if v[0] > 0}
        check(not wrong, f"{mode}: lcores call {wrong}")
        # the watch does see what others do, and much has happened
        check(seen["malloc"][1] > 0 and seen["rte_zmalloc_socket"][2] +
              seen["rte_zmalloc"][2] + seen["rte_malloc"][2] > 0, f"{mode}: nothing seen: {seen}")
        check(r["records"] > 1000 and r["evicted"] > 0, f"{mode}: little happened: {r}")
        print(f"{mode}: {r['analysed']} packets, {r['records']} records, {r['evicted']} evicted; "
              f"lcores: none of {sum(sum(v[:2]) for v in seen.values())} calls")

    # one that does is found
    options = [o for o in busy(folder) if not o.startswith("tasks=")]
    options.append("tasks=[{name: bad, type: greedy, key: [src_ip]}]")
    seen, _ = watched(folder, engine, watch, target, options,
                      words=["--plugin", bad_plugin(folder)])
    check(seen["malloc"][0] > 0 and seen["free"][0] > 0, f"a plug-in that allocates: {seen}")


def traced(folder, engine, target, options, begun=None):
    """System calls: how many by lcores, {name: n}, and by all other threads."""
    log = os.path.join(folder, "strace")
    with Engine(engine, target, options=options) as en:
        started(en) if "net_pcap" in target else en.wait(lambda: len(en.epochs) >= 3, "epochs")
        if begun:
            begun()
        lcores = workers(en.process.pid)
        check(lcores, "no thread is called as a worker of EAL is")
        tracer = subprocess.Popen(["strace", "-f", "-q", "-o", log, "-p", str(en.process.pid)],
                                  stderr=subprocess.PIPE, text=True)
        time.sleep(WATCHED_S)
        tracer.send_signal(signal.SIGINT)
        said = tracer.communicate()[1]
        r = en.stop()
    by_lcores, others = {}, 0
    with open(log, encoding="ascii", errors="replace") as f:
        for line in f:
            m = re.match(r"(\d+) +(?:<\.\.\. )?(\w+)", line)
            if not m:
                continue
            if int(m.group(1)) in lcores:
                by_lcores[m.group(2)] = by_lcores.get(m.group(2), 0) + 1
            else:
                others += 1
    check(others > 0, f"strace saw no thread at all: {said}")
    return by_lcores, others, r


def why_not_traced():
    """What keeps strace from looking at others; "" for nothing."""
    if not shutil.which("strace"):
        return "needs strace"
    probe = subprocess.Popen(["sleep", "60"])
    out = subprocess.run(["timeout", "-s", "INT", "1", "strace", "-q", "-p", str(probe.pid)],
                         capture_output=True, text=True, check=False)
    probe.kill()
    probe.wait()
    if "not permitted" in out.stderr or "ptrace" in out.stderr:
        return f"this system does not let strace attach: {out.stderr.strip()}"
    return ""


def syscalls(folder, engine, gen, _):
    """No system call."""
    if why_not_traced():
        harness.skip(why_not_traced())
    target = traffic(folder, gen)
    for mode in "pipeline", "rtc":
        by_lcores, others, r = traced(folder, engine, target,
                                      busy(folder) + ["engine.mode=" + mode])
        check(not by_lcores, f"{mode}: lcores call {by_lcores}")
        check(r["records"] > 1000 and r["evicted"] > 0, f"{mode}: little happened: {r}")
        print(f"{mode}: {r['analysed']} packets, {r['records']} records; system calls: lcores 0, "
              f"others {others}")

    # lcores that may sleep do, and that is seen
    by_lcores, _, _ = traced(folder, engine, "net_ring0", ["engine.idle=sleep"])
    check(sum(by_lcores.values()) > 0, "lcores that sleep make no system call?")


if __name__ == "__main__":
    CASES = (calls, syscalls)
    sys.exit(harness.main({c.__name__: c for c in CASES}, sys.argv))
