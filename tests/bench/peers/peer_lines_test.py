#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the programs of bench/peers print is what compare.py reads, and the checksums of
different peers agree. Those that need nothing but varve are run, small."""

import os
import tempfile
import types
import unittest

import synthetic

import case_report
import compare
import plan
import programs
import results

_PROGRAMS = {"varve_peer", "write_peer", "varve_handoff", "queue_handoff"}
_SETTINGS = types.SimpleNamespace(seconds=0.02, mib=1)


class PeerLines(unittest.TestCase):

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = directory.name

    def run_all(self, works):
        """Starts every run of those works; returns the results."""
        peers = [peer for peer in plan.PEERS if peer.program in _PROGRAMS]
        found = results.Results()
        for run in plan.runs_of(works, peers):
            directory = os.path.join(self.directory, "peer")
            command = [os.path.join("bench/peers", run.peer.program),
                       *programs.flags_of(run, _SETTINGS, directory)]
            found.add(run, *compare.start(command, directory))
        return found

    def expect_rows(self, works):
        found = self.run_all(works)
        self.assertEqual(found.disagreements(), [])
        for work in works:
            peers = [peer for peer in plan.PEERS if peer.program in _PROGRAMS]
            labels = {variant.label for _, variant in plan.rows_of(work, peers)}
            self.assertEqual({row["peer"] for row in found.table(work)["rows"]}, labels)

    def test_appends_are_measured_and_agree(self):
        self.expect_rows([w for w in plan.works() if w.mode in (plan.UNSYNCED, plan.SYNCED)])

    def test_reads_are_measured_and_agree(self):
        self.expect_rows([w for w in plan.works() if w.mode == plan.READ])

    def test_handoffs_are_measured(self):
        self.expect_rows([synthetic.work("handoff_spinning"),
                          synthetic.work("handoff_blocking")])

    def test_program_says_why_it_refuses_a_flag(self):
        with self.assertRaisesRegex(RuntimeError, "--help"):
            compare.start(["bench/peers/write_peer", "--variant=other", "--work=append"],
                          os.path.join(self.directory, "peer"))


if __name__ == "__main__":
    case_report.main()
