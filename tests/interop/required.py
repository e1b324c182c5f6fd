# SPDX-License-Identifier: Apache-2.0
"""What a test needs, and a machine may not have: the test says that it is skipped, and in CI
it fails."""

import importlib
import os
import unittest


def missing(reason):
    """Skips; where everything must be had, fails."""
    for name in ("CI", "VARVE_INTEROP_REQUIRED"):
        if os.environ.get(name, "") not in ("", "0", "false"):
            raise AssertionError(f"{reason} ({name} is set)")
    raise unittest.SkipTest(reason)


def module(name, package):
    """The Python module, which a package of Debian has."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        return missing(f"{error}: ./dev interop installs {package}")
