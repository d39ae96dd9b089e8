#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""From a packet on the wire to its host in Redis and at a subscriber, at an epoch of a second.

usage: visible_test.py visible NS-ENGINE

Says the median, the 99th percentile and the longest; all hosts must become visible, and the 99th
percentile must be below two seconds (an epoch, and one more for what a loaded machine takes).
"""
import ipaddress
import os
import random
import sys
import threading
import time

import harness
import redis_peer
import zmq_reader
from harness import Engine, check

HOSTS = 40
BAR_S = 2.0


class Seen(zmq_reader.Reader):
    """Notes when each source first came."""
    def __init__(self, wire, endpoint):
        self.first = {}
        super().__init__(wire, endpoint, prefix="ns/edge/task/top_sources")

    def _read(self):
        while not self.stop:
            if not self.socket.poll(50):
                continue
            env = self.wire.Envelope.FromString(self.socket.recv_multipart()[1])
            now = time.monotonic()
            for ip in zmq_reader.columns(env.task.rows)["src_ip"]:
                self.first.setdefault(str(ipaddress.ip_address(ip)), now)


def look(redis, first, ended):
    """Polls the hosts in Redis and notes when each first stood there."""
    client = redis.client()
    while not ended.is_set():
        now = time.monotonic()
        for host in client.do("ZRANGE", "ns:{edge}:hosts", "0", "-1") or ():
            first.setdefault(host, now)
        time.sleep(0.01)


def delays(sent, first, where):
    missing = [h for h in sent if h not in first]
    check(not missing, f"{len(missing)} of {len(sent)} hosts were never seen {where}: {missing[:3]}")
    d = sorted(first[h] - t for h, t in sent.items())
    p99 = d[min(len(d) - 1, int(len(d) * 0.99))]
    print(f"{where}: median {d[len(d) // 2]:.2f} s, p99 {p99:.2f} s, at most {d[-1]:.2f} s")
    check(p99 < BAR_S, f"{where}: p99 {p99:.2f} s")


def visible(folder, engine):
    watched, sender = harness.veth()
    endpoint = "ipc://" + os.path.join(folder, "zmq")
    sent, in_redis, ended = {}, {}, threading.Event()
    wire = zmq_reader.messages()
    with redis_peer.Redis(folder) as redis, Engine(
            engine, watched, epoch_ms=1000,
            words=["-w", "zmq:" + endpoint, "-w", "redis:unix:" + redis.socket],
            options=["ethdev.profile=af_packet", "engine.node=edge"]) as en:
        en.wait(lambda: en.epochs, "an epoch")
        with Seen(wire, endpoint) as seen:
            looker = threading.Thread(target=look, args=(redis, in_redis, ended))
            looker.start()
            en.wait(lambda: len(en.epochs) >= 2, "two epochs")
            for i in range(1, HOSTS + 1):
                time.sleep(random.uniform(0.1, 0.4))  # anywhere in an epoch
                sent[f"10.0.0.{i}"] = time.monotonic()
                harness.send(sender, [harness.udp_frame(i)])
            en.wait(lambda: set(sent) <= set(in_redis) and set(sent) <= set(seen.first),
                    "all hosts to be visible")
            ended.set()
            looker.join()
            first = dict(seen.first)
        en.stop()
    delays(sent, in_redis, "in Redis")
    delays(sent, first, "at a subscriber")


if __name__ == "__main__":
    sys.exit(harness.main({"visible": visible}, sys.argv))
