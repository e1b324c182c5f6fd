#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The cache of compiled objects that all checkouts of this machine share.

It is Bazel's disk cache: files named after the hash of what they hold (cas/) or
of the command that made them (ac/). Bazel only adds to it, so its size is bounded
here: what was used longest ago goes first. A command whose files are gone is run
again, and a build that runs meanwhile is not disturbed.

  object_cache.py DIRECTORY show    how large it is
  object_cache.py DIRECTORY trim    bound it, to --bytes-max
  object_cache.py DIRECTORY clear   empty it
"""

import argparse
import dataclasses
import os
import sys

# What trimming leaves of the bound, so that not every build trims.
_KEPT = 0.8
_GIB = 1 << 30


@dataclasses.dataclass
class Entry:
    path: str
    bytes: int
    used: float


def entries_of(directory):
    """Every file of the cache. One that goes meanwhile is none."""
    found = []
    for folder, _, names in os.walk(directory):
        for name in names:
            path = os.path.join(folder, name)
            try:
                stat = os.stat(path)
            except FileNotFoundError:
                continue
            # Bazel touches what it uses, in some versions; reading it shows in
            # the access time, once a day.
            found.append(Entry(path, stat.st_size, max(stat.st_mtime, stat.st_atime)))
    return found


def remove(entries):
    """Removes files; returns how many bytes they had."""
    removed = 0
    for entry in entries:
        try:
            os.remove(entry.path)
        except FileNotFoundError:
            continue
        removed += entry.bytes
    return removed


def to_trim(entries, bytes_max):
    """What has to go so that the rest is well within the bound; nothing if it is."""
    total = sum(entry.bytes for entry in entries)
    if total <= bytes_max:
        return []
    oldest_first = sorted(entries, key=lambda entry: (entry.used, entry.path))
    going = []
    for entry in oldest_first:
        if total <= bytes_max * _KEPT:
            break
        going.append(entry)
        total -= entry.bytes
    return going


def gib(count):
    return f"{count / _GIB:.1f} GiB"


def main(arguments=None):
    parser = argparse.ArgumentParser(description="The cache of compiled objects.")
    parser.add_argument("directory")
    parser.add_argument("verb", choices=("show", "trim", "clear"))
    parser.add_argument("--bytes-max", type=int, default=20 * _GIB)
    options = parser.parse_args(arguments)

    entries = entries_of(options.directory)
    total = sum(entry.bytes for entry in entries)
    if options.verb == "show":
        print(f"{options.directory}: {len(entries)} files, {gib(total)}; "
              f"the bound is {gib(options.bytes_max)}")
        return 0
    going = entries if options.verb == "clear" else to_trim(entries, options.bytes_max)
    removed = remove(going)
    if going or options.verb == "clear":
        print(f"{options.directory}: removed {gib(removed)} of {gib(total)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
