#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the API reference of the public headers, by Doxygen: what `./dev docs` runs.

Each public header is one check: it is in the reference, Doxygen has nothing to say about
it, and each file, class or member that a comment of it names is there. What has no comment
is no failure. Ends with `N passed, N failed`.
"""

import argparse
import collections
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
PUBLIC_HEADERS = "tests/lint/public_headers.txt"
_PATH = re.compile(r"\b(?:api|bench|docs|examples|index|log|tests|tools)/[\w./-]*\w\.(?:h|cc|md)\b")
_MEMBER = re.compile(r"(?<![\w:])([A-Z]\w*)::(~?\w+)")
_WARNING = re.compile(r"(?:.*?/)?varve/(\S+?):(\d+): (.*)")


def public_headers(root):
    with open(os.path.join(root, PUBLIC_HEADERS), encoding="utf-8") as file:
        return [line for line in file.read().splitlines() if line and line[0] != "#"]


def comments_of(text):
    """Yields (line, text) of each comment."""
    for number, line in enumerate(text.splitlines(), 1):
        match = re.search(r"(?:^|\s)//(.*)", line)
        if match:
            yield number, match.group(1)


class Names:
    """What the reference has, by the tag file that Doxygen leaves."""

    def __init__(self, tags):
        self.files = set()
        self.members = collections.defaultdict(set)  # by the last part of a class's name
        for compound in tags:
            name = compound.findtext("name")
            if compound.get("kind") == "file":
                path = os.path.join(compound.findtext("path"), name)
                self.files.add(path.partition("/varve/")[2])
            elif compound.get("kind") in ("class", "struct"):
                self._add_class(name, compound)
            for member in compound.iter("member"):
                if member.get("kind") == "enumeration":
                    values = {value.text for value in member.iter("enumvalue")}
                    self.members[member.findtext("name")] |= values

    def _add_class(self, name, compound):
        outer, _, last = name.rpartition("::")
        self.members[outer.rpartition("::")[2]].add(last)
        self.members[last] |= {member.findtext("name") for member in compound.iter("member")}


def broken_references(text, names, exists):
    """Yields (line, what is wrong) of the comments of a header. A class that is not in the
    reference is one of another library, or a private one: nobody can say what it has."""
    for number, comment in comments_of(text):
        for path in _PATH.findall(comment):
            if not exists(path):
                yield number, f"there is no {path}"
        for name, member in _MEMBER.findall(comment):
            if name in names.members and member not in names.members[name] | {name, f"~{name}"}:
                yield number, f"{name} has no {member} in the reference"


def run_doxygen(root, output):
    """Runs it on the public headers; returns the names that it found, and its warnings."""
    os.makedirs(output, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        # Includes begin with varve/, which no directory here is called.
        os.symlink(root, os.path.join(scratch, "varve"))
        with open(os.path.join(root, "docs/Doxyfile"), encoding="utf-8") as file:
            settings = file.read()
        inputs = " ".join(f"varve/{header}" for header in public_headers(root))
        settings += (f"INPUT = {inputs}\n"
                     f'INPUT_FILTER = "{sys.executable} varve/docs/doxygen_filter.py"\n'
                     f"STRIP_FROM_PATH = {scratch}\nSTRIP_FROM_INC_PATH = {scratch}\n"
                     f'OUTPUT_DIRECTORY = "{output}"\n'
                     f"GENERATE_TAGFILE = {scratch}/tags\n")
        done = subprocess.run(["doxygen", "-"], input=settings, text=True, cwd=scratch,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"doxygen: exit status {done.returncode}\n{done.stderr}")
        tags = xml.etree.ElementTree.parse(f"{scratch}/tags").getroot()
    return Names(tags), done.stderr.splitlines()


def findings_of(root, names, warnings):
    """What is wrong, by header: lines to print. Under "" what belongs to none."""
    found = collections.defaultdict(list)
    for header in public_headers(root):
        if header not in names.files:
            found[header].append(f"{header}: not in the reference")
        with open(os.path.join(root, header), encoding="utf-8") as file:
            for line, what in broken_references(
                    file.read(), names, lambda path: os.path.exists(os.path.join(root, path))):
                found[header].append(f"{header}:{line}: {what}")
    for warning in dict.fromkeys(warnings):  # each once
        match = _WARNING.match(warning)
        path = match.group(1) if match else ""
        # Its line is that of the filter's output.
        found[path if path in names.files else ""].append(
            f"{path}: doxygen: {match.group(3)}" if match else f"doxygen: {warning}")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--output", default=os.path.join(ROOT, "build", "docs"),
                        help="where the pages go (%(default)s)")
    output = os.path.abspath(parser.parse_args().output)
    try:
        names, warnings = run_doxygen(ROOT, output)
    except (OSError, RuntimeError) as error:
        print(f"{error}\n0 passed, 1 failed")
        return 1
    found = findings_of(ROOT, names, warnings)
    for lines in found.values():
        print("\n".join(lines))
    print(f"the reference: {output}/html/index.html")
    failed = sum(1 for lines in found.values() if lines)
    passed = sum(1 for header in public_headers(ROOT) if not found[header])
    print(f"{passed} passed, {failed} failed")
    return 0 if failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
