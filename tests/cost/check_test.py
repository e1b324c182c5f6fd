#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check.py from end to end, with a program and a valgrind that only say what they counted."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

sys.path.append("tests/lint")
import case_report  # pylint: disable=wrong-import-position

_MODULES = ("check.py", "costs.py", "measurement.py")
_DRIVER = """#!/bin/sh
cat <<'END'
{{"compiler": "{compiler}"}}
{{"operation": "append", "per": "record", "operations": 64, "allocations": {allocations}, \
"clock_readings": 64, "crc_bytes": 640, "batch_bytes": 640}}
END
"""
# Runs its last two arguments, the program and the directory.
_VALGRIND = """#!/bin/sh
for argument; do
  case "${{argument}}" in
    --callgrind-out-file=*) profile="${{argument#*=}}" ;;
    -*) ;;
    *) break ;;
  esac
  shift
done
printf 'events: Ir sysCount\\nsummary: {instructions}\\n' >"${{profile}}.1"
exec "$@"
"""


class Check(unittest.TestCase):

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = directory.name
        os.mkdir(self.path("bin"))
        for tool in ("cat", "env", "python3", "sh"):
            os.symlink(shutil.which(tool), self.path(f"bin/{tool}"))
        for name in _MODULES:
            shutil.copy(os.path.join("tests/cost", name), self.path(name))
        self.count(instructions=64000)
        self.run_check("--update")

    def path(self, name):
        return os.path.join(self.directory, name)

    def program(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.path(name), 0o755)

    def count(self, instructions, allocations=0, compiler="gcc 12"):
        """What the next run counts."""
        self.program("driver", _DRIVER.format(allocations=allocations, compiler=compiler))
        self.program("bin/valgrind", _VALGRIND.format(instructions=instructions))

    def run_check(self, *flags, status=0, **environment):
        done = subprocess.run(
            [sys.executable, self.path("check.py"), self.path("driver"), *flags], text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
            env={"PATH": self.path("bin"), "PYTHONDONTWRITEBYTECODE": "1",
                 "PYTHONIOENCODING": "utf-8", "XML_OUTPUT_FILE": self.path("report"),
                 **environment})
        self.assertEqual(done.returncode, status, done.stdout)
        return done.stdout

    def cases(self):
        """Kind of cost -> "passed", "failure" or "skipped", as the report has them."""
        report = xml.etree.ElementTree.parse(self.path("report")).getroot()
        return {case.get("name"): case[0].tag if len(case) else "passed" for case in report}

    def test_costs_as_they_were_pass(self):
        self.assertIn("5 costs, 0 not as they were", self.run_check())
        self.assertEqual(set(self.cases().values()), {"passed"})

    def test_cost_that_rose_fails_with_what_to_do(self):
        self.count(instructions=65000, allocations=64)
        output = self.run_check(status=1)
        self.assertIn("failed: append.allocations: rose, from 0 to 1 calls of new per record",
                      output)
        self.assertIn("failed: append.instructions: rose by 1.6 %, from 1,000 to 1,015.6", output)
        self.assertIn("./dev cost --profile append", output)
        self.assertIn("5 costs, 2 not as they were", output)
        self.assertEqual(self.cases(), {
            "allocations": "failure", "clock_readings": "passed", "crc_bytes": "passed",
            "instructions": "failure", "system_calls": "passed"})

    def test_update_says_what_changed_and_is_what_then_passes(self):
        self.count(instructions=70400)
        self.assertIn("append.instructions: 1,000 → 1,100\n", self.run_check("--update"))
        with open(self.path("costs.json"), encoding="utf-8") as file:
            self.assertEqual(json.load(file)["costs"]["append.instructions"]["value"], 1100)
        self.run_check()

    def test_another_compiler_skips_the_instructions_alone(self):
        self.count(instructions=99999, compiler="gcc 14")
        self.assertIn("compiler is gcc 14, and was gcc 12", self.run_check())
        self.assertEqual(self.cases()["instructions"], "skipped")
        self.assertEqual(self.cases()["system_calls"], "passed")

    def test_without_valgrind_what_it_counts_is_skipped_and_fails_in_ci(self):
        os.unlink(self.path("bin/valgrind"))
        self.assertIn("skipped: append.instructions: there is no valgrind", self.run_check())
        self.assertEqual(self.cases(), {
            "allocations": "passed", "clock_readings": "passed", "crc_bytes": "passed",
            "instructions": "skipped", "system_calls": "skipped"})
        self.assertIn("failed: append.system_calls", self.run_check(status=1, CI="true"))

    def test_update_without_valgrind_changes_nothing(self):
        os.unlink(self.path("bin/valgrind"))
        with open(self.path("costs.json"), encoding="utf-8") as file:
            before = file.read()
        self.assertIn("no valgrind", self.run_check("--update", status=1))
        with open(self.path("costs.json"), encoding="utf-8") as file:
            self.assertEqual(file.read(), before)

    def test_program_that_fails_is_a_failure(self):
        self.program("driver", "#!/bin/sh\necho 'no room' >&2\nexit 1\n")
        self.assertIn("no room", self.run_check(status=1))


if __name__ == "__main__":
    case_report.main()
