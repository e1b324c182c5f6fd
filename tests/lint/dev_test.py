#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of ./dev, with a Bazel that only says that a test has passed."""

import os
import shutil
import subprocess
import tempfile
import unittest

import case_report

_TOOLS = ("dev", "third_party/object_cache.py", "tests/lint/case_report.py",
          "tests/lint/test_summary.py")
_SETUP = "#!/bin/sh\n"
_SETUP_WITHOUT_VALGRIND = """#!/bin/sh
[ "$1" != cost ]
"""
_BAZEL = r"""#!/bin/sh
printf '%s\n' "$*" >asked
for argument; do
  case "${argument}" in
    --build_event_json_file=*) events="${argument#*=}" ;;
  esac
done
printf '%s\n' '{"id":{"testResult":{"label":"//a:b","run":1,"shard":1,"attempt":1}},'\
'"testResult":{"status":"PASSED","testAttemptDurationMillis":"1"}}' >"${events}"
"""


class Dev(unittest.TestCase):

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = directory.name
        for name in _TOOLS:
            os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
            shutil.copy(name, self.path(name))
        self.program("third_party/setup.sh", _SETUP)
        self.program("bin/bazelisk", _BAZEL)

    def path(self, name):
        return os.path.join(self.directory, name)

    def program(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.path(name), 0o755)

    # What a verb that tests prints on both of its outputs, as .ci/run reads it.
    def run_test_verb(self, verb="test", *arguments, status=0, ci=""):
        environment = dict(os.environ, XDG_CACHE_HOME=self.path("cache"), CI=ci,
                           PATH=self.path("bin") + ":" + os.environ["PATH"])
        done = subprocess.run([self.path("dev"), verb, *arguments], env=environment, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        self.assertEqual(done.returncode, status, done.stdout)
        return done.stdout.splitlines()

    # The flags and the targets that the verb has Bazel test, of what it was given.
    def named_to_bazel(self, verb, *arguments):
        self.run_test_verb(verb, *arguments)
        with open(self.path("asked"), encoding="utf-8") as file:
            flags, _, targets = file.read().strip().partition(" -- ")
        return [flag for flag in flags.split() if flag in arguments], targets.split()

    # Runs `./dev bench compare`, where the set-up of the tier `peers` fails; returns
    # what it printed, and the tiers that were set up.
    def run_compare(self, *flags):
        self.program("third_party/setup.sh",
                     f'#!/bin/sh\necho "$*" >>{self.path("tiers")}\n[ "$1" != peers ]\n')
        self.program("third_party/chronicle.sh", f'#!/bin/sh\necho got >>{self.path("tiers")}\n')
        self.program("bench/peers/compare.py", '#!/bin/sh\necho "compares $*"\n')
        done = subprocess.run([self.path("dev"), "bench", "compare", *flags], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)
        with open(self.path("tiers"), encoding="utf-8") as file:
            return done.stdout, file.read().splitlines()

    def test_comparison_goes_on_without_what_cannot_be_installed(self):
        self.assertEqual(self.run_compare("--quick"), ("compares --quick\n", ["", "peers"]))

    def test_comparison_gets_chronicle_when_it_is_asked_to(self):
        self.assertEqual(self.run_compare("--chronicle"),
                         ("compares --chronicle\n", ["", "peers", "chronicle", "got"]))

    def test_sum_is_the_last_line(self):
        self.assertEqual(self.run_test_verb()[-1], "1 passed, 0 failed")

    def test_sum_is_the_last_line_after_the_cache_was_trimmed(self):
        # A hole of a file, larger than any bound.
        object_path = self.path("cache/varve/objects/cas/aa/1")
        os.makedirs(os.path.dirname(object_path))
        with open(object_path, "wb") as file:
            file.truncate(1 << 40)
        lines = self.run_test_verb()
        self.assertIn("removed 1024.0 GiB", "\n".join(lines))
        self.assertEqual(lines[-1], "1 passed, 0 failed")
        self.assertFalse(os.path.exists(object_path))

    def test_costs_are_summed_up_as_tests_are(self):
        self.assertEqual(self.run_test_verb("cost")[-1], "1 passed, 0 failed")

    def test_without_targets_a_verb_tests_all_that_are_its_own(self):
        self.assertEqual(self.named_to_bazel("test"), ([], ["//..."]))
        self.assertEqual(self.named_to_bazel("asan"), ([], ["//..."]))
        self.assertEqual(self.named_to_bazel("interop"), ([], ["//tests/interop/..."]))
        self.assertEqual(self.named_to_bazel("interop", "--runs_per_test=2"),
                         (["--runs_per_test=2"], ["//tests/interop/..."]))

    def test_targets_that_are_named_are_all_that_is_tested(self):
        for verb in ("test", "asan", "tsan", "interop"):
            with self.subTest(verb):
                self.assertEqual(self.named_to_bazel(verb, "//a:b", "//a:c"),
                                 ([], ["//a:b", "//a:c"]))
                self.assertEqual(self.named_to_bazel(verb, "--runs_per_test=2", "//a:b"),
                                 (["--runs_per_test=2"], ["//a:b"]))

    def test_valgrind_that_cannot_be_had_fails_in_ci_alone(self):
        self.program("third_party/setup.sh", _SETUP_WITHOUT_VALGRIND)
        self.assertEqual(self.run_test_verb()[-1], "1 passed, 0 failed")
        self.assertEqual(self.run_test_verb(status=1, ci="true")[-1], "0 passed, 1 failed")


if __name__ == "__main__":
    case_report.main()
