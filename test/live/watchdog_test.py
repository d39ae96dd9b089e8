#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""ns-watchdog with the real engine, and what the engine tells whoever watches it.

usage: watchdog_test.py CASE NS-WATCHDOG NS-ENGINE
"""
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import harness
from harness import check, wait_for

ENGINE_OPTIONS = ["-o", "flow.max=65536", "-o", "engine.epoch_ms=200", "-o", "ethdev.profile=null",
                  "-o", "engine.idle=sleep"]


def environment(**more):
    return dict(os.environ, NS_DRIVERS_CONFIG=os.path.join(harness.ROOT, "drivers-config"), **more)


class Dog:
    """ns-watchdog with an engine; leaving the with statement kills both."""

    def __init__(self, dog, *argv, options=()):
        self.argv = [dog, *options, "--", *argv]
        self.lines = []

    def __enter__(self):
        self.process = subprocess.Popen(self.argv, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, env=environment())
        self.thread = threading.Thread(target=self._read)
        self.thread.start()
        return self

    def _read(self):
        with self.process.stdout as f:
            for line in f:
                self.lines.append((time.monotonic(), line.rstrip("\n")))

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.thread.join()

    def text(self):
        return "\n".join(line for _, line in self.lines)

    def pids(self):
        return [int(x) for x in re.findall(r"process (\d+) started", self.text())]

    def count(self, words, after=0.0):
        return sum(words in line for at, line in self.lines if at >= after)

    def wait(self, condition, what):
        try:
            wait_for(condition, what)
        except harness.Failure as f:
            raise harness.Failure(f"{f}\n{self.text()}") from None

    def wait_epoch(self, after=0.0):
        """Until an epoch with packets is complete, begun after that time; how long it took."""
        self.wait(lambda: any(at > after and re.search(r"epoch \d+: [\d.]+ ?[kMG]? ?packets/s", x)
                              and " 0 packets in all" not in x for at, x in list(self.lines)),
                  "an epoch with packets")
        return time.monotonic() - after

    def ended(self, status):
        self.process.wait(30)
        self.thread.join()
        check(self.process.returncode == status,
              f"status {self.process.returncode}, not {status}:\n{self.text()}")


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
            return f.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def killed(_, dog, engine):
    """kill -9: captures again within 5 s. Twice, and SIGTERM ends all of it in order."""
    with Dog(dog, engine, *ENGINE_OPTIONS, "null") as d:
        d.wait_epoch()
        took = []
        for i in range(2):
            start = time.monotonic()
            os.kill(d.pids()[-1], signal.SIGKILL)
            d.wait(lambda n=i: len(d.pids()) == n + 2, "a restart")
            d.wait_epoch(start + 0.001)
            took.append(time.monotonic() - start)
        check(max(took) < 5, f"captures again after {took} s\n{d.text()}")
        check("was ended by signal 9" in d.text() and "restart 2 of at most 10" in d.text(),
              d.text())
        last = d.pids()[-1]
        d.process.terminate()
        d.ended(0)
        check("conserved: received = analysed + dropped" in d.text(), d.text())
        check(not alive(last), "the engine outlives its watchdog")
        print("kill -9 to the first epoch with packets: " + ", ".join(f"{t:.2f} s" for t in took))


def silent(_, dog, engine):
    """SIGSTOP: killed after the time-out, and started again."""
    with Dog(dog, engine, *ENGINE_OPTIONS, "null", options=["--timeout", "2"]) as d:
        d.wait_epoch()
        first, start = d.pids()[-1], time.monotonic()
        os.kill(first, signal.SIGSTOP)
        d.wait(lambda: len(d.pids()) == 2, "a restart")
        took = time.monotonic() - start
        check(1.5 < took < 6, f"a stopped engine was replaced after {took:.1f} s\n{d.text()}")
        check(f"process {first} has been silent for 2." in d.text(), d.text())
        check("its last words: epoch " in d.text(), d.text())
        check(not alive(first), "the stopped engine lives")
        d.wait_epoch(start)
        print(f"SIGSTOP to the restart: {took:.2f} s (--timeout 2)")


def wrong(folder, dog, engine):
    """What can't start is not started for ever; what started once is, up to the limit."""
    conf = os.path.join(folder, "c.yaml")
    with open(conf, "w", encoding="utf-8") as f:
        f.write("flow:\n  idel: 3\n")
    with Dog(dog, engine, "-c", conf, "null") as d:
        d.ended(1)
        check(d.count("started:") == 1 and "it does not start" in d.text(), d.text())
        check(f"{conf}:2:3: flow: unknown key" in d.text(), d.text())
    with Dog(dog, os.path.join(folder, "no-such-program")) as d:
        d.ended(127)
        check(d.count("started:") == 1, d.text())
    # broken between two runs: tried again, then given up
    with open(conf, "w", encoding="utf-8") as f:
        f.write("flow:\n  idle: 3\n")
    with Dog(dog, engine, *ENGINE_OPTIONS, "-c", conf, "null", options=["--limit", "3"]) as d:
        d.wait_epoch()
        with open(conf, "w", encoding="utf-8") as f:
            f.write("flow:\n  idle: x\n")
        os.kill(d.pids()[-1], signal.SIGKILL)
        d.ended(1)
        check(d.count("started:") == 4 and "it failed too often (3 of 3 restarts used)" in d.text(),
              d.text())
        check([x for x in ("0.1 s", "0.2 s", "0.4 s") if f"again in {x}" not in d.text()] == [],
              d.text())


