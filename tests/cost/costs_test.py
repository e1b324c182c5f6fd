#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A cost that is not as it was is found, and said so that one knows what to do."""

import json
import sys
import unittest

import costs
import measurement

sys.path.append("tests/lint")
import case_report  # pylint: disable=wrong-import-position

_GCC = {"compiler": "gcc 12.2.0", "abseil": "20240722"}


def known(**values):
    """What costs.json says: append.instructions as instructions=100."""
    return {"taken_with": _GCC, "costs": {
        f"append.{kind}": {"value": value, "tolerance_percent": 1 if kind == "instructions" else 0,
                           "unit": f"{kind} per record"} for kind, value in values.items()}}


def measured(built_with=_GCC, missing=(), **values):
    return measurement.Measurement(
        built_with, {f"append.{kind}": value for kind, value in values.items()},
        {f"append.{kind}": f"{kind} per record" for kind in values},
        {kind: "there is no valgrind" for kind in missing})


class Compare(unittest.TestCase):

    def only(self, before, now, **arguments):
        """The one outcome."""
        outcomes = costs.compare(before, now, **arguments)
        self.assertEqual(len(outcomes), 1, outcomes)
        return outcomes[0]

    def expect(self, outcome, result, *words):
        self.assertEqual(outcome.result, result, outcome)
        for word in words:
            self.assertIn(word, outcome.why)

    def test_same_cost_passes(self):
        self.expect(self.only(known(allocations=0), measured(allocations=0)), "passed")

    def test_difference_within_the_tolerance_passes_either_way(self):
        for value in (990, 1010):
            self.expect(self.only(known(instructions=1000), measured(instructions=value)), "passed")

    def test_cost_that_rose_fails_and_says_by_how_much_and_what_to_do(self):
        outcome = self.only(known(instructions=1000), measured(instructions=1234.5))
        self.assertEqual(outcome.name, "append.instructions")
        self.expect(outcome, "failed", "rose by 23.4 %", "from 1,000 to 1,234.5 instructions per "
                    "record", "tolerance 1 %", "./dev cost --update")

    def test_cost_that_fell_fails_until_the_file_says_so(self):
        self.expect(self.only(known(instructions=1000), measured(instructions=989.9)), "failed",
                    "fell by 1.0 %", "up to date: ./dev cost --update")

    def test_cost_that_was_nothing_fails_with_any_value(self):
        self.expect(self.only(known(system_calls=0), measured(system_calls=0.0005)), "failed",
                    "rose, from 0 to 0.0005")

    def test_cost_without_tolerance_fails_with_any_difference(self):
        self.expect(self.only(known(crc_bytes=1), measured(crc_bytes=1.0001)), "failed", "rose")
        self.expect(self.only(known(crc_bytes=1), measured(crc_bytes=0.9999)), "failed", "fell")

    def test_cost_that_is_new_or_gone_fails(self):
        self.expect(self.only(known(), measured(allocations=0)), "failed", "not in", "--update")
        self.expect(self.only(known(allocations=0), measured()), "failed", "no longer", "--update")

    def test_instructions_of_another_compiler_are_skipped_with_the_reason(self):
        now = measured({**_GCC, "compiler": "gcc 14.2.0"}, instructions=5, allocations=1)
        allocations, instructions = costs.compare(known(instructions=1000, allocations=0), now)
        self.expect(instructions, "skipped", "compiler is gcc 14.2.0, and was gcc 12.2.0")
        self.expect(allocations, "failed", "rose")

    def test_what_only_one_of_the_two_says_of_its_build_is_a_difference(self):
        self.expect(self.only(known(instructions=1), measured({**_GCC, "mode": "x"},
                                                              instructions=1)),
                    "skipped", "mode is x, and was not known")

    def test_what_cannot_be_measured_is_skipped_with_the_reason(self):
        now = measured(missing=["instructions"])
        self.expect(self.only(known(instructions=1000), now), "skipped", "no valgrind")

    def test_what_cannot_be_measured_fails_where_everything_must_be(self):
        now = measured(missing=["instructions"])
        self.expect(self.only(known(instructions=1000), now, must_measure=True), "failed",
                    "no valgrind")


class Update(unittest.TestCase):

    def test_values_are_new_and_tolerances_stay(self):
        before = known(instructions=1000, crc_bytes=1)
        before["costs"]["append.instructions"]["tolerance_percent"] = 3
        after = costs.updated(before, measured({"compiler": "gcc 14"}, instructions=900,
                                               allocations=0))
        self.assertEqual(after, {"taken_with": {"compiler": "gcc 14"}, "costs": {
            "append.instructions": {"value": 900, "tolerance_percent": 3,
                                    "unit": "instructions per record"},
            "append.allocations": {"value": 0, "tolerance_percent": 0,
                                   "unit": "allocations per record"}}})

    def test_new_count_of_instructions_may_move_a_little(self):
        after = costs.updated(known(), measured(instructions=900))
        self.assertEqual(after["costs"]["append.instructions"]["tolerance_percent"], 1)

    def test_what_changed_is_said(self):
        self.assertEqual(
            list(costs.changes(known(allocations=0, crc_bytes=1, instructions=1000),
                               known(crc_bytes=1, instructions=1123.4, system_calls=0))),
            ["append.allocations: 0 → none", "append.instructions: 1,000 → 1,123.4",
             "append.system_calls: none → 0"])

    def test_after_an_update_everything_passes(self):
        now = measured(instructions=1123.4, allocations=0)
        after = costs.updated(known(instructions=1), now)
        self.assertEqual({o.result for o in costs.compare(after, now)}, {"passed"})


class File(unittest.TestCase):

    def test_text_has_a_line_for_each_cost_and_reads_back(self):
        before = known(instructions=1123.4, allocations=0)
        text = costs.text_of(before)
        self.assertEqual(json.loads(text), before)
        self.assertIn('    "append.allocations": {"value": 0, "tolerance_percent": 0, '
                      '"unit": "allocations per record"},\n', text)


if __name__ == "__main__":
    case_report.main()
