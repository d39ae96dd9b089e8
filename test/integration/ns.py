# SPDX-License-Identifier: BSD-3-Clause
"""What the integration tests share: running the program, places for files, made captures."""
import csv
import gzip
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.realpath(os.environ.get("NS_SOURCE_ROOT", os.path.join(HERE, "..", "..")))
DATA = os.path.join(ROOT, "test", "data")
ANALYZER = os.environ.get("NS_ANALYZER", "pcap-analyzer")
GENERATOR = os.environ.get("NS_GENERATOR", "gen-capture")
TIMEOUT = 120

# No time-out splits a conversation.
WHOLE = ["-o", "flow.idle=1000000", "-o", "flow.active=0", "-o", "flow.tcp_end=false"]
COLUMNS = ("community_id,src_ip,src_port,dst_ip,dst_port,proto,vlan,tunnel,packets,ip_octets,"
           "l2_octets,rev_packets,rev_ip_octets,rev_l2_octets,start_ns,end_ns,tcp_flags,"
           "rev_tcp_flags,end_reason").split(",")


class Result:
    """What one run gave."""

    def __init__(self, p):
        self.status = p.returncode
        self.out = p.stdout
        self.text = p.stderr.decode("utf-8", "replace")

    @property
    def report(self):
        return json.loads(self.out.decode("utf-8"))


def spawn(*args, **how):
    """Starts pcap-analyzer."""
    return subprocess.Popen([ANALYZER, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            **how)


def run(*args, **how):
    """Runs pcap-analyzer to its end."""
    return Result(subprocess.run([ANALYZER, *args], capture_output=True, timeout=TIMEOUT,
                                 check=False, **how))


def captures():
    """The committed captures."""
    return [os.path.join(DATA, n) for n in sorted(os.listdir(DATA)) if ".pcap" in n]


def read_csv(path):
    with open(path, encoding="utf-8", newline="") as f:
        return list(csv.DictReader(f))


def read_bytes(path):
    with open(path, "rb") as f:
        return f.read()


def write_bytes(path, data):
    with open(path, "wb") as f:
        f.write(data)
    return path


def have(*tools):
    return all(shutil.which(t) for t in tools)


def ended(p, seconds=20):
    """The Result of a program that must end by itself while its input stays open."""
    out = [b"", b""]

    def read(i, f):
        out[i] = f.read()

    readers = [threading.Thread(target=read, args=x) for x in enumerate((p.stdout, p.stderr))]
    for t in readers:
        t.start()
    p.wait(seconds)
    for t in readers:
        t.join()
    for f in (p.stdin, p.stdout, p.stderr):
        f.close()
    return Result(subprocess.CompletedProcess([], p.returncode, *out))


class Case(unittest.TestCase):
    """A test with a folder of its own that is gone afterwards."""

    maxDiff = 4000

    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="ns-integration-")
        self.addCleanup(shutil.rmtree, self.dir)

    def path(self, name):
        return os.path.join(self.dir, name)

    def put(self, name, data):
        return write_bytes(self.path(name), data)

    def made(self, kind, *args):
        """A capture (or a folder of them) that gen-capture makes."""
        path = self.path(kind if kind == "linktypes" else kind + ".pcap")
        if not os.path.exists(path):
            subprocess.run([GENERATOR, kind, path, *map(str, args)], check=True,
                           capture_output=True, timeout=TIMEOUT)
        return path

    def analyse(self, *args, status=0, **how):
        """A run that must end with that status; gives the JSON report."""
        r = run("--quiet", "--report", "json", *args, **how)
        self.assertEqual(r.status, status, r.text)
        return r.report

    def flows(self, *args, status=0, **how):
        """The report, and the rows of the CSV file."""
        out = self.path("flows.csv")
        if os.path.exists(out):
            os.unlink(out)
        report = self.analyse("-w", "csv:" + out, *args, status=status, **how)
        return report, read_csv(out)

    def conserved(self, report):
        c = report["conservation"]
        self.assertEqual(c["received"], c["analysed"] + sum(c["drops"].values()))
        self.assertEqual(c["dropped"], sum(c["drops"].values()))
        self.assertTrue(c["holds"])

    def interrupt(self, p):
        """Ends a run as Ctrl-C does; (stdout, stderr)."""
        try:
            p.send_signal(signal.SIGINT)
            return p.communicate(timeout=TIMEOUT)
        finally:
            p.kill()
            p.wait()


# --- captures made by hand ---

def pcap_header(linktype=1, snaplen=262144):
    return struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, snaplen, linktype)


def pcap_record(data, ns=1_700_000_000_000_000_000, wirelen=None):
    return struct.pack("<IIII", ns // 10**9, ns % 10**9 // 1000, len(data),
                       wirelen or len(data)) + data


def pcap(*frames, linktype=1):
    """A pcap file of frames one millisecond apart."""
    base = 1_700_000_000_000_000_000
    return pcap_header(linktype) + b"".join(
        pcap_record(f, base + i * 1_000_000) for i, f in enumerate(frames))


def records(data):
    """(header, octets) of the records of a little-endian pcap file."""
    at = 24
    while at < len(data):
        n = struct.unpack_from("<I", data, at + 8)[0]
        yield data[at:at + 16], data[at + 16:at + 16 + n]
        at += 16 + n


def stretched(data, factor):
    """The same pcap file (microseconds) with times a factor further apart."""
    out, first = [data[:24]], None
    for head, body in records(data):
        sec, usec, caplen, wirelen = struct.unpack("<IIII", head)
        now = sec * 1_000_000 + usec
        first = now if first is None else first
        now = first + (now - first) * factor
        out += [struct.pack("<IIII", now // 1_000_000, now % 1_000_000, caplen, wirelen), body]
    return b"".join(out)


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ipv4(payload, proto, src="10.0.0.1", dst="10.0.0.2", ident=1, frag=0):
    """An IPv4 packet; frag is the field of flags and offset."""
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), ident, frag, 64, proto, 0,
                       bytes(map(int, src.split("."))), bytes(map(int, dst.split("."))))
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + payload


def udp(payload=b"x" * 20, sport=1000, dport=2000):
    return struct.pack(">HHHH", sport, dport, 8 + len(payload), 0) + payload


def tcp(sport=1000, dport=2000, seq=1, ack=0, flags=2, payload=b""):
    return struct.pack(">HHIIBBHHH", sport, dport, seq, ack, 0x50, flags, 8192, 0, 0) + payload


def ether(payload, ethertype=0x0800):
    return b"\2\0\0\0\0\1\2\0\0\0\0\2" + struct.pack(">H", ethertype) + payload


def gzipped(data):
    return gzip.compress(data, compresslevel=1)


def zstd(source, target):
    subprocess.run(["zstd", "-q", "-1", "-f", source, "-o", target], check=True,
                   capture_output=True, timeout=TIMEOUT)
    return target


def main():
    missing = [p for p in (ANALYZER, GENERATOR) if not have(p)]
    if missing:
        sys.exit("not there: " + ", ".join(missing) + " (NS_ANALYZER, NS_GENERATOR)")
    unittest.main(verbosity=2)
