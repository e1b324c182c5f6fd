# SPDX-License-Identifier: Apache-2.0
"""Links archives to one object file that shows a single name.

  make_copy.py OUTPUT NAME ARCHIVE...

What `VarveCopyTable` needs of the archives is linked together, `VarveCopyTable`
is called NAME, and every other name becomes local, as a version script makes
them in a shared object. Two such objects in one program are two copies.
"""

import os
import struct
import subprocess
import sys

GLOBAL = 1
GNU_UNIQUE = 10
SYMTAB = 2


def make_unique_global(path):
    """objcopy leaves gcc's process-wide inline variables alone: it must not."""
    with open(path, "r+b") as file:
        elf = bytearray(file.read())
        (sections_at,) = struct.unpack_from("<Q", elf, 0x28)
        entry_size, count = struct.unpack_from("<HH", elf, 0x3A)
        for i in range(count):
            section = sections_at + i * entry_size
            (kind,) = struct.unpack_from("<I", elf, section + 4)
            if kind != SYMTAB:
                continue
            begin, size = struct.unpack_from("<QQ", elf, section + 0x18)
            (symbol_size,) = struct.unpack_from("<Q", elf, section + 0x38)
            for symbol in range(begin, begin + size, symbol_size):
                info = elf[symbol + 4]
                if info >> 4 == GNU_UNIQUE:
                    elf[symbol + 4] = GLOBAL << 4 | info & 15
        file.seek(0)
        file.write(elf)


def main(output, name, *archives):
    linked = output + ".linked"
    subprocess.run(["ld", "-r", "--force-group-allocation",
                    "-u", "VarveCopyTable", "-o", linked,
                    "--start-group", *archives, "--end-group"], check=True)
    make_unique_global(linked)
    subprocess.run(["objcopy", "--redefine-sym", "VarveCopyTable=" + name,
                    linked], check=True)
    subprocess.run(["objcopy", "--keep-global-symbol=" + name, linked, output],
                   check=True)
    os.remove(linked)


if __name__ == "__main__":
    main(*sys.argv[1:])
