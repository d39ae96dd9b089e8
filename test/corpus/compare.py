# SPDX-License-Identifier: BSD-3-Clause
"""Flows of our CSV against the reference table of tshark, summed over VLANs, tunnels and time.

The reference keys a flow by protocol and both endpoints; ICMP has no ports in it. tshark gives the
fragments of a datagram to rows "udp(frag)" without ports, all but the one that completes it: where a
pair of hosts has such rows, both sides are summed over ports for that pair and protocol.
"""
import collections
import csv
import gzip
import ipaddress
import os
import re

# What tshark calls the protocols that have a name in its rows.
TSHARK_PROTOS = {
    "tcp": 6, "udp": 17, "icmp": 1, "icmpv6": 58, "igmp": 2, "gre": 47, "esp": 50, "ah": 51,
    "sctp": 132, "ospf": 89, "pim": 103, "vrrp": 112, "eigrp": 88, "ipip": 4, "ipv6": 41,
    "rsvp": 46, "dccp": 33, "ipcomp": 108,
}


def iana_protos():
    """The keywords that we print, from the table of the record room."""
    root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    with open(os.path.join(root, "lib", "rec", "proto.c"), encoding="utf-8") as f:
        return {n: int(i) for i, n in re.findall(r'\[(\d+)\] = K\("([^"]+)"\)', f.read())}


IANA_PROTOS = iana_protos()


def tshark_proto(name):
    """Number of the protocol of a reference row, and whether it is a row of fragments."""
    frag = name.endswith("(frag)")
    base = name[:-6] if frag else name
    if base in TSHARK_PROTOS:
        return TSHARK_PROTOS[base], frag
    if base == "ip6":
        return None, frag
    if base.startswith("ip6."):
        return int(base[4:]), frag
    if base.startswith("ip"):
        return int(base[2:]), frag
    raise ValueError(f"unknown protocol name {name!r}")


def our_proto(name):
    return int(name) if name.isdigit() else IANA_PROTOS[name]


def load_reference(corpus):
    """{capture: rows} of the level to compare with."""
    rows = collections.defaultdict(lambda: {"inner": [], "outer": []})
    ref = os.path.join(corpus, "ref")

    def take(stream):
        for row in csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE):
            rows[row["file"]][row["level"]].append(row)

    with open(os.path.join(ref, "tshark_flows.tsv"), encoding="utf-8", newline="") as f:
        take(f)
    for name in sorted(os.listdir(os.path.join(ref, "big"))):
        if "tshark_flows" in name:
            with gzip.open(os.path.join(ref, "big", name), "rt", encoding="utf-8") as f:
                take(f)
    return {k: (v["inner"] or v["outer"]) for k, v in rows.items()}


def endpoint(ip, port, proto):
    if proto in (1, 58) or port in ("", None):
        port = "0"
    return (ipaddress.ip_address(ip), int(port))


def add(table, proto, a, b, fwd, back):
    """Sums into table[proto, low endpoint, high endpoint] the counters each way."""
    if (a[0].version, int(a[0]), a[1]) > (b[0].version, int(b[0]), b[1]):
        a, b, fwd, back = b, a, back, fwd
    entry = table.setdefault((proto, str(a[0]), a[1], str(b[0]), b[1]), [0] * 6)
    for i, v in enumerate(list(fwd) + list(back)):
        entry[i] += int(v)


def pair(a, b):
    return frozenset((str(a[0]), str(b[0])))


def compare(ref_rows, our_rows):
    """Differences as text lines; empty when equal."""
    ref, ours, folded = [], [], set()
    for r in ref_rows:
        proto, frag = tshark_proto(r["proto"])
        a = endpoint(r["a_ip"], r["a_port"], proto)
        b = endpoint(r["b_ip"], r["b_port"], proto)
        if frag:
            folded.add((proto, pair(a, b)))
        ref.append((proto, a, b, (r["a2b_pkts"], r["a2b_bytes"], r["a2b_ipbytes"]),
                    (r["b2a_pkts"], r["b2a_bytes"], r["b2a_ipbytes"])))
    for r in our_rows:
        proto = our_proto(r["proto"])
        ours.append((proto, endpoint(r["src_ip"], r["src_port"], proto),
                     endpoint(r["dst_ip"], "0" if proto in (1, 58) else r["dst_port"], proto),
                     (r["packets"], r["l2_octets"], r["ip_octets"]),
                     (r["rev_packets"], r["rev_l2_octets"], r["rev_ip_octets"])))

    def table(rows):
        out = {}
        for proto, a, b, fwd, back in rows:
            p = pair(a, b)
            if (None, p) in folded:
                add(out, None, (a[0], 0), (b[0], 0), fwd, back)
            elif (proto, p) in folded:
                add(out, proto, (a[0], 0), (b[0], 0), fwd, back)
            else:
                add(out, proto, a, b, fwd, back)
        return {k: v for k, v in out.items() if any(v)}

    left, right = table(ref), table(ours)
    lines = []
    for key in sorted(set(left) | set(right), key=str):
        if left.get(key) != right.get(key):
            lines.append(f"{key}: reference {left.get(key)}, ours {right.get(key)}")
    return lines
