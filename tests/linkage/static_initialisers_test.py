# SPDX-License-Identifier: Apache-2.0
"""Nothing of varve runs before main().

  static_initialisers_test.py --allowed REFERENCE_ARCHIVE ARCHIVE...

Looks into every object of the archives. What runs at the start of a program
stands in .init_array. One thing is allowed there: what the compiler makes of
`#include <iostream>`, which Abseil's headers have, and which is libstdc++'s to
answer for. The reference is an object that does nothing else; an object's code
has to be the same, instruction by instruction, or to have none.
"""

import os
import re
import subprocess
import sys

INITIALISER = re.compile(
    r"_GLOBAL__(sub_)?I_|_Z\d+__static_initialization_and_destruction_0"
    r"|__cxx_global_var_init")


def objdump(*arguments):
    return subprocess.run(("objdump",) + arguments, check=True,
                          stdout=subprocess.PIPE, universal_newlines=True,
                          env=dict(os.environ, LC_ALL="C")).stdout.splitlines()


def normalised(line):
    """An instruction or relocation without what differs by its place."""
    line = re.sub(r"^\s*[0-9a-f]+:\s*", "", line)
    line = re.sub(r"\s*#.*", "", line)
    line = re.sub(r"\.l?bss\S*", "VARIABLE", line)
    line = re.sub(r"_ZStL8__ioinit\S*", "VARIABLE", line)
    line = re.sub(r"[0-9a-f]+ <[^>]*>", "PLACE", line)
    return " ".join(line.split())


def by_object(lines):
    """Splits what objdump says of archives: a list for each of their objects."""
    found = {}
    archive = ""
    for line in lines:
        match = re.match(r"In archive (.*):$", line)
        if match:
            archive = match.group(1)
            continue
        match = re.match(r"(\S+): +file format", line)
        if match:
            found[archive + "(" + match.group(1) + ")"] = current = []
        elif found:
            current.append(line)
    return found


def pointers(lines):
    """The sections of pointers to what is run, once for each pointer."""
    section = ""
    for line in lines:
        match = re.match(r"RELOCATION RECORDS FOR \[(.*)\]", line)
        if match:
            section = match.group(1)
        elif re.match(r"[0-9a-f]{8,}", line) and re.match(
                r"\.(preinit_array|init_array|ctors)", section):
            yield section


def code(lines):
    """The code of the functions that compilers make for this."""
    inside = False
    for line in lines:
        match = re.match(r"[0-9a-f]+ <(.*)>:", line)
        if match:
            inside = bool(INITIALISER.match(match.group(1)))
        elif inside and line.startswith((" ", "\t")):
            text = normalised(line)
            if not text.startswith("nop"):  # what fills up to the next function
                yield text


def initialisers(archives):
    """For each object its pointers and its code."""
    relocations = by_object(objdump("-r", *archives))
    code_of = by_object(objdump("-d", "-r", "--no-show-raw-insn", *archives))
    return {name: (list(pointers(lines)), list(code(code_of[name])))
            for name, lines in relocations.items()}


def main(flag, reference, *archives):
    assert flag == "--allowed"
    [allowed] = initialisers([reference]).values()
    assert allowed[0] and "_ZNSt8ios_base4InitC1Ev" in str(allowed[1]), (
        "the reference has no initialiser", allowed)
    found = initialisers(archives)
    failures = ["%s runs code before main():\n  %s" % (
        name, "\n  ".join(its_pointers + its_code))
        for name, (its_pointers, its_code) in found.items()
        if (its_pointers, its_code) not in (([], []), allowed)]
    print("\n".join(failures))
    print("%d objects, %d with initialisers of their own" % (
        len(found), len(failures)))
    # Fewer would be another library than the one that is meant.
    return 1 if failures or len(found) < 50 else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
