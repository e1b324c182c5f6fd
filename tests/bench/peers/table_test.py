#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of bench/peers/table.py, on figures that are made up."""

import unittest

import synthetic

import case_report
import plan
import results
import table


def report_of(found, **more):
    """A report as compare.py makes it."""
    return {"machine": {"cores": "2", "processor": "P"}, "repetitions": 5, "left_out": [],
            "failures": [], "tables": found.tables(plan.works()), **more}


class Table(unittest.TestCase):

    def setUp(self):
        self.results = results.Results()

    def add(self, work, label, line, file_bytes=0):
        self.results.add(synthetic.run(work, label), [line], file_bytes)

    def text(self, **more):
        return "\n".join(table.text_of_report(report_of(self.results, **more)))

    def test_figures_have_three_digits(self):
        for value, said in ((5_123_456, "5.12 M"), (999_900, "1.00 M"), (430_000, "430 k"),
                            (8_149, "8.15 k"), (999.4, "999"), (10, "10.0"), (0.5, "0.500"),
                            (2.5e9, "2.50 G"), (0, "0")):
            self.assertEqual(table.figure(value, "records/s"), said)
        for value, said in ((0.183, "0.183"), (0.9999, "1.00"), (9.996, "10.0"), (1831.4, "1831")):
            self.assertEqual(table.figure(value, "µs"), said)

    def test_ratios_are_short(self):
        for value, said in ((1, "1.00"), (0.264, "0.26"), (0.0031, "0.0031"), (34.4, "34"),
                            (None, "-")):
            self.assertEqual(table.ratio(value), said)

    def test_rates_are_aligned_with_what_survives_beside_them(self):
        self.add("append_unsynced_100_1", "varve, kMemory", synthetic.line(records=5_000_000),
                 169_000)
        self.add("append_unsynced_100_1", "LevelDB", synthetic.line(records=500_000), 116_000)
        lines = self.text().splitlines()
        start = lines.index("Append, 100 B, one by one, not synced (more is better)")
        self.assertEqual([line[2:] for line in lines[start + 1:start + 4]], [
            "                records/s  × varve  lowest to highest  B/record  kill -9  power loss",
            "varve, kMemory     5.00 M     1.00   5.00 M to 5.00 M       169  all      a prefix",
            "LevelDB             500 k     0.10     500 k to 500 k       116  all      a prefix",
        ])

    def test_latencies_show_every_percentile(self):
        self.add("handoff_spinning", "varve, spinning", synthetic.handoff_line(0.5, 2, 10))
        lines = self.text().splitlines()
        start = lines.index("Hand-off, 64 B, 100,000/s, a reader that spins (less is better)")
        self.assertEqual(lines[start + 1].split("  ")[-1], "power loss")
        self.assertRegex(lines[start + 2],
                         r"varve, spinning +0\.500 +1\.00 +0\.500 to 0\.500 +2\.00 +1\.00 +10\.0")

    def test_what_is_left_out_and_what_failed_is_said(self):
        said = self.text(left_out=["lmdb: liblmdb-dev is not installed"], failures=["LevelDB: no"])
        self.assertIn("Left out: lmdb: liblmdb-dev is not installed\n", said)
        self.assertIn("\nFAILED: LevelDB: no", said)

    def test_machine_stands_first(self):
        self.assertEqual(self.text().splitlines()[:2], ["cores      2", "processor  P"])


if __name__ == "__main__":
    case_report.main()
