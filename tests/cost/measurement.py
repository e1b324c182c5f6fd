# SPDX-License-Identifier: Apache-2.0
"""Runs cost_driver, under callgrind where there is one, and says what an operation takes."""

import dataclasses
import glob
import json
import os
import re
import shutil
import subprocess
import tempfile

# What is counted, and what one of it is called.
UNITS = {
    "instructions": "instructions",
    "system_calls": "system calls",
    "allocations": "calls of new",
    "clock_readings": "readings of the clock",
    "crc_bytes": "bytes checksummed per byte of a batch",
}
BY_CALLGRIND = ("instructions", "system_calls")

# It counts in the functions of that name alone, forgets what came before the rounds that
# count, and writes down what an operation took before that is reported.
_CALLGRIND = (
    "--command-line-only=yes", "--vgdb=no", "--tool=callgrind", "--collect-systime=yes",
    "--collect-atstart=no",
    "--toggle-collect=varve::cost::*::Counted()", "--zero-before=varve::cost::BeginCounting*",
    "--dump-before=varve::cost::ReportCounts*")


@dataclasses.dataclass
class Measurement:
    built_with: dict  # compiler, libraries, the processor that the program saw
    costs: dict = dataclasses.field(default_factory=dict)  # "append_record.allocations": 0
    units: dict = dataclasses.field(default_factory=dict)  # the same name: "… per record"
    missing: dict = dataclasses.field(default_factory=dict)  # "instructions": why not
    rounds: dict = dataclasses.field(default_factory=dict)  # "append_record": how many


def scratch_parent():
    """Where stores are made: in memory, where no file system has a say."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def run(*command):
    """Runs it, and returns what it prints; what it says otherwise only if it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: exit status {done.returncode}\n{done.stderr}")
    return done.stdout


def collected(part):
    """Event -> count, of one part of callgrind's profile."""
    events = re.search(r"^events: (.*)$", part, re.MULTILINE).group(1).split()
    counts = re.search(r"^summary: (.*)$", part, re.MULTILINE).group(1).split()
    counts += ["0"] * (len(events) - len(counts))  # zeros at the end are left out
    return dict(zip(events, map(int, counts)))


def parts_of(profile):
    """The parts of a profile: files with numbers, which begin at 1."""
    return sorted(glob.glob(f"{glob.escape(profile)}.*"), key=lambda p: int(p.rpartition(".")[2]))


def per_operation(report, part):
    """What one operation takes. `part` is callgrind's, or None."""
    count = report["operations"]
    costs = {"allocations": report["allocations"] / count,
             "clock_readings": report["clock_readings"] / count,
             "crc_bytes": report["crc_bytes"] / report["batch_bytes"]}
    if part is not None:
        costs["instructions"] = part["Ir"] / count
        costs["system_calls"] = part["sysCount"] / count
    return {kind: rounded(cost, 1 if kind == "instructions" else 4)
            for kind, cost in costs.items()}


def rounded(cost, digits):
    """To so many digits; a whole number is one."""
    cost = round(cost, digits)
    return int(cost) if cost == int(cost) else cost


def put_together(output, parts):
    """A Measurement of what the program printed, and of callgrind's parts, or None."""
    built_with, *reports = map(json.loads, output.splitlines())
    measurement = Measurement(built_with)
    if parts is not None and len(parts) != len(reports):
        raise RuntimeError(f"callgrind counted {len(parts)} operations of {len(reports)}: does "
                           "the program have its symbols?")
    for report, part in zip(reports, parts or [None] * len(reports)):
        operation = report["operation"]
        measurement.rounds[operation] = report["operations"]
        for kind, cost in per_operation(report, part).items():
            per = "" if kind == "crc_bytes" else f" per {report['per']}"
            measurement.costs[f"{operation}.{kind}"] = cost
            measurement.units[f"{operation}.{kind}"] = UNITS[kind] + per
    return measurement


def measure(driver):
    """A Measurement of all operations."""
    with tempfile.TemporaryDirectory(prefix="varve-cost-", dir=scratch_parent()) as scratch:
        return measure_in(scratch, driver)


def profile_in(scratch):
    return os.path.join(scratch, "profile")


def measure_in(scratch, driver):
    """The same, which leaves the profile in the directory as well."""
    if shutil.which("valgrind") is None:
        measurement = put_together(run(driver, scratch), None)
        measurement.missing = {kind: "there is no valgrind" for kind in BY_CALLGRIND}
        return measurement
    profile = profile_in(scratch)
    output = run("valgrind", *_CALLGRIND, f"--callgrind-out-file={profile}", driver, scratch)
    parts = []
    for path in parts_of(profile):
        with open(path, encoding="utf-8") as file:
            parts.append(collected(file.read()))
    return put_together(output, parts)


def functions(driver, operation):
    """(instructions, function) of one operation, most first: where they go."""
    with tempfile.TemporaryDirectory(prefix="varve-cost-", dir=scratch_parent()) as scratch:
        measurement = measure_in(scratch, driver)
        if measurement.missing:
            raise RuntimeError(measurement.missing["instructions"])
        if operation not in measurement.rounds:
            raise RuntimeError(f"no operation {operation}: {', '.join(measurement.rounds)}")
        part = parts_of(profile_in(scratch))[list(measurement.rounds).index(operation)]
        listing = run("callgrind_annotate", "--threshold=100", "--auto=no", "--show=Ir", part)
    return list(functions_of(listing, measurement.rounds[operation]))


def functions_of(listing, rounds):
    """The same of what callgrind_annotate prints of as many."""
    for count, share, function in re.findall(
            r"^ *([\d,]+) \( *([\d.]+)%\) +\S*?:(.*?)(?: \[[^\]]*\])?$", listing, re.MULTILINE):
        if share != "100.0":  # what calls the operations has all that they take
            yield int(count.replace(",", "")) / rounds, function
