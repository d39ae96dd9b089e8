#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The pages that an engine shows by HTTP.

usage: metrics_test.py CASE NS-ENGINE GEN-CAPTURE
"""
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.parse

import harness
from harness import Engine, check, wait_for
from metrics import LISTEN, PACKETS, base_of, family, get, infinite, need, numbers, one, parse, \
    promtool


def growing(pages):
    """Counters never go back, and the account of each page adds up."""
    for before, after in zip(pages, pages[1:]):
        for key, value in before.items():
            check(not key[0].endswith("_total") or after[key] >= value, f"{key} went back")
    for page in pages:
        drops = sum(family(page, "dropped_packets_by_reason_total", "reason").values())
        check(one(page, "dropped_packets_total") == drops, f"drops are not {drops}")
        check(one(page, "conservation_packets") == 0, "not conserved")
        check(one(page, "received_packets_total") == one(page, "analysed_packets_total") + drops +
              one(page, "in_flight_packets"), "the page does not add up")


def pages(folder, engine, gen):
    """Each page; metrics that promtool likes, that grow, add up, and end as the report does."""
    need("promtool")
    with Engine(engine, infinite(folder, gen), options=[LISTEN, "engine.filter=tcp"],
                words=["-w", f"csv:{folder}/out.csv"]) as en:
        base = base_of(en)
        en.wait(lambda: len(en.epochs) >= 2, "epochs")
        status, text, kind = get(base + "/metrics")
        check(status == 200 and kind == "text/plain; version=0.0.4; charset=utf-8",
              f"{status} {kind}")
        promtool("check", "metrics", text=text)
        seen = [parse(text)]
        for _ in range(5):
            epochs = one(seen[-1], "epochs_total")
            wait_for(lambda e=epochs: one(numbers(base), "epochs_total") > e, "another epoch")
            seen.append(numbers(base))
        growing(seen)
        first, last = seen[0], seen[-1]
        check(one(last, "received_packets_total") > one(first, "received_packets_total"),
              "no packets")
        check(family(last, "dropped_packets_by_reason_total", "reason")["filtered"] > 0 and
              "ring_full" in family(last, "dropped_packets_by_reason_total", "reason"),
              "reasons are missing")
        check(set(family(last, "lcore_packets_total", "role")) == {"rx", "analysis"}, "roles")
        busy = family(last, "lcore_busy_seconds_total", "role")
        ran = time.time() - one(last, "process_start_time_seconds")
        check(all(0 < x < ran for x in busy.values()), f"busy for {busy} s of {ran}")
        check(one(last, "writer_status", writer="csv", status="ok") == 1, "no writer")
        # NaN: an epoch without packets
        times = [[one(x, "packet_latency_seconds", quantile=q) for q in ("0.5", "0.999", "1")]
                 for x in seen]
        times = [x for x in times if x[0] == x[0]]
        check(times and all(0 < x[0] <= x[1] <= 1.02 * x[2] for x in times), f"latency {times}")
        check(one(last, "process_resident_memory_bytes") > 1e6 and
              one(last, "process_cpu_seconds_total") > 0, "process")
        for path, what in ("/healthz", "ok\n"), ("/readyz", "ok\n"):
            check(get(base + path)[:2] == (200, what), path)
        check("/readyz" in get(base + "/")[1] and get(base + "/x")[0] == 404, "index")
        en.stop()


def report(folder, engine, gen):
    """What the last page says of packets is what the report says at the end."""
    path = os.path.join(folder, "in.pcap")
    harness.run(gen, "imix", path, str(PACKETS), "2000", "1")
    with Engine(engine, path, words=["-w", f"csv:{folder}/out.csv"],
                options=[LISTEN, "ethdev.profile=pcap", "engine.filter=not tcp",
                         "engine.mode=rtc"]) as en:
        base = base_of(en)
        en.wait_packets(PACKETS)
        wait_for(lambda: one(numbers(base), "in_flight_packets") == 0 and
                 one(numbers(base), "received_packets_total") == PACKETS, "all of them analysed")
        page = numbers(base)
        r = en.stop()
    check(one(page, "received_packets_total") == r["received"] == PACKETS, "received")
    check(one(page, "received_bytes_total") == r["octets"], "octets")
    check(one(page, "analysed_packets_total") == r["analysed"] > 0, "analysed")
    drops = {k: v for k, v in
             family(page, "dropped_packets_by_reason_total", "reason").items() if v}
    check(drops == r["drops"] and drops["filtered"] > 0, f"{drops}, not {r['drops']}")
    check(one(page, "flows_created_total") == r["created"] > 0, "flows")


def ready(folder, engine, gen):
    """/readyz names a writer that has failed and one that stands still; packets go on."""
    with Engine(engine, infinite(folder, gen), options=[LISTEN],
                words=["-w", "csv:/dev/full"]) as en:
        base = base_of(en)
        en.wait(lambda: get(base + "/readyz")[0] == 503 and
                "/dev/full" in get(base + "/readyz")[1], "the writer to fail")
        text = get(base + "/readyz")[1]
        check(re.search(r"^writer csv \(/dev/full\) is failed: .*No space left", text), text)
        check(one(numbers(base), "writer_status", writer="csv", status="failed") == 1, "status")
        check(get(base + "/healthz")[0] == 200, "the engine itself is well")
        en.kill(signal.SIGINT)
        en.finish(status=1)

    fifo = os.path.join(folder, "fifo")
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    with Engine(engine, infinite(folder, gen), words=["-w", "csv:" + fifo],
                options=[LISTEN, "flow.active=1", "flow.idle=1"]) as en:
        base = base_of(en)
        en.wait(lambda: "stands still" in get(base + "/readyz")[1], "the writer to stand still")
        status, text, _ = get(base + "/readyz")
        check(status == 503 and text.startswith(f"writer csv ({fifo}) stands still: "), text)
        page = numbers(base)
        check(one(page, "writer_stalled", writer="csv") == 1, "not stalled")
        check(one(page, "writer_queued_batches", writer="csv") > 0, "nothing queued")
        wait_for(lambda: one(numbers(base), "received_packets_total") >
                 one(page, "received_packets_total"), "packets to go on")
        # somebody reads: it is ready again
        os.set_blocking(reader, True)

        def drain():
            with os.fdopen(reader, "rb") as f:
                while f.read(1 << 16):
                    pass
        t = threading.Thread(target=drain)
        t.start()
        en.wait(lambda: get(base + "/readyz")[:2] == (200, "ok\n"), "the writer to go on")
        en.stop()
        t.join()


def down(folder, engine, gen):
    """/readyz names a writer whose server is not there, and is content when it comes."""
    need("redis-server")
    with socket.create_server(("127.0.0.1", 0)) as s:
        port = s.getsockname()[1]
    with Engine(engine, infinite(folder, gen), options=[LISTEN],
                words=["-w", f"redis:127.0.0.1:{port}"]) as en:
        base = base_of(en)
        en.wait(lambda: "redis" in get(base + "/readyz")[1], "the writer to be down")
        status, text, _ = get(base + "/readyz")
        check(status == 503 and
              re.search(rf"^writer redis \(127.0.0.1:{port}\) is down: .*refused", text), text)
        check(one(numbers(base), "writer_status", writer="redis", status="down") == 1, "status")
        check(get(base + "/healthz")[0] == 200, "the engine itself is well")
        with subprocess.Popen(["redis-server", "--port", str(port), "--bind", "127.0.0.1",
                               "--save", "", "--dir", folder], stdout=subprocess.DEVNULL) as r:
            try:
                en.wait(lambda: get(base + "/readyz")[:2] == (200, "ok\n"), "the writer to be up")
                check(one(numbers(base), "writer_status", writer="redis", status="ok") == 1,
                      "status")
                en.stop()
            finally:
                r.terminate()
                r.wait(20)


def dial(base):
    at = urllib.parse.urlsplit(base)
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    s.settimeout(15)
    s.connect((at.hostname, at.port))
    return s


def slow(folder, engine, gen):
    """Clients that do not read, or do not ask, hold up neither epochs nor other clients."""
    target = infinite(folder, gen)
    with Engine(engine, target, options=[LISTEN, "metrics.connections=12"]) as en:
        base = base_of(en)
        en.wait(lambda: len(en.epochs) >= 2, "epochs")
        clients = [dial(base) for _ in range(10)]
        for c in clients[:5]:  # ask for far more than is buffered and read nothing
            c.send(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 300)
        for c in clients[5:]:  # half a request
            c.send(b"GET /metr")
        n = len(en.epochs)
        en.wait(lambda: len(en.epochs) > n + 10, "epochs beside slow clients")
        check(one(numbers(base), "metrics_skipped_epochs_total") == 0, "epochs are skipped")
        check(get(base + "/readyz")[0] == 200, "ready")
        en.stop()  # in the middle of their pages
        for c in clients:
            c.close()
    with Engine(engine, target, options=[LISTEN, "metrics.timeout=1"]) as en:
        # one that stands still gets an end, and no time-out of its own
        with dial(base_of(en)) as c:
            c.send(b"GET /metr")
            check(c.recv(1) == b"", "an answer to half a request")
        en.wait(lambda: en.epochs, "an epoch")
        en.stop()


def refused(folder, engine, _):
    """Addresses that can't be had: a message that names them, status 1."""
    taken = socket.create_server(("127.0.0.1", 0))
    port = taken.getsockname()[1]
    for address, message in (
            ("localhost:9476", "is not an address and a port"),
            ("127.0.0.1", "is not an address and a port"),
            ("127.0.0.1:65536", "is not an address and a port"),
            ("'::1:9476'", "is not an address and a port"),
            ("192.0.2.1:9476", "metrics.listen 192.0.2.1:9476: Cannot assign requested address"),
            ("'[2001:db8::1]:9476'", "metrics.listen [2001:db8::1]:9476: Cannot assign"),
            (f"127.0.0.1:{port}", f"metrics.listen 127.0.0.1:{port}: Address already in use")):
        r = subprocess.run([engine, "-o", f"metrics.listen={address}", "-o", "flow.max=65536",
                            "net_null0"], capture_output=True, text=True, check=False,
                           timeout=30)
        check(r.returncode == 1 and message in r.stderr, f"{address}: {r.stderr}")
    taken.close()
    r = subprocess.run([engine, "--check", "-o", "metrics.listen=nonsense"],
                       capture_output=True, text=True, check=False)
    check(r.returncode == 1 and "nonsense" in r.stderr, f"--check: {r.stderr}")


