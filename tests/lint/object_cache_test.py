#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of third_party/object_cache.py."""

import contextlib
import io
import os
import sys
import tempfile
import unittest

import case_report

sys.path.insert(0, "third_party")
import object_cache  # noqa: E402


class ObjectCache(unittest.TestCase):

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = directory.name

    def add(self, name, size, used):
        path = os.path.join(self.directory, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(b"x" * size)
        os.utime(path, (used, used))

    def names(self):
        return sorted(os.path.relpath(e.path, self.directory)
                      for e in object_cache.entries_of(self.directory))

    def run_main(self, *arguments):
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            self.assertEqual(object_cache.main([self.directory, *arguments]), 0)
        return output.getvalue()

    def test_cache_within_its_bound_is_left_alone(self):
        self.add("cas/aa/1", 600, used=1)
        self.add("ac/bb/2", 400, used=2)
        self.assertEqual(self.run_main("trim", "--bytes-max=1000"), "")
        self.assertEqual(self.names(), ["ac/bb/2", "cas/aa/1"])

    def test_what_was_used_longest_ago_goes_until_four_fifths_are_left(self):
        for used, name in enumerate(("cas/aa/1", "ac/bb/2", "cas/cc/3", "cas/dd/4")):
            self.add(name, 300, used)
        self.run_main("trim", "--bytes-max=1000")
        self.assertEqual(self.names(), ["cas/cc/3", "cas/dd/4"])

    def test_cleared_cache_is_empty(self):
        self.add("cas/aa/1", 10, used=1)
        self.assertIn("removed", self.run_main("clear"))
        self.assertEqual(self.names(), [])

    def test_cache_that_is_not_there_is_empty(self):
        self.directory = os.path.join(self.directory, "none")
        self.assertIn("0 files", self.run_main("show"))
        self.run_main("trim")
        self.run_main("clear")


if __name__ == "__main__":
    case_report.main()
