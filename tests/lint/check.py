#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks every file of the checkout against the rules.

Prints `path:line: rule: what is wrong` and exits 1 if anything is wrong.
"""

import os
import subprocess
import sys

import repository_rules
import room_rules
import rules

_TEXT = (".h", ".cc", ".py", ".sh", ".bzl", ".BUILD", ".md", ".bazel", ".yml", ".json",
         "public_headers.txt")
_TEXT_NAMES = {"CMakeLists.txt", "WORKSPACE", "WORKSPACE.bzlmod", "dev", "run", ".bazelrc",
               ".gitignore", ".clang-format", ".clang-tidy"}


def checkout():
    """The root of the checkout: where the WORKSPACE beside this file really is."""
    if len(sys.argv) > 1:
        return sys.argv[1]
    here = os.path.dirname(os.path.realpath(__file__))
    return os.path.dirname(os.path.dirname(here))


def walk(root):
    """Paths of all files below `root`, but for what Bazel and git keep there."""
    for directory, names, files in os.walk(root):
        names[:] = [n for n in names if n not in (".git", "__pycache__")
                    and not n.startswith("bazel-")]
        for name in files:
            yield os.path.relpath(os.path.join(directory, name), root)


def paths_of(root):
    """Paths of the files that are, or would be, under version control."""
    listed = subprocess.run(
        ["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True, check=False) if os.path.isdir(os.path.join(root, ".git")) else None
    if listed and listed.returncode == 0:
        return [p for p in listed.stdout.decode().split("\0") if p]
    return list(walk(root))


def read_all(root):
    files = {}
    for path in sorted(paths_of(root)):
        if not (path.endswith(_TEXT) or os.path.basename(path) in _TEXT_NAMES):
            files.setdefault(path, "")  # Can be linked to, is not read.
            continue
        try:
            with open(os.path.join(root, path), encoding="utf-8") as file:
                files[path] = file.read()
        except FileNotFoundError:
            continue  # Deleted, or moved meanwhile.
    return files


def findings_of(files):
    """Yields (path, line, rule, what is wrong)."""
    for path, text in files.items():
        for rule in rules.RULES:
            for line, what in rule(path, text):
                yield path, line, rule.__name__, what
    for rule in repository_rules.RULES + room_rules.RULES:
        for path, line, what in rule(files):
            yield path, line, rule.__name__, what


def main():
    files = read_all(checkout())
    if "WORKSPACE" not in files:
        print(f"{checkout()} is no checkout of varve")
        return 1
    found = sorted(findings_of(files))
    for path, line, rule, what in found:
        print(f"{path}:{line}: {rule}: {what}")
    print(f"{len(files)} files, {len(found)} findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
