# SPDX-License-Identifier: BSD-3-Clause
"""What the live tests share: a world of their own, an engine to run, packets to send."""
import csv
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True

SKIP = 77
ROOT = os.environ.get("NS_SOURCE_ROOT") or os.path.join(os.path.dirname(__file__), "..", "..")
MARK = "NS_LIVE_WORLD"
# No time-out splits a conversation, so that records can be compared with those of a file.
WHOLE = ["flow.idle=1000000", "flow.active=0", "flow.tcp_end=false"]
PATIENCE = float(os.environ.get("NS_LIVE_PATIENCE", "40"))  # seconds until a wait is a failure


class Failure(Exception):
    pass


def check(ok, text):
    if not ok:
        raise Failure(text)


def skip(why):
    print(f"SKIPPED: {why}", flush=True)
    sys.exit(SKIP)


def enter_world():
    """A network, a mount and a process namespace: all of it is gone when this process is."""
    if os.environ.get(MARK):
        subprocess.run(["mount", "-t", "sysfs", "sysfs", "/sys"], check=True)
        for scope in "all", "default":
            # no neighbour discovery, no listener reports: only packets of the test
            with open(f"/proc/sys/net/ipv6/conf/{scope}/disable_ipv6", "w",
                      encoding="ascii") as f:
                f.write("1")
        run("ip", "link", "set", "lo", "up")
        return
    if os.geteuid() != 0:
        skip("needs root, to make network namespaces and raw sockets")
    for tool in "unshare", "ip", "mount":
        if not shutil.which(tool):
            skip(f"needs {tool}")
    words = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    if subprocess.run(words + ["true"], stderr=subprocess.DEVNULL, check=False).returncode != 0:
        skip("this system allows no namespaces")
    os.environ[MARK] = "1"
    os.execvp(words[0], words + [sys.executable] + sys.argv)


def run(*words, **more):
    out = subprocess.run(words, capture_output=True, text=True, check=False, **more)
    check(out.returncode == 0, f"{' '.join(words)}: status {out.returncode}\n{out.stderr}")
    return out.stdout


def veth(queues=1):
    """A pair of interfaces, the engine's and the sender's; long frames, nothing offloaded."""
    side = ["numrxqueues", str(queues), "numtxqueues", str(queues)]
    run("ip", "link", "add", "watched", *side, "type", "veth", "peer", "name", "sender", *side)
    for name in "watched", "sender":
        run("ip", "link", "set", name, "mtu", "2000", "arp", "off")
        if shutil.which("ethtool"):
            for what in "gro", "gso", "tso", "rx", "tx":
                subprocess.run(["ethtool", "-K", name, what, "off"], check=False,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        run("ip", "link", "set", name, "up")
    return "watched", "sender"


def wait_for(condition, what):
    until = time.monotonic() + PATIENCE
    while not condition():
        check(time.monotonic() < until, f"waited {PATIENCE:.0f} s for {what}")
        time.sleep(0.02)


def read_pcap(path):
    """The frames of a little-endian pcap file."""
    with open(path, "rb") as f:
        data = f.read()
    check(struct.unpack_from("<I", data)[0] in (0xa1b2c3d4, 0xa1b23c4d), f"{path}: no pcap")
    frames, at = [], 24
    while at < len(data):
        caplen = struct.unpack_from("<I", data, at + 8)[0]
        frames.append(data[at + 16:at + 16 + caplen])
        at += 16 + caplen
    return frames


def udp_frame(i):
    """A UDP packet of 60 octets of flow @i."""
    udp = struct.pack(">HHHH", 1024 + i % 50000, 53, 26, 0) + bytes(18)
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 46, i & 0xffff, 0, 64, 17, 0,
                       bytes((10, i >> 16 & 255, i >> 8 & 255, i & 255)), bytes((10, 0, 0, 1)))
    total = sum(struct.unpack(">10H", head))
    total = (total & 0xffff) + (total >> 16)
    total = ~((total & 0xffff) + (total >> 16)) & 0xffff
    head = head[:10] + struct.pack(">H", total) + head[12:]
    return b"\x02\0\0\0\0\2\x02\0\0\0\0\1\x08\0" + head + udp


