# SPDX-License-Identifier: Apache-2.0
"""unittest.main(), with a report in which every case counts."""

import os
import sys
import time
import unittest
import xml.etree.ElementTree


class _Result(unittest.TextTestResult):
    """Collects a <testcase> for every case."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.suite = xml.etree.ElementTree.Element("testsuite")

    def startTest(self, test):
        super().startTest(test)
        module, _, name = test.id().rpartition(".")
        self._case = xml.etree.ElementTree.SubElement(
            self.suite, "testcase", classname=module.rpartition(".")[2], name=name)
        self._start = time.monotonic()

    def stopTest(self, test):
        super().stopTest(test)
        self._case.set("time", f"{time.monotonic() - self._start:.3f}")

    def addFailure(self, test, err):
        super().addFailure(test, err)
        xml.etree.ElementTree.SubElement(self._case, "failure", message=str(err[1]))

    def addError(self, test, err):
        super().addError(test, err)
        xml.etree.ElementTree.SubElement(self._case, "error", message=str(err[1]))

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err:
            xml.etree.ElementTree.SubElement(self._case, "failure", message=str(err[1]))

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        xml.etree.ElementTree.SubElement(self._case, "skipped", message=reason)


def main():
    """Runs the tests of the calling program."""
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"])
    result = unittest.TextTestRunner(verbosity=2, resultclass=_Result).run(suite)
    path = os.environ.get("XML_OUTPUT_FILE")
    if path:
        xml.etree.ElementTree.ElementTree(result.suite).write(path)
    sys.exit(0 if result.wasSuccessful() else 1)
