#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Programs are built with varve in each way that README.md names but Bazel's: by CMake
with an installed varve, by pkg-config and a plain compiler, and by CMake with varve's
sources in the program's own build. `./dev install_test` runs it.

varve is built and installed into a new prefix of a directory of its own, with an Abseil
that is built with it, whatever the machine has, and with the codecs, whose libraries the
machine must have. What was compiled stays there for the next run of the same checkout.
Ends with `N passed, N failed`.
"""

import argparse
import fcntl
import glob
import os
import re
import shutil
import sys
import unittest

from installation import (COMPILER, ROOT, SCRATCH, attempt, configure, libraries_of, pkg_config,
                          public_headers, read, run, version)

# Abseil as Debian 12 has it. To load it would be an error.
OLD_ABSEIL = {
    "abslConfig.cmake": 'message(FATAL_ERROR "the old Abseil is loaded")\n',
    "abslConfigVersion.cmake": 'set(PACKAGE_VERSION "20220623")\n'
                               'if(PACKAGE_FIND_VERSION STREQUAL PACKAGE_VERSION)\n'
                               '  set(PACKAGE_VERSION_COMPATIBLE TRUE)\n'
                               'endif()\n',
}
CODECS = ("gzip", "snappy", "lz4", "zstd")
# Compresses and decompresses with the codecs CODECS; the rest stands above it.
CODEC_MAIN = """
#include <iostream>
#include <string>

#include "varve/log/batch/byte_buffer.h"
#include "varve/log/batch/codec.h"

int main() {
  const std::string plain(10'000, 'x');
  for (const varve::Codec* const codec : {CODECS}) {
    varve::ByteBuffer compressed;
    varve::ByteBuffer back;
    if (!codec->Compress(plain, varve::Codec::kDefaultLevel, compressed).ok() ||
        !codec->Decompress(compressed.view(), 10'000, back).ok()) {
      return 1;
    }
    std::cout << (compressed.size() < 1'000) << (back.view() == plain) << '\\n';
  }
}
"""


def setUpModule():
    """Builds varve and installs it."""
    print("building varve and Abseil, some minutes the first time ...", flush=True)
    run(*configure(ROOT, SCRATCH.build, f"CMAKE_INSTALL_PREFIX={SCRATCH.prefix}",
                   "CMAKE_DISABLE_FIND_PACKAGE_absl=ON", "VARVE_CODECS=ON"))
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
        files += glob.glob(f"{SCRATCH.libraries}/libvarve*.a")
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


class CodecsTest(unittest.TestCase):

    def source(self, name, header, codecs):
        return SCRATCH.write(name, f'#include "varve/codec/{header}.h"\n'
                             + CODEC_MAIN.replace("CODECS", codecs))

    def project(self, find, source="", target="varve::varve"):
        """Exit status and output of a project that finds varve, and its build directory."""
        SCRATCH.write("codec/CMakeLists.txt", (
            "cmake_minimum_required(VERSION 3.25)\nproject(codec LANGUAGES CXX)\n"
            f"{find}\nadd_executable(codec {source or self.source('none.cc', 'zstd_codec', '')})\n"
            f"target_link_libraries(codec {target})\n"))
        build = SCRATCH.new("codec_build")
        return (*attempt(*configure(SCRATCH.path("codec"), build,
                                    f"CMAKE_PREFIX_PATH={SCRATCH.prefix}")), build)

    def build_without_libraries(self, codecs):
        """Exit status and output of varve's configuration where CMake does not see those of the
        codecs, and whether a program would find codecs' headers in that build."""
        cache = read(os.path.join(SCRATCH.build, "CMakeCache.txt"))
        places = set(re.findall(r"^VARVE_\w+_INCLUDE_DIR:PATH=(.*)$", cache, re.MULTILINE))
        self.assertTrue(places)
        build = SCRATCH.new("no_codecs")
        status, output = attempt(*configure(
            ROOT, build, f"CMAKE_PREFIX_PATH={SCRATCH.prefix}", f"VARVE_CODECS={codecs}",
            f"CMAKE_IGNORE_PATH={';'.join(places)}"))
        return status, output, os.path.exists(os.path.join(build, "include/varve/codec"))

    def test_cmake_finds_the_codec_that_is_asked_for(self):
        source = self.source("zstd.cc", "zstd_codec", "varve::ZstdCodec()")
        status, output, build = self.project(
            "find_package(varve REQUIRED COMPONENTS zstd_codec)", source, "varve::zstd_codec")
        self.assertEqual(status, 0, output)
        run("cmake", "--build", build)
        program = os.path.join(build, "codec")
        self.assertEqual(run(program), "11\n")
        self.assertEqual(libraries_of(program), ["zstd"])

    def test_pkg_config_has_a_package_of_each_codec(self):
        for codec, library in zip(CODECS, ("z", "snappy", "lz4", "zstd")):
            with self.subTest(codec):
                source = self.source("one.cc", f"{codec}_codec",
                                     f"varve::{codec.capitalize()}Codec()")
                program = SCRATCH.path("one")
                run(COMPILER, "-std=c++20", source, "-o", program, *pkg_config(
                    "--cflags", "--libs", package=f"varve_{codec}_codec"))
                self.assertEqual(run(program), "11\n")
                self.assertEqual(libraries_of(program), [library])

    def test_all_codecs_are_all_four(self):
        kinds = ("kGzip", "kSnappy", "kLz4", "kZstd")
        source = self.source("all.cc", "all_codecs", ", ".join(
            f"varve::AllCodecs()->Find(varve::Compression::{kind})" for kind in kinds))
        program = SCRATCH.path("all")
        run(COMPILER, "-std=c++20", source, "-o", program,
            *pkg_config("--cflags", "--libs", package="varve_all_codecs"))
        self.assertEqual(run(program), "11\n" * 4)
        status, output, build = self.project(
            "find_package(varve REQUIRED)", source, "varve::all_codecs")
        self.assertEqual(status, 0, output)
        run("cmake", "--build", build)
        self.assertEqual(run(os.path.join(build, "codec")), "11\n" * 4)

    def test_a_program_without_a_codec_needs_no_library_of_one(self):
        self.assertNotRegex(" ".join(pkg_config("--libs")), r"codec|-l(z|snappy|lz4|zstd)\b")
        # CMake finds no library then.
        no_library = "set(CMAKE_FIND_LIBRARY_SUFFIXES .none)\n"
        status, output, _ = self.project(f"{no_library}find_package(varve REQUIRED)")
        self.assertEqual(status, 0, output)
        status, output, _ = self.project(
            f"{no_library}find_package(varve REQUIRED COMPONENTS zstd_codec)")
        self.assertNotEqual(status, 0)
        self.assertIn("varve::zstd_codec", output)

    def test_a_build_says_which_codecs_it_leaves_out(self):
        status, output, has_headers = self.build_without_libraries("AUTO")
        self.assertEqual(status, 0, output)
        self.assertFalse(has_headers)
        for codec in CODECS:
            self.assertIn(f"No {codec} codec", output)
        status, output, _ = self.build_without_libraries("ON")
        self.assertNotEqual(status, 0)
        self.assertIn("the library of gzip is not found", output)
        status, output, has_headers = self.build_without_libraries("OFF")
        self.assertEqual(status, 0, output)
        self.assertFalse(has_headers)


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
    SCRATCH.use(directory)
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