def write_pcap(path, frames, cut=0):
    """A pcap file (microseconds), a frame a millisecond; @cut octets are missing at its end."""
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for i, frame in enumerate(frames):
            f.write(struct.pack("<IIII", 1700000000 + i // 1000, i % 1000 * 1000, len(frame),
                                len(frame)) + frame)
        f.truncate(f.tell() - cut)


def send(interface, frames, rate=8000):
    """Sends frames at about @rate a second; returns how many."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as s:
        s.bind((interface, 0))
        start = time.monotonic()
        for i, frame in enumerate(frames):
            if i % 16 == 0 and rate:
                ahead = i / rate - (time.monotonic() - start)
                if ahead > 0:
                    time.sleep(ahead)
            while True:
                try:
                    s.send(frame)
                    break
                except OSError as e:
                    check(e.errno in (105, 11), f"sending: {e}")  # ENOBUFS, EAGAIN
                    time.sleep(0.001)
    return len(frames)


def seconds(number, unit):
    return float(number) * {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1}[unit]


class Engine:
    """An ns-engine that runs; leaving the with statement kills what still does."""
    EPOCH = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d epoch (\d+): ([\d.]+) ?(\S*) packets/s, "
                       r".* bit/s, (.*) flows, (\d+) records, (\d+) dropped, "
                       r"(\d+) packets in all(?:; p50 \S+ \S+, p99 (\S+ \S+), .*)?$")
    LCORE = re.compile(r"^lcore (\d+) +(\d+) bursts, ([\d.]+) packets each, ([\d.]+) % full, "
                       r"longest ([\d.]+) (\w+); busy ([\d.]+) % \((.*)\)$")

    def __init__(self, program, *targets, options=(), words=(), epoch_ms=100, cpus=None,
                 env=None):
        argv = [program, *words]
        # small tables start faster; what a case gives comes later and wins
        for o in (f"engine.epoch_ms={epoch_ms}", "flow.max=65536", *options):
            argv += ["-o", o]
        self.argv = argv + list(targets)
        self.lines, self.errors, self.epochs = [], [], []
        self.cpus = cpus
        self.env = dict(os.environ, NS_DRIVERS_CONFIG=os.path.join(ROOT, "drivers-config"),
                        **(env or {}))
        self.process = None
        self.threads = []

    def __enter__(self):
        limit = (lambda: os.sched_setaffinity(0, self.cpus)) if self.cpus else None
        self.process = subprocess.Popen(self.argv, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, env=self.env,
                                        preexec_fn=limit)
        for stream, lines in (self.process.stdout, self.lines), (self.process.stderr,
                                                                 self.errors):
            self.threads.append(threading.Thread(target=self._read, args=(stream, lines)))
            self.threads[-1].start()
        try:
            self.wait(lambda: self.lines, "the engine to start")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for t in self.threads:
            t.join()

    def _read(self, stream, lines):
        with stream:
            for line in stream:
                line = line.rstrip("\n")
                m = self.EPOCH.match(line)
                if m:
                    self.epochs.append(m)
                lines.append(line)

    def _tell(self):
        return (f"\n  {' '.join(self.argv)}\n  " + "\n  ".join(self.lines[-12:] + self.errors))

    def wait(self, condition, what):
        def done():
            check(condition() or self.process.poll() is None,
                  f"the engine ended, status {self.process.returncode}, waiting for {what}")
            return condition()
        try:
            wait_for(done, what)
        except Failure as f:
            raise Failure(f"{f}{self._tell()}") from None

    def seen(self):
        return int(self.epochs[-1].group(7)) if self.epochs else 0

    def wait_packets(self, n):
        self.wait(lambda: self.seen() >= n, f"{n} packets")

    def kill(self, number):
        self.process.send_signal(number)

    def finish(self, status=0):
        """Waits for the end; the report as {"received": n, "analysed": n, "drops": {}, ...}."""
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise Failure(f"does not stop{self._tell()}") from None
        for t in self.threads:
            t.join()
        check(self.process.returncode == status,
              f"status {self.process.returncode}, not {status}{self._tell()}")
        return self._report()

    def stop(self, number=signal.SIGINT):
        self.kill(number)
        return self.finish()

    def _report(self):
        text = "\n".join(self.lines)

        def number(pattern):
            m = re.search(pattern, text, re.M)
            check(m, f"no \"{pattern}\" in the report{self._tell()}")
            return int(m.group(1))
        r = {
            "received": number(r"^received +(\d+) packets"),
            "octets": number(r"^received .*, (\d+) octets"),
            "analysed": number(r"^analysed +(\d+)$"),
            "drops": {k: int(v) for v, k in re.findall(r"^dropped +(\d+) (\w+):", text, re.M)},
            "notes": {k: int(v) for v, k in re.findall(r"^note +(\d+) (\w+):", text, re.M)},
            "created": number(r"^flows +(\d+) created"),
            "ended": number(r"^flows .* (\d+) ended"),
            "evicted": number(r"^flows .* (\d+) for lack of room"),
            "records": number(r"^flows .* (\d+) records$"),
            "latency": [seconds(*x) for x in re.findall(
                r"(?:p50|p99|p99\.9|at most) ([\d.]+) (\w+)",
                "".join(x for x in self.lines if x.startswith("latency ")))],
            "lcores": [dict(zip(("id", "bursts", "each", "full", "longest", "busy", "role"),
                                (int(m[1]), int(m[2]), float(m[3]), float(m[4]),
                                 seconds(m[5], m[6]), float(m[7]), m[8])))
                       for m in map(self.LCORE.match, self.lines) if m],
        }
        total = r["analysed"] + sum(r["drops"].values())
        check(r["received"] == total and "conserved: received = analysed + dropped" in text,
              f"received {r['received']}, analysed and dropped {total}{self._tell()}")
        check(r["created"] == r["ended"], f"flows are left{self._tell()}")
        for a, b in zip(self.epochs, self.epochs[1:]):
            check(int(b.group(1)) == int(a.group(1)) + 1, f"an epoch is missing{self._tell()}")
            check(int(b.group(7)) >= int(a.group(7)), f"packets vanish{self._tell()}")
        check(self.seen() <= r["received"], f"an epoch saw more than there was{self._tell()}")
        return r


def all_analysed(r, n):
    check(not r["drops"], f"{n} sent, dropped: {r['drops']}")
    check(r["received"] == n and r["analysed"] == n, f"{n} sent, not as many analysed: {r}")


def records(path):
    """The records of a CSV file without their times, sorted."""
    with open(path, newline="", encoding="utf-8") as f:
        rows = list(csv.DictReader(f))
    keep = ("community_id", "src_ip", "src_port", "dst_ip", "dst_port", "proto", "vlan", "tunnel",
            "packets", "ip_octets", "l2_octets", "rev_packets", "rev_ip_octets", "rev_l2_octets",
            "tcp_flags", "rev_tcp_flags", "end_reason")
    return sorted(tuple(r[k] for k in keep) for r in rows)


def same_records(a, b, what):
    if a == b:
        return
    only_a, only_b = sorted(set(a) - set(b)), sorted(set(b) - set(a))
    raise Failure(f"{what}: {len(a)} records, not the {len(b)} expected; "
                  f"not expected {only_a[:2]}, missing {only_b[:2]}")


def main(cases, argv):
    """Runs the case that argv names in a world and a folder of its own."""
    if len(argv) < 2 or argv[1] not in cases:
        print(f"usage: {argv[0]} {'|'.join(cases)} NS-ENGINE PCAP-ANALYZER GEN-CAPTURE")
        return 1
    enter_world()
    with tempfile.TemporaryDirectory(prefix="ns-live-") as folder:
        try:
            start = time.monotonic()
            cases[argv[1]](folder, *(os.path.realpath(p) for p in argv[2:]))
            print(f"{argv[1]}: passed, {time.monotonic() - start:.1f} s")
            return 0
        except Failure as f:
            print(f"{argv[1]}: FAILED: {f}")
            return 1
