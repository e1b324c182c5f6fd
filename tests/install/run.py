#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Programs are built with varve in each way that README.md names but Bazel's: by CMake
with an installed varve, by pkg-config and a plain compiler, and by CMake with varve's
sources in the program's own build. `./dev install_test` runs it.

varve is built and installed into a new prefix of a directory of its own, with an Abseil
that is built with it, whatever the machine has. What was compiled stays there for the
next run of the same checkout. Ends with `N passed, N failed`.
"""

import argparse
import fcntl
import glob
import os
import re
import shutil
import subprocess
import sys
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
COMPILER = os.environ.get("CXX", "g++")
OUTPUT_LINES_MAX = 60
# Abseil as Debian 12 has it. To load it would be an error.
OLD_ABSEIL = {
    "abslConfig.cmake": 'message(FATAL_ERROR "the old Abseil is loaded")\n',
    "abslConfigVersion.cmake": 'set(PACKAGE_VERSION "20220623")\n'
                               'if(PACKAGE_FIND_VERSION STREQUAL PACKAGE_VERSION)\n'
                               '  set(PACKAGE_VERSION_COMPATIBLE TRUE)\n'
                               'endif()\n',
}


class Scratch:
    """The directory of a run, and what is where in it."""

    def __init__(self, directory):
        self.directory = directory
        self.prefix = self.new("prefix")
        self.build = self.path("build")
        self.libraries = os.path.join(self.prefix, "lib")
        self.headers = os.path.join(self.prefix, "include")

    def path(self, name):
        return os.path.join(self.directory, name)

    def new(self, name):
        """An empty directory of that name, whatever was there."""
        shutil.rmtree(self.path(name), ignore_errors=True)
        os.makedirs(self.path(name))
        return self.path(name)

    def write(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)


SCRATCH: Scratch


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def attempt(*command):
    """Runs it; its exit status and all that it prints."""
    environment = dict(os.environ, PKG_CONFIG_LIBDIR=os.path.join(SCRATCH.libraries, "pkgconfig"))
    environment.pop("PKG_CONFIG_PATH", None)
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          env=environment, check=False)
    return done.returncode, done.stdout


def run(*command):
    """The same for what has to succeed; only what it prints."""
    status, output = attempt(*command)
    if status != 0:
        end = "\n".join(output.splitlines()[-OUTPUT_LINES_MAX:])
        raise AssertionError(f"{' '.join(command)}: exit status {status}\n{end}")
    return output


def configure(source, build, *variables):
    """CMake's command. It decides all anew; objects of the last run stay."""
    cache = os.path.join(build, "CMakeCache.txt")
    if os.path.exists(cache):
        os.unlink(cache)
    return ("cmake", "-G", "Ninja", "-S", source, "-B", build,
            f"-DCMAKE_CXX_COMPILER={COMPILER}", *(f"-D{variable}" for variable in variables))


def pkg_config(*arguments):
    return run("pkg-config", *arguments, "varve").split()


def public_headers():
    lines = read(os.path.join(ROOT, "tests/lint/public_headers.txt")).splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def version():
    numbers = re.findall(r"^#define VARVE_VERSION_\w+ (\d+)$",
                         read(os.path.join(ROOT, "api/version.h")), re.MULTILINE)
    return ".".join(numbers)


def setUpModule():
    """Builds varve and installs it."""
    print("building varve and Abseil, some minutes the first time ...", flush=True)
    run(*configure(ROOT, SCRATCH.build, f"CMAKE_INSTALL_PREFIX={SCRATCH.prefix}",
                   "CMAKE_DISABLE_FIND_PACKAGE_absl=ON"))
    run("cmake", "--build", SCRATCH.build)
    run("cmake", "--install", SCRATCH.build)


