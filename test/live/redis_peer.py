# SPDX-License-Identifier: BSD-3-Clause
"""A redis-server of a test's own, and as much of a client as it needs."""
import contextlib
import os
import signal
import socket
import subprocess

import harness
from harness import check, wait_for


class Client:
    """As much of a Redis client as is needed here."""
    def __init__(self, address, password=None):
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self.sock = socket.socket(family, socket.SOCK_STREAM)
        self.sock.settimeout(20)
        self.sock.connect(address)
        self.file = self.sock.makefile("rb")
        if password:
            self.do("AUTH", password)

    def _send(self, words):
        out = b"*%d\r\n" % len(words)
        for w in words:
            w = str(w).encode()
            out += b"$%d\r\n%s\r\n" % (len(w), w)
        self.sock.sendall(out)

    def _read(self):
        line = self.file.readline()[:-2].decode()
        kind, rest = line[:1], line[1:]
        if kind == "-":
            raise harness.Failure(f"redis: {rest}")
        if kind == ":":
            return int(rest)
        if kind == "$":
            return None if rest == "-1" else self.file.read(int(rest) + 2)[:-2].decode()
        if kind == "*":
            return None if rest == "-1" else [self._read() for _ in range(int(rest))]
        return rest

    def do(self, *words):
        self._send(words)
        return self._read()

    def at_once(self, *commands):
        """All of them at one moment."""
        for c in (["MULTI"], *commands, ["EXEC"]):
            self._send(c)
        for _ in range(len(commands) + 1):
            self._read()
        return self._read()

    def info(self, section):
        lines = [x.split(":", 1) for x in self.do("INFO", section).splitlines() if ":" in x]
        return {k: v.strip() for k, v in lines}


class Redis:
    """A redis-server of our own."""
    def __init__(self, folder, *words, port=0, password=None):
        self.socket = os.path.join(folder, "redis.sock")
        self.password = password
        self.argv = ["redis-server", "--port", str(port), "--unixsocket", self.socket, "--save",
                     "", "--appendonly", "no", "--dir", folder, "--daemonize", "no", *words]
        if password:
            self.argv += ["--requirepass", password]
        self.process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.send_signal(signal.SIGCONT)
        self.process.wait()

    def start(self):
        if os.path.exists(self.socket):
            os.unlink(self.socket)
        # pylint: disable=consider-using-with
        self.process = subprocess.Popen(self.argv, stdout=subprocess.DEVNULL)

        def answers():
            check(self.process.poll() is None, "redis-server ended")
            with contextlib.suppress(OSError, harness.Failure):
                return self.client().do("PING") == "PONG"
            return False
        wait_for(answers, "redis-server to answer")

    def client(self):
        return Client(self.socket, self.password)
