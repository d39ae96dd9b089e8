#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The console of a running ns-engine: by scripts, and by people at a real terminal (tmux).

usage: console_test.py CASE NS-ENGINE NS-CONSOLE GEN-CAPTURE
"""
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time

import harness
from harness import Engine, check, wait_for

COLUMNS, ROWS = 100, 40
QUIET = ["engine.workers=1", "engine.idle=sleep"]


def options(folder, *more):
    return [f"console.path={folder}/sock", *QUIET, *more]


class Console:
    """ns-console as scripts use it."""

    def __init__(self, program, folder):
        self.argv = [program, "-s", f"{folder}/sock"]

    def run(self, *words, text=None):
        return subprocess.run([*self.argv, *words], capture_output=True, text=True, check=False,
                              input=text, timeout=harness.PATIENCE)

    def says(self, command, status=0):
        out = self.run("-e", command)
        check(out.returncode == status, f"{command}: status {out.returncode}, {out.stderr}")
        return out.stdout if status == 0 else out.stderr

    def json(self, command):
        out = self.run("--json", "-e", command)
        check(out.returncode == 0, f"{command}: status {out.returncode}, {out.stderr}")
        return [json.loads(line) for line in out.stdout.splitlines()]


class Terminal:
    """A program in a terminal of COLUMNS x ROWS; all tmux is gone afterwards."""

    def __init__(self, folder, *argv, env=None):
        # two names of commands that libedit copies are never freed by it
        leaks = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
        words = ["env", f"HOME={folder}/home", "LC_ALL=C.UTF-8", "XDG_STATE_HOME=",
                 "ASAN_OPTIONS=" + leaks,
                 *[f"{k}={v}" for k, v in (env or {}).items()], *argv]
        self.tmux = ["tmux", "-S", os.path.join(folder, f"tmux{id(self)}"), "-f", "/dev/null"]
        self.argv = [*self.tmux, "new-session", "-d", "-x", str(COLUMNS), "-y", str(ROWS),
                     "sh", "-c", 'trap : INT; "$@"; echo "[status $?]"; sleep 1000', "sh", *words]

    def __enter__(self):
        harness.run(*self.argv)
        return self

    def __exit__(self, *_):
        subprocess.run([*self.tmux, "kill-server"], check=False, capture_output=True)

    def keys(self, *keys):
        harness.run(*self.tmux, "send-keys", *keys)

    def screen(self):
        return harness.run(*self.tmux, "capture-pane", "-p", "-J")

    def pid(self, name):
        shell = harness.run(*self.tmux, "display", "-p", "#{pane_pid}").strip()
        return int(harness.run("pgrep", "-P", shell, "-f", name).split()[0])

    def sees(self, pattern, what=None):
        seen = []

        def there():
            seen[:] = [self.screen()]
            return re.search(pattern, seen[0], re.M)
        try:
            wait_for(there, what or pattern)
        except harness.Failure as f:
            raise harness.Failure(f"{f}; the terminal has\n{seen[0]}") from None
        return seen[0]

    def gives(self, line, pattern):
        """Types a line on an empty screen; the screen when the pattern is there."""
        self.keys("C-l")
        self.keys("-l", line)
        self.keys("Enter")
        text = self.sees(pattern)
        check(all(len(x) <= COLUMNS for x in text.splitlines()), f"too wide:\n{text}")
        return text


def started(en):
    en.wait(lambda: len(en.epochs) >= 3, "three epochs")


def script(folder, engine, program, gen):
    """Every command by -e, --json and a pipe; the numbers are those of the epoch lines."""
    path = os.path.join(folder, "in.pcap")
    harness.run(gen, "imix", path, "3000", "100", "7")
    c = Console(program, folder)
    tasks = "tasks=[{name: pairs, type: exact, key: [src_ip]}, {name: rates, type: rate}]"
    with Engine(engine, f"net_pcap0,rx_pcap={path},infinite_rx=1",
                options=options(folder, "engine.mbufs=32767", tasks,
                                "engine.writers=[json:" + os.devnull + "]")) as en:
        started(en)
        mode = os.stat(f"{folder}/sock").st_mode
        check(stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o600, f"mode {mode:o}")
        for _ in range(5):
            (e,) = c.json("show epoch")
            number = e["epoch"]
            en.wait(lambda n=number: int(en.epochs[-1].group(1)) >= n, "its line")
            line = [m for m in en.epochs if int(m.group(1)) == number]
            check(len(line) == 1 and int(line[0].group(7)) == e["received"] > 0,
                  f"epoch {e} is not {[m.group(0) for m in line]}")
            check(int(line[0].group(6)) == e["epoch_dropped"], f"{e}, {line[0].group(0)}")
            check(e["received"] == e["analysed"] + e["dropped"] + e["in_flight"], f"{e}")
        lcores = c.json("show lcores")
        check([x["role"] for x in lcores] == ["rx", "analysis"], f"{lcores}")
        (port,) = c.json("show ports")
        check(port["link"] == "up" and port["driver"] == "net_pcap", f"{port}")
        check(port["packets"] >= e["received"] > 0, f"{port} {e}")
        buckets = c.json("show buckets")
        check(sum(b["buckets"] for b in buckets) == 512 and buckets[0]["sent"] > 0, f"{buckets}")
        writers = {w["name"]: w for w in c.json("show writers")}
        check(set(writers) == {"json"}, f"{writers}")
        names = {t["name"]: t for t in c.json("show tasks")}
        check(set(names) == {"pairs", "rates"} and names["pairs"]["rows"] > 20, f"{names}")
        rows = c.json("show task pairs all")
        check(all(r["kind"] == "pairs" for r in rows) and len(rows) > 20, f"{rows[:2]}")
        check(len({r["epoch"] for r in rows}) == 1, "rows of several epochs")
        check(len(c.json("show task pairs 5")) == 6, "not 5 rows and a line")
        drops = {d["name"]: d for d in c.json("show drops all")}
        check("ring_full" in drops and all(d["what"] == "drop" for d in drops.values()),
              f"{drops}")
        check("records_lost" in {d["name"] for d in c.json("show counters all")}, "no notes")
        check("clear" in c.says("clear") and c.says("clear").startswith("columns"), "clear")
        wait_for(lambda: len(c.json("show epoch")) == 2, "the record since_clear")
        whole, since = c.json("show epoch")
        check(0 < since["received"] < whole["received"], f"{since} {whole}")
        check("targets:" in c.says("show config engine"), "no targets in the configuration")
        check("writer" in {p["kind"] for p in c.json("show plugins")}, "no writer")
        check("show lcores" in c.says("help"), "help")
        check("show lcores" in c.says("help show lcores"), "help of one")

        # wrong ones
        hint = c.says("shwo epoch", 1)
        check("there is no command \"shwo\"; there are: " in hint and "show" in hint, hint)
        check("show task" in c.says("show ta", 1), "no hint")
        check("shutdown" in c.says("shut", 1), "the end by half a word")
        check("one too many" in c.says("show epoch x", 1), "an argument too many is taken")
        check("pairs, rates" in c.says("show task nope", 1), "no hint at tasks")
        check("watch needs a terminal" in c.says("watch show epoch", 1), "watch without terminal")
        out = c.run("-e", "help", "-e", "nope", "-e", "show lcores")
        check(out.returncode == 1 and "analysis" in out.stdout, f"{out}")
        out = c.run(text="show lcores\n# nothing\n\nshow epoch\nquit\nnope\n")
        check(out.returncode == 0 and "in_flight" in out.stdout, f"pipe: {out}")
        check(c.run(text="nope\nhelp\n").returncode == 1, "a pipe with a fault: status 0")
        check(c.run("show", "lcores").returncode == 0, "words of the command line")
        other = Console(program, os.path.join(folder, "none"))
        check("No such file" in other.says("help", 1), "no engine is no message")

        # its socket is not taken from it
        second = subprocess.run(
            [*en.argv[:1], "-o", f"console.path={folder}/sock", "-o", "flow.max=65536",
             "net_ring0"], capture_output=True, text=True, check=False, env=en.env)
        check(second.returncode == 1 and "console of another engine" in second.stderr,
              f"{second}")
        check("stopping" in c.says("shutdown"), "shutdown")
        en.finish()
    check(not os.path.exists(f"{folder}/sock"), "the socket is left")

    # one that was killed leaves its socket, and the next takes it
    with Engine(engine, "net_ring0", options=options(folder)) as en:
        started(en)
        en.kill(signal.SIGKILL)
        en.process.wait()
    check(os.path.exists(f"{folder}/sock"), "SIGKILL cleans up?")
    with Engine(engine, "net_ring0", options=options(folder)) as en:
        started(en)
        check(c.json("show epoch")[0]["received"] == 0, "epoch of net_ring")
        en.stop()


COMMANDS = (
    ("show epoch", r"^in_flight +0 packets"), ("show lcores", r"^ +\d+ +\d+ +rx "),
    ("show drops", r"nothing was dropped|^name "), ("show counters all", r"^truncated +drop"),
    ("show writers", r"^json +/dev/null +ok"), ("show ports", r"net_ring0"),
    ("show buckets", r"^rx_lcore"), ("show tasks", r"^top_sources +top 100 of src_ip"),
    ("show task top_sources", r"top_sources: no "), ("show config console", r"mode: \"0600\""),
    ("show plugins writer", r"^writer +csv"), ("help", r"^show lcores +what each lcore"),
    ("help clear", r"^ +let columns"), ("clear", r"count from the end of epoch"),
)


def terminal(folder, engine, program, _):
    """A person at a terminal: each command, Tab, history, watch, faults, two at once, the end."""
    if not shutil.which("tmux"):
        harness.skip("needs tmux")
    argv = [program, "-s", f"{folder}/sock"]
    with contextlib.ExitStack() as stack:
        en = stack.enter_context(Engine(engine, "net_ring0", options=options(
            folder, "engine.writers=[json:" + os.devnull + "]")))
        started(en)
        t = stack.enter_context(Terminal(folder, *argv))
        t.sees(r"Tab completes")
        for line, pattern in COMMANDS:
            t.gives(line, pattern)
        t.keys("shwo", "Enter")  # a list of commands that is longer than a line
        t.sees(r"^there is no command \"shwo\"; there are: ")
        t.gives("show epoch x", "one too many")

        t.keys("C-l")
        t.keys("sho", "Tab", "lc", "Tab", "Enter")
        t.sees(r"^lcore +cpu +role")
        t.keys("C-l")
        t.keys("show ta", "Tab", "Tab")
        t.sees(r"^task +tasks")
        t.keys("C-c")
        t.sees(r"\^C")
        t.keys("C-l")
        t.keys("show task top_so", "Tab")
        t.sees("> show task top_sources")
        t.keys("C-c")
        t.sees(r"top_sources.*\n?\^C")
        t.keys("C-l")
        t.keys("Up", "Up", "Enter")
        t.sees("^\"show epoch\" takes no argument")

        # watch: renewed by itself, ends, and the terminal is as it was
        t.keys("-l", "watch -n 0.2 show epoch")
        t.keys("Enter")
        number = re.search(r"^epoch +(\d+)$", t.sees(r"^epoch +\d+$"), re.M).group(1)
        wait_for(lambda: re.search(r"^epoch +(\d+)$", t.screen(), re.M).group(1) != number,
                 "watch to go on")
        t.keys("q")
        t.sees(r"> watch -n 0.2 show epoch")
        t.gives("watch clear", "it is not repeated")
        t.gives("watch show tasks", r"every 1 s: show tasks")
        t.keys("C-c")
        t.sees(r"> watch show tasks\n\S+> *$")  # keys that come before are not its own
        t.gives("help quit", r"leave the console")

        # a second one beside it
        u = stack.enter_context(Terminal(folder, *argv))
        u.sees(r"Tab completes")
        u.keys("Up")
        u.sees("> help quit")
        u.keys("C-c")
        u.sees(r"\^C")
        u.gives("show lcores", r"^ +\d+ +\d+ +rx ")
        t.gives("show lcores", r"^ +\d+ +\d+ +rx ")
        u.gives("quit", r"\[status 0\]")
        history = f"{folder}/home/.local/state/netspectra/history"
        check(stat.S_IMODE(os.stat(history).st_mode) == 0o600, "the history is for all to read")
        with open(history, encoding="ascii") as f:
            lines = f.read().splitlines()
        check(lines.count("help\\040quit") == 1, f"{lines}")

        # the engine ends, and comes again
        t.keys("C-l")
        en.stop()
        t.sees("has ended or dropped this console")
        t.gives("show epoch", "No such file")
        en = stack.enter_context(Engine(engine, "net_ring0", options=options(folder)))
        started(en)
        t.gives("show epoch", r"connected again")
        t.keys("C-d")
        t.sees(r"\[status 0\]")
        en.stop()


def own(folder, engine, _, __):
    """ns-engine -i: the same console, no epoch lines; Ctrl-C is the line's, quit the engine's."""
    if not shutil.which("tmux"):
        harness.skip("needs tmux")
    en = Engine(engine, "net_ring0", options=options(folder), words=["-i"])
    with Terminal(folder, *en.argv,
                  env={"NS_DRIVERS_CONFIG": en.env["NS_DRIVERS_CONFIG"]}) as t:
        t.sees(r"^\S+> ")
        t.keys("-l", "nothing")
        t.keys("C-c")
        wait_for(lambda: len(re.findall(r"^\S+> ", t.screen(), re.M)) >= 2, "another line")

        def answered():
            text = t.gives("show lcores", r"^ +\d+ +\d+ +rx |first epoch is not complete")
            check("packets/s" not in text, f"epoch lines:\n{text}")
            return "rx" in text
        wait_for(answered, "the first epoch")
        t.keys("sho", "Tab", "ep", "Tab", "Enter")
        t.sees("^in_flight")
        t.keys("quit", "Enter")
        t.sees(r"\[status 0\]")
        check("conserved: received" in t.screen(), t.screen())
    with Terminal(folder, *en.argv,
                  env={"NS_DRIVERS_CONFIG": en.env["NS_DRIVERS_CONFIG"]}) as t:
        t.sees(r"^\S+> ")
        t.keys("-l", "watch show ports")
        t.keys("Enter")
        t.sees("every 1 s")
        # its end while something is on the screen: the terminal is given back
        os.kill(t.pid("ns-engine.*-i"), signal.SIGTERM)
        t.sees(r"\[status 0\]")
        check("conserved: received" in t.screen(), t.screen())


def hangs(folder, engine, program, _):
    """Consoles that hang, and clients that read nothing: the engine and others are unhurt."""
    if not shutil.which("tmux"):
        harness.skip("needs tmux")
    c = Console(program, folder)
    with contextlib.ExitStack() as stack:
        en = stack.enter_context(Engine(engine, "net_null0", words=["-v"],
                                        options=options(folder, "engine.mode=rtc")))
        started(en)
        t = stack.enter_context(Terminal(folder, program, "-s", f"{folder}/sock"))
        t.sees(r"Tab completes")
        t.keys("-l", "watch -n 0.1 show counters all")
        t.keys("Enter")
        t.sees("every 0.1 s")
        pid = t.pid("ns-console")
        os.kill(pid, signal.SIGSTOP)
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(f"{folder}/sock")
            s.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                for _ in range(100000):
                    s.send(b"\thelp\n" * 100)
            before = len(en.epochs)
            packets = en.seen()
            for _ in range(20):
                check(c.json("show epoch")[0]["late"] == 0, "an epoch was late")
            en.wait(lambda: len(en.epochs) > before + 10, "epochs while consoles hang")
            check(en.seen() > packets, "no packets while consoles hang")
            en.wait(lambda: any("has not taken its answer" in x for x in en.errors),
                    "the client to be dropped")
            with contextlib.suppress(ConnectionError, BlockingIOError):
                s.setblocking(True)
                while s.recv(65536):
                    pass
        os.kill(pid, signal.SIGCONT)
        seen = t.sees("every 0.1 s")
        wait_for(lambda: t.screen() != seen, "watch to go on")
        check(any(re.search(r"process \d+ of user 0 has come", x) for x in en.errors),
              "nobody says who came")
        time.sleep(0.1)
        r = en.stop()
        check(r["received"] > 0, "no packets")


if __name__ == "__main__":
    CASES = (script, terminal, own, hangs)
    sys.exit(harness.main({c.__name__: c for c in CASES}, sys.argv))
