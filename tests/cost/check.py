#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures what operations on a store cost, and compares that with costs.json. `./dev cost`
runs it; with CI=true, what cannot be measured fails.
"""

import argparse
import os
import sys
import xml.etree.ElementTree

import costs
import measurement

COSTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "costs.json")
_FUNCTIONS_MAX = 40


def write_report(path, outcomes):
    """A report in which every cost counts."""
    suite = xml.etree.ElementTree.Element("testsuite")
    for outcome in outcomes:
        operation, _, kind = outcome.name.rpartition(".")
        case = xml.etree.ElementTree.SubElement(suite, "testcase", classname=operation, name=kind)
        if outcome.result != "passed":
            tag = "failure" if outcome.result == "failed" else "skipped"
            xml.etree.ElementTree.SubElement(case, tag, message=outcome.why)
    xml.etree.ElementTree.ElementTree(suite).write(path)


def check(driver):
    must_measure = os.environ.get("CI") == "true"
    outcomes = costs.compare(costs.read(COSTS), measurement.measure(driver), must_measure)
    if "XML_OUTPUT_FILE" in os.environ:
        write_report(os.environ["XML_OUTPUT_FILE"], outcomes)
    for outcome in outcomes:
        if outcome.result != "passed":
            print(f"{outcome.result}: {outcome.name}: {outcome.why}")
    failed = [outcome for outcome in outcomes if outcome.result == "failed"]
    for operation in sorted({o.name.partition(".")[0] for o in failed
                             if costs.kind_of(o.name) == "instructions"}):
        print(f"./dev cost --profile {operation} says in which functions its instructions are")
    print(f"{len(outcomes)} costs, {len(failed)} not as they were")
    return 1 if failed else 0


def update(driver):
    known = costs.read(COSTS) if os.path.exists(COSTS) else {"taken_with": {}, "costs": {}}
    measured = measurement.measure(driver)
    for kind, why in measured.missing.items():
        raise RuntimeError(f"{kind} cannot be measured: {why}")
    after = costs.updated(known, measured)
    for line in costs.changes(known, after):
        print(line)
    costs.write(COSTS, after)
    print(f"{COSTS}: {len(after['costs'])} costs")
    return 0


def profile(driver, operation):
    for count, function in measurement.functions(driver, operation)[:_FUNCTIONS_MAX]:
        print(f"{count:10.1f}  {function}")
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("driver", help="cost_driver, built")
    parser.add_argument("--update", action="store_true", help="rewrite costs.json")
    parser.add_argument("--profile", metavar="OPERATION",
                        help="show in which functions its instructions are")
    arguments = parser.parse_args()
    try:
        if arguments.update:
            return update(arguments.driver)
        if arguments.profile:
            return profile(arguments.driver, arguments.profile)
        return check(arguments.driver)
    except RuntimeError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    sys.exit(main())
