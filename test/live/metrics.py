# SPDX-License-Identifier: BSD-3-Clause
"""What the tests of metrics share: pages read, and what is on them."""
import os
import re
import shutil
import subprocess
import urllib.error
import urllib.request

import harness
from harness import check

SAMPLE = re.compile(r'^(netspectra_\w+)\{(.*)\} (\S+)$')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
PACKETS = 20000


def need(*tools):
    for tool in tools:
        if not shutil.which(tool):
            harness.skip(f"needs {tool}")


def get(url):
    """Status, text and type of a page."""
    try:
        with urllib.request.urlopen(url, timeout=10) as r:
            return r.status, r.read().decode(), r.headers["Content-Type"]
    except urllib.error.HTTPError as e:
        with e:
            return e.code, e.read().decode(), e.headers["Content-Type"]


def base_of(en):
    """http://address:port that the engine says it listens on."""
    said = re.compile(r"metrics: notice: (http://\S+)/metrics$")
    en.wait(lambda: any(said.search(x) for x in en.errors), "the address of the pages")
    return next(m.group(1) for m in map(said.search, en.errors) if m)


def parse(text):
    """{(name, labels but node): value}; every line must be what the format allows."""
    found = {}
    for line in text.splitlines():
        if line.startswith("# HELP netspectra_") or line.startswith("# TYPE netspectra_"):
            continue
        m = SAMPLE.match(line)
        check(m, f"no sample: {line}")
        labels = dict(LABEL.findall(m.group(2)))
        check("node" in labels, f"no node: {line}")
        del labels["node"]
        key = m.group(1)[len("netspectra_"):], tuple(sorted(labels.items()))
        check(key not in found, f"twice: {line}")
        found[key] = float(m.group(3))
    return found


def numbers(base):
    status, text, _ = get(base + "/metrics")
    check(status == 200, f"/metrics: {status} {text}")
    return parse(text)


def one(page, name, **labels):
    key = name, tuple(sorted(labels.items()))
    check(key in page, f"no {key}")
    return page[key]


def family(page, name, label):
    return {dict(k[1])[label]: v for k, v in page.items() if k[0] == name}


def promtool(*words, text=None):
    r = subprocess.run(["promtool", *words], input=text, capture_output=True, text=True,
                       check=False)
    check(r.returncode == 0 and not r.stderr, f"promtool {words}: {r.stdout}{r.stderr}")


def infinite(folder, gen):
    path = os.path.join(folder, "in.pcap")
    harness.run(gen, "imix", path, str(PACKETS), "2000", "1")
    return f"net_pcap0,rx_pcap={path},infinite_rx=1"


LISTEN = "metrics.listen=127.0.0.1:0"
