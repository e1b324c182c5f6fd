#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of docs/doxygen_filter.py and docs/api_reference.py, without Doxygen."""

import sys
import unittest
import xml.etree.ElementTree

import case_report

sys.path.insert(0, "docs")
import api_reference  # noqa: E402
import doxygen_filter  # noqa: E402

LICENSE = "// SPDX-License-Identifier: Apache-2.0\n\n"


def filtered(text, path="api/some.h"):
    return "\n".join(doxygen_filter.filtered(path, LICENSE + text)).removeprefix(LICENSE)


class Filter(unittest.TestCase):

    def test_comment_before_a_declaration_documents_it(self):
        self.assertEqual(filtered("// Opens it.\nvoid Open();"), "/// Opens it.\nvoid Open();")

    def test_comment_of_a_member_keeps_its_place(self):
        self.assertEqual(filtered("struct A {\n  // Bytes.\n  int size;\n};"),
                         "struct A {\n  /// Bytes.\n  int size;\n};")

    def test_licence_stays_plain(self):
        lines = list(doxygen_filter.filtered("a.h", LICENSE + "int a;"))
        self.assertEqual(lines, [LICENSE.strip(), "", "int a;"])

    def test_comment_after_a_declaration_documents_it(self):
        self.assertEqual(filtered("int a = 0;  // of <b>"), r"int a = 0;  ///< of \<b\>")
        self.assertEqual(filtered("enum class E {\n  kA,  // the first\n};"),
                         "enum class E {\n  kA,  ///< the first\n};")

    def test_ends_of_namespaces_and_guards_are_no_documentation(self):
        text = "}  // namespace varve\n\n#endif  // VARVE_A_H_"
        self.assertEqual(filtered(text), text)

    def test_comments_in_functions_stay_plain(self):
        text = "inline int F() {\n  // Twice.\n  return 2;  // not once\n}"
        self.assertEqual(filtered(text), text)

    def test_comment_before_the_guard_is_that_of_the_file(self):
        self.assertEqual(filtered("// Values.\n\n#ifndef A_H_\n#define A_H_"),
                         "/// @file\n/// Values.\n\n#ifndef A_H_\n#define A_H_")

    def test_face_makes_the_first_page(self):
        self.assertIn("/// @mainpage varve\n/// All of it.",
                      filtered("// All of it.\n\n#ifndef A_H_", "varve/api/log_store.h"))

    def test_comment_that_a_blank_line_follows_comes_after_that_of_the_next_declaration(self):
        self.assertEqual(filtered("// Of both.\n\n// One.\nint a;\nint b;"),
                         "/// One.\n///\n/// Of both.\nint a;\nint b;")
        self.assertEqual(filtered("// Of it.\n\nint a;"), "/// Of it.\nint a;")

    def test_comment_at_the_end_of_a_part_documents_nothing(self):
        self.assertNotIn("///", filtered("class A {\n  // Loose.\n\n private:\n  int a_;\n};"))

    def test_what_is_indented_stays_as_it_is(self):
        self.assertEqual(
            filtered("// Do:\n//\n//   a->B<int>();  // now\n//\n// Then stop.\nvoid F();"),
            "/// Do:\n///\n///       a->B<int>();  // now\n///\n/// Then stop.\nvoid F();")

    def test_errors_get_a_title_and_their_table_stays_as_it_is(self):
        self.assertEqual(
            filtered("// Opens.\n//\n// Errors:\n//   NotFound   It is not\n"
                     "//              there.\nvoid F();"),
            "/// Opens.\n///\n/// @par Errors\n///\n///       NotFound   It is not\n"
            "///                  there.\nvoid F();")

    def test_item_of_a_list_goes_on_in_its_next_line(self):
        self.assertEqual(filtered("// Beware:\n// - one\n//   more\n// - two\nint a;"),
                         "/// Beware:\n/// - one\n///   more\n/// - two\nint a;")

    def test_what_means_something_to_doxygen_is_escaped_but_in_code(self):
        self.assertEqual(doxygen_filter.escaped(r"a\n @b <c> #d 5% & `x<y>@z` flush.*"),
                         r"a\\n \@b \<c\> \#d 5\% \& `x<y>@z` flush.\*")


class References(unittest.TestCase):

    NAMES = api_reference.Names(xml.etree.ElementTree.fromstring("""
        <tagfile>
          <compound kind="file"><name>log.h</name><path>/t/varve/api/</path>
            <member kind="enumeration"><name>Level</name><enumvalue>kFull</enumvalue></member>
          </compound>
          <compound kind="class"><name>varve::Log</name>
            <member kind="function"><name>Read</name></member></compound>
          <compound kind="class"><name>varve::Log::View</name></compound>
        </tagfile>"""))

    def broken(self, comment):
        return list(api_reference.broken_references(
            f"int a;\n// {comment}\n", self.NAMES, lambda path: path == "api/log.h"))

    def test_files_of_the_reference_are_known(self):
        self.assertEqual(self.NAMES.files, {"api/log.h"})

    def test_what_is_there_is_no_finding(self):
        for there in ("api/log.h says more", "as Log::Read", "Log::View", "Level::kFull",
                      "Log::Log", "absl::StatusOr", "std::vector", "Other::Thing"):
            self.assertEqual(self.broken(there), [], there)

    def test_what_is_not_there_is_one(self):
        self.assertEqual(self.broken("see api/gone.h."), [(2, "there is no api/gone.h")])
        self.assertEqual(self.broken("as Log::Write does"),
                         [(2, "Log has no Write in the reference")])
        self.assertEqual(self.broken("or Level::kHalf"),
                         [(2, "Level has no kHalf in the reference")])

    def test_names_in_code_refer_to_nothing(self):
        self.assertEqual(list(api_reference.broken_references(
            "Log::Write();\n", self.NAMES, lambda path: False)), [])


if __name__ == "__main__":
    case_report.main()
