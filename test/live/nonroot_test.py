#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The engine as nobody, with file capabilities from usertools/ns-grant and nothing else.

usage: nonroot_test.py CASE NS-ENGINE
"""
import os
import shutil
import subprocess
import sys

import harness
from harness import Engine, check

NOBODY = ["--reuid=65534", "--regid=65534", "--clear-groups"]
GRANT = os.path.join(harness.ROOT, "usertools", "ns-grant")


def prepared(folder, engine):
    """A copy of the program that nobody can run, in a folder that nobody can enter."""
    for tool in "setpriv", "setcap", "getcap":
        if not shutil.which(tool) and not os.path.exists("/usr/sbin/" + tool):
            harness.skip(f"needs {tool} (Debian: libcap2-bin, util-linux)")
    os.chmod(folder, 0o755)
    os.mkdir(os.path.join(folder, "run"))
    os.chown(os.path.join(folder, "run"), 65534, 65534)
    copy = os.path.join(folder, "ns-engine")
    shutil.copy(engine, copy)
    os.chmod(copy, 0o755)
    if subprocess.run(["setcap", "cap_net_raw+ep", copy], check=False,
                      stderr=subprocess.DEVNULL).returncode != 0:
        harness.skip("this file system keeps no capabilities")
    harness.run(GRANT, "--remove", copy)
    return copy


def as_nobody(copy, *words):
    return ["setpriv", *NOBODY, copy, *words]


def af_packet(folder, engine):
    copy = prepared(folder, engine)
    watched, sender = harness.veth()
    run = os.path.join(folder, "run")
    env = {"XDG_RUNTIME_DIR": run}
    profile = os.path.join(folder, "af_packet.yaml")
    shutil.copy(os.path.join(harness.ROOT, "drivers-config", "af_packet.yaml"), profile)
    # without the capabilities: refused, and told why
    p = subprocess.run(as_nobody(copy, "-o", "ethdev.profile=" + profile, "-o", "flow.max=65536",
                                 watched), capture_output=True, text=True, check=False, timeout=40,
                       env=dict(os.environ, **env))
    check(p.returncode == 1 and "CAP_NET_RAW" in p.stderr, f"{p.returncode}: {p.stderr}")
    harness.run(GRANT, "af_packet", copy)
    out = os.path.join(run, "flows.csv")
    frames = [harness.udp_frame(i) for i in range(2000)]
    with Engine("setpriv", watched, words=[*NOBODY, copy, "-w", "csv:" + out],
                options=["ethdev.profile=" + profile],
                env=env) as e:
        e.wait(lambda: e.epochs, "the first epoch")
        with open(f"/proc/{e.process.pid}/status", encoding="ascii") as f:
            status = dict(line.split(":\t", 1) for line in f.read().splitlines() if ":\t" in line)
        check(status["Uid"].split() == ["65534"] * 4, status["Uid"])
        # CAP_NET_ADMIN 12, CAP_NET_RAW 13, CAP_IPC_LOCK 14 and no other
        check(int(status["CapEff"], 16) == 7 << 12, status["CapEff"])
        harness.send(sender, frames)
        e.wait_packets(len(frames))
        harness.all_analysed(e.stop(), len(frames))
    with open(out, encoding="ascii") as f:
        check(len(f.readlines()) == len(frames) + 1, "a record for each flow")
    check(os.stat(out).st_uid == 65534, "the file is nobody's")
    # taken back
    harness.run(GRANT, "--remove", copy)
    left = subprocess.run(["getcap", copy], capture_output=True, text=True, check=True).stdout
    check(left == "", left)


if __name__ == "__main__":
    sys.exit(harness.main({"af_packet": af_packet}, sys.argv))
