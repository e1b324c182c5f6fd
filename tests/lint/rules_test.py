#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every rule sees what it is for, and passes over what it is not for."""

import unittest

import case_report
import repository_rules
import rules

_SPDX = "// SPDX-License-Identifier: Apache-2.0\n"


def lines(rule, path, text):
    return [line for line, _ in rule(path, text)]


class Rule(unittest.TestCase):

    def good(self, rule, path, *texts):
        for text in texts:
            self.assertEqual(list(rule(path, text)), [], text)

    def bad(self, rule, path, *texts):
        for text in texts:
            self.assertTrue(lines(rule, path, text), text)


class OneFile(Rule):

    def test_file_length(self):
        self.good(rules.file_length, "log/a.cc", "x\n" * 400)
        self.bad(rules.file_length, "log/a.cc", "x\n" * 401)
        self.good(rules.file_length, "tests/a_test.cc", "x\n" * 400)
        self.bad(rules.file_length, "tests/a_test.cc", "x\n" * 401)
        self.bad(rules.file_length, "tests/lint/a.py", "x\n" * 401)
        self.good(rules.file_length, "docs/a.md", "x\n" * 5000)

    def test_function_length(self):
        self.good(rules.function_length, "log/a.cc", "void f() {\n" + "  g();\n" * 68 + "}\n")
        self.bad(rules.function_length, "log/a.cc", "void f() {\n" + "  g();\n" * 69 + "}\n")
        self.good(rules.function_length, "log/a.cc",
                  "std::vector<A> f() {\n  return {\n" + "      {1, 2},\n" * 90 + "  };\n}\n")

    def test_line_length(self):
        self.good(rules.line_length, "log/a.cc", "x" * 100)
        self.bad(rules.line_length, "log/a.cc", "x" * 101)
        self.good(rules.line_length, "third_party/deps.bzl", "https://" + "x" * 100)
        self.good(rules.line_length, "README.md", "x" * 200)

    def test_license_line(self):
        self.good(rules.license_line, "log/a.cc", _SPDX + "\n")
        self.bad(rules.license_line, "log/a.cc", "", "\n" + _SPDX, "#" + _SPDX[2:])
        self.good(rules.license_line, "dev", "#!/bin/sh\n#" + _SPDX[2:])
        self.good(rules.license_line, "log/BUILD.bazel", "#" + _SPDX[2:])
        self.bad(rules.license_line, "log/BUILD.bazel", "package()\n")
        self.bad(rules.license_line, "CMakeLists.txt", "project(varve)\n")
        self.good(rules.license_line, "README.md", "# varve\n")

    def test_include_direction(self):
        def include(path):
            return f'#include "{path}"\n'

        def ours(*paths):
            return [include("varve/" + path) for path in paths]

        self.good(rules.include_direction, "index/a.cc", *ours("index/a.h"))
        self.bad(rules.include_direction, "index/a.cc", include("tests/a.h"),
                 *ours("log/batch/a.h", "api/a.h", "tools/shell/a.h"))
        self.good(rules.include_direction, "log/segment/a.cc", include("absl/status/status.h"),
                  "#include <sys/mman.h>\n", *ours("index/a.h", "log/batch/a.h", "log/segment/b.h"))
        self.bad(rules.include_direction, "log/segment/a.cc",
                 *map(include, ["gtest/gtest.h", "CLI/CLI.hpp", "a.h"]),
                 *ours("api/a.h", "codec/a.h", "log/recovery/a.h", "log/nowhere/a.h"))
        self.bad(rules.include_direction, "log/a.cc", "")
        self.good(rules.include_direction, "api/a.cc", *ours("log/batch/a.h"))
        self.bad(rules.include_direction, "api/a.cc",
                 *ours("tools/shell/a.h", "codec/a.h", "api/log_store.h", "api/store/a.h"))
        self.good(rules.include_direction, "api/log_store.cc", *ours("api/a.h", "api/store/a.h"))
        self.good(rules.include_direction, "codec/a.cc", include("zstd.h"), include("lz4frame.h"),
                  include("absl/status/status.h"), *ours("codec/a.h", "log/batch/a.h"))
        self.bad(rules.include_direction, "codec/a.cc", include("bzlib.h"), include("CLI/CLI.hpp"),
                 *ours("api/a.h", "log/segment/a.h", "tools/shell/a.h"))
        self.good(rules.include_direction, "examples/a.cc", *ours("codec/a.h"))
        self.good(rules.include_direction, "tools/shell/a.cc", include("CLI/CLI.hpp"),
                  *ours("api/a.h", "api/log_store.h"))
        self.bad(rules.include_direction, "tools/shell/a.cc", include("tests/a.h"))
        self.bad(rules.include_direction, "bench/a.cc", include("tests/a.h"))
        self.bad(rules.include_direction, "examples/a.cc", *ours("log/batch/a.h"))
        self.good(rules.include_direction, "tests/a_test.cc", include("tests/a.h"),
                  include("gtest/gtest.h"), *ours("log/segment/a.h"))
        self.good(rules.include_direction, "index/a.cc", "// " + ours("log/a.h")[0])

    def test_include_prefix(self):
        self.good(rules.include_prefix, "log/segment/a.cc", '#include "varve/log/segment/a.h"\n',
                  '#include "absl/status/status.h"\n')
        self.good(rules.include_prefix, "tests/a_test.cc", '#include "tests/fixture/a.h"\n')
        self.bad(rules.include_prefix, "log/segment/a.cc", '#include "log/segment/a.h"\n')
        self.bad(rules.include_prefix, "tests/a_test.cc", '#include "api/log_store.h"\n')

    def test_libraries_apart(self):
        self.good(rules.libraries_apart, "bench/peers/a_peer.cc", "#include <lmdb.h>\n",
                  "#include <rocksdb/db.h>\n")
        self.good(rules.libraries_apart, "bench/a.cc", '#include "bench/lmdb.h"\n')
        self.bad(rules.libraries_apart, "bench/a.cc", "#include <lmdb.h>\n",
                 '#include "rocksdb/db.h"\n', "#  include <sqlite3.h>\n")
        self.bad(rules.libraries_apart, "log/batch/a.h", "#include <leveldb/db.h>\n",
                 "#include <zmq.h>\n")
        libraries = ['#include "zlib.h"\n', '#include "snappy.h"\n', "#include <lz4frame.h>\n",
                     "# include <zstd.h>\n"]
        for path in ("codec/a.cc", "bench/bare/a.cc"):
            self.good(rules.libraries_apart, path, '#include "zlib.h"\n')
        self.bad(rules.libraries_apart, "codec/a.cc", "#include <zlib.h>\n")
        for path in ("api/a.cc", "log/batch/a.h", "tools/dump/a.cc", "tests/codec/a_test.cc",
                     "bench/peers/a.cc", "examples/a.cc"):
            self.bad(rules.libraries_apart, path, *libraries)

    def test_banned_words(self):
        self.bad(rules.banned_words, "log/a.cc", "// TO" + "DO: more\n", "// FIX" + "ME\n",
                 "std::cout << 1;\n", 'std::cerr << "";\n', 'printf("");\n', 'std::printf("");\n')
        self.good(rules.banned_words, "log/a.cc", "// std::cout\n", 'snprintf(b, 1, "");\n',
                  "absl::StrFormat();\n", "out.printf(1);\n")
        self.good(rules.banned_words, "tools/a.cc", "std::cout << 1;\n")
        self.bad(rules.banned_words, "README.md", "TO" + "DO\n")

    def test_raw_memory(self):
        self.bad(rules.raw_memory, "log/a.cc", "auto a = new A();\n", "delete a;\n",
                 "delete[] a;\n", "f(new A);\n", "char* p = new char[3];\n")
        self.good(rules.raw_memory, "log/a.cc", "A(const A&) = delete;\n", "// a new A(b)\n",
                  "new_size(a);\n", "int delete_at = 1;\n", "new (place) A();\n",
                  "return absl::WrapUnique(new A(1));\n",
                  "return absl::WrapUnique(\n    new A(1));\n",
                  "auto a = std::unique_ptr<A>(new A);\n", "std::shared_ptr<A> a(\n    new A);\n",
                  "static const auto& t = *new T();\n", "void operator delete(void* p);\n",
                  "// lint: owned by the ring\nauto a = new A();\n")

    def test_dropped_status(self):
        self.bad(rules.dropped_status, "log/a.cc", "(void)f(a);\n", "\n  a.Sync().IgnoreError();\n",
                 "static_cast<void>(a->f());\n", "std::ignore = f();\n",
                 "// Far away.\n\n(void)f();\n")
        self.good(rules.dropped_status, "log/a.cc", "(void)f(a);  // Best effort.\n",
                  "// Best effort.\na.Sync()\n    .IgnoreError();\n", "int f(void);\n",
                  "(void)a;\n", "static_cast<void>(a);\n")

    def test_header_guard(self):
        guard = "VARVE_LOG_FILE_NAMES_H_"
        text = f"{_SPDX}#ifndef {guard}\n#define {guard}\n\n#endif  // {guard}\n"
        self.good(rules.header_guard, "log/file_names.h", text)
        self.bad(rules.header_guard, "log/segment.h", text)
        self.bad(rules.header_guard, "log/file_names.h", text.replace("#endif  //", "#endif //"))
        self.bad(rules.header_guard, "log/file_names.h", _SPDX + "#pragma once\n")

    def test_header_comment(self):
        guard = "#ifndef G\n#define G\n\n#include <a>\n\nnamespace varve {\n\n"
        path = "log/a.h"
        self.good(rules.header_comment, path,
                  f"{_SPDX}//\n// What it is.\n\n{guard}class A {{\n",
                  f"{_SPDX}\n{guard}// What it is.\nclass A {{\n",
                  f"{_SPDX}\n{guard}enum class B {{\n}};\n\n// What it is.\nint f();\n",
                  f"{_SPDX}\n{guard}using B = int;\n\n"
                  "// What it is.\ntemplate <class T>\nclass A {\n")
        self.bad(rules.header_comment, path, f"{_SPDX}\n{guard}class A {{\n",
                 f"{_SPDX}\n{guard}struct A {{\n  int a;  // A.\n}};\n",
                 f"{_SPDX}\n{guard}// What it is.\nint f();\n\nclass A {{\n",
                 f"{_SPDX}//\n\n{guard}int f();\n")

    def test_machine_paths(self):
        for place in ("/ro" + "ot/x", "/wo" + "rk/x", "/ho" + "me/ada/x"):
            self.bad(rules.machine_paths, "README.md", f"see {place}\n", f'"{place}"\n')
        self.good(rules.machine_paths, "README.md", "a/ro" + "ot/x\n",
                  "${ROOT}/wo" + "rk/x\n", "/tmp/x\n")

    def test_markdown(self):
        self.good(rules.markdown, "docs/a.md", "# A title\n")
        self.bad(rules.markdown, "docs/a.md", "A page\n", "", "## Half a title\n")


