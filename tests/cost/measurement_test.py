#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Costs are read off what the program and callgrind write."""

import os
import sys
import tempfile
import unittest

import measurement

sys.path.append("tests/lint")
import case_report  # pylint: disable=wrong-import-position

_PART = """# callgrind format
version: 1
part: 1

desc: Trigger: --dump-before=varve::cost::ReportCounts*

positions: line
events: Ir sysCount sysTime
summary: {summary}

fn=(1) main
0 5 7
totals: 9 9 9
"""
_OUTPUT = """{"compiler": "gcc 12.2.0"}
{"operation": "append", "per": "record", "operations": 64, "allocations": 0, \
"clock_readings": 66, "crc_bytes": 640, "batch_bytes": 640}
{"operation": "read", "per": "read", "operations": 3, "allocations": 1, \
"clock_readings": 0, "crc_bytes": 300, "batch_bytes": 100}
"""
_LISTING = """
Ir                  file:function
--------------------------------------------------------------------------------
7,175,704 (100.0%)  ???:main [/a/cost_driver]
  825,600 (11.51%)  ???:varve::Log::Append(varve::Batch const&) [/a/cost_driver]
  134,400 ( 1.87%)  ./string/../memmove.S:__memcpy_avx [/usr/lib/libc.so.6]
"""


class Callgrind(unittest.TestCase):

    def test_events_of_a_part_are_those_that_it_collected(self):
        self.assertEqual(measurement.collected(_PART.format(summary="303259 128 1")),
                         {"Ir": 303259, "sysCount": 128, "sysTime": 1})

    def test_events_that_are_left_out_at_the_end_are_zero(self):
        self.assertEqual(measurement.collected(_PART.format(summary="7175704")),
                         {"Ir": 7175704, "sysCount": 0, "sysTime": 0})

    def test_parts_are_in_the_order_of_their_numbers(self):
        with tempfile.TemporaryDirectory() as directory:
            profile = os.path.join(directory, "profile")
            for suffix in ("", ".10", ".9", ".1"):
                with open(profile + suffix, "w", encoding="utf-8"):
                    pass
            self.assertEqual([path.removeprefix(profile)
                              for path in measurement.parts_of(profile)], [".1", ".9", ".10"])

    def test_functions_are_listed_for_one_operation_without_their_callers(self):
        self.assertEqual(list(measurement.functions_of(_LISTING, 6400)),
                         [(129, "varve::Log::Append(varve::Batch const&)"), (21, "__memcpy_avx")])


class Costs(unittest.TestCase):

    def test_costs_are_those_of_one_operation(self):
        got = measurement.put_together(_OUTPUT, [{"Ir": 70000, "sysCount": 0},
                                                 {"Ir": 400, "sysCount": 3}])
        self.assertEqual(got.built_with, {"compiler": "gcc 12.2.0"})
        self.assertEqual(got.costs, {
            "append.instructions": 1093.8, "append.system_calls": 0, "append.allocations": 0,
            "append.clock_readings": 1.0312, "append.crc_bytes": 1,
            "read.instructions": 133.3, "read.system_calls": 1, "read.allocations": 0.3333,
            "read.clock_readings": 0, "read.crc_bytes": 3})
        self.assertEqual(got.rounds, {"append": 64, "read": 3})

    def test_units_say_of_what(self):
        units = measurement.put_together(_OUTPUT, None).units
        self.assertEqual(units["append.allocations"], "calls of new per record")
        self.assertEqual(units["read.crc_bytes"], "bytes checksummed per byte of a batch")

    def test_without_callgrind_there_is_the_rest(self):
        self.assertEqual(measurement.put_together(_OUTPUT, None).costs.keys(), {
            f"{operation}.{kind}" for operation in ("append", "read")
            for kind in ("allocations", "clock_readings", "crc_bytes")})

    def test_operation_that_callgrind_did_not_see_is_an_error(self):
        with self.assertRaisesRegex(RuntimeError, "counted 1 operations of 2"):
            measurement.put_together(_OUTPUT, [{"Ir": 1, "sysCount": 0}])


class Run(unittest.TestCase):

    def test_program_that_fails_says_what_it_said(self):
        with self.assertRaisesRegex(RuntimeError, "(?s)exit status 3.*no room"):
            measurement.run("sh", "-c", "echo no room >&2; exit 3")


if __name__ == "__main__":
    case_report.main()
