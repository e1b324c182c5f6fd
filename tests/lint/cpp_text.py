# SPDX-License-Identifier: Apache-2.0
"""What the rules need to know of C++: code without comments, and functions."""

import re

_TOKEN = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)
      | (?P<raw>R"(?P<tag>[^()\\\s]{0,16})\(.*?\)(?P=tag)")
      | (?P<string>"(?:\\.|[^"\\\n])*"|(?<![0-9A-Za-z_])'(?:\\.|[^'\\\n])*')""",
    re.DOTALL | re.VERBOSE,
)

# A block that is not a function body: what stands before its brace.
_NO_FUNCTION = re.compile(
    r"""^\s*(?:inline\s+)?
        (?:namespace | extern\s
         | (?:template\s*<.*>\s*)? (?:typedef\s+)? (?:class|struct|union|enum)\b
           (?!.*\)\s*(?:const|noexcept|override|final|\s)*$))""",
    re.DOTALL | re.VERBOSE,
)


def blank(text):
    """`text` with every character but newlines replaced by a space."""
    return re.sub(r"[^\n]", " ", text)


def code_only(text, keep_strings=False):
    """`text` without comments and the insides of literals; lines stay."""

    def replace(match):
        if match.group("comment") or not keep_strings:
            if match.group("comment"):
                return blank(match.group())
            return '"' + blank(match.group()[1:-1]) + '"'
        return match.group()

    return _TOKEN.sub(replace, text)


def comment_lines(text):
    """The numbers (from 1) of the lines that hold a comment."""
    lines = set()
    for match in _TOKEN.finditer(text):
        if match.group("comment"):
            first = text.count("\n", 0, match.start()) + 1
            lines.update(range(first, first + match.group().count("\n") + 1))
    return lines


# A member initialised with braces, before a constructor's body.
_MEMBER_INITIALIZER = re.compile(r"\)[^;]*:(?!:)[^;]*\b\w+\s*$", re.DOTALL)


def _opens_function(head):
    """Whether a brace after `head`, outside any function, begins one's body."""
    without_operators = re.sub(r"operator\S*=|[=!<>]=|\(.*\)", "", head, flags=re.DOTALL)
    return "(" in head and "=" not in without_operators and not _NO_FUNCTION.match(head)


def functions(text):
    """Yields (first line, number of lines, head, body) of every function that is
    not inside another one, from the first line of its head to its last brace."""
    code = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*|^[ \t]*(?:public|private|protected):",
                  lambda match: blank(match.group()), code_only(text), flags=re.MULTILINE)
    stack = []  # For each open brace: "function", "initializer" or "other".
    head_start = function_start = 0
    for match in re.finditer(r"[{};]", code):
        at, kind = match.start(), None
        if match.group() == "{":
            head = code[head_start:at]
            kind = "other"
            if "function" not in stack:
                if _MEMBER_INITIALIZER.search(head):
                    kind = "initializer"
                elif _opens_function(head):
                    kind = "function"
                    function_start = head_start + len(head) - len(head.lstrip())
            stack.append(kind)
        elif match.group() == "}" and stack:
            kind = stack.pop()
            if kind == "function":
                first = code.count("\n", 0, function_start) + 1
                last = code.count("\n", 0, at) + 1
                head, _, body = code[function_start:at].partition("{")
                yield first, last - first + 1, " ".join(head.split()), body.strip()
        if "function" not in stack and kind != "initializer":
            head_start = at + 1


def includes(text):
    """Yields (line, path) of every quoted include."""
    code = code_only(text, keep_strings=True)
    for match in re.finditer(r'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', code, re.MULTILINE):
        yield code.count("\n", 0, match.start()) + 1, match.group(1)