class AllFiles(Rule):

    def test_links(self):
        files = {"log/FORMAT.md": "", "log/a.h": ""}

        def broken(path, text):
            return [where for where, _, _ in repository_rules.links({path: text, **files})]

        for good in ("[a](log/FORMAT.md)", "[a](log/)", "[a](log)", "[a](https://b.c/d)", "[a](#b)",
                     "[a](log/FORMAT.md#b)", "`[a](b)`", "```\n[a](b)\n```", "[a](.)"):
            self.assertEqual(broken("README.md", good), [], good)
        for bad in ("[a](log/format.md)", "[a](FORMAT.md)", "![a](b.png)"):
            self.assertEqual(broken("README.md", bad), ["README.md"], bad)
        self.assertEqual(broken("docs/a.md", "[a](../log/FORMAT.md)"), [])
        self.assertEqual(broken("docs/a.md", "[a](log/FORMAT.md)"), ["docs/a.md"])

    def test_build_lists_sources(self):
        def missing(build):
            files = {"log/a.h": "", "log/a.cc": "", "log/BUILD.bazel": build}
            return [path for path, _, _ in repository_rules.build_lists_sources(files)]

        self.assertEqual(missing('hdrs = ["a.h"], srcs = ["a.cc"]'), [])
        self.assertEqual(missing('srcs = glob(["*.cc"]), hdrs = ["a.h"]'), [])
        self.assertEqual(missing('hdrs = ["a.h"]'), ["log/a.cc"])
        self.assertEqual(missing('srcs = ["aa.h", "a.cc"]'), ["log/a.h"])
        room = 'varve_room(\n    name = "log",\n'
        self.assertEqual(missing(room + ")"), [])
        self.assertEqual(missing(room + '    apart = ["b"],\n)'), [])
        self.assertEqual(missing(room + '    apart = ["a"],\n)'), ["log/a.h", "log/a.cc"])
        unit = '\nvarve_unit(\n    name = "a",\n)'
        self.assertEqual(missing(room + '    apart = ["a"],\n)' + unit), [])
        self.assertEqual(missing('varve_unit(\n    name = "b",\n)'), ["log/a.h", "log/a.cc"])

    def test_a_package_of_its_own_or_above(self):
        def missing(**files):
            return [path for path, _, _ in repository_rules.build_lists_sources(files)]

        self.assertEqual(missing(**{"log/a.h": "", "BUILD.bazel": '"log/a.h"'}), ["log/a.h"])
        self.assertEqual(missing(**{"tests/x/a.h": "", "tests/BUILD.bazel": '"x/a.h"'}), [])

    def test_one_thread(self):
        def found(text, tags='    tags = ["one-thread"],\n'):
            build = f'cc_test(\n    name = "a_test",\n    srcs = ["a_test.cc"],\n{tags})\n'
            return list(repository_rules.one_thread(
                {"tests/BUILD.bazel": build, "tests/a_test.cc": text}))

        self.assertFalse(found("#include <mutex>\nTEST(A, B) {}\n"))
        self.assertFalse(found("#include <thread>\n", tags=""))
        alone = "LogStore::Open(path, {.background = Background::kNone});\n"
        self.assertFalse(found(alone))
        self.assertTrue(found(alone + "LogStore::Open(path);\n"))
        for text in ("#include <thread>\n", '#include "absl/synchronization/mutex.h"\n',
                     "pid = fork();\n", "auto store = LogStore::Open(path);\n"):
            self.assertTrue(found(text), text)

    def test_module_versions(self):
        def found(module):
            version = "".join(f"#define VARVE_VERSION_{name} {number}\n" for name, number in
                              (("MAJOR", 1), ("MINOR", 2), ("PATCH", 3)))
            return [line for _, line, _ in repository_rules.module_versions({
                "api/version.h": version, "examples/a/MODULE.bazel": module,
                "third_party/deps.bzl": 'strip_prefix = "abseil-cpp-20240722.0",\n'
                                        'strip_prefix = "lz4-1.10.0",\n'})]

        self.assertEqual(found('module(\n    name = "varve",\n    version = "1.2.3",\n)\n'), [])
        self.assertEqual(found('module(\n    name = "varve",\n    version = "1.2.4",\n)\n'), [2])
        self.assertEqual(found('bazel_dep(name = "abseil-cpp", version = "20240722.0")\n'), [])
        self.assertEqual(found('\nbazel_dep(name = "abseil-cpp", version = "20240722")\n'), [2])
        self.assertEqual(found('bazel_dep(name = "lz4", version = "1.10.0.bcr.1")\n'), [])
        self.assertEqual(found('bazel_dep(name = "lz4", version = "1.9.4.bcr.1")\n'), [1])
        self.assertEqual(found('bazel_dep(name = "cli11", version = "7")\n'), [])

    def test_own_header_first(self):
        own, other = '#include "varve/log/a.h"\n', '#include "varve/log/b.h"\n'

        def found(text):
            return list(repository_rules.own_header_first(
                {"log/a.cc": text, "log/a.h": "", "log/c.cc": other}))

        self.assertFalse(found(own + other))
        self.assertFalse(found("#include <new>\n" + own + other))
        self.assertTrue(found(other + own))
        self.assertTrue(found(other))
        self.assertTrue(found(""))


if __name__ == "__main__":
    case_report.main()