class ReadmeProgramTest(unittest.TestCase):
    """examples/embedding.cc, which is the program that README.md shows."""

    def assert_works(self, program):
        store = os.path.join(SCRATCH.new("data"), "orders-log")
        self.assertEqual(run(program, store), "0 paid\n")
        self.assertEqual(run(program, store), "0 paid\n1 paid\n")

    def build_example(self, name, build):
        run(*configure(os.path.join(ROOT, "examples", name), build,
                       f"CMAKE_PREFIX_PATH={SCRATCH.prefix}"))
        run("cmake", "--build", build)
        return os.path.join(build, "embedding")

    def test_cmake_finds_the_installed_package(self):
        self.assert_works(self.build_example("cmake_installed", SCRATCH.new("installed")))

    def test_cmake_has_the_sources_in_the_programs_build(self):
        self.assert_works(self.build_example("cmake_subdirectory", SCRATCH.path("subdirectory")))

    def test_a_plain_compiler_asks_pkg_config(self):
        program = SCRATCH.path("plain")
        run(COMPILER, "-std=c++20", os.path.join(ROOT, "examples/embedding.cc"), "-o", program,
            *pkg_config("--cflags", "--libs"))
        self.assert_works(program)


class InstalledFilesTest(unittest.TestCase):

    def test_only_public_headers_are_installed(self):
        directory = os.path.join(SCRATCH.headers, "varve")
        installed = [os.path.relpath(path, directory)
                     for path in glob.glob(f"{directory}/**", recursive=True)
                     if os.path.isfile(path)]
        self.assertEqual(sorted(installed), sorted(public_headers()))

    def test_only_public_headers_are_in_the_include_directory_of_a_build(self):
        directory = os.path.join(SCRATCH.build, "include/varve")
        linked = [os.path.relpath(path, directory)
                  for path in glob.glob(f"{directory}/**", recursive=True)
                  if os.path.isfile(path)]
        self.assertEqual(sorted(linked), sorted(public_headers()))

    def test_installed_headers_need_no_others(self):
        source = SCRATCH.write("all_headers.cc", "".join(
            f'#include "varve/{header}"\n' for header in public_headers()))
        run(COMPILER, "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", source,
            *pkg_config("--cflags"))

    def test_nothing_names_the_checkout_or_the_build(self):
        files = glob.glob(f"{SCRATCH.libraries}/*/varve*", recursive=True)
        files += glob.glob(f"{SCRATCH.libraries}/cmake/varve/*")
        files.append(f"{SCRATCH.libraries}/libvarve.a")
        self.assertGreater(len(files), 4)
        for path in filter(os.path.isfile, files):
            with open(path, "rb") as file:
                content = file.read()
            for place in (ROOT, SCRATCH.build):
                self.assertNotIn(place.encode() + b"/", content, path)


class SymbolsTest(unittest.TestCase):

    def exported(self, name, *arguments):
        """Names that a shared object shows; it has to link with nothing missing."""
        library = SCRATCH.path(name)
        run(COMPILER, "-std=c++20", "-shared", "-fPIC", "-fvisibility=hidden", "-o", library,
            "-Wl,-z,defs", *arguments, *pkg_config("--cflags", "--libs"))
        return run("nm", "--dynamic", "--defined-only", "--demangle", library)

    def test_a_shared_object_with_all_of_varve_exports_nothing_of_it(self):
        names = self.exported(
            "all.so", "-Wl,--whole-archive", os.path.join(SCRATCH.libraries, "libvarve.a"),
            "-Wl,--no-whole-archive")
        self.assertNotRegex(names, r"\b(varve|absl)::")

    def test_a_plug_in_exports_its_own_names_alone(self):
        source = SCRATCH.write("plug_in.cc", (
            '#include "varve/api/log_store.h"\n'
            'extern "C" __attribute__((visibility("default"))) bool OpenPlugIn() {\n'
            '  return varve::LogStore::Open("plug-in").ok();\n'
            '}\n'))
        names = self.exported("plug_in.so", source)
        self.assertIn(" T OpenPlugIn\n", names)
        self.assertNotRegex(names, r"\b(varve|absl)::")


