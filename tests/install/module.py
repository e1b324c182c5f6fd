#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""varve as a module of Bazel: MODULE.bazel in the place of WORKSPACE.

All of varve is analysed, and examples/external_workspace, a program of its own, is built
and run. It takes a Bazel of version 7 or later, and skips itself without. Debian's has no
network to ask: for it a registry is made of what third_party/setup.sh unpacked. Where
Debian's is older, a root directory with that of Debian unstable will do, as root:

    mmdebstrap --include=bazel-bootstrap unstable DIRECTORY
    tests/install/module.py --chroot DIRECTORY

Ends with `N passed, N failed`.
"""

import argparse
import glob
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest

import registry

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
PROGRAM = os.path.join(ROOT, "examples/external_workspace")
CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "varve")
OUTPUT_LINES_MAX = 60
NOTHING_UNPACKED = "nothing is unpacked; third_party/setup.sh does it"

OPTIONS: argparse.Namespace
# What each command is told beside its arguments.
FLAGS = ["--enable_bzlmod", "--lockfile_mode=off"]


def path(name):
    return os.path.join(OPTIONS.directory, name)


def read(name):
    with open(name, encoding="utf-8") as file:
        return file.read()


def run(*command, directory=None):
    """Runs it; what it prints to standard output."""
    done = subprocess.run(command, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, check=False)
    if done.returncode != 0:
        end = "\n".join((done.stderr + done.stdout).splitlines()[-OUTPUT_LINES_MAX:])
        raise AssertionError(f"{' '.join(command)}: exit status {done.returncode}\n{end}")
    return done.stdout


def bazel(directory, command, *arguments):
    """Bazel in that workspace. It reads the workspace's options, but no .bazelrc.local: that
    is for a Bazel without modules."""
    options = re.sub(r"(?m)^try-import .*$", "", read(os.path.join(directory, ".bazelrc")))
    with open(path("bazelrc"), "w", encoding="utf-8") as file:
        file.write(options)
    if command == "build":
        arguments = ("--noshow_progress", "--experimental_convenience_symlinks=ignore",
                     f"--jobs={OPTIONS.jobs}", *arguments)
    if command in ("build", "info") and os.uname().machine in ("x86_64", "aarch64"):
        arguments = (f"--config={os.uname().machine}", *arguments)
    if command != "shutdown":
        arguments = (*FLAGS, *arguments)
    return run("bazel", "--noworkspace_rc", "--nohome_rc", f"--bazelrc={path('bazelrc')}",
               f"--output_user_root={path('output')}", "--max_idle_secs=15", command, *arguments,
               directory=directory)


def modules(directory):
    """name@version of the modules that a workspace gets. Those that Bazel takes from a
    directory have `_` for a version."""
    return set(re.findall(r"[\w.-]+@[\w.-]+", bazel(directory, "mod", "graph")))


def tearDownModule():
    """A server would remember the registry, which the next run makes anew."""
    for directory in (ROOT, PROGRAM):
        bazel(directory, "shutdown")


class VarveTest(unittest.TestCase):

    def test_has_the_versions_that_it_names(self):
        asked = registry.dependencies(read(os.path.join(ROOT, "MODULE.bazel")), dev=True)
        self.assertGreater(len(asked), 3)
        self.assertLessEqual({"@".join(module) for module in asked}, modules(ROOT))

    def test_every_target_is_analysed(self):
        for workspace in ("--enable_workspace", "--noenable_workspace"):
            with self.subTest(workspace):
                bazel(ROOT, "build", "--nobuild", workspace, "//...")


class ProgramTest(unittest.TestCase):

    def test_gets_nothing_that_only_varves_tests_need(self):
        asked = registry.dependencies(read(os.path.join(ROOT, "MODULE.bazel")))
        found = modules(PROGRAM)
        self.assertLessEqual({"@".join(module) for module in asked}, found)
        self.assertNotIn("google_benchmark", {module.partition("@")[0] for module in found})

    def test_the_command_line_can_be_built_from_outside(self):
        bazel(PROGRAM, "build", "--nobuild", "@varve//tools:varve")

    def test_works(self):
        print("building Abseil, varve and the program, some minutes the first time ...", flush=True)
        bazel(PROGRAM, "build", "//:journal")
        program = os.path.join(bazel(PROGRAM, "info", "bazel-bin").strip(), "journal")
        with tempfile.TemporaryDirectory(dir=OPTIONS.directory) as data:
            store = os.path.join(data, "store")
            self.assertEqual(run(program, store, "one", "two"), "0 one\n1 two\n")
            self.assertEqual(run(program, store, "three"), "0 one\n1 two\n2 three\n")
        if os.uname().machine == "x86_64":
            # Abseil's fast CRC-32C; its files have another path than without modules.
            self.assertRegex(run("objdump", "--disassemble", program), r"\bpclmul")


def bazel_version():
    """Its major version; 0 where there is none."""
    if not shutil.which("bazel"):
        return 0
    # Out of the checkout, whose .bazelversion a wrapper would obey.
    done = subprocess.run(["bazel", "--version"], cwd="/", capture_output=True, text=True,
                          check=False)
    found = re.match(r"bazel (\d+)\.", done.stdout)
    return int(found.group(1)) if found else 0


def skip(why):
    print(f"SKIPPED: {why}\n0 passed, 0 failed, 1 skipped")
    return 0


def enter(root):
    """Becomes this script in that root directory. What it mounts there, it alone sees."""
    mounts = ((ROOT, "varve"), (OPTIONS.repositories, "repositories"), ("/dev", "dev"))
    script = ["set -e"]
    for source, name in mounts:
        place = os.path.join(root, name)
        os.makedirs(place, exist_ok=True)
        script.append(f"mount --rbind {shlex.quote(source)} {shlex.quote(place)}")
    script += [f"mount -t proc proc {shlex.quote(os.path.join(root, 'proc'))}",
               f"exec chroot {shlex.quote(root)} /usr/bin/env -i HOME=/root USER=root LANG=C.UTF-8"
               " PATH=/usr/sbin:/usr/bin:/sbin:/bin python3 /varve/tests/install/module.py"
               f" --repositories /repositories --directory /module_test --jobs {OPTIONS.jobs}"]
    sys.stdout.flush()
    os.execvp("unshare", ["unshare", "--mount", "sh", "-c", "\n".join(script)])


def parse_options():
    unpacked = sorted(glob.glob(os.path.join(CACHE, "repos-*[0-9]")))
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--chroot", help="a root directory that has Bazel")
    parser.add_argument("--directory", default=os.path.join(CACHE, "module_test"),
                        help="where everything is made (%(default)s)")
    parser.add_argument("--repositories", default=unpacked[-1] if unpacked else "",
                        help="what third_party/setup.sh unpacked (%(default)s)")
    parser.add_argument("--jobs", type=int, default=2, help="of Bazel (%(default)s)")
    return parser.parse_args()


def main():
    global OPTIONS
    OPTIONS = parse_options()
    if OPTIONS.chroot and not OPTIONS.repositories:
        return skip(NOTHING_UNPACKED)
    if OPTIONS.chroot:
        enter(os.path.abspath(OPTIONS.chroot))
    if bazel_version() < 7:
        return skip("no Bazel of version 7 or later is here")
    if registry.needed():
        if not OPTIONS.repositories:
            return skip(NOTHING_UNPACKED)
        shutil.rmtree(path("registry"), ignore_errors=True)
        empty = registry.write(path("registry"), OPTIONS.repositories, [
            os.path.join(directory, "MODULE.bazel") for directory in (ROOT, PROGRAM)])
        print(f"the registry is {path('registry')}; empty in it: {', '.join(empty)}", flush=True)
        FLAGS.append(f"--registry=file://{path('registry')}")
    os.makedirs(OPTIONS.directory, exist_ok=True)
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"])
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(suite)
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed} passed, {failed} failed")
    return 0 if failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
