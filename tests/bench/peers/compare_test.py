#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of bench/peers/compare.py and machine.py, with programs that only print."""

import contextlib
import io
import json
import os
import sys
import tempfile
import types
import unittest
import xml.etree.ElementTree
from unittest import mock

import synthetic

import case_report
import compare
import machine
import plan

# A program that writes 8 KiB, and prints a line of each kind that it may be asked for.
_PROGRAM = """
import json, os, sys
flags = dict(a[2:].split("=") for a in sys.argv[1:])
open(os.path.join(flags["directory"], "f"), "wb").write(b"x" * 8192)
line, handoff = json.loads(os.environ["LINES"])
if flags["variant"] == os.environ.get("BROKEN"):
    print("warming up", "F0000 a.cc:1] Check failed: 1 == 2", "stack", file=sys.stderr, sep="\\n")
    sys.exit(3)
if "rate" in flags:
    print(json.dumps(handoff))
elif flags["work"] == "append":
    print(json.dumps(line))
else:
    print(json.dumps(line | {"work": "scan"}))
    print(json.dumps(line | {"work": "point"}))
"""


class BuiltPrograms:
    """As programs.Programs, without Bazel."""

    def __init__(self, peers, scratch):
        self.peers = [peer for peer in peers if peer.name != "lmdb"]
        self.left_out = ["lmdb: liblmdb-dev is not installed"]
        self._path = os.path.join(scratch, "program.py")
        with open(self._path, "w", encoding="utf-8") as file:
            file.write(_PROGRAM)

    def command(self, run, settings, directory):
        return [sys.executable, self._path] + compare.programs.flags_of(run, settings, directory)


class Compare(unittest.TestCase):

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = directory.name
        lines = json.dumps([synthetic.line(), synthetic.handoff_line(0.5)])
        self.environment = {"LINES": lines}

    def run_main(self, *arguments):
        output = io.StringIO()
        with mock.patch.dict(os.environ, self.environment), \
                mock.patch.object(compare.programs, "Programs", BuiltPrograms), \
                contextlib.redirect_stdout(output), contextlib.redirect_stderr(io.StringIO()):
            status = compare.main(["--quick", f"--scratch={self.directory}", *arguments])
        return status, output.getvalue()

    def path(self, name):
        return os.path.join(self.directory, name)

    def test_table_json_and_pictures_are_written_and_nothing_else_is_left(self):
        status, said = self.run_main("--works=scan_100_|handoff_spin", "--peers=sqlite|queues",
                                     f"--json={self.path('r.json')}", f"--svg={self.path('svg')}")
        self.assertEqual(status, 0)
        self.assertIn("Scan, 100 B, appended one by one (more is better)", said)
        self.assertIn("Left out: lmdb: liblmdb-dev is not installed", said)
        with open(self.path("r.json"), encoding="utf-8") as file:
            report = json.load(file)
        self.assertEqual([table["name"] for table in report["tables"]],
                         ["scan_100_1", "scan_100_64", "handoff_spinning"])
        (row,) = (row for row in report["tables"][0]["rows"] if row["peer"].startswith("SQLite"))
        self.assertEqual(row["metrics"]["scan"]["median"], 1000)
        self.assertGreaterEqual(row["bytes_per_record"], 8)
        for name in os.listdir(self.path("svg")):
            xml.etree.ElementTree.parse(os.path.join(self.path("svg"), name))
        self.assertEqual(sorted(os.listdir(self.directory)), ["r.json", "svg"])

    def test_run_that_fails_is_said_with_its_reason_and_the_others_are_shown(self):
        self.environment["BROKEN"] = "normal"
        status, said = self.run_main("--works=append_unsynced_100_1$", "--peers=sqlite|leveldb")
        self.assertEqual(status, 1)
        self.assertIn("  LevelDB  ", said)
        self.assertIn("FAILED: SQLite, WAL, NORMAL, unsynced, 100 B, batch 1, repetition 1: "
                      "ended with 3: F0000 a.cc:1] Check failed: 1 == 2", said)

    def test_works_that_are_not_there_are_an_error(self):
        self.assertEqual(self.run_main("--works=nothing")[0], 2)

    def test_repetitions_go_through_all_works_and_begin_with_another_peer_each(self):
        runs = plan.runs_of([synthetic.work("append_unsynced_100_1"),
                             synthetic.work("append_synced_100_1")])
        order = list(compare.interleaved(runs, 3))
        self.assertEqual(len(order), 3 * len(runs))
        self.assertEqual({run for _, run in order[:len(runs)]}, set(runs))
        self.assertEqual([repetition for repetition, _ in order],
                         sorted(repetition for repetition, _ in order))
        self.assertEqual([order[i * len(runs)][1].variant.label for i in range(3)],
                         [run.variant.label for run in runs[:3]])

    def test_quick_gives_way_to_what_is_asked_for(self):
        flags = compare.read_flags(["--quick", "--mib=7"])
        self.assertEqual((flags.repetitions, flags.seconds, flags.mib), (1, 0.5, 7))
        self.assertEqual(compare.read_flags([]).repetitions, 5)

    def test_peers_that_have_nothing_to_do_are_not_built(self):
        flags = types.SimpleNamespace(works="handoff_blocking", peers="")
        _, peers = compare.choose(flags)
        self.assertEqual({peer.name for peer in peers}, {"varve_handoff", "queues", "zeromq"})


class Machine(unittest.TestCase):

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = directory.name

    def write(self, name, text):
        path = os.path.join(self.root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def test_file_system_is_that_of_the_longest_mount_point(self):
        mounts = self.write("mounts", "a / ext4 rw 0 0\nb /tmp/x tmpfs rw 0 0\n"
                                      "c /tmp/xy xfs rw 0 0\n")
        self.assertEqual(machine.file_system_of("/tmp/other", mounts), "ext4")
        self.assertEqual(machine.file_system_of("/tmp/xy/z", mounts), "xfs")
        self.assertEqual(machine.file_system_of("/tmp/x", mounts),
                         "tmpfs (nothing on it is durable)")

    def test_dirty_limit_is_a_share_of_free_memory_and_page_cache_or_fixed(self):
        self.write("meminfo", "MemFree: 1000 kB\nActive(file): 600 kB\nInactive(file): 400 kB\n")
        self.write("sys/vm/dirty_background_ratio", "10\n")
        self.write("sys/vm/dirty_background_bytes", "0\n")
        self.assertEqual(machine.background_dirty_limit(self.root), 200 * 1024)
        self.write("sys/vm/dirty_background_bytes", "4096\n")
        self.assertEqual(machine.background_dirty_limit(self.root), 4096)


if __name__ == "__main__":
    case_report.main()
