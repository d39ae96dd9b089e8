#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""meson install into a folder: programs that run from there, profiles that they find, a unit that
systemd has nothing to say of.

usage: install_test.py BUILD-ROOT
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

# Of 10; what a hardened unit may have for reaching the network and VFIO devices.
EXPOSURE = 2.5


def need(ok, what):
    if not ok:
        print("FAILED: " + what)
        sys.exit(1)


def run(*words, **more):
    p = subprocess.run(words, capture_output=True, text=True, check=False, timeout=100, **more)
    return p.returncode, p.stdout, p.stderr


def main(build):
    meson = shutil.which("meson")
    with tempfile.TemporaryDirectory(prefix="ns-install-") as root:
        status, out, err = run(meson, "install", "-C", build, "--no-rebuild", "--destdir", root)
        need(status == 0, f"meson install: {status}\n{out}{err}")
        names = {os.path.relpath(os.path.join(d, f), root)
                 for d, _, files in os.walk(root) for f in files}

        def only(pattern):
            found = [n for n in names if re.fullmatch(pattern, n)]
            need(len(found) == 1, f"{pattern}: {found} of {sorted(names)}")
            return os.path.join(root, found[0])

        engine = only(r".*/bin/ns-engine")
        only(r".*/bin/ns-watchdog")
        analyzer = only(r".*/bin/pcap-analyzer")
        for name in ("live-nic.yaml", "live-af_packet.yaml"):
            only(r".*/share/netspectra/conf/" + re.escape(name))
        only(r".*/share/doc/netspectra/operate\.md")
        only(r".*/share/netspectra/conf/isp-edge\.yaml")
        need(not [n for n in names if n.endswith("meson.build")], "meson.build is for nobody")
        only(r".*/lib/sysusers\.d/netspectra\.conf")
        profile = only(r".*/share/netspectra/drivers-config/null\.yaml")
        need(not os.path.exists(os.path.join(os.path.dirname(profile), "meson.build")),
             "meson.build is no profile")
        for tool in "nic-setup", "nic-undo", "ns-grant":
            need(os.access(only(rf".*/libexec/netspectra/{tool}"), os.X_OK), tool)
        need(not [n for n in names if n.endswith((".a", ".h"))], "nobody asked for a library")

        for program in engine, analyzer:
            status, out, err = run(program, "--version")
            need(status == 0 and "NetSpectra" in out, f"{program}: {err}")
            status, _, err = run(program, "--check", "-c",
                                 only(r".*/share/netspectra/conf/live-nic\.yaml"), cwd=root)
            need(status == 0, err)
        # of profiles it finds the installed one, beside itself
        env = {k: v for k, v in os.environ.items() if k != "NS_DRIVERS_CONFIG"}
        status, _, err = run(engine, "-o", "ethdev.profile=nosuch", "null", env=env)
        need(status == 1 and "nosuch.yaml" in err, err)

        unit = only(r".*/lib/systemd/system/netspectra@\.service")
        with open(unit, encoding="utf-8") as f:
            text = f.read()
        need("@bindir@" not in text and "Type=notify" in text, text)
        if not shutil.which("systemd-analyze"):
            print("skipped: systemd-analyze is missing (Debian: systemd)")
            return 77
        # verify asks whether the programs are there, under their final names
        here = os.path.join(root, "netspectra@.service")
        with open(here, "w", encoding="utf-8") as f:
            f.write(re.sub(r"(?m)^(Exec\w+=)(?=/\S*/ns-engine)", rf"\1{root}", text))
        status, out, err = run("systemd-analyze", "verify", "--man=no", here)
        need(status == 0 and out + err == "", f"verify: {status}\n{out}{err}")
        status, out, err = run("systemd-analyze", "security", "--offline=true", "--no-pager", here)
        found = re.search(r"Overall exposure level for .*: ([\d.]+) ", out)
        need(found is not None, f"security: {status}\n{out}{err}")
        print(f"exposure {found[1]} of 10")
        need(float(found[1]) <= EXPOSURE, out)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
