#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Real readers of an engine's numbers: dpdk-telemetry.py, Prometheus, its alert rules.

usage: monitor_test.py CASE NS-ENGINE GEN-CAPTURE
"""
import json
import os
import re
import socket
import subprocess
import sys
import urllib.error
import urllib.parse

import harness
from harness import Engine, check, wait_for
from metrics import LISTEN, base_of, get, infinite, need, promtool


def ask(folder, *commands, more=()):
    """What dpdk-telemetry.py prints, a dictionary a command."""
    r = subprocess.run(["dpdk-telemetry.py", *more], input="\n".join(commands) + "\n",
                       env=dict(os.environ, RUNTIME_DIRECTORY=folder), capture_output=True,
                       text=True, check=False, timeout=30)
    check(r.returncode == 0, f"dpdk-telemetry.py: {r.stdout}{r.stderr}")
    return [json.loads(x) for x in r.stdout.splitlines()]


def telemetry(folder, engine, gen):
    """dpdk-telemetry.py reads each command; two engines; and what can't be had."""
    need("dpdk-telemetry.py")
    place = {"RUNTIME_DIRECTORY": folder}
    path = os.path.join(folder, "dpdk", "rte", "dpdk_telemetry.v2")
    target = infinite(folder, gen)
    with Engine(engine, target, options=["engine.node=first"], env=place,
                words=["-w", f"csv:{folder}/out.csv"]) as en:
        en.wait(lambda: len(en.epochs) >= 2, "epochs")
        names = ["/netspectra/" + x for x in ("epoch", "lcores", "drops", "writers", "info")]
        epoch, lcores, drops, writers, info = (
            a[n] for a, n in zip(ask(folder, *names), names))
        check(epoch["received"] == epoch["analysed"] + epoch["dropped"] + epoch["in_flight"] > 0,
              f"{epoch}")
        check(sum(drops.values()) >= epoch["dropped"] and drops["ring_full"] >= 0, f"{drops}")
        check([x["role"] for x in lcores.values()] == ["rx", "analysis"], f"{lcores}")
        check(writers["0"]["name"] == "csv" and writers["0"]["status"] == "ok", f"{writers}")
        check(info["node"] == "first" and info["writers"] == 1, f"{info}")
        (again,) = ask(folder, "/netspectra/epoch")
        wait_for(lambda: ask(folder, "/netspectra/epoch")[0]["/netspectra/epoch"]["epoch"] >
                 again["/netspectra/epoch"]["epoch"], "a later epoch")
        (lcore,) = ask(folder, "/netspectra/lcores,1")
        check(lcore["/netspectra/lcores"]["role"] == "rx", f"{lcore}")
        # DPDK's own are there too
        (ports,) = ask(folder, "/ethdev/list")
        check(ports == {"/ethdev/list": [0]}, f"{ports}")

        with Engine(engine, "net_null0", options=["engine.node=second"], env=place) as other:
            other.wait(lambda: len(other.epochs) >= 2, "epochs")
            (info,) = ask(folder, "/netspectra/info", more=["-i", "1"])
            check(info["/netspectra/info"]["node"] == "second", f"{info}")
            other.stop()
        en.stop()
    check(not os.path.exists(path), "the socket is left")
    with Engine(engine, "net_null0", options=["engine.telemetry=no"], env=place) as en:
        en.wait(lambda: en.epochs, "an epoch")
        check(not os.path.exists(path), "a socket with telemetry off")
        en.stop()
    nowhere = {"RUNTIME_DIRECTORY": "/proc/nowhere"}
    with Engine(engine, "net_null0", env=nowhere) as en:
        en.wait(lambda: en.epochs, "an epoch")
        en.stop()
    r = subprocess.run([engine, "-o", "engine.telemetry=yes", "-o", "flow.max=65536",
                        "net_null0"], env=dict(os.environ, **nowhere), capture_output=True,
                       text=True, check=False, timeout=30)
    check(r.returncode == 1 and "engine.telemetry: /proc/nowhere/dpdk: " in r.stderr, r.stderr)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


