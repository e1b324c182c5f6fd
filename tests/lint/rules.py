# SPDX-License-Identifier: Apache-2.0
"""The rules of this repository's sources. Each is a function that takes a file
(its path from the root, its text) and yields (line, what is wrong).

A line that must break `raw_memory` says why: `// lint: owned by ...`.
"""

import os
import re

import cpp_text
import rooms

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
LINE_LENGTH_MAX = 100

# Beside the rooms of rooms.py: who may include what of ours, by top-level folder.
_OUTSIDE_MAY_INCLUDE = {
    "bench": {"bench", "api", "log", "index", "codec"},
    "examples": {"examples", "api", "codec"},
    "tests": {"tests", "tools", "bench", "api", "log", "index", "codec"},
}
_PLAIN = {"bench", "examples", "tests"}
# The rooms of libraries: beside the standard library, Abseil and these headers alone. What an
# embedder must link needs none of them.
_LIBRARIES = {"index": (), "log": (), "api": (), "codec": rooms.APART["codec"]}

_CPP = (".h", ".cc")
_SCRIPT = (".py", ".sh", ".bzl", ".BUILD")
_NAMED = {"BUILD.bazel", "CMakeLists.txt", "MODULE.bazel", "WORKSPACE", "WORKSPACE.bzlmod", "dev",
          "run", ".bazelrc"}


def is_cpp(path):
    return path.endswith(_CPP)


def is_source(path):
    return is_cpp(path) or path.endswith(_SCRIPT) or os.path.basename(path) in _NAMED


def room_of(path):
    return path.split("/", 1)[0] if "/" in path else ""


def matches(pattern, text):
    """Yields (line, match) of every match."""
    for match in re.finditer(pattern, text, re.MULTILINE):
        yield text.count("\n", 0, match.start()) + 1, match


def file_length(path, text):
    """Files stay short enough to be read in one go."""
    lines = text.count("\n")
    if is_source(path) and not path.endswith("BUILD.bazel") and lines > FILE_LINES_MAX:
        yield FILE_LINES_MAX + 1, f"{lines} lines; at most {FILE_LINES_MAX}"


def function_length(path, text):
    """Functions fit on a page. One that only returns a table is a table."""
    if is_cpp(path):
        for line, length, head, body in cpp_text.functions(text):
            is_table = body.count(";") == 1 and re.match(r"return\b[\s\w:<>]*\{", body)
            if length > FUNCTION_LINES_MAX and not is_table:
                yield line, f"{length} lines in `{head[:60]}`; at most {FUNCTION_LINES_MAX}"


def line_length(path, text):
    """Lines fit beside each other; addresses cannot be broken."""
    if is_source(path) and os.path.basename(path) != ".bazelrc":
        for number, line in enumerate(text.splitlines(), 1):
            if len(line) > LINE_LENGTH_MAX and "://" not in line:
                yield number, f"{len(line)} columns; at most {LINE_LENGTH_MAX}"


def license_line(path, text):
    """The licence is said first."""
    if is_source(path):
        lines = [l for l in text.splitlines()[:2] if not l.startswith("#!")]
        mark = "//" if is_cpp(path) else "#"
        if not lines or lines[0] != f"{mark} SPDX-License-Identifier: Apache-2.0":
            yield 1, f"begins without `{mark} SPDX-License-Identifier: Apache-2.0`"


def include_prefix(path, text):
    """A header of the library is included by its whole name: varve/log/batch/record.h."""
    if is_cpp(path):
        for line, included in cpp_text.includes(text):
            if room_of(included) in rooms.PREFIXED:
                yield line, f"{included} without {rooms.PREFIX}"


def include_direction(path, text):
    """Arrows between rooms point one way, the core needs Abseil alone, and a codec its library."""
    if not is_cpp(path):
        return
    top, room = room_of(path), rooms.room_of(path)
    if top in rooms.PREFIXED and not room:
        yield 1, f"{os.path.dirname(path)}/ is no room of tests/lint/rooms.py"
        return
    for line, included in cpp_text.includes(text):
        ours = included.removeprefix(rooms.PREFIX)
        if ours == included and room_of(included) not in _PLAIN:
            if top in _LIBRARIES and not included.startswith(("absl/", *_LIBRARIES[top])):
                yield line, f"{top}/ includes what is neither varve's nor Abseil's: {included}"
        elif top in _OUTSIDE_MAY_INCLUDE:
            if room_of(ours) not in _OUTSIDE_MAY_INCLUDE[top]:
                yield line, f"{top}/ includes {room_of(ours)}/: {ours}"
        else:
            other = rooms.room_of(ours)
            if other != room and other not in rooms.MAY_INCLUDE[room]:
                yield line, f"{room} includes {other or room_of(ours)}: {ours}"


