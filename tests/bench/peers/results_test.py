#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of bench/peers/results.py and plan.py, on lines as the programs print them."""

import unittest

import synthetic

import case_report
import plan
import results

_APPEND = "append_unsynced_100_1"


class Results(unittest.TestCase):

    def setUp(self):
        self.results = results.Results()

    def add(self, work, label, *lines, file_bytes=0):
        self.results.add(synthetic.run(work, label), lines, file_bytes)

    def table(self, work):
        return self.results.table(synthetic.work(work))

    def rows(self, work):
        return {row["peer"]: row for row in self.table(work)["rows"]}

    def test_median_of_all_repetitions_is_taken_with_the_lowest_and_the_highest(self):
        for records in (300, 100, 900):
            self.add(_APPEND, "varve, kMemory", synthetic.line(records=records))
        figures = self.rows(_APPEND)["varve, kMemory"]["metrics"]["append"]
        self.assertEqual(figures, {"median": 300, "low": 100, "high": 900, "to_varve": 1,
                                   "runs": [300, 100, 900]})

    def test_ratio_is_to_the_median_of_varve(self):
        self.add(_APPEND, "varve, kMemory", synthetic.line(records=4000, seconds=2))
        self.add(_APPEND, "LevelDB", synthetic.line(records=500))
        self.assertEqual(self.rows(_APPEND)["LevelDB"]["metrics"]["append"]["to_varve"], 0.25)

    def test_without_varve_there_is_no_ratio(self):
        self.add(_APPEND, "LevelDB", synthetic.line())
        self.assertIsNone(self.rows(_APPEND)["LevelDB"]["metrics"]["append"]["to_varve"])

    def test_best_comes_first(self):
        for label, records in (("varve, kMemory", 2), ("LevelDB", 1), ("write(2)", 3)):
            self.add(_APPEND, label, synthetic.line(records=records))
        self.assertEqual([row["peer"] for row in self.table(_APPEND)["rows"]],
                         ["write(2)", "varve, kMemory", "LevelDB"])
        for label, p50 in (("varve, spinning", 0.3), ("a ring without a lock", 0.2)):
            self.add("handoff_spinning", label, synthetic.handoff_line(p50))
        self.assertEqual([row["peer"] for row in self.table("handoff_spinning")["rows"]],
                         ["a ring without a lock", "varve, spinning"])

    def test_latencies_have_a_ratio_for_each_percentile(self):
        self.add("handoff_spinning", "varve, spinning", synthetic.handoff_line(0.5, 2, 10))
        self.add("handoff_spinning", "a ring without a lock", synthetic.handoff_line(0.25, 3, 5))
        metrics = self.rows("handoff_spinning")["a ring without a lock"]["metrics"]
        self.assertEqual({name: figures["to_varve"] for name, figures in metrics.items()},
                         {"p50": 0.5, "p99": 1.5, "p99.9": 0.5})

    def test_work_that_nobody_did_has_no_table(self):
        self.assertIsNone(self.table(_APPEND))
        self.assertEqual(self.results.tables(plan.works()), [])

    def test_peer_without_point_reads_is_left_out_of_their_table_alone(self):
        self.add("scan_100_64", "Chronicle Queue, sparse", synthetic.line("scan"))
        self.assertIn("Chronicle Queue, sparse", self.rows("scan_100_64"))
        self.assertIsNone(self.table("point_100_64"))

    def test_log_that_forgets_batches_stands_in_both_tables_by_one_run(self):
        self.assertEqual(synthetic.run("scan_100_1", "LevelDB"),
                         synthetic.run("scan_100_64", "LevelDB"))
        self.assertNotEqual(synthetic.run("scan_100_1", "varve, kMemory"),
                            synthetic.run("scan_100_64", "varve, kMemory"))

    def test_bytes_of_files_are_said_of_each_value_but_not_where_few_are_synced(self):
        self.add(_APPEND, "varve, kMemory", synthetic.line(appended=1000), file_bytes=169_000)
        self.add("append_synced_100_1", "varve, kSynced", synthetic.line(), file_bytes=169_000)
        self.assertEqual(self.rows(_APPEND)["varve, kMemory"]["bytes_per_record"], 169)
        self.assertNotIn("bytes_per_record",
                         self.rows("append_synced_100_1")["varve, kSynced"])

    def test_other_bytes_of_as_many_values_are_a_disagreement(self):
        self.add(_APPEND, "LevelDB", synthetic.line(checksum="aa"))
        self.add(_APPEND, "write(2)", synthetic.line(checksum="aa"))
        self.add(_APPEND, "varve, kMemory", synthetic.line(checksum="ab", appended=900))
        self.assertEqual(self.results.disagreements(), [])
        self.add(_APPEND, "LMDB, MDB_NOSYNC", synthetic.line(checksum="ab"))
        self.assertEqual(self.results.disagreements(),
                         ["1,000 values of 100 B have different checksums: "
                          "aa LevelDB, write(2); ab LMDB, MDB_NOSYNC"])


class Plan(unittest.TestCase):

    def test_every_work_has_one_reference_which_is_varve(self):
        for work in plan.works():
            found = [variant for _, variant in plan.rows_of(work) if variant.is_reference]
            self.assertEqual([v.label[:5] for v in found], ["varve"], work.name)

    def test_names_of_works_and_labels_are_unique(self):
        names = [work.name for work in plan.works()]
        self.assertEqual(len(set(names)), len(names))
        labels = [variant.label for peer in plan.PEERS for variant in peer.variants]
        self.assertEqual(len(set(labels)), len(labels))

    def test_runs_are_made_once_each(self):
        runs = plan.runs_of(plan.works())
        self.assertEqual(len(set(runs)), len(runs))


if __name__ == "__main__":
    case_report.main()
