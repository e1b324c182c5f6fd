# SPDX-License-Identifier: Apache-2.0
"""The facts without which a figure means nothing."""

import os
import platform


def _first(path, start, otherwise="unknown"):
    """What follows `start` on the first line of a file that begins with it."""
    try:
        with open(path, encoding="utf-8") as file:
            for line in file:
                if line.startswith(start):
                    return line[len(start):].strip(" \t:\n")
    except OSError:
        pass
    return otherwise


def _kib(path, start):
    return int(_first(path, start, "0 kB").split()[0])


def file_system_of(directory, mounts="/proc/mounts"):
    """The type of the file system that a directory is on."""
    directory = os.path.realpath(directory)
    best, kind = "", "unknown"
    with open(mounts, encoding="utf-8") as file:
        for line in file:
            _, at, name = line.split()[:3]
            inside = directory == at or directory.startswith(at.rstrip("/") + "/")
            if inside and len(at) >= len(best):
                best, kind = at, name
    return kind + (" (nothing on it is durable)" if kind == "tmpfs" else "")


def background_dirty_limit(root="/proc"):
    """Bytes of unwritten pages from which on the kernel writes beside what is measured."""
    vm = os.path.join(root, "sys/vm")
    fixed = int(_first(os.path.join(vm, "dirty_background_bytes"), "", "0"))
    if fixed:
        return fixed
    memory = os.path.join(root, "meminfo")
    # What the kernel takes the ratio of: free memory and the page cache.
    available = sum(_kib(memory, name) for name in ("MemFree:", "Active(file):",
                                                    "Inactive(file):"))
    return available * 1024 * int(_first(os.path.join(vm, "dirty_background_ratio"), "", "10")) \
        // 100


def facts(directory, mib):
    """Name -> value, as they are printed above the tables."""
    limit = background_dirty_limit()
    memory = _kib("/proc/meminfo", "MemTotal:") / (1 << 20)
    said = {
        "processor": _first("/proc/cpuinfo", "model name"),
        "cores": str(os.cpu_count()),
        "memory": f"{memory:.1f} GiB",
        "kernel": f"{platform.system()} {platform.release()}",
        "file system": file_system_of(directory),
        "load": "{:.2f} {:.2f} {:.2f}".format(*os.getloadavg()),
        "dirty limit": f"{limit / (1 << 30):.1f} GiB, from which on the kernel writes in the "
                       f"background; {mib} MiB of values are appended at most",
    }
    # The largest files are three times the values: a log, and the tree made of it.
    if 3 * mib << 20 > limit:
        said["dirty limit"] += ": what is measured includes that"
    return said
