#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs varve and what people use instead on the same work, in one run: every repetition goes
through all works, and each work through all peers, so that a machine that becomes slower does so
for all. Prints a table for each work; `./dev bench compare` is this program."""

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

import machine
import plan
import plot
import programs
import results
import table

# No run takes that long unless it hangs.
_TIMEOUT_SECONDS = 900


def say(text):
    print(text, file=sys.stderr, flush=True)


def read_flags(arguments):
    """The command line; --quick only changes defaults."""
    parser = argparse.ArgumentParser(
        prog="./dev bench compare", formatter_class=argparse.RawDescriptionHelpFormatter,
        description=__doc__, epilog="works:\n  " + "\n  ".join(
            f"{work.name:28} {work.title}" for work in plan.works()))
    parser.add_argument("--repetitions", type=int, metavar="N", help="how often (5)")
    parser.add_argument("--seconds", type=float, help="that each figure takes, at most (2)")
    parser.add_argument("--mib", type=int, help="of values that are appended, at most (384)")
    parser.add_argument("--quick", action="store_true",
                        help="once, half a second, 32 MiB: whether all works, not how fast")
    parser.add_argument("--works", metavar="REGEX", default="", help="those alone")
    parser.add_argument("--peers", metavar="REGEX", default="",
                        help="those alone, and varve; by the names of bench/peers/plan.py")
    parser.add_argument("--chronicle", action="store_true",
                        help="get Chronicle Queue first, with a JDK (./dev does that)")
    parser.add_argument("--json", metavar="FILE", help="write all figures there")
    parser.add_argument("--svg", metavar="DIR", help="write pictures there")
    parser.add_argument("--scratch", metavar="DIR", help="where the files of the peers are made",
                        default=os.environ.get("TMPDIR") or "/tmp")
    flags = parser.parse_args(arguments)
    defaults = (1, 0.5, 32) if flags.quick else (5, 2, 384)
    for name, value in zip(("repetitions", "seconds", "mib"), defaults):
        if getattr(flags, name) is None:
            setattr(flags, name, value)
        elif getattr(flags, name) <= 0:
            parser.error(f"--{name} must be more than 0")
    return flags


def choose(flags):
    """The works and the peers that are asked for."""
    works = [work for work in plan.works() if re.search(flags.works, work.name)]
    peers = [peer for peer in plan.PEERS
             if peer.name.startswith("varve") or re.search(flags.peers, peer.name)]
    wanted = {work.mode for work in works}
    return works, [peer for peer in peers
                   if any(wanted.intersection(variant.modes) for variant in peer.variants)]


def bytes_below(directory):
    """What its files take of the disk."""
    return sum(os.lstat(os.path.join(folder, name)).st_blocks * 512
               for folder, _, names in os.walk(directory) for name in names)


def reason_in(errors):
    """The line that says why a program ended: a failed check is followed by a stack."""
    lines = errors.strip().splitlines() or ["it said nothing"]
    return next((line for line in lines if "Check failed" in line or "Exception" in line),
                lines[-1])


def start(command, directory):
    """Runs a program in a new directory; returns its lines of JSON, and the bytes it left.
    Raises RuntimeError, with the last that it said, if it fails."""
    os.mkdir(directory)
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False,
                              timeout=_TIMEOUT_SECONDS)
        if done.returncode != 0:
            raise RuntimeError(f"ended with {done.returncode}: {reason_in(done.stderr)}")
        return ([json.loads(line) for line in done.stdout.splitlines()],
                bytes_below(directory))
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"took more than {_TIMEOUT_SECONDS} s") from None
    except ValueError as error:
        raise RuntimeError(f"printed what is no JSON: {error}") from None
    finally:
        shutil.rmtree(directory)


def interleaved(runs, repetitions):
    """(repetition, run) in the order in which they are made. Each repetition begins with
    another peer, so that none always comes after the same one."""
    works = {}
    for run in runs:
        batch = None if run.mode == plan.READ else run.batch
        works.setdefault((run.mode, run.record, batch), []).append(run)
    for repetition in range(repetitions):
        for together in works.values():
            first = repetition % len(together)
            for run in together[first:] + together[:first]:
                yield repetition, run


def measure(flags, runs, built, scratch):
    """Makes all runs; returns the results, and a sentence for each run that failed."""
    found, failures = results.Results(), []
    total = len(runs) * flags.repetitions
    for i, (repetition, run) in enumerate(interleaved(runs, flags.repetitions)):
        say(f"{i + 1:4} of {total}: {run.variant.label}, {run.mode}, {run.record} B, "
            f"batch {run.batch}")
        directory = os.path.join(scratch, "peer")
        try:
            found.add(run, *start(built.command(run, flags, directory), directory))
        except RuntimeError as error:
            failures.append(f"{run.variant.label}, {run.mode}, {run.record} B, batch "
                            f"{run.batch}, repetition {repetition + 1}: {error}")
            say("  " + failures[-1])
    return found, failures + found.disagreements()


def main(arguments):
    flags = read_flags(arguments)
    works, peers = choose(flags)
    if not works:
        say(f"No work is named like {flags.works}; --help lists them.")
        return 2
    with tempfile.TemporaryDirectory(prefix="varve-peers-", dir=flags.scratch) as scratch:
        say("Building the programs ...")
        built = programs.Programs(peers, scratch)
        facts = machine.facts(scratch, flags.mib)
        runs = plan.runs_of(works, built.peers)
        found, failures = measure(flags, runs, built, scratch)
    report = {"machine": facts, "repetitions": flags.repetitions, "seconds": flags.seconds,
              "mib": flags.mib, "left_out": built.left_out, "failures": failures,
              "tables": found.tables(works, built.peers)}
    print("\n".join(table.text_of_report(report)))
    if flags.json:
        with open(flags.json, "w", encoding="utf-8") as file:
            json.dump(report, file, indent=1, ensure_ascii=False)
            file.write("\n")
    if flags.svg:
        say(f"{len(plot.write_plots(report, flags.svg))} pictures in {flags.svg}")
    return 1 if failures else 0


if __name__ == "__main__":
    # So that the files are removed then, too.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    sys.exit(main(sys.argv[1:]))
