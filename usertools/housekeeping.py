#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The few file operations of the build that Meson has no word for.

plugins DIR       names of the plug-in folders of a room, sorted, one a line
stage FROM TO     copy a public header to where other rooms see it
alone HEADER OUT  write a source file that includes one public header and nothing else
write TEXT OUT    write TEXT to OUT
sweep DIR KEPT... remove the files below DIR that are not one of KEPT

A file whose content would not change is left alone: its time decides what is compiled again.
"""
import os
import sys


def put(path, data):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    try:
        with open(path, "rb") as old:
            if old.read() == data:
                return
    except FileNotFoundError:
        pass
    with open(path, "wb") as out:
        out.write(data)


def sweep(top, kept):
    kept = {os.path.realpath(k) for k in kept}
    for folder, _, names in os.walk(top, topdown=False):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.realpath(path) not in kept:
                os.remove(path)
        if not os.listdir(folder):
            os.rmdir(folder)


def main(argv):
    verb, args = argv[1], argv[2:]
    if verb == "plugins":
        for name in sorted(os.listdir(args[0])):
            if os.path.isfile(os.path.join(args[0], name, "meson.build")):
                print(name)
    elif verb == "stage":
        with open(args[0], "rb") as header:
            put(args[1], header.read())
    elif verb == "alone":
        put(args[1], f"#include <{args[0]}>\n".encode())
    elif verb == "write":
        put(args[1], args[0].encode())
    elif verb == "sweep":
        sweep(args[0], args[1:])
    else:
        sys.exit(f"housekeeping.py: unknown verb {verb!r}")


if __name__ == "__main__":
    main(sys.argv)
