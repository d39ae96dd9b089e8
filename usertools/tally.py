#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""tally.py BUILDDIR: what a run of `meson test` came to.

Writes the whole output of each test that failed to standard error, and "PASSED FAILED SKIPPED" to
standard output.
"""
import json
import os
import sys

GOOD = ("OK", "EXPECTEDFAIL")


def main(build):
    passed = failed = skipped = 0
    with open(os.path.join(build, "meson-logs", "testlog.json"), encoding="utf-8") as log:
        for line in log:
            test = json.loads(line)
            if test["result"] in GOOD:
                passed += 1
            elif test["result"] == "SKIP":
                skipped += 1
            else:
                failed += 1
                print(f"==== {test['name']}: {test['result']} after {test['duration']:.1f} s, "
                      f"status {test['returncode']}", file=sys.stderr)
                for stream in ("stdout", "stderr"):
                    print(test.get(stream) or "", end="", file=sys.stderr)
                print(f"==== end of {test['name']}", file=sys.stderr)
    print(passed, failed, skipped)


if __name__ == "__main__":
    main(sys.argv[1])
