# SPDX-License-Identifier: Apache-2.0
"""Rules that need more than one file. Each is a function that takes all files
(path from the root -> text) and yields (path, line, what is wrong)."""

import fnmatch
import os
import re

import cpp_text
import rooms


def directories_of(files):
    """Every directory that has a file, or a directory, in it."""
    found = {""}
    for path in files:
        while path := os.path.dirname(path):
            found.add(path)
    return found


def links(files):
    """Relative links of markdown pages lead to a file or a directory."""
    directories = directories_of(files)
    for path, text in files.items():
        if not path.endswith(".md"):
            continue
        prose = re.sub(r"^```.*?^```|`[^`\n]*`", lambda m: re.sub(r"[^\n]", " ", m.group()),
                       text, flags=re.DOTALL | re.MULTILINE)
        for match in re.finditer(r"\]\(([^)#\s]+)(?:#[^)\s]*)?\)", prose):
            target = match.group(1)
            if re.match(r"[a-z]+:", target):
                continue
            full = os.path.normpath(os.path.join(os.path.dirname(path), target))
            if full not in files and full not in directories and full != ".":
                yield path, prose.count("\n", 0, match.start()) + 1, f"broken link: {target}"


def build_of(path, files):
    """The nearest BUILD.bazel at or above `path`, or None."""
    directory = os.path.dirname(path)
    while True:
        candidate = os.path.join(directory, "BUILD.bazel")
        if candidate in files:
            return candidate
        if not directory:
            return None
        directory = os.path.dirname(directory)


def _in_build(name, text):
    """Whether a BUILD.bazel has the source: by its name, by a pattern, as a unit of its own,
    or in the room, which has all that are not `apart`."""
    unit = os.path.splitext(name)[0]
    apart = re.search(r"\bapart = \[([^\]]*)\]", text)
    if re.search(r"^varve_room\(", text, re.MULTILINE):
        if not (apart and f'"{unit}"' in apart.group(1)):
            return os.path.dirname(name) == ""
    if re.search(rf'^varve_unit\(\n    name = "{unit}",', text, re.MULTILINE):
        return True
    quoted = re.findall(r'"([^"\n]+)"', text)
    return any(fnmatch.fnmatch(name, pattern) for pattern in quoted)


def build_lists_sources(files):
    """Every header and source is in the BUILD.bazel of its package."""
    for path in files:
        if not path.endswith((".h", ".cc")):
            continue
        build = build_of(path, files)
        if not build or os.path.dirname(build) == "":
            yield path, 1, "no BUILD.bazel in its directory"
            continue
        name = os.path.relpath(path, os.path.dirname(build))
        if not _in_build(name, files[build]):
            yield path, 1, f"not in {build}"


def own_header_first(files):
    """x.cc includes x.h first, which proves that x.h stands alone."""
    for path, text in files.items():
        own = path[:-len(".cc")] + ".h"
        if path.endswith(".cc") and own in files:
            line, first = next(cpp_text.includes(text), (1, ""))
            if path.split("/")[0] in rooms.PREFIXED:
                own = rooms.PREFIX + own
            if first != own:
                yield path, line, f"includes {first or 'nothing'} before {own}"


_THREADS = re.compile(r"#include <(?:thread|pthread\.h)>|absl/synchronization/|\bfork\(")
_OPENS = re.compile(r"\b(?:LogStore|StoreState)::Open\(")


def _thread_in(text):
    """What in a test starts a thread: a store's own threads too, which an option leaves out."""
    found = _THREADS.search(text)
    opens = _OPENS.search(text)
    if not found and len(_OPENS.findall(text)) > text.count("Background::kNone"):
        found = opens
    return found and found.group()


def one_thread(files):
    """A test that ThreadSanitizer does not see starts no thread; each store that it opens is
    without background work."""
    for build, text in files.items():
        if not (build.startswith("tests/") and build.endswith("BUILD.bazel")):
            continue
        for target in re.finditer(r"^cc_test\(\n(?:    .*\n)*?\)", text, re.MULTILINE):
            if '"one-thread"' not in target.group():
                continue
            for name in re.findall(r'"(\w+\.cc)"', target.group()):
                path = os.path.join(os.path.dirname(build), name)
                found = _thread_in(files.get(path, ""))
                if found:
                    yield build, text.count("\n", 0, target.start()) + 1, (
                        f"{name} is tagged one-thread, and has `{found}`")


def module_versions(files):
    """A MODULE.bazel asks for the version of api/version.h, and for the versions of deps.bzl;
    those that no registry has, or that deps.bzl calls otherwise, are its own. `.bcr.N` counts
    what the registry adds to a version."""
    numbers = re.findall(r"^#define VARVE_VERSION_\w+ (\d+)$", files.get("api/version.h", ""),
                         re.MULTILINE)
    expected = dict(re.findall(r'strip_prefix = "([a-z\d-]+)-([\d.]+)"',
                               files.get("third_party/deps.bzl", "")))
    expected["varve"] = ".".join(numbers)
    for path, text in files.items():
        if os.path.basename(path) != "MODULE.bazel":
            continue
        for match in re.finditer(r'name = "([^"]+)",\s+version = "([^"]*)"', text):
            name, version = match.groups()
            version = re.sub(r"\.bcr\.\d+$", "", version)
            if expected.get(name, version) != version:
                yield path, text.count("\n", 0, match.start()) + 1, (
                    f"{name} is {version}, and elsewhere {expected[name]}")


RULES = (build_lists_sources, links, module_versions, one_thread, own_header_first)
