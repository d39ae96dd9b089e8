#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Our HyperLogLog beside Redis' PFCOUNT (p = 14 too) on the same keys: ours must not be worse.

Both are given the same keys in one run, 80 sets of them up to 100 000 keys and 24 up to a million;
what is compared is the relative error's root mean square at each number of keys. Nothing here is
random: a run that passes passes again.
"""
import math
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

COUNT = os.environ.get("NS_HLL_COUNT", "hll-count")
SKIPPED = 77
COMMAND = 512  # keys of one PFADD, as in hll-count.c
POINTS = [1, 10, 100, 1000, 2000, 5000, 10000, 20000, 50000, 100000]
FAR = POINTS + [300000, 1000000]
P = 14
BAR = 0.0081


class Redis:
    """A server of our own: a socket in a folder of its own, nothing on disk, no port."""

    def __init__(self, top):
        self.path = os.path.join(top, "redis.sock")
        with open(os.path.join(top, "log"), "wb") as log:
            self.server = subprocess.Popen(
                ["redis-server", "--port", "0", "--unixsocket", self.path, "--save", "",
                 "--appendonly", "no", "--daemonize", "no", "--dir", top],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.sock = socket.socket(socket.AF_UNIX)
        for _ in range(200):
            try:
                self.sock.connect(self.path)
                break
            except OSError:
                if self.server.poll() is not None:
                    break
                time.sleep(0.05)
        else:
            raise SystemExit("redis-server opens no socket within 10 s")
        if self.server.poll() is not None:
            with open(os.path.join(top, "log"), encoding="utf-8", errors="replace") as log:
                raise SystemExit("redis-server ended:\n" + log.read())
        self.file = self.sock.makefile("rb")

    def close(self):
        self.sock.close()
        self.server.terminate()
        try:
            self.server.wait(10)
        except subprocess.TimeoutExpired:
            self.server.kill()
            self.server.wait()

    def number(self):
        line = self.file.readline()
        if not line.startswith(b":"):
            raise SystemExit(f"redis-server answers {line!r}")
        return int(line[1:])

    def estimates(self, kind, seed, points):
        self.sock.sendall(b"*2\r\n$3\r\nDEL\r\n$1\r\nh\r\n")
        self.number()
        with subprocess.Popen([COUNT, "resp", kind, str(seed)] + [str(n) for n in points],
                              stdout=subprocess.PIPE) as maker:
            def feed():
                for block in iter(lambda: maker.stdout.read(1 << 16), b""):
                    self.sock.sendall(block)

            feeder = threading.Thread(target=feed)
            feeder.start()
            found, before = [], 0
            for n in points:
                for _ in range(-(-(n - before) // COMMAND)):
                    self.number()
                found.append(self.number())
                before = n
            feeder.join()
        if maker.returncode != 0:
            raise SystemExit(f"hll-count ended with {maker.returncode}")
        return found


def ours(kind, seed, points):
    got = subprocess.run([COUNT, "count", str(P), kind, str(seed)] + [str(n) for n in points],
                         stdout=subprocess.PIPE, text=True, check=True)
    return [float(line) for line in got.stdout.split()]


def rms(values):
    return math.sqrt(sum(v * v for v in values) / len(values))


def compare(redis):
    errors = {n: ([], []) for n in FAR}
    for seed in range(80):
        points = FAR if seed < 24 else POINTS
        kind = ("number", "address")[seed % 2]
        for n, a, b in zip(points, ours(kind, seed, points), redis.estimates(kind, seed, points)):
            errors[n][0].append(a / n - 1)
            errors[n][1].append(b / n - 1)
    print(f"{'keys':>8} {'sets':>5} {'ours, RMS':>10} {'Redis, RMS':>11} {'ours, bias':>11} "
          f"{'Redis, bias':>11}")
    worse = []
    for n, (mine, theirs) in errors.items():
        a, b = rms(mine), rms(theirs)
        print(f"{n:8} {len(mine):5} {a:10.3%} {b:11.3%} {sum(mine) / len(mine):11.3%} "
              f"{sum(theirs) / len(theirs):11.3%}")
        if a > b or a > BAR:
            worse.append(f"at {n} keys: ours {a:.3%}, Redis {b:.3%}, bar {BAR:.2%}")
    whole = [rms([e for n in FAR for e in errors[n][side]]) for side in (0, 1)]
    print(f"all together: ours {whole[0]:.3%}, Redis {whole[1]:.3%}")
    return worse


def main():
    if shutil.which("redis-server") is None:
        print("SKIPPED: no redis-server; usertools/setup test installs it", file=sys.stderr)
        return SKIPPED
    with tempfile.TemporaryDirectory(prefix="ns-redis-") as top:
        redis = Redis(top)
        try:
            worse = compare(redis)
        finally:
            redis.close()
    for line in worse:
        print("WORSE " + line)
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
