# SPDX-License-Identifier: Apache-2.0
"""How the libraries of the rooms are declared."""

def varve_room(name, apart = [], **kwargs):
    """The library of a room: all sources of its folder.

    Args:
      name: the folder's.
      apart: units (a header and a source of one name) that have a varve_unit or a
        cc_binary of their own.
      **kwargs: of cc_library.
    """
    _library(
        name,
        srcs = native.glob(["*.cc"], exclude = [unit + ".cc" for unit in apart]),
        hdrs = native.glob(["*.h"], exclude = [unit + ".h" for unit in apart]),
        **kwargs
    )

def varve_unit(name, **kwargs):
    """The library of one unit, its header and its source, if it has one."""
    _library(
        name,
        srcs = native.glob([name + ".cc"]),
        hdrs = [name + ".h"],
        **kwargs
    )

# Its headers are included as "varve/<package>/<header>". That goes for `hdrs` alone, so
# all headers of a room stand there. Each target costs whoever depends on it one directory
# in which each include is looked for.
def _library(name, **kwargs):
    native.cc_library(
        name = name,
        include_prefix = "varve/" + native.package_name(),
        **kwargs
    )
