#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of cpp_text.py."""

import unittest

import case_report
import cpp_text


class CodeOnly(unittest.TestCase):

    def test_comments_and_literals_go_lines_stay(self):
        text = 'int a; // new\n/* x\n y */ f("new", \'"\');\n'
        code = cpp_text.code_only(text)
        self.assertNotIn("new", code)
        self.assertNotIn("x", code)
        self.assertEqual(code.count("\n"), text.count("\n"))
        self.assertIn("f(", code)

    def test_raw_strings(self):
        self.assertNotIn("{", cpp_text.code_only('auto s = R"(a " { )";'))
        self.assertNotIn("{", cpp_text.code_only('auto s = R"x(a )" { )x";'))

    def test_digit_separators_are_no_characters(self):
        self.assertIn("f()", cpp_text.code_only("int a = 1'000; f(); int b = 2'000;"))

    def test_comment_in_string_is_no_comment(self):
        self.assertIn("g()", cpp_text.code_only('f("//"); g();'))

    def test_comment_lines(self):
        text = "int a;  // one\nint b;\n/* two\nthree */ int c;\n"
        self.assertEqual(cpp_text.comment_lines(text), {1, 3, 4})


def lengths(text):
    return [(line, length) for line, length, _, _ in cpp_text.functions(text)]


class Functions(unittest.TestCase):

    def test_in_namespace_and_class(self):
        self.assertEqual(
            lengths("namespace varve {\n"
                    "class A final : public B {\n"
                    " public:\n"
                    "  int f() const { return x_; }\n"
                    "};\n"
                    "\n"
                    "int A::g(\n"
                    "    int a) {\n"
                    "  if (a) {\n"
                    "    return 1;\n"
                    "  }\n"
                    "}\n"
                    "}  // namespace varve\n"), [(4, 1), (7, 6)])

    def test_lambdas_and_local_classes_belong_to_their_function(self):
        self.assertEqual(
            lengths("void f() {\n"
                    "  struct S { int g() { return 1; } };\n"
                    "  auto l = [] (int a) {\n"
                    "    return a;\n"
                    "  };\n"
                    "}\n"), [(1, 6)])

    def test_tables_and_enums_are_no_functions(self):
        self.assertEqual(
            lengths("enum class E : int {\n kA,\n kB,\n};\n"
                    "constexpr int kTable[] = {\n f(1),\n 2,\n};\n"
                    "struct S {\n int a;\n};\n"), [])

    def test_constructor_operator_template_and_macro(self):
        self.assertEqual(
            lengths("A::A(int a) : a_(a) {\n}\n"
                    "bool operator==(const A& a, const A& b) {\n}\n"
                    "template <typename T>\nvoid f(T t) {\n}\n"
                    "TEST(Suite, Case) {\n  f();\n}\n"
                    "struct S f(int a) {\n}\n"),
            [(1, 2), (3, 2), (5, 3), (8, 3), (11, 2)])

    def test_members_initialised_with_braces(self):
        self.assertEqual(
            lengths("A::A(int a)\n    : a_{a},\n      b_{1} {\n  f();\n}\nint g() {\n}\n"),
            [(1, 5), (6, 2)])

    def test_default_argument_is_no_table(self):
        self.assertEqual(lengths("void f(int a = 1) {\n}\n"), [(1, 2)])

    def test_preprocessor_lines_are_passed_over(self):
        self.assertEqual(lengths("#define M(x) { \\\n  x \\\n}\nvoid f() {\n}\n"), [(4, 2)])


class Includes(unittest.TestCase):

    def test_quoted_ones_with_their_lines(self):
        text = '// #include "a.h"\n#include <b.h>\n#include "log/c.h"\n'
        self.assertEqual(list(cpp_text.includes(text)), [(3, "log/c.h")])


if __name__ == "__main__":
    case_report.main()
