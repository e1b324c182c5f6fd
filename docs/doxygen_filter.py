#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints a header as Doxygen reads it: its comments become Doxygen's.

The headers have plain comments, which mean what stands right after them. Doxygen calls
this program for each header (docs/Doxyfile); nothing else changes.
"""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../tests/lint"))
import cpp_text  # noqa: E402

# What begins a paragraph of its own, with a title.
_TITLES = re.compile(r"(Blocks|Default|Durable|Errors|Invariant|Memory ordering|Precondition|Range|"
                     r"Thread safety|Caveats[\w, ]*):(?:\s+|$)")
_COMMENT = re.compile(r"(\s*)//(?: (.*)|)$")
# After a declaration, or a value of an enum.
_TRAILING = re.compile(r"(\s*[^\s/}#].*?)\s+// (\S.*)$")
_FACE = "api/log_store.h"  # what it says of itself is the first page


def escaped(text):
    """Prose, with what would mean something to Doxygen but for `code`."""
    parts = text.split("`")
    parts[::2] = [re.sub(r"([\\@<>#%&]|(?<=\.)\*)", r"\\\1", part) for part in parts[::2]]
    return "`".join(parts)


def _is_preformatted(line, before):
    """Whether it is indented, and does not go on with an item of a list."""
    if not line.startswith("  ") or line.lstrip().startswith("- "):
        return False
    return not before or before.endswith(":") or before.startswith("   ")


def _marked_up(lines):
    pre, before = False, ""
    for line in lines:
        was_pre, pre = pre, _is_preformatted(line, before) or (pre and line.startswith("  "))
        title = _TITLES.match(line)
        if pre != was_pre:
            yield ""
        if pre:
            yield "    " + line
        elif title:
            yield f"@par {title.group(1)}"
            yield escaped(line[title.end():])
        else:
            yield escaped(line)
        before = line


def paragraphs(lines):
    """The lines of a comment, as Doxygen's Markdown: prose, and what is indented as it
    stands there."""
    return re.sub(r"\n{3,}", "\n\n", "\n".join(_marked_up(lines))).strip("\n").split("\n")


def commented(lines, indent=""):
    return [f"{indent}/// {line}".rstrip() for line in lines]


def _in_functions(text):
    """The numbers (from 0) of the lines of functions that have a body, after their first."""
    inside = set()
    for first, count, _, _ in cpp_text.functions(text):
        inside.update(range(first, first + count - 1))
    return inside


class Blocks:
    """The comments of a header, block by block."""

    def __init__(self, text):
        self.lines = text.splitlines()
        self.inside = _in_functions(text)
        self.at = 0

    def _comment(self, at):
        found = at < len(self.lines) and _COMMENT.match(self.lines[at])
        return None if at in self.inside else found or None

    def take(self):
        """The indentation and the lines of the comment that begins here, or None."""
        first = self._comment(self.at)
        if not first or "SPDX-License-Identifier" in first.group():
            return None
        text = []
        while (line := self._comment(self.at)) and line.group(1) == first.group(1):
            text.append(line.group(2) or "")
            self.at += 1
        return first.group(1), text

    def skip_blank(self):
        """Steps over blank lines; returns what comes then."""
        while self.at < len(self.lines) and not self.lines[self.at].strip():
            self.at += 1
        return self.lines[self.at].strip() if self.at < len(self.lines) else ""

    def take_code(self):
        """The line that is here, with the comment that it ends with, if it declares
        something."""
        line = self.lines[self.at]
        trailing = None if self.at in self.inside else _TRAILING.match(line)
        self.at += 1
        return f"{trailing.group(1)}  ///< {escaped(trailing.group(2))}" if trailing else line


def _file_comment(path, text):
    yield from commented(["@file"] + paragraphs(text))
    if path.endswith(_FACE):
        yield from commented(["@mainpage varve"] + paragraphs(text))
    yield ""


def filtered(path, text):
    """Yields the lines of the header for Doxygen."""
    blocks = Blocks(text)
    introduction = []  # a comment that a blank line follows, of several declarations
    while blocks.at < len(blocks.lines):
        comment = blocks.take()
        if comment is None:
            yield blocks.take_code()
            continue
        indent, lines = comment
        after = blocks.skip_blank()
        if after.startswith(("#ifndef", "#include")):
            yield from _file_comment(path, lines)
        elif after.startswith("//"):
            introduction += lines + [""]
        elif not after.startswith(("private:", "public:", "}")):
            # The first sentence is that of the declaration itself.
            yield from commented(paragraphs(lines + ["", ""] + introduction), indent)
            introduction = []


def main():
    path = sys.argv[1]
    with open(path, encoding="utf-8") as file:
        print("\n".join(filtered(path, file.read())))


if __name__ == "__main__":
    main()
