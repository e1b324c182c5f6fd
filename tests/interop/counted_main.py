# SPDX-License-Identifier: Apache-2.0
"""unittest.main(), with a report in which every case counts."""

import os
import sys
import unittest
import xml.etree.ElementTree


class _Result(unittest.TextTestResult):
    """Collects a <testcase> for every case, and one for a class that cannot start."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.suite = xml.etree.ElementTree.Element("testsuite")

    def _add(self, test, outcome, message):
        suite, _, name = test.id().replace("__main__.", "").rpartition(".")
        case = xml.etree.ElementTree.SubElement(
            self.suite, "testcase", classname=suite, name=name)
        if outcome:
            xml.etree.ElementTree.SubElement(case, outcome, message=message)

    def addSuccess(self, test):
        super().addSuccess(test)
        self._add(test, None, "")

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._add(test, "failure", str(err[1]))

    def addError(self, test, err):
        super().addError(test, err)
        self._add(test, "error", str(err[1]))

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err:
            self._add(subtest, "failure", str(err[1]))

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._add(test, "skipped", reason)


def main():
    """Runs the tests of the calling program."""
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"])
    result = unittest.TextTestRunner(verbosity=2, resultclass=_Result).run(suite)
    path = os.environ.get("XML_OUTPUT_FILE")
    if path:
        xml.etree.ElementTree.ElementTree(result.suite).write(path)
    sys.exit(0 if result.wasSuccessful() else 1)
