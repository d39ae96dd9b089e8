# SPDX-License-Identifier: BSD-3-Clause
"""What results of tasks must be, computed from the flow records of the same run."""
import collections
import csv
import ipaddress
import os

# Tasks that are held against the records and against themselves with other numbers of workers.
TASKS = """tasks=[
 {name: by_flow, type: exact, of: flows, key: [src_ip, dst_port, proto]},
 {name: by_pair, type: exact, key: [initiator_ip, responder_ip, responder_port, proto]},
 {name: by_sender, type: exact, key: [src_ip/24/48]},
 {name: all_of_it, type: exact},
 {name: few_groups, type: exact, key: [src_ip, src_port], max: 16},
 {name: top_sources, type: heavy, key: [src_ip], by: octets, verify: true},
 {name: top_talkers, type: heavy, key: [initiator_ip, responder_ip], by: packets, memory: 4 KiB, top: 20,
  verify: true},
 {name: sources, type: cardinality, key: [src_ip], verify: true},
 {name: by_protocol, type: cardinality, key: [src_ip, dst_ip], per: proto, verify: true},
 {name: fan_out, type: spread, key: [initiator_ip], peers: [responder_ip, responder_port],
  verify: true},
 {name: sizes, type: quantile, value: l2_octets, verify: true},
 {name: durations, type: quantile, of: flows, value: duration_ns, verify: true},
 {name: mix, type: entropy, key: [src_ip], by: packets, verify: true},
 {name: some, type: frequency, key: [src_ip], by: octets, verify: true,
  watch: [10.0.0.1, 10.0.0.2, 10.1.0.1, 192.168.1.1, 192.0.2.1]},
 {name: some_plain, type: frequency, key: [proto, responder_port], plain: true, memory: 4 KiB, verify: true,
  watch: [tcp 80, tcp 443, udp 53, udp 65001]},
 {name: rates, type: rate},
]"""
# Their rows are the same for any number of workers, bit for bit; a heavy task's are so only while
# all keys have a place, and otherwise hold the exact value within their bounds.
SAME = ("by_flow", "by_pair", "by_sender", "all_of_it", "few_groups", "sources", "by_protocol",
        "fan_out", "sizes", "durations", "some_plain", "rates")
BOUNDED = ("top_sources", "top_talkers", "mix", "some")

SUMS = ("packets", "rev_packets", "ip_octets", "rev_ip_octets", "l2_octets", "rev_l2_octets")


def table(path, name):
    """Rows of a task beside the CSV of flows; none when it has none."""
    base, ext = os.path.splitext(path)
    try:
        with open(f"{base}.{name}{ext}", encoding="utf-8", newline="") as f:
            return list(csv.DictReader(f))
    except FileNotFoundError:
        return []


def net(text):
    ip = ipaddress.ip_address(text)
    return str(ipaddress.ip_network((ip, 24 if ip.version == 4 else 48), strict=False))


def number(row, *names):
    return sum(int(row[n]) for n in names)


def want_by_flow(flows):
    out = collections.defaultdict(collections.Counter)
    for r in flows:
        s = out[r["src_ip"], r["dst_port"], r["proto"]]
        s["flows"] += 1
        for n in SUMS:
            s[n] += int(r[n])
    return out


def want_packets(flows, forward, reverse):
    """Sums of packets by the key that each direction of a flow has."""
    out = collections.defaultdict(collections.Counter)
    for r in flows:
        out[forward(r)]["flows"] += 1
        for key, rev in ((forward(r), ""), (reverse(r), "rev_")):
            s = out[key]
            s["packets"] += int(r[rev + "packets"])
            s["ip_octets"] += int(r[rev + "ip_octets"])
            s["octets"] += int(r[rev + "l2_octets"])
    return {k: v for k, v in out.items() if v["packets"] > 0}


def got(rows, keys):
    out = {}
    for r in rows:
        key = tuple(r[k] for k in keys)
        if r["overflow"] != "0" or key in out:
            raise AssertionError(f"unexpected row {r}")
        out[key] = r
    return out


def compare(name, want, have):
    """Lines that say what is wrong."""
    lines = [f"{name}: no row for {k}" for k in list(want.keys() - have.keys())[:3]]
    lines += [f"{name}: a row too many for {k}" for k in list(have.keys() - want.keys())[:3]]
    for key in want.keys() & have.keys():
        bad = {n: (v, have[key][n]) for n, v in want[key].items() if str(v) != have[key][n]}
        if bad:
            lines.append(f"{name}: {key}: (expected, got) {bad}")
    return lines[:5]


def check_exact(path):
    """The exact tasks beside the CSV of flows at path against the sums of those flows."""
    try:
        with open(path, encoding="utf-8", newline="") as f:
            flows = list(csv.DictReader(f))
    except FileNotFoundError:
        flows = []
    pair = lambda r: (r["src_ip"], r["dst_ip"], r["dst_port"], r["proto"])
    lines = compare("by_flow", want_by_flow(flows),
                    got(table(path, "by_flow"), ("src_ip", "dst_port", "proto")))
    lines += compare("by_pair", want_packets(flows, pair, pair),
                     got(table(path, "by_pair"),
                         ("initiator_ip", "responder_ip", "responder_port", "proto")))
    lines += compare("by_sender", want_packets(flows, lambda r: (net(r["src_ip"]),),
                                               lambda r: (net(r["dst_ip"]),)),
                     got(table(path, "by_sender"), ("src_ip",)))
    if flows:
        lines += compare("all_of_it", want_packets(flows, lambda r: (), lambda r: ()),
                         got(table(path, "all_of_it"), ()))
    few = table(path, "few_groups")
    total = want_packets(flows, lambda r: (), lambda r: ()).get((), {})
    for n in ("packets", "octets", "ip_octets", "flows") if flows else ():
        if number(total, n) != sum(int(r[n]) for r in few):
            lines.append(f"few_groups: {n} of all rows are not those of the flows")
    if sum(r["overflow"] == "0" for r in few) > 16:
        lines.append("few_groups: more than 16 groups")
    return lines


def check_bounds(path, name):
    """Each row with an exact value has it within its bounds, where those are certain."""
    lines = []
    for r in table(path, name):
        if r["exact"] == "":
            continue
        low, high, exact = float(r["lower"]), float(r["upper"]), float(r["exact"])
        certain = float(r["confidence"]) == 1
        slack = 1e-6 * max(1, abs(exact))
        if certain and not low - slack <= exact <= high + slack:
            lines.append(f"{name}: exact {exact} not within {low} and {high}: {r}")
    return lines[:3]


def digest(path):
    """All that must not depend on the number of workers."""
    return {name: sorted(tuple(r.items()) for r in table(path, name)) for name in SAME}
