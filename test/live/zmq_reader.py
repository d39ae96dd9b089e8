# SPDX-License-Identifier: BSD-3-Clause
"""A subscriber of ns-engine for tests: what it gets, decoded, and whether anything is missing."""
import collections
import os
import subprocess
import sys
import tempfile
import threading

import zmq

import harness
from harness import ROOT, Engine, check, skip


def messages():
    """The module of the messages, made by protoc."""
    with tempfile.TemporaryDirectory(prefix="ns-proto-") as made:
        try:
            subprocess.run(["protoc", "-I" + os.path.join(ROOT, "proto"), "--python_out=" + made,
                            "netspectra.proto"], check=True)
        except FileNotFoundError:
            skip("needs protoc (protobuf-compiler)")
        sys.dont_write_bytecode = True
        sys.path.insert(0, made)
        import netspectra_pb2
        return netspectra_pb2


def columns(table):
    """{name: values}, one for each row."""
    out = {}
    for c in table.columns:
        v = list(getattr(c, c.WhichOneof("values")).v)
        check(len(v) in (1, table.rows), f"{len(v)} values of {c.name} in {table.rows} rows")
        out[c.name] = v * table.rows if len(v) == 1 else v
    return out


def unpack(wire, m, folder):
    """The message with its body in place; zstd(1) is at hand on every machine that runs tests."""
    if m.compression != wire.COMPRESSION_ZSTD:
        return m
    whole = wire.Envelope()
    whole.CopyFrom(m)
    whole.MergeFromString(subprocess.run(["zstd", "-dc"], input=m.packed, capture_output=True,
                                         check=True, cwd=folder).stdout)
    check(whole.WhichOneof("body") != "packed", "a body packed twice")
    return whole


class Reader:
    """A subscriber on a thread of its own; what it gets, decoded, in order."""

    def __init__(self, wire, endpoint, **how):
        self.wire, self.got, self.stop = wire, [], False
        self.context = zmq.Context()
        self.join(endpoint, **how)
        self.thread = threading.Thread(target=self._read)

    def join(self, endpoint, prefix="ns/", server=None, client=None):
        self.socket = self.context.socket(zmq.SUB)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.setsockopt(zmq.RCVHWM, 100000)
        if server:
            self.socket.curve_serverkey = server
            self.socket.curve_publickey, self.socket.curve_secretkey = client
        self.socket.subscribe(prefix)
        self.socket.connect(endpoint)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop = True
        self.thread.join()
        self.socket.close()
        self.context.term()

    def _read(self):
        while not self.stop:
            if not self.socket.poll(50):
                continue
            topic, data = self.socket.recv_multipart()
            env = self.wire.Envelope.FromString(data)
            check(env.topic.encode() == topic, f"{env.topic} behind {topic}")
            self.got.append(env)

    def of(self, body):
        return [m for m in list(self.got) if m.WhichOneof("body") == body]

    def drain(self, engine):
        """Until the message that says that the engine has stopped."""
        engine.wait_end(lambda: any(m.epoch.last for m in self.of("epoch")))


class ZmqEngine(Engine):
    def wait_end(self, condition):
        harness.wait_for(condition, "the last epoch")


def gaps(envelopes):
    """How many messages of each topic are missing between the first and the last."""
    by, missing = collections.defaultdict(list), collections.Counter()
    for m in envelopes:
        check(len(m.boot) == 32 and m.version == 1 and m.time_ns > 0, f"a strange head: {m}")
        if not m.replayed:
            by[m.topic, m.boot].append(m.seq)
    for (topic, _), seqs in by.items():
        check(seqs == sorted(set(seqs)), f"{topic}: twice or out of order: {seqs}")
        missing[topic] += seqs[-1] - seqs[0] + 1 - len(seqs)
    return missing


def no_gaps(envelopes, what):
    missing = gaps(envelopes)
    check(not +missing, f"{what}: missing {dict(missing)}")


def conserved(envelopes):
    """The account of each epoch, and what each says of the messages before it."""
    seqs, last, total = {}, -1, 0
    for m in envelopes:
        if m.replayed:
            continue
        if m.WhichOneof("body") != "epoch":
            seqs[m.topic] = m.seq
            continue
        e = m.epoch
        check(e.received == e.analysed + e.dropped + e.in_flight, f"not conserved: {e}")
        check(sum(e.drops.values()) == e.dropped, f"drops are not the sum: {e}")
        check(last < 0 or e.epoch == last + 1, f"epoch {e.epoch} follows {last}")
        for topic, seq in e.topics.items():
            check(topic not in seqs or seqs[topic] == seq,
                  f"epoch {e.epoch}: {topic} is at {seq}, seen {seqs.get(topic)}")
        last, total = e.epoch, total + 1
    return total