class VersionTest(unittest.TestCase):

    def project(self, requested):
        """Exit status and output of a project that asks for that version."""
        SCRATCH.write("asks/CMakeLists.txt", (
            "cmake_minimum_required(VERSION 3.25)\nproject(asks LANGUAGES CXX)\n"
            f"find_package(varve {requested} REQUIRED)\n"
            'message(STATUS "varve ${varve_VERSION}")\n'))
        return attempt(*configure(SCRATCH.path("asks"), SCRATCH.new("asks_build"),
                                  f"CMAKE_PREFIX_PATH={SCRATCH.prefix}"))

    def test_library_package_and_pkg_config_say_that_of_the_header(self):
        source = SCRATCH.write("version.cc", (
            '#include <iostream>\n#include "varve/api/version.h"\n'
            'int main() { std::cout << varve::Version(); }\n'))
        program = SCRATCH.path("version")
        run(COMPILER, "-std=c++20", source, "-o", program, *pkg_config("--cflags", "--libs"))
        self.assertEqual(run(program), version())
        self.assertEqual(pkg_config("--modversion"), [version()])
        status, output = self.project("")
        self.assertEqual(status, 0, output)
        self.assertIn(f"varve {version()}\n", output)

    def test_package_is_taken_for_its_own_minor_version_and_no_later_one(self):
        major, minor, _ = version().split(".")
        status, output = self.project(f"{major}.{minor}")
        self.assertEqual(status, 0, output)
        status, output = self.project(f"{major}.{int(minor) + 1}")
        self.assertNotEqual(status, 0)
        self.assertIn("varveConfig.cmake, version: " + version(), output)


class AbseilTest(unittest.TestCase):

    def test_one_that_is_too_old_is_passed_over_for_the_next(self):
        for name, text in OLD_ABSEIL.items():
            SCRATCH.write(f"old/lib/cmake/absl/{name}", text)
        output = run(*configure(ROOT, SCRATCH.new("old_build"),
                                f"CMAKE_PREFIX_PATH={SCRATCH.path('old')};{SCRATCH.prefix}"))
        self.assertIn("Abseil 20220623 is not used", output)
        self.assertRegex(output, rf"Abseil \d+: {SCRATCH.libraries}/cmake/absl\n")

    def test_a_program_that_has_one_too_old_is_told(self):
        SCRATCH.write("has_old/CMakeLists.txt", (
            "cmake_minimum_required(VERSION 3.25)\nproject(has_old LANGUAGES CXX)\n"
            "add_library(absl::status INTERFACE IMPORTED)\nset(absl_VERSION 20220623)\n"
            f'add_subdirectory("{ROOT}" varve)\n'))
        status, output = attempt(*configure(SCRATCH.path("has_old"), SCRATCH.new("has_old_build")))
        self.assertNotEqual(status, 0)
        self.assertIn("Abseil 20220623", output)

    def test_crc_has_its_instructions(self):
        if os.uname().machine != "x86_64":
            self.skipTest("asks for those of x86-64")
        code = run("objdump", "--disassemble", os.path.join(
            SCRATCH.libraries, "libabsl_crc_internal.a"))
        self.assertRegex(code, r"\bcrc32q\b")
        self.assertRegex(code, r"\bpclmul")


def parse_options():
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--directory", default=os.path.join(cache, "varve"),
                        help="where the directory of the test is made (%(default)s)")
    return parser.parse_args()


def prepare(directory):
    """Leaves there what this checkout compiled, and nothing of another."""
    mark = os.path.join(directory, "checkout")
    if not os.path.exists(mark) or read(mark) != ROOT:
        shutil.rmtree(directory, ignore_errors=True)
    global SCRATCH
    SCRATCH = Scratch(directory)
    SCRATCH.write("checkout", ROOT)


def main():
    directory = os.path.join(os.path.abspath(parse_options().directory), "install_test")
    os.makedirs(os.path.dirname(directory), exist_ok=True)
    with open(directory + ".lock", "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        prepare(directory)
        suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"])
        result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(suite)
    failed = len(result.failures) + len(result.errors)
    # When varve could not be installed, that is the one failure, and no test ran.
    passed = max(0, result.testsRun - failed - len(result.skipped))
    skipped = f", {len(result.skipped)} skipped" if result.skipped else ""
    print(f"{passed} passed, {failed} failed{skipped}")
    return 0 if failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
