# SPDX-License-Identifier: Apache-2.0
"""Rules of the house: its rooms, the arrows between them, and what of it is public. Each is
a function that takes all files (path from the root -> text) and yields
(path, line, what is wrong)."""

import os
import re

import cpp_text
import rooms

FOLDER_SOURCES_MAX = 45
PUBLIC_HEADERS = "tests/lint/public_headers.txt"
ROOMS = "tests/lint/rooms.py"
_PUBLIC = 'visibility = ["//visibility:public"]'


def is_cpp(path):
    return path.endswith((".h", ".cc"))


def unit_of(path):
    return os.path.splitext(os.path.basename(path))[0]


def folder_size(files):
    """A folder can be overlooked."""
    count = {}
    for path in filter(is_cpp, files):
        count.setdefault(os.path.dirname(path), []).append(path)
    for folder, sources in count.items():
        if len(sources) > FOLDER_SOURCES_MAX:
            yield sources[0], 1, f"{folder}/ has {len(sources)} sources; at most " \
                                 f"{FOLDER_SOURCES_MAX}"


def layering(files):
    """The rooms' packages are checked for layering, and not public by default."""
    for path, text in files.items():
        if os.path.basename(path) == "BUILD.bazel" and path.split("/")[0] in rooms.PREFIXED:
            if "layering_check" not in text:
                yield path, 1, 'no `features = ["layering_check"]` in package()'
            if re.search(r"default_visibility\s*=\s*\[\s*\"//visibility:public", text):
                yield path, 1, "everything in it is public by default"


def unused_arrow(files):
    """The table of arrows says what is, not what once was: each leads to an include."""
    used = {(rooms.room_of(path), rooms.room_of(included.removeprefix(rooms.PREFIX)))
            for path in filter(is_cpp, files)
            for _, included in cpp_text.includes(files[path])}
    for room, others in rooms.MAY_INCLUDE.items():
        for other in others:
            if (room, other) not in used:
                yield ROOMS, 1, f"{room} may include {other}, and does not"


def _rooms_in(text):
    """The rooms that a sentence names."""
    text = text.replace("the face of api", "")
    found = re.findall(r"(?<![\w/])(?:index|codec|(?:log|api|tools)/\w+|api|tools)(?![\w/])", text)
    return {room for room in found if room in rooms.MAY_INCLUDE}


def _named_arrows(room, section):
    """Room -> the rooms that its README says it may include."""
    parts = re.split(r"^- ", section, flags=re.MULTILINE)[1:] or [section]
    for part in parts:
        sentence = re.split(r"\.(?:\s|$)", part)[0]
        face = {rooms.FACE} if "the face of api" in " ".join(sentence.split()) else set()
        yield rooms.FACE if part.startswith("The face") else room, \
            _rooms_in(" ".join(sentence.split())) | face


def room_readme(files):
    """A room's README lists its units, and the rooms that it may include, as they are."""
    for room in rooms.MAY_INCLUDE:
        readme = f"{room}/README.md"
        if room == rooms.FACE:
            continue
        text = files.get(readme)
        if text is None:
            yield ROOMS, 1, f"{room} has no README.md"
            continue
        units = {unit_of(p) for p in filter(is_cpp, files) if os.path.dirname(p) == room}
        listed = set(re.findall(r"^- `(\w+)`:", text, re.MULTILINE))
        for unit in sorted(units ^ listed):
            what = "does not list" if unit in units else "lists what is not there:"
            yield readme, 1, f"{what} {unit}"
        section = re.search(r"^## May include\n\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
        for which, named in _named_arrows(room, section.group(1) if section else ""):
            for other in sorted(named ^ set(rooms.MAY_INCLUDE[which])):
                what = "not named" if other in rooms.MAY_INCLUDE[which] else f"not in {ROOMS}"
                yield readme, 1, f"{which} may include {other}: {what}"


def _listed(files):
    return [l for l in files.get(PUBLIC_HEADERS, "").splitlines() if l and l[0] != "#"]


def public_surface(files):
    """What a public header includes is public: the list is all that an embedder can reach."""
    listed = _listed(files)
    for path in listed:
        if path not in files:
            yield PUBLIC_HEADERS, 1, f"{path} is not there"
            continue
        for line, included in cpp_text.includes(files[path]):
            ours = included.removeprefix(rooms.PREFIX)
            if ours != included and ours not in listed:
                yield path, line, f"public, and includes {ours}: not in {PUBLIC_HEADERS}"


def public_targets(files):
    """A target is public if a header that is its own is listed as public, and only then."""
    listed = set(_listed(files))
    for build, text in files.items():
        folder = os.path.dirname(build)
        if os.path.basename(build) != "BUILD.bazel" or folder.split("/")[0] not in rooms.PREFIXED:
            continue
        units = {unit_of(p) for p in listed if os.path.dirname(p) == folder}
        apart = set(re.findall(r'^varve_unit\(\n    name = "(\w+)"', text, re.MULTILINE))
        for target in re.finditer(r'^varve_(room|unit)\(\n    name = "(\w+)".*?^\)', text,
                                  re.MULTILINE | re.DOTALL):
            kind, name = target.groups()
            is_public = _PUBLIC in target.group()
            has_public = bool(units - apart) if kind == "room" else name in units
            if is_public != has_public:
                yield build, text.count("\n", 0, target.start()) + 1, (
                    f"{name} is public, and no header of it is in {PUBLIC_HEADERS}" if is_public
                    else f"{name} is not public, and a header of it is in {PUBLIC_HEADERS}")


RULES = (folder_size, layering, public_surface, public_targets, room_readme, unused_arrow)
