#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of bench/peers/programs.py, on a machine that is made up."""

import os
import tempfile
import types
import unittest
from unittest import mock

import synthetic

import case_report
import plan
import programs

_SETTINGS = types.SimpleNamespace(seconds=2, mib=1)


class Programs(unittest.TestCase):

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.cache = directory.name
        self.commands = []
        self.broken = set()
        environment = mock.patch.dict(os.environ, XDG_CACHE_HOME=self.cache)
        environment.start()
        self.addCleanup(environment.stop)

    def build(self, headers=True):
        def runs(command):
            self.commands.append(command)
            return not self.broken.intersection(command)
        return programs.Programs(plan.PEERS, "scratch", exists=lambda path: headers, runs=runs)

    def get_chronicle(self):
        os.makedirs(os.path.join(self.cache, "varve/chronicle/2026.4"))

    def names(self, built):
        return {peer.name for peer in built.peers}

    def test_peer_without_its_package_is_said_and_left_out(self):
        built = self.build(headers=False)
        self.assertEqual(self.names(built), {"varve", "write", "varve_handoff", "queues"})
        self.assertIn("lmdb: liblmdb-dev is not installed", built.left_out)
        self.assertEqual(len(built.left_out), 6)
        self.assertEqual(len(self.commands), 1)

    def test_peer_that_does_not_build_is_said_and_left_out_alone(self):
        self.broken = {"//bench/peers:rocksdb_peer"}
        built = self.build()
        self.assertNotIn("rocksdb", self.names(built))
        self.assertIn("leveldb", self.names(built))
        self.assertIn("rocksdb: it could not be built", built.left_out)

    def test_chronicle_is_left_out_until_it_was_fetched(self):
        self.assertIn("Chronicle Queue: it is not here; ./dev bench compare --chronicle gets it",
                      self.build().left_out)
        self.get_chronicle()
        built = self.build()
        self.assertIn("chronicle", self.names(built))
        self.assertEqual(built.left_out, [])

    def test_half_fetched_chronicle_is_not_taken(self):
        os.makedirs(os.path.join(self.cache, "varve/chronicle/2026.4.new"))
        self.assertNotIn("chronicle", self.names(self.build()))

    def test_chronicle_is_left_out_without_a_compiler(self):
        self.get_chronicle()
        self.broken = {"javac"}
        self.assertNotIn("chronicle", self.names(self.build()))

    def test_command_of_a_program_names_variant_work_and_size(self):
        command = self.build().command(
            synthetic.run("scan_1024_1", "varve, kMemory"), _SETTINGS, "d")
        self.assertEqual(command[0], os.path.join(programs.ROOT,
                                                  "bazel-bin/bench/peers/varve_peer"))
        self.assertEqual(command[1:], ["--variant=memory", "--directory=d", "--seconds=2",
                                       "--work=read", "--record=1024", "--batch=1",
                                       "--records=1024"])

    def test_command_of_a_handoff_names_its_rate(self):
        command = self.build().command(
            synthetic.run("handoff_blocking", "ZeroMQ inproc"), _SETTINGS, "d")
        self.assertEqual(command[1:], ["--variant=inproc_blocking", "--directory=d",
                                       "--seconds=2", "--rate=100000"])

    def test_chronicle_runs_in_java_with_what_it_needs_open(self):
        self.get_chronicle()
        command = self.build().command(
            synthetic.run("append_synced_100_1", "Chronicle Queue, sync"), _SETTINGS, "d")
        self.assertEqual(command[0], "java")
        self.assertIn("--add-exports=java.base/jdk.internal.ref=ALL-UNNAMED", command)
        self.assertIn("-Dchronicle.version=2026.4", command)
        self.assertIn("-Dchronicle.analytics.disable=true", command)
        self.assertEqual(command[command.index("ChroniclePeer") + 1], "--variant=sync")


if __name__ == "__main__":
    case_report.main()
