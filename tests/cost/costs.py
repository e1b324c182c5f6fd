# SPDX-License-Identifier: Apache-2.0
"""The costs that costs.json has, beside those that were measured."""

import dataclasses
import json

# Of a cost that is new, in percent of its value: a count of instructions may move a little
# with what surrounds the code; the others may not.
_TOLERANCE_PERCENT = {"instructions": 1}
UPDATE = "./dev cost --update"


@dataclasses.dataclass
class Outcome:
    """What came of one cost: "passed", "failed" or "skipped", and why."""

    name: str
    result: str
    why: str = ""


def kind_of(name):
    return name.rpartition(".")[2]


def number(value):
    return f"{value:,.4f}".rstrip("0").rstrip(".")


def differences(known, built_with):
    """In what the program differs from the one whose costs are known."""
    before = known["taken_with"]
    return "; ".join(
        f"{what} is {built_with.get(what, 'not known')}, and was {before.get(what, 'not known')}"
        for what in sorted(before.keys() | built_with.keys())
        if before.get(what) != built_with.get(what))


def judge(name, entry, value):
    """The Outcome of a cost that is known and was measured."""
    before = entry["value"]
    difference = value - before
    if abs(difference) <= abs(before) * entry["tolerance_percent"] / 100:
        return Outcome(name, "passed")
    by = f" by {abs(difference) / before * 100:.1f} %" if before else ""
    text = f"{'rose' if difference > 0 else 'fell'}{by}, from {number(before)} to " \
           f"{number(value)} {entry['unit']} (tolerance {number(entry['tolerance_percent'])} %). "
    text += f"If that is meant: {UPDATE}" if difference > 0 else \
            f"Bring tests/cost/costs.json up to date: {UPDATE}"
    return Outcome(name, "failed", text)


def compare(known, measurement, must_measure=False):
    """An Outcome for every cost, in the order of their names. What cannot be compared is
    skipped, or fails if it `must_measure` everything."""
    differs = differences(known, measurement.built_with)
    outcomes = []
    for name in sorted(known["costs"].keys() | measurement.costs.keys()):
        entry, kind = known["costs"].get(name), kind_of(name)
        if kind in measurement.missing:
            outcomes.append(Outcome(name, "failed" if must_measure else "skipped",
                                    measurement.missing[kind]))
        elif entry is None:
            outcomes.append(Outcome(name, "failed", f"not in tests/cost/costs.json: {UPDATE}"))
        elif name not in measurement.costs:
            outcomes.append(Outcome(name, "failed", f"no longer measured: {UPDATE}"))
        elif kind == "instructions" and differs:
            outcomes.append(Outcome(name, "skipped", differs))
        else:
            outcomes.append(judge(name, entry, measurement.costs[name]))
    return outcomes


def updated(known, measurement):
    """What costs.json is to say after the measurement: tolerances stay as they are."""
    costs = {}
    for name, value in measurement.costs.items():
        tolerance = known["costs"].get(name, {}).get(
            "tolerance_percent", _TOLERANCE_PERCENT.get(kind_of(name), 0))
        costs[name] = {"value": value, "tolerance_percent": tolerance,
                       "unit": measurement.units[name]}
    return {"taken_with": measurement.built_with, "costs": costs}


def changes(before, after):
    """What differs in their costs, a line each."""
    for name in sorted(before["costs"].keys() | after["costs"].keys()):
        old, new = (costs["costs"].get(name, {}).get("value") for costs in (before, after))
        if old != new:
            yield f"{name}: " + " → ".join(
                "none" if value is None else number(value) for value in (old, new))


def read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def text_of(known):
    """The file's text: a line for each cost, so that a change of it is one."""
    def block(of):
        return ",\n".join(f"    {json.dumps(name)}: {json.dumps(of[name])}" for name in sorted(of))
    return (f'{{\n  "taken_with": {{\n{block(known["taken_with"])}\n  }},\n'
            f'  "costs": {{\n{block(known["costs"])}\n  }}\n}}\n')


def write(path, known):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text_of(known))
