# SPDX-License-Identifier: BSD-3-Clause
"""What the tests of what sends share: two ports, and who receives at the far end of one."""
import collections
import json
import os
import shutil
import socket
import struct
import subprocess
import threading
import time

import harness
from harness import check, wait_for

ROOM = "blocksz=131072,framesz=2048,framecnt=16384"
SO_TIMESTAMPNS, SOL_PACKET, PACKET_AUXDATA = 35, 263, 8
VLAN_VALID = 0x10


class Console:
    """ns-console as scripts use it."""

    def __init__(self, program, folder):
        if not os.path.exists(program):
            harness.skip(f"there is no {program}")
        self.option = f"console.path={folder}/sock"
        self.argv = [program, "-s", f"{folder}/sock"]

    def run(self, command, *words):
        return subprocess.run([*self.argv, *words, "-e", command], capture_output=True, text=True,
                              check=False, timeout=harness.PATIENCE)

    def says(self, command):
        out = self.run(command)
        check(out.returncode == 0, f"{command}: status {out.returncode}, {out.stderr}")
        return out.stdout

    def refuses(self, command, *texts):
        out = self.run(command)
        check(out.returncode != 0 and all(t in out.stderr for t in texts),
              f"{command}: status {out.returncode}, not {texts}: {out.stdout}{out.stderr}")

    def records(self, command, kind):
        out = self.run(command, "--json")
        check(out.returncode == 0, f"{command}: status {out.returncode}, {out.stderr}")
        found = [json.loads(line) for line in out.stdout.splitlines()]
        return [r for r in found if r.get("kind") == kind]

    def last(self, what, *statuses):
        """The mirror or replay that was started last, once it has one of these."""
        seen = []

        def over():
            seen[:] = self.records(f"{what} show", what)[-1:]
            return seen and seen[0]["status"] in statuses
        wait_for(over, f"the {what} to be {' or '.join(statuses)}")
        return seen[0]


def pair(name, mtu=2000):
    """A pair of interfaces, @name that the engine has and @name-far; nothing is offloaded."""
    far = name + "-far"
    harness.run("ip", "link", "add", "name", name, "type", "veth", "peer", "name", far)
    for one in name, far:
        harness.run("ip", "link", "set", "dev", one, "mtu", str(mtu), "arp", "off")
        if shutil.which("ethtool"):
            for what in "gro", "gso", "tso", "rx", "tx":
                subprocess.run(["ethtool", "-K", one, what, "off"], check=False,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        harness.run("ip", "link", "set", "dev", one, "up")
    return far


def port(index, name, queues=1, room=ROOM):
    return f"net_af_packet{index},iface={name},qpairs={queues},{room}"


class Receiver:
    """All frames that come to an interface, and when."""

    def __init__(self, interface):
        self.frames, self.times = [], []
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.socket.setsockopt(socket.SOL_SOCKET, 33, 1 << 26)  # SO_RCVBUFFORCE
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        self.socket.bind((interface, 3))
        self.socket.settimeout(0.1)
        self.over = False
        self.thread = threading.Thread(target=self._read)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over = True
        self.thread.join()
        self.socket.close()

    def _read(self):
        while True:
            try:
                frame, more, _, where = self.socket.recvmsg(65536, 256)
            except TimeoutError:
                if self.over:
                    return
                continue
            if where[2] == socket.PACKET_OUTGOING:
                continue
            more = {(level, kind): data for level, kind, data in more}
            sec, ns = struct.unpack("<qq", more[socket.SOL_SOCKET, SO_TIMESTAMPNS])
            status, *_, tci, tpid = struct.unpack("<IIIHHHH", more[SOL_PACKET, PACKET_AUXDATA])
            if status & VLAN_VALID:  # the kernel has taken it off
                frame = frame[:12] + struct.pack(">HH", tpid, tci) + frame[12:]
            self.times.append(sec * 10**9 + ns)
            self.frames.append(frame)

    def wait(self, n):
        wait_for(lambda: len(self.frames) >= n, f"{n} frames at the far end")
        time.sleep(0.2)
        return list(self.frames)


def same(got, want, what, order=True):
    if order and got == want or not order and sorted(got) == sorted(want):
        return
    a, b = collections.Counter(got), collections.Counter(want)
    raise harness.Failure(
        f"{what}: {len(got)} frames, not those {len(want)}: {sum((a - b).values())} not expected, "
        f"{sum((b - a).values())} missing")