def ipv6(folder, engine, gen):
    """The pages on [::1]."""
    with open("/proc/sys/net/ipv6/conf/lo/disable_ipv6", "w", encoding="ascii") as f:
        f.write("0")
    harness.run("ip", "link", "set", "lo", "down")
    harness.run("ip", "link", "set", "lo", "up")
    with Engine(engine, infinite(folder, gen), options=["metrics.listen='[::1]:0'"]) as en:
        base = base_of(en)
        check(base.startswith("http://[::1]:"), base)
        en.wait(lambda: len(en.epochs) >= 2, "epochs")
        check(one(numbers(base), "received_packets_total") > 0, "no packets")
        en.stop()


def documented(folder, engine, gen):
    """doc/metrics.md has each metric of a page and no other."""
    with Engine(engine, infinite(folder, gen), options=[LISTEN],
                words=["-w", f"csv:{folder}/out.csv"]) as en:
        base = base_of(en)
        en.wait(lambda: len(en.epochs) >= 2, "epochs")
        text = get(base + "/metrics")[1]
        en.stop()
    shown = set(re.findall(r"^# TYPE (netspectra_\w+)", text, re.M))
    with open(os.path.join(harness.ROOT, "doc", "metrics.md"), encoding="utf-8") as f:
        told = set(re.findall(r"^\| `(netspectra_\w+)`", f.read(), re.M))
    check(shown == told, f"not in doc/metrics.md: {sorted(shown - told)}; "
                         f"only there: {sorted(told - shown)}")


if __name__ == "__main__":
    sys.exit(harness.main({f.__name__: f for f in (
        pages, report, ready, down, slow, refused, ipv6, documented)}, sys.argv))