def libraries_apart(path, text):
    """What varve is compared with is a dependency of the comparison alone, and what a codec is
    made of one of the codec. That stands in quotes: of Snappy, as Bazel's registry has it, a
    program's build finds nothing else."""
    if not is_cpp(path):
        return
    for line, match in matches(r'^\s*#\s*include\s*([<"])([^>"]+)', text):
        for folder, headers in rooms.APART.items():
            if match.group(2).startswith(headers):
                if os.path.dirname(path) not in (folder, rooms.MEASURED_IN.get(folder)):
                    yield line, f"{match.group(2)} outside of {folder}/"
                elif folder == "codec" and match.group(1) == "<":
                    yield line, f"{match.group(2)} not in quotes"


def banned_words(path, text):
    """Nothing is left undone, and only programs print."""
    if not is_source(path) and not path.endswith(".md"):
        return
    words = "|".join(["FIX" + "ME", "XX" + "X", "HA" + "CK", "TO" + "DO"])
    for line, match in matches(rf"\b({words})\b", text):
        yield line, f"{match.group()}"
    if is_cpp(path) and room_of(path) in _LIBRARIES:
        for line, match in matches(
                r"\bstd::(cout|cerr|clog)\b|(?<![\w.>])(std::)?printf\s*\(",
                cpp_text.code_only(text)):
            yield line, f"{match.group()} in a library"


def raw_memory(path, text):
    """Memory has an owner from the first: no bare new, no delete."""
    if not is_cpp(path):
        return
    lines = text.splitlines()
    code = cpp_text.code_only(text)
    owned = re.compile(r"(?:WrapUnique|(?:unique|shared)_ptr<[^;]*>\s*\w*)\s*[({]\s*$|"
                       r"\bstatic\b[^;]*=\s*\*?$|\boperator\s+$")
    for line, match in matches(r"\bnew\s+[\w:]|\b(?:new|delete)\b\s*(?:\[\s*\]\s*)?[\w:*(]", code):
        placement = re.match(r"new\s*\(", match.group())
        statement = code[max(code.rfind(c, 0, match.start()) for c in ";}") + 1:match.start()]
        marked = any("lint: owned by" in l for l in lines[max(0, line - 2):line])
        if not (placement or owned.search(statement) or marked):
            yield line, f"bare `{match.group().split()[0]}`"


def paragraph(lines, number):
    """The lines from the last blank one up to line `number`."""
    first = number
    while first > 1 and lines[first - 2].strip():
        first -= 1
    return range(first, number + 1)


def dropped_status(path, text):
    """A result that is thrown away says why, on its line or above it."""
    if not is_cpp(path):
        return
    comments = cpp_text.comment_lines(text)
    lines = text.splitlines()
    pattern = (r"\(void\)\s*[\w:.>\-]+\s*\(|static_cast<void>\(\s*[\w:.>\-]+\s*\("
               r"|\.IgnoreError\(\)|\bstd::ignore\s*=")
    for line, match in matches(pattern, cpp_text.code_only(text)):
        if not comments.intersection(paragraph(lines, line)):
            yield line, f"`{match.group().strip()}` without a comment that says why"


def header_guard(path, text):
    """Guards are named after the file."""
    if path.endswith(".h"):
        guard = "VARVE_" + re.sub(r"[^A-Za-z0-9]", "_", path).upper() + "_"
        for form in (f"#ifndef {guard}\n#define {guard}\n", f"#endif  // {guard}\n"):
            if form not in text:
                yield 1, f"no `{form.splitlines()[0]}`"


def header_comment(path, text):
    """A header says what it is for: above its guard, or above something it
    declares; and every class says what it is."""
    if not path.endswith(".h"):
        return
    lines = text.splitlines()
    guard = text.partition("#ifndef")[0].count("\n")
    if any(line.strip("/ ") for line in lines[1:guard]):
        return
    declared = [i for i in range(guard + 1, len(lines))
                if lines[i - 1].startswith("// ") and re.match(r"[A-Za-z\[]", lines[i])
                and not lines[i].startswith("namespace")]
    if not declared:
        yield 1, "no comment above the guard, nor above anything that is declared"
    for line, _ in matches(r"^class\b[^;{]*\{", cpp_text.code_only(text)):
        above = line - 2
        while re.match(r"\s*(template\b|\[\[|ABSL_)", lines[above]):
            above -= 1
        if not lines[above].startswith("//"):
            yield line, "a class without a comment above it"


def machine_paths(path, text):
    """Nothing depends on one machine."""
    for line, match in matches(r"(?<![\w.$}/-])/(?:work|root|home/\w+)/\S*", text):
        yield line, f"a path of one machine: {match.group()}"


def markdown(path, text):
    """A page has a title."""
    if path.endswith(".md"):
        first = next((l for l in text.splitlines() if l.strip()), "")
        if not first.startswith("# "):
            yield 1, "the first line is no `# title`"


RULES = (
    banned_words,
    dropped_status,
    file_length,
    function_length,
    header_comment,
    header_guard,
    include_direction,
    include_prefix,
    libraries_apart,
    license_line,
    line_length,
    machine_paths,
    markdown,
    raw_memory,
)
