#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of test_summary.py, on events and reports as Bazel writes them."""

import base64
import contextlib
import io
import json
import os
import sys
import tempfile
import unittest
from unittest import mock

import case_report
import test_summary

_GTEST = """<testsuites><testsuite name="S">
<testcase name="A" status="run" result="completed" classname="S"/>
<testcase name="B" status="run" result="completed" classname="S"/>
{more}</testsuite></testsuites>"""
_FAILED = '<testcase name="C" status="run" classname="S"><failure message="m"/></testcase>'
_SKIPPED = ('<testcase name="D" status="run" result="skipped" classname="S">'
            '<skipped message="a/b.cc:7&#x0A;no Kafka&#x0A;"/></testcase>')
_NOT_RUN = '<testcase name="E" status="notrun" result="suppressed" classname="S"/>'
_SHELL = '<testsuites><testsuite name="s"><testcase name="s"/></testsuite></testsuites>'


class Summary(unittest.TestCase):

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = directory.name
        self.events = []

    def file(self, name, text):
        path = os.path.join(self.directory, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def result(self, label, status, report=None, log="", shard=1, attempt=1):
        name = f"{len(self.events)}"
        outputs = [{"name": "test.log", "uri": "file://" + self.file(name + ".log", log)}]
        if report is not None:
            outputs.append({"name": "test.xml", "uri": "file://" + self.file(name + ".xml", report)})
        self.events.append({
            "id": {"testResult": {"label": label, "run": 1, "shard": shard, "attempt": attempt}},
            "testResult": {"status": status, "testAttemptDurationMillis": "100",
                           "testActionOutput": outputs}})

    def built(self, stats):
        contents = base64.b64encode(stats.encode()).decode()
        self.events.append({"id": {"buildToolLogs": {}}, "buildToolLogs": {"log": [
            {"name": "elapsed time", "contents": "MQ=="},
            {"name": "process stats", "contents": contents}]}})

    def run_main(self, bazel_status=0, flags=()):
        path = self.file("events", "".join(json.dumps(e) + "\n" for e in self.events))
        output = io.StringIO()
        arguments = ["x", f"--bazel-status={bazel_status}", *flags, path]
        with mock.patch.object(sys, "argv", arguments):
            with contextlib.redirect_stdout(output):
                status = test_summary.main()
        return status, output.getvalue()

    def expect(self, last_line, status, **arguments):
        got, output = self.run_main(**arguments)
        self.assertEqual(output.splitlines()[-1], last_line)
        self.assertEqual(got, status)
        return output

    def test_cases_of_google_test_are_counted(self):
        self.result("//a:t", "PASSED", _GTEST.format(more=_NOT_RUN))
        self.result("//b:t", "PASSED", _SHELL)
        self.expect("3 passed, 0 failed", 0)

    def test_failed_case_is_counted_named_and_its_output_shown(self):
        self.result("//a:t", "FAILED", _GTEST.format(more=_FAILED), log="Expected: 1")
        output = self.expect("2 passed, 1 failed", 1, bazel_status=3)
        self.assertIn("failed: S.C", output)
        self.assertIn("Expected: 1", output)

    def test_skipped_case_is_counted_with_its_reason(self):
        self.result("//a:t", "PASSED", _GTEST.format(more=_SKIPPED))
        self.assertIn("S.D: no Kafka", self.expect("2 passed, 0 failed, 1 skipped", 0))

    def test_skipped_script_says_why(self):
        self.result("//a:t", "PASSED", _SHELL, log="x\nSKIPPED: no Kafka\n")
        self.assertIn("no Kafka", self.expect("0 passed, 0 failed, 1 skipped", 0))

    def test_crash_without_a_report_fails(self):
        self.result("//a:t", "FAILED", None, log="Segmentation fault")
        self.assertIn("Segmentation fault", self.expect("0 passed, 1 failed", 1, bazel_status=3))

    def test_time_out_with_passed_cases_fails(self):
        self.result("//a:t", "TIMEOUT", _GTEST.format(more=""))
        self.assertIn("timeout", self.expect("2 passed, 1 failed", 1, bazel_status=3))

    def test_shards_add_up(self):
        self.result("//a:t", "PASSED", _GTEST.format(more=_NOT_RUN), shard=1)
        self.result("//a:t", "PASSED", _GTEST.format(more=""), shard=2)
        self.expect("4 passed, 0 failed", 0)

    def test_later_attempt_replaces_an_earlier_one(self):
        self.result("//a:t", "FAILED", _GTEST.format(more=_FAILED), attempt=1)
        self.result("//a:t", "PASSED", _GTEST.format(more=""), attempt=2)
        self.expect("2 passed, 0 failed", 0)

    def test_target_that_does_not_build_fails(self):
        self.result("//a:t", "PASSED", _GTEST.format(more=""))
        self.events.append({"id": {"targetCompleted": {"label": "//b:t"}},
                            "completed": {}})
        self.assertIn("not built: //b:t", self.expect("2 passed, 1 failed", 1, bazel_status=1))

    def test_actions_and_test_results_are_counted(self):
        self.result("//a:t", "PASSED", _GTEST.format(more=""))
        self.result("//b:t", "PASSED", _GTEST.format(more=""))
        self.events[-1]["testResult"]["cachedLocally"] = True
        self.built("31 processes: 20 remote cache hit, 5 internal, 4 linux-sandbox, 2 local.")
        output = self.expect("4 passed, 0 failed", 0)
        self.assertIn("\nactions: 5 ran, 20 from the cache of objects; "
                      "test results: 1 new, 1 cached\n", output)

    def test_result_that_another_checkout_had_is_a_cached_one(self):
        self.result("//a:t", "PASSED", _GTEST.format(more=""))
        self.events[-1]["testResult"]["executionInfo"] = {"cachedRemotely": True}
        self.built("1 process: 1 remote cache hit.")
        self.assertIn("test results: 0 new, 1 cached", self.expect("2 passed, 0 failed", 0))

    def test_only_the_actions_of_a_build_are_said_when_asked(self):
        self.built("INFO: 3 processes: 1 disk cache hit, 1 internal, 1 processwrapper-sandbox.")
        got, output = self.run_main(flags=["--only-actions"])
        self.assertEqual((got, output), (0, "actions: 1 ran, 1 from the cache of objects\n"))

    def test_nothing_built_fails(self):
        self.expect("0 passed, 1 failed", 1, bazel_status=1)


if __name__ == "__main__":
    case_report.main()
