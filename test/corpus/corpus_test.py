#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""pcap-analyzer over a corpus of real captures with reference results of independent tools.

usage: corpus_test.py PCAP-ANALYZER flows|workers|tasks [PART...]

flows    each capture once: packet totals against capinfos, conservation, flows against tshark,
         Community IDs against Suricata, exit status
workers  1, 2, 3 and 4 workers, twice each, must give the same sorted CSV: on the captures of
         SMOKE.txt and the large ones; PART names others, "all" all of them
tasks    exact tasks against the sums over the flow records, exact values within the bounds of
         sketches, and the same rows with 1, 2, 3 and 4 workers; captures as above

The corpus is the directory in NS_CORPUS, or shared/corpus beside the source tree. Without it the
test is skipped. Captures whose flows differ from the reference stand with their reason in
exceptions.tsv; the test fails when that list is too short or too long.
"""
import base64
import collections
import concurrent.futures
import csv
import hashlib
import ipaddress
import json
import os
import struct
import subprocess
import sys
import tempfile

import compare

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
import sums

SKIP = 77
HERE = os.path.dirname(os.path.abspath(__file__))
# EAL sleeps for most of a short run, so more than the CPUs can take turns.
JOBS = 3 * len(os.sched_getaffinity(0))
# No time-out splits a conversation: the reference knows none.
WHOLE = ["-o", "flow.idle=1000000", "-o", "flow.active=0", "-o", "flow.tcp_end=false"]
CAPTURES = ("pcap", "modpcap", "nsecpcap", "rh6_1pcap", "pcapng", "pcap-le-us")


def find_corpus():
    beside = os.path.join(HERE, "..", "..", "..", "shared", "corpus")
    for path in (os.environ.get("NS_CORPUS"), beside):
        if path and os.path.isdir(os.path.join(path, "pcaps")):
            return os.path.realpath(path)
    return None


def table(corpus, name, key="file"):
    with open(os.path.join(corpus, "ref", name), encoding="utf-8", newline="") as f:
        out = collections.defaultdict(list)
        for row in csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE):
            out[row[key]].append(row)
        return out


def captures(corpus):
    root = os.path.join(corpus, "pcaps")
    return sorted(os.path.relpath(os.path.join(d, f), root)
                  for d, _, names in os.walk(root) for f in names)


def run(analyzer, path, out, *more):
    """Exit status, JSON report or None, messages."""
    cmd = [analyzer, "--quiet", "--report", "json", "-w", "csv:" + out, *more, path]
    p = subprocess.run(cmd, capture_output=True, timeout=120, check=False)
    try:
        report = json.loads(p.stdout.decode("utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError):
        report = None
    return p.returncode, report, p.stderr.decode("utf-8", "replace")


def check_packets(info, rc, report, text, path):
    """Problems with the number of packets, the exit status and the conservation law."""
    known = info and info[0]["Number of packets"].isdigit()
    if known and info[0]["File type"].split(" ")[0] in CAPTURES:
        if report is None:
            return [f"exit status {rc}, no report: {text.strip()}"]
        want, got = int(info[0]["Number of packets"]), report["conservation"]["received"]
        if want != got:
            return [f"capinfos counts {want} packets, we {got}: {text.strip()}"]
    if report is None:
        if rc not in (1, 2) or path not in text:
            return [f"refused with status {rc}, message {text.strip()!r}"]
        return []
    problems = []
    c = report["conservation"]
    if c["received"] != c["analysed"] + sum(c["drops"].values()):
        problems.append(f"not conserved: {c}")
    if rc not in (0, 2):
        problems.append(f"exit status {rc}: {text.strip()}")
    if rc == 2 and (path not in text or "octet" not in text):
        problems.append(f"status 2 without file and offset: {text.strip()!r}")
    return problems


def id_key(proto, a, b):
    return (proto, frozenset((a, b)))


def community_id(proto, addr, sport, dport):
    """Community ID v1 of a flow between two ports of one address, in the given order."""
    packed = ipaddress.ip_address(addr).packed
    data = b"\0\0" + packed * 2 + bytes([proto, 0]) + struct.pack("!HH", sport, dport)
    return "1:" + base64.b64encode(hashlib.sha1(data).digest()).decode()


def same_host_id(proto, ours, row):
    """Suricata orders the ports of flows within one host by their bytes the wrong way round.

    Wireshark and Arkime put the smaller port first, as the specification does. True when ours does
    so too and the difference is really this one.
    """
    if row["src_ip"] != row["dst_ip"]:
        return False
    low, high = sorted((int(row["src_port"]), int(row["dst_port"])))
    return (ours == community_id(proto, row["src_ip"], low, high)
            and row["community_id"] == community_id(proto, row["src_ip"], high, low))


SURICATA = {"TCP": 6, "UDP": 17, "SCTP": 132}


def check_ids(rows, theirs):
    """Community IDs of the TCP, UDP and SCTP flows that both have."""
    ours = {}
    for r in rows:
        proto = compare.our_proto(r["proto"])
        if proto in SURICATA.values():
            key = id_key(proto, (ipaddress.ip_address(r["src_ip"]), int(r["src_port"])),
                         (ipaddress.ip_address(r["dst_ip"]), int(r["dst_port"])))
            ours[key] = r["community_id"]
    problems, same, swapped = [], 0, 0
    for r in theirs:
        if r["proto"] not in SURICATA or not r["src_port"] or not r["community_id"]:
            continue
        key = id_key(SURICATA[r["proto"]],
                     (ipaddress.ip_address(r["src_ip"]), int(r["src_port"])),
                     (ipaddress.ip_address(r["dest_ip" if "dest_ip" in r else "dst_ip"]),
                      int(r["dst_port"])))
        if key in ours:
            if ours[key] == r["community_id"]:
                same += 1
            elif same_host_id(SURICATA[r["proto"]], ours[key], r):
                swapped += 1
            else:
                problems.append(f"Community ID of {key}: {ours[key]}, Suricata {r['community_id']}")
    return problems, same, swapped


def check_icmp_ids(rows, theirs):
    """Community IDs of ICMP flows: each of theirs between hosts that we also have is one of ours."""
    names = {"ICMP": 1, "IPv6-ICMP": 58}
    ours = collections.defaultdict(set)
    for r in rows:
        proto = compare.our_proto(r["proto"])
        if proto in names.values():
            ours[proto, frozenset((r["src_ip"], r["dst_ip"]))].add(r["community_id"])
    same = 0
    for r in theirs:
        if r["proto"] in names:
            hosts = frozenset(str(ipaddress.ip_address(r[k])) for k in ("src_ip", "dst_ip"))
            same += r["community_id"] in ours.get((names[r["proto"]], hosts), ())
    return same


def exceptions():
    with open(os.path.join(HERE, "exceptions.tsv"), encoding="utf-8", newline="") as f:
        rows = csv.reader((x for x in f if not x.startswith("#")), delimiter="\t")
        return dict(rows)


def flows(analyzer, corpus):
    files = captures(corpus)
    ref = compare.load_reference(corpus)
    info, suricata = table(corpus, "capinfos.tsv", "File name"), table(corpus, "suricata_flows.tsv")
    failed, differ, ids, swapped, icmp = 0, {}, 0, 0, 0

    def one(name):
        path = os.path.join(corpus, "pcaps", name)
        with tempfile.TemporaryDirectory() as tmp:
            out = os.path.join(tmp, "flows.csv")
            try:
                rc, report, text = run(analyzer, path, out, *WHOLE)
            except subprocess.TimeoutExpired:
                return name, ["no end within 120 s"], [], 0, 0, 0
            rows = []
            if os.path.exists(out):
                with open(out, encoding="utf-8", newline="") as f:
                    rows = list(csv.DictReader(f))
        problems = check_packets(info.get(name), rc, report, text, path)
        wrong, same, swapped = check_ids(rows, suricata.get(name, []))
        return (name, problems + wrong, compare.compare(ref.get(name, []), rows), same,
                swapped, check_icmp_ids(rows, suricata.get(name, [])))

    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        for name, problems, lines, same, other, same_icmp in pool.map(one, files):
            ids += same
            swapped += other
            icmp += same_icmp
            if lines:
                differ[name] = lines
            for p in problems:
                failed += 1
                print(f"FAIL {name}: {p}")
    listed = exceptions()
    for name in sorted(set(differ) - set(listed)):
        failed += 1
        print(f"FAIL {name}: flows differ and exceptions.tsv has no reason")
        print("".join(f"     {line}\n" for line in differ[name][:6]), end="")
    for name in sorted(set(listed) - set(differ)):
        if name in files:
            failed += 1
            print(f"FAIL {name}: stands in exceptions.tsv, but its flows are equal")
    print(f"{len(files)} captures: flows equal in {len(files) - len(differ)}, {len(differ)} with a "
          f"reason; {ids} Community IDs equal to Suricata's, and {icmp} of ICMP; {swapped} within one "
          f"host equal to the specification's and to Wireshark's instead")
    if ids == 0 or icmp == 0:
        failed += 1
        print("FAIL no Community ID was compared")
    return failed


def sorted_digest(path):
    with open(path, "rb") as f:
        return hashlib.sha256(b"".join(sorted(f.readlines()))).hexdigest()


def chosen(corpus, parts):
    if "all" in parts:
        return captures(corpus)
    if parts:
        return [f for f in captures(corpus) if any(p in f for p in parts)]
    with open(os.path.join(corpus, "SMOKE.txt"), encoding="utf-8") as f:
        files = [x.split()[0] for x in f if x.strip() and not x.startswith("#")]
    files = [f[6:] if f.startswith("pcaps/") else f for f in files][::3]
    return sorted(set(files + [f for f in captures(corpus) if f.startswith("ddos_scan/")]))


def tasks(analyzer, corpus, parts):
    files = chosen(corpus, parts)

    def one(name):
        path = os.path.join(corpus, "pcaps", name)
        lines, first = [], None
        for n in (1, 2, 3, 4):
            with tempfile.TemporaryDirectory() as tmp:
                out = os.path.join(tmp, "flows.csv")
                run(analyzer, path, out, "-j", str(n), "-o", "flow.idle=2", "-o", sums.TASKS)
                lines += [f"{n} workers: {x}" for x in sums.check_exact(out)]
                for task in sums.SAME + sums.BOUNDED:
                    rows = sums.table(out, task)
                    if rows and "exact" in rows[0]:
                        lines += [f"{n} workers: {x}" for x in sums.check_bounds(out, task)]
                digest = sums.digest(out)
            first = first or digest
            lines += [f"{n} workers: other rows of {k}" for k in digest if digest[k] != first[k]]
        return name, lines, sum(map(len, first.values()))

    failed, rows = 0, 0
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        for name, lines, n in pool.map(one, files):
            rows += n
            failed += len(lines)
            for line in lines:
                print(f"FAIL {name}: {line}")
    print(f"{len(files)} captures with 1 to 4 workers, {rows} rows of tasks compared")
    return failed + (rows == 0)


def workers(analyzer, corpus, parts):
    files = chosen(corpus, parts)
    failed = 0

    def one(name):
        path = os.path.join(corpus, "pcaps", name)
        seen = set()
        with tempfile.TemporaryDirectory() as tmp:
            for n in (1, 2, 3, 4, 1, 2, 3, 4):
                out = os.path.join(tmp, "flows.csv")
                open(out, "w", encoding="utf-8").close()
                run(analyzer, path, out, "-j", str(n), "-o", "flow.idle=2")
                seen.add(sorted_digest(out))
        return name, len(seen)

    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        for name, n in pool.map(one, files):
            if n != 1:
                failed += 1
                print(f"FAIL {name}: {n} different results with 1 to 4 workers")
    print(f"{len(files)} captures with 1 to 4 workers, twice each")
    return failed


def main(argv):
    corpus = find_corpus()
    if corpus is None:
        print("SKIP: no corpus (NS_CORPUS, or shared/corpus beside the source tree)")
        return SKIP
    if argv[2] == "flows":
        failed = flows(argv[1], corpus)
    elif argv[2] == "tasks":
        failed = tasks(argv[1], corpus, argv[3:])
    else:
        failed = workers(argv[1], corpus, argv[3:])
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
