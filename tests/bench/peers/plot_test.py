#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of bench/peers/plot.py, on figures that are made up."""

import os
import tempfile
import unittest
import xml.etree.ElementTree

import synthetic

import case_report
import plan
import plot
import results

_SVG = "{http://www.w3.org/2000/svg}"
_APPEND = "append_unsynced_100_1"


class Plot(unittest.TestCase):

    def setUp(self):
        self.results = results.Results()

    def add(self, work, label, *lines):
        for line in lines:
            self.results.add(synthetic.run(work, label), [line], 0)

    def picture(self, work, metric):
        table = self.results.table(synthetic.work(work))
        return xml.etree.ElementTree.fromstring(plot.svg_of(table, metric, 5))

    def test_bars_are_as_long_as_the_medians_and_varve_stands_out(self):
        self.add(_APPEND, "varve, kMemory", synthetic.line(records=1000))
        self.add(_APPEND, "LevelDB", synthetic.line(records=250))
        bars = [rect for rect in self.picture(_APPEND, "append").iter(_SVG + "rect")
                if "bar" in rect.get("class")]
        self.assertEqual([bar.get("class") for bar in bars], ["bar varve", "bar"])
        self.assertAlmostEqual(float(bars[1].get("width")) / float(bars[0].get("width")), 0.25,
                               places=2)

    def test_everything_is_within_the_picture(self):
        self.add(_APPEND, "varve, kMemory", synthetic.line(records=10),
                 synthetic.line(records=1000))
        picture = self.picture(_APPEND, "append")
        width, height = float(picture.get("width")), float(picture.get("height"))
        for rect in picture.iter(_SVG + "rect"):
            self.assertLessEqual(float(rect.get("x")) + float(rect.get("width")), width)
            self.assertLessEqual(float(rect.get("y")) + float(rect.get("height")), height)
        for line in picture.iter(_SVG + "line"):
            self.assertLessEqual(float(line.get("x2")), width)

    def test_line_goes_from_the_lowest_to_the_highest(self):
        self.add(_APPEND, "varve, kMemory", synthetic.line(records=500),
                 synthetic.line(records=1000), synthetic.line(records=1000))
        (line,) = self.picture(_APPEND, "append").iter(_SVG + "line")
        (bar,) = (rect for rect in self.picture(_APPEND, "append").iter(_SVG + "rect")
                  if "bar" in rect.get("class"))
        begin, end = float(bar.get("x")), float(bar.get("x")) + float(bar.get("width"))
        self.assertAlmostEqual(float(line.get("x1")), (begin + end) / 2, places=0)
        self.assertAlmostEqual(float(line.get("x2")), end, places=0)

    def test_labels_say_the_figure_the_ratio_and_what_survives(self):
        self.add(_APPEND, "varve, kMemory", synthetic.line(records=5_000_000))
        said = [text.text for text in self.picture(_APPEND, "append").iter(_SVG + "text")]
        self.assertIn("5.00 M · 1.00 ×", said)
        self.assertIn("kill -9: all · power loss: a prefix", said)

    def test_marks_of_markup_in_a_label_are_escaped(self):
        table = {"name": "n", "title": "a < b & c", "unit": "records/s", "more_is_better": True,
                 "metrics": ["append"], "rows": [{
                     "peer": "<x>", "survives": {"kill": "a&b", "power_loss": "c"},
                     "metrics": {"append": {"median": 1, "low": 1, "high": 1,
                                            "to_varve": None}}}]}
        picture = xml.etree.ElementTree.fromstring(plot.svg_of(table, "append", 1))
        said = [text.text for text in picture.iter(_SVG + "text")]
        self.assertIn("<x>", said)
        self.assertIn("a < b & c", said)

    def test_each_work_and_each_percentile_has_a_file(self):
        self.add(_APPEND, "varve, kMemory", synthetic.line())
        self.add("handoff_spinning", "varve, spinning", synthetic.handoff_line(0.5))
        report = {"repetitions": 5, "tables": self.results.tables(plan.works())}
        with tempfile.TemporaryDirectory() as directory:
            into = os.path.join(directory, "plots")
            plot.write_plots(report, into)
            self.assertEqual(sorted(os.listdir(into)), [
                "append_unsynced_100_1.svg", "handoff_spinning_p50.svg",
                "handoff_spinning_p99.svg", "handoff_spinning_p99_9.svg"])
            for name in os.listdir(into):
                xml.etree.ElementTree.parse(os.path.join(into, name))


if __name__ == "__main__":
    case_report.main()
