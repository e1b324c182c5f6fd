#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sums up a `bazel test` run from its build events and test.xml files.

Prints a line for each test program, the output of those that failed, and last
`N passed, N failed`, or `N passed, N failed, N skipped`. Exits 1 if anything
failed, if nothing ran, or if the build failed.

A GoogleTest program counts as its test cases. Any other test counts as one,
unless it writes an XML report of its own (to $XML_OUTPUT_FILE). One that prints
a line that begins with "SKIPPED: " and exits 0 counts as skipped.

Before that line it says what the build did: actions that ran, actions whose result
came from the cache of compiled objects, and test results that were not new.
"""

import argparse
import base64
import dataclasses
import json
import os
import re
import sys
import urllib.parse
import xml.etree.ElementTree

_OUTPUT_LINES_MAX = 200
# What Bazel puts before a test's own output.
_PREAMBLE = re.compile(r"\A(exec .*\n)?Executing tests from .*\n-+\n")
_SKIPPED = re.compile(r"^SKIPPED: *(.*)$", re.MULTILINE)


@dataclasses.dataclass
class Program:
    """What one test target came to, over all its shards."""

    label: str
    passed: int = 0
    failed: int = 0
    seconds: float = 0.0
    cached: bool = True  # All its results are of an earlier run.
    new_results: int = 0
    old_results: int = 0
    skipped: list = dataclasses.field(default_factory=list)  # "case: reason"
    failures: list = dataclasses.field(default_factory=list)  # case names
    logs: list = dataclasses.field(default_factory=list)  # of failed shards


def path_of(uri):
    """The path in a file: URI."""
    return urllib.parse.unquote(urllib.parse.urlparse(uri).path)


def read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def count_cases(program, report):
    """Adds the cases of one test.xml to `program`."""
    for case in report.iter("testcase"):
        if case.get("status") == "notrun" or case.get("result") == "suppressed":
            continue  # Disabled, or in another shard.
        suite = case.get("classname") or ""
        name = f"{suite}.{case.get('name')}" if suite else case.get("name")
        skipped = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            program.failed += 1
            program.failures.append(name)
        elif skipped is not None or case.get("result") == "skipped":
            reason = (skipped.get("message") if skipped is not None else "") or ""
            # GoogleTest's message begins with the place, on a line of its own.
            lines = [l for l in reason.splitlines() if not re.match(r"\S+:\d+$", l)]
            program.skipped.append(f"{name}: {' '.join(lines)}".rstrip(": "))
        else:
            program.passed += 1


def add_result(program, result):
    """Adds a testResult event to `program`."""
    outputs = {o.get("name"): o.get("uri", "") for o in result.get("testActionOutput", [])}
    log = path_of(outputs.get("test.log", ""))
    program.seconds += int(result.get("testAttemptDurationMillis", 0)) / 1000
    cached = bool(result.get("cachedLocally")) or bool(
        result.get("executionInfo", {}).get("cachedRemotely"))
    program.cached &= cached
    program.old_results += cached
    program.new_results += not cached
    before = program.failed
    skipped = _SKIPPED.search(read(log))
    try:
        report = xml.etree.ElementTree.parse(path_of(outputs["test.xml"])).getroot()
    except (KeyError, OSError, xml.etree.ElementTree.ParseError):
        report = xml.etree.ElementTree.Element("testsuites")
    cases = list(report.iter("testcase"))
    if skipped and result.get("status") == "PASSED" and len(cases) <= 1:
        program.skipped.append(f"{program.label}: {skipped.group(1)}")
        return
    count_cases(program, report)
    if result.get("status") == "PASSED":
        if not cases:
            program.passed += 1
        return
    if program.failed == before:  # Died or ran out of time outside any case.
        program.failed += 1
        program.failures.append(str(result.get("status", "FAILED")).lower().replace("_", " "))
    program.logs.append(log)


def programs_of(events):
    """The test programs of a run, by label, and what could not be built."""
    results, unbuilt = {}, []
    for event in events:
        identity = event.get("id", {})
        if "testResult" in event:
            # A later attempt replaces an earlier one.
            key = identity["testResult"]
            key = (key["label"], key.get("run", 1), key.get("shard", 1))
            results[key] = event["testResult"]
        elif "targetCompleted" in identity and (
            "aborted" in event or not event.get("completed", {}).get("success")
        ):
            unbuilt.append(identity["targetCompleted"]["label"])
    programs = {}
    for (label, _, _), result in sorted(results.items()):
        add_result(programs.setdefault(label, Program(label)), result)
    return programs, sorted(set(unbuilt))


def actions_of(events):
    """How many actions of a build ran, and how many a cache answered; without those
    that Bazel does itself, such as writing a file of parameters."""
    ran = cached = 0
    for event in events:
        for log in event.get("buildToolLogs", {}).get("log", []):
            if log.get("name") != "process stats":
                continue
            text = base64.b64decode(log.get("contents", "")).decode(errors="replace")
            runners = re.sub(r".*\bprocess(es)?:", "", text)
            for count, runner in re.findall(r"(\d+) ([a-z][a-z -]*)", runners):
                if runner.strip().endswith("cache hit"):
                    cached += int(count)
                elif runner.strip() != "internal":
                    ran += int(count)
    return ran, cached


def actions_line(ran, cached, results=None):
    """`results`: how many test results are new, and how many are not. Bazel counts a
    test that runs among the actions; here it is none."""
    new, old = results or (0, 0)
    line = f"actions: {max(ran - new, 0)} ran, {cached} from the cache of objects"
    if results:
        line += f"; test results: {new} new, {old} cached"
    return line


def print_failures(programs):
    for program in programs:
        for log in program.logs:
            lines = _PREAMBLE.sub("", read(log)).splitlines()
            print(f"\n--- {program.label}\n    {log}")
            if len(lines) > _OUTPUT_LINES_MAX:
                print(f"(the last {_OUTPUT_LINES_MAX} of {len(lines)} lines)")
            print("\n".join(lines[-_OUTPUT_LINES_MAX:]))


def summary_line(passed, failed, skipped):
    line = f"{passed} passed, {failed} failed"
    return f"{line}, {skipped} skipped" if skipped else line


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bazel-status", type=int, default=0)
    parser.add_argument("--only-actions", action="store_true",
                        help="say what a build did, and nothing of tests")
    parser.add_argument("events", help="what --build_event_json_file wrote")
    arguments = parser.parse_args()

    events = [json.loads(line) for line in read(arguments.events).splitlines() if line]
    if arguments.only_actions:
        print(actions_line(*actions_of(events)))
        return 0
    by_label, unbuilt = programs_of(events)
    programs = list(by_label.values())
    print_failures(programs)
    if programs:
        print()
    width = max((len(p.label) for p in programs), default=0)
    for p in programs:
        mark = "FAILED" if p.failed else "ok" if p.passed else "skipped"
        seconds = "cached" if p.cached else f"{p.seconds:.1f} s"
        print(f"  {mark:8}{p.label:{width}} {p.passed:5d} {seconds:>9}")
        for name in p.failures:
            print(f"          failed: {name}")
    for p in programs:
        for line in p.skipped:
            print(f"  skipped {line}")
    for label in unbuilt:
        print(f"  not built: {label}")

    failed = sum(p.failed for p in programs) + len(unbuilt)
    if arguments.bazel_status != 0 and failed == 0:
        failed = 1  # The build itself, before any target of it.
    passed = sum(p.passed for p in programs)
    if programs or unbuilt:
        print()
    print(actions_line(*actions_of(events), (sum(p.new_results for p in programs),
                                             sum(p.old_results for p in programs))))
    print(summary_line(passed, failed, sum(len(p.skipped) for p in programs)))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