def query(server, text):
    status, answer, _ = get(f"{server}/api/v1/query?" + urllib.parse.urlencode({"query": text}))
    check(status in (200, 503), f"{text}: {status} {answer}")
    return json.loads(answer)["data"]["result"] if status == 200 else []


def panels():
    """The queries of doc/metrics.md."""
    with open(os.path.join(harness.ROOT, "doc", "metrics.md"), encoding="utf-8") as f:
        found = re.search(r"^```promql\n(.*?)^```", f.read(), re.M | re.S).group(1).splitlines()
    check(len(found) > 10, f"{found}")
    return found


def prometheus(folder, engine, gen):
    """A real server scrapes the engine, answers for it, and its rules hold their peace."""
    need("prometheus", "promtool")
    port = free_port()
    server = f"http://127.0.0.1:{port}"
    rules = os.path.realpath(os.path.join(harness.ROOT, "usertools", "prometheus"))
    conf = os.path.join(folder, "prometheus.yml")
    with Engine(engine, infinite(folder, gen), options=[LISTEN, "engine.node=watched"],
                words=["-w", f"csv:{folder}/out.csv"]) as en:
        base = base_of(en)
        with open(conf, "w", encoding="ascii") as f:
            f.write("global: {scrape_interval: 250ms, evaluation_interval: 250ms}\n"
                    f"rule_files: [{rules}/netspectra.rules.yml]\n"
                    "scrape_configs:\n  - job_name: netspectra\n    static_configs:\n"
                    f"      - targets: ['{urllib.parse.urlsplit(base).netloc}']\n")
        promtool("check", "config", conf)
        with open(os.path.join(folder, "prometheus.log"), "w", encoding="ascii") as log, \
                subprocess.Popen(["prometheus", f"--config.file={conf}",
                                  f"--storage.tsdb.path={folder}/tsdb",
                                  f"--web.listen-address=127.0.0.1:{port}"],
                                 stdout=log, stderr=log) as p:
            try:
                def rate():
                    try:
                        return query(server, 'rate(netspectra_received_packets_total'
                                             '{node="watched"}[5s]) > 0')
                    except (urllib.error.URLError, OSError):
                        return []
                en.wait(rate, "a rate of packets from Prometheus")
                check(float(rate()[0]["value"][1]) > 0, "rate")
                up = query(server, 'up{job="netspectra"}')
                check([x["value"][1] for x in up] == ["1"], f"up: {up}")
                check(query(server, "netspectra_conservation_packets")[0]["value"][1] == "0",
                      "conservation")
                reasons = query(server, "netspectra_dropped_packets_by_reason_total")
                check(len(reasons) > 5, f"reasons: {reasons}")
                fired = query(server, 'ALERTS{alertname=~"NetspectraNotConserved|'
                                      'NetspectraWriter.*|NetspectraEpochsStopped"}')
                check(not fired, f"{fired}")
                latency = query(server, 'netspectra_packet_latency_seconds{quantile="0.99"}')
                check(len(latency) == 1, f"{latency}")
                for panel in panels():
                    check(isinstance(query(server, panel), list), panel)
            finally:
                p.terminate()
                p.wait(20)
        en.stop()


def rules(folder, engine, _):
    """The alert rules are well formed, fire when they should and not otherwise."""
    need("promtool")
    place = os.path.realpath(os.path.join(harness.ROOT, "usertools", "prometheus"))
    promtool("check", "rules", os.path.join(place, "netspectra.rules.yml"))
    r = subprocess.run(["promtool", "test", "rules", "netspectra.test.yml"], cwd=place,
                       capture_output=True, text=True, check=False)
    check(r.returncode == 0, r.stdout + r.stderr)


if __name__ == "__main__":
    sys.exit(harness.main({f.__name__: f for f in (telemetry, prometheus, rules)}, sys.argv))