def signals(folder, dog, engine):
    """SIGHUP goes on; SIGINT ends with the engine's status; a status of its own is passed on."""
    marks = os.path.join(folder, "marks")
    script = ("import os, signal, socket, sys, time\n"
              "name = os.environ['NOTIFY_SOCKET'].replace('@', '\\0')\n"
              "s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
              "def hup(*_):\n    open(sys.argv[1], 'a').write('hup\\n')\n"
              "def end(*_):\n    s.sendto(b'STOPPING=1', name); sys.exit(7)\n"
              "signal.signal(signal.SIGHUP, hup)\nsignal.signal(signal.SIGINT, end)\n"
              "s.sendto(b'READY=1\\nSTATUS=here', name)\n"
              "while True:\n    s.sendto(b'WATCHDOG=1', name); time.sleep(.1)\n")
    with Dog(dog, sys.executable, "-c", script, marks) as d:
        d.wait(lambda: "is ready" in d.text(), "READY")
        d.process.send_signal(signal.SIGHUP)
        d.wait(lambda: os.path.exists(marks), "SIGHUP")
        d.process.send_signal(signal.SIGINT)
        d.ended(7)
        check("it was told to end" in d.text(), d.text())
    # words of a stranger are not heard, and a child that ignores SIGTERM is killed
    deaf = ("import os, signal, subprocess, sys, time\n"
            "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
            "subprocess.run([sys.executable, '-c', 'import os, socket; socket.socket("
            "socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b\"READY=1\", "
            "os.environ[\"NOTIFY_SOCKET\"].replace(\"@\", chr(0)))'])\n"
            "print('deaf', flush=True)\ntime.sleep(60)\n")
    with Dog(dog, sys.executable, "-c", deaf, options=["--stop-timeout", "0.5"]) as d:
        d.wait(lambda: "deaf" in d.text(), "the program")
        d.process.terminate()
        d.ended(137)
        check("is ready" not in d.text() and "has been asked to end for 0.5 s: killed" in d.text(),
              d.text())
    # the watchdog itself is killed: the engine stops in order
    with Dog(dog, engine, *ENGINE_OPTIONS, "null") as d:
        d.wait_epoch()
        d.process.kill()
        d.wait(lambda: not alive(d.pids()[-1]), "the engine to end with its watchdog")


def usage(_, dog, __):
    for args, words in ((["--timeout", "x", "true"], "no such number"), ([], "no program"),
                        (["--frobnicate", "true"], "no option --frobnicate"),
                        (["--limit"], "a value is missing")):
        p = subprocess.run([dog, *args], capture_output=True, text=True, check=False, timeout=10)
        check(p.returncode == 1 and words in p.stderr, f"{args}: {p.returncode} {p.stderr}")
    p = subprocess.run([dog, "--", "sh", "-c", "exit 0"], capture_output=True, text=True,
                       check=False, timeout=10)
    check(p.returncode == 0, p.stderr)


def notify(folder, _, engine):
    """The engine to a socket as systemd opens it: a file, and a name in the abstract namespace."""
    for name in os.path.join(folder, "notify"), f"@ns-test-{os.getpid()}":
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.bind(name.replace("@", "\0"))
            s.settimeout(20)
            env = environment(NOTIFY_SOCKET=name, WATCHDOG_USEC="500000")
            p = subprocess.Popen([engine, "--quiet", *ENGINE_OPTIONS, "null"], env=env,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            try:
                words = [s.recv(4096).decode()]
                while sum("WATCHDOG=1" in w for w in words) < 6:
                    words.append(s.recv(4096).decode())
                p.terminate()
                while "STOPPING=1" not in words[-1]:
                    words.append(s.recv(4096).decode())
                _, err = p.communicate(timeout=20)
                check(p.returncode == 0, f"status {p.returncode}: {err}")
            finally:
                p.kill()
                p.wait()
        # three epochs of 200 ms are more than the 500 ms that were given
        check(words[0] == "WATCHDOG_USEC=600000", words)
        check(words[1].splitlines()[0] == "READY=1", words)
        beats = [w for w in words[2:] if w.startswith("WATCHDOG=1\nSTATUS=epoch ")]
        check(len(beats) >= 5, words)
        rates = [int(re.search(r": (\d+) packets/s, \d+ dropped", b)[1]) for b in beats]
        check(max(rates) > 1000, f"net_null gives packets: {beats}")


CASES = {"killed": killed, "silent": silent, "wrong": wrong, "signals": signals, "usage": usage,
         "notify": notify}

if __name__ == "__main__":
    sys.exit(harness.main(CASES, sys.argv))
