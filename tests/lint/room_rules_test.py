#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every rule of the house sees what it is for, and passes over what it is not for."""

import unittest
from unittest import mock

import case_report
import room_rules
import rooms

_TABLE = {"index": (), "log/a": ("index",), "api": ("log/a",), rooms.FACE: ("api", "log/a")}


def places(rule, files):
    """Where a rule finds something wrong, with the table of rooms above."""
    with mock.patch.object(rooms, "MAY_INCLUDE", _TABLE):
        return [(path, line) for path, line, _ in rule(files)]


class RoomRules(unittest.TestCase):

    def test_rooms_have_no_circle(self):
        self.assertEqual(rooms.circle_in(rooms.MAY_INCLUDE), [])
        for others in rooms.MAY_INCLUDE.values():
            self.assertLessEqual(set(others), rooms.MAY_INCLUDE.keys())
        self.assertEqual(rooms.circle_in({"a": ("b",), "b": ("c", "d"), "d": ("b",)}),
                         ["b", "d", "b"])

    def test_the_library_itself_includes_no_codec(self):
        for room, others in rooms.MAY_INCLUDE.items():
            if room.startswith(("index", "log", "api")):
                self.assertNotIn("codec", others, room)

    def test_folder_size(self):
        def found(count):
            return list(room_rules.folder_size({f"log/a/{i}.cc": "" for i in range(count)}))

        self.assertFalse(found(45))
        self.assertTrue(found(46))

    def test_layering(self):
        def found(path, text):
            return list(room_rules.layering({path: text}))

        self.assertTrue(found("log/BUILD.bazel", "package()"))
        self.assertFalse(found("log/BUILD.bazel", 'package(features = ["layering_check"])'))
        self.assertFalse(found("tests/BUILD.bazel", "package()"))
        self.assertTrue(found("log/BUILD.bazel", 'package(default_visibility = '
                              '["//visibility:public"], features = ["layering_check"])'))

    def test_unused_arrow(self):
        files = {"log/a/b.h": '#include "varve/index/i.h"\n',
                 "api/c.cc": '#include "varve/log/a/b.h"\n',
                 "api/log_store.h": '#include "varve/log/a/b.h"\n#include "varve/api/c.h"\n'}
        self.assertEqual(places(room_rules.unused_arrow, files), [])
        for path in files:
            self.assertTrue(places(room_rules.unused_arrow, {**files, path: ""}), path)

    def test_room_readme(self):
        readme = "# A\n\n- `b`: what b is\n\n## May include\n\n{}\n\nThe rest is in log/b.\n"
        face = "- The face (`log_store`): `api`,\n  `log/a`.\n- The rest: `log/a`.\n"
        files = {"index/README.md": readme.format("No other room."), "index/b.h": "",
                 "log/a/README.md": readme.format("index, for its integers."), "log/a/b.cc": "",
                 "api/README.md": readme.format(face), "api/b.h": ""}

        def found(path, text):
            return {where for where, _ in places(room_rules.room_readme, {**files, path: text})}

        self.assertEqual(found("log/a/b.h", ""), set())
        self.assertEqual(found("log/a/c.h", ""), {"log/a/README.md"})
        gone = "- `b`: what b is\n- `c`: gone\n\n## May include\n\nindex.\n"
        for wrong in (readme.format("index, api."), readme.format("No other room."), gone):
            self.assertEqual(found("log/a/README.md", wrong), {"log/a/README.md"}, wrong)
        less = readme.format("- The rest: `log/a`.\n- The face: `api`.")
        self.assertEqual(found("api/README.md", less), {"api/README.md"})
        del files["index/README.md"]
        self.assertEqual(found("log/a/b.h", ""), {room_rules.ROOMS})

    def test_room_readme_names_the_face_of_api(self):
        text = "`api`, the face of\napi, `log/batch`."
        self.assertEqual(list(room_rules._named_arrows("tools/shell", text)),
                         [("tools/shell", {"api", rooms.FACE, "log/batch"})])

    def test_public_surface(self):
        def found(listed):
            return [(path, line) for path, line, _ in room_rules.public_surface({
                room_rules.PUBLIC_HEADERS: "# A comment.\n" + listed,
                "api/a.h": '#include "absl/a.h"\n#include "varve/log/b.h"\n', "log/b.h": ""})]

        self.assertEqual(found("api/a.h\nlog/b.h\n"), [])
        self.assertEqual(found("api/a.h\n"), [("api/a.h", 2)])
        self.assertEqual(found("log/c.h\n"), [(room_rules.PUBLIC_HEADERS, 1)])

    def test_public_targets(self):
        public = '    visibility = ["//visibility:public"],\n'
        build = 'varve_room(\n    name = "a",\n{})\n\nvarve_unit(\n    name = "b",\n{})\n'

        def found(listed, room, unit):
            return len(places(room_rules.public_targets, {
                room_rules.PUBLIC_HEADERS: listed,
                "log/a/BUILD.bazel": build.format(public if room else "", public if unit else "")}))

        self.assertEqual(found("", False, False), 0)
        self.assertEqual(found("log/a/b.h\n", False, True), 0)
        self.assertEqual(found("log/a/b.h\n", True, True), 1)
        self.assertEqual(found("log/a/b.h\n", False, False), 1)
        self.assertEqual(found("log/a/c.h\n", True, False), 0)
        self.assertEqual(found("log/a/c.h\n", False, False), 1)
        self.assertEqual(found("log/a/c.h\n", True, True), 1)


if __name__ == "__main__":
    case_report.main()
