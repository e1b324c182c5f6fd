#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The power-loss campaign: round after round, the power of a file system is cut
under a store at work, and what is on its disk then is compared with what the
store had promised before. `./dev stress` runs it, after it has built the two
programs:

    power_loss_writer   works on the store, notes what it is told, cuts the power
    power_loss_check    opens the store and compares it with all notes

The file system is an image of its own, mounted by a loop device, and the power
goes by the shutdown call of ext4 and XFS, after which nothing reaches the image.
Notes lie on another file system; a promise counts when it was noted before the
call. In some rounds the power goes again while the store recovers. A store lives
through several rounds, then a new file system is made.

Everything is mounted in a mount namespace of this program's own, by loop devices
that go with their mount: whatever ends it, nothing stays mounted. What a run that
was killed has left in its directory, the next one removes.

Needs root, loop devices, mkfs.ext4 and mkfs.xfs (third_party/setup.sh
power_loss); without, it says `SKIPPED: why`. A round that fails leaves the image
as it was before its check, and the notes, and says how the check is repeated.
Ends with `N passed, N failed`, in rounds.
"""

import argparse
import collections
import fcntl
import glob
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_PREFIX = "varve-power-loss."
_KEPT_MAX = 10  # of the failed rounds of one run
_MKFS = {
    "ext4": (256, ["mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=1,lazy_journal_init=1"]),
    # mkfs.xfs makes none smaller than 300 MiB.
    "xfs": (320, ["mkfs.xfs", "-q", "-f"]),
}
_ROUNDS_OF_A_STORE = 12
# Longer than this a session never takes; one that does stands still.
_PATIENCE_S = 120


class Broken(Exception):
    """Something of the campaign itself, not of the store, does not work."""


def run(command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, **options)
    if done.returncode != 0:
        raise Broken(f"{' '.join(command)}: {done.stdout.strip()}")
    return done.stdout


def reason_to_skip(file_systems):
    """Why there can be no campaign here, or None."""
    if os.geteuid() != 0:
        return "mounting needs root"
    if not os.path.exists("/dev/loop-control"):
        return "there are no loop devices"
    for name in ["losetup", "mount", "umount", "unshare"] + [
            _MKFS[kind][1][0] for kind in file_systems]:
        if shutil.which(name) is None:
            return f"there is no {name}"
    try:
        run(["unshare", "--mount", "true"])
        device = run(["losetup", "--find"]).strip()
        open(device, "rb").close()
    except (Broken, OSError) as error:
        return f"nothing can be mounted: {error}"
    return None


class FileSystem:
    """An image with a file system, in a directory of the run, mounted or not."""

    def __init__(self, kind, directory):
        self.kind = kind
        self.image = os.path.join(directory, f"{kind}.image")
        self.mount_point = os.path.join(directory, "mount")
        os.makedirs(self.mount_point, exist_ok=True)

    def make(self):
        size_mib, command = _MKFS[self.kind]
        if os.path.exists(self.image):
            os.unlink(self.image)
        with open(self.image, "wb") as image:
            image.truncate(size_mib << 20)
        run(command + [self.image])

    def mount(self):
        # The loop device goes with the mount. Never with `discard`: after the
        # shutdown ext4 would discard what the last transaction freed, though it
        # was not committed, which no power loss does.
        run(["mount", "-t", self.kind, "-o", "loop", self.image, self.mount_point])

    def unmount(self):
        for attempt in range(100):
            try:
                return run(["umount", self.mount_point])
            except Broken:
                if attempt == 99:
                    raise
            time.sleep(0.02)

    def let_go(self):
        """Unmounts it if it is mounted, whatever holds it."""
        subprocess.run(["umount", "--lazy", self.mount_point], stderr=subprocess.DEVNULL,
                       check=False)


class Store:
    """A store on a new file system, and the notes of its sessions."""

    def __init__(self, file_system, directory, seed, programs):
        self.file_system = file_system
        self.programs = programs
        self.directory = directory
        self.notes = os.path.join(directory, "notes")
        self.seed = seed
        self.sessions = 0
        self.rounds = 0
        shutil.rmtree(self.notes, ignore_errors=True)
        os.makedirs(self.notes)
        file_system.make()

    def next_notes(self):
        self.sessions += 1
        return os.path.join(self.notes, str(self.sessions))

    def cut_power(self, after_us, from_open):
        """One session, until the power is cut; unmounted after it."""
        self.file_system.mount()
        notes = self.next_notes()
        command = [os.path.join(self.programs, "power_loss_writer"), self.file_system.mount_point,
                   notes, str(self.seed), str(self.sessions), str(after_us)]
        with open(notes + ".log", "wb") as log:
            code = call(command + (["open"] if from_open else []), log)
        if code != 0:
            with open(notes + ".log", encoding="utf-8", errors="replace") as log:
                said = "".join(log.readlines()[-20:])
            raise Broken(f"the writer ended with {code}:\n{said}")
        self.file_system.unmount()

    def check(self, allowance_ms):
        """(whether all was well, counts, what the check said)"""
        self.file_system.mount()
        notes = self.next_notes()
        said = notes + ".check"
        with open(said, "wb") as log:
            code = call([os.path.join(self.programs, "power_loss_check"),
                         self.file_system.mount_point, self.notes, str(self.seed),
                         str(self.sessions), str(allowance_ms)], log)
        self.file_system.unmount()
        with open(said, encoding="utf-8", errors="replace") as log:
            text = log.read()
        counts = collections.Counter()
        for line in text.splitlines():
            if line.startswith("count "):
                _, what, number = line.split()
                counts[what] = int(number)
        if code not in (0, 1):
            text += f"FAILED check: it ended with {code}\n"
        return code == 0, counts, text


def call(command, log):
    """Runs a program for a limited time, alone with what it has forked."""
    program = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                               start_new_session=True)
    try:
        return program.wait(_PATIENCE_S)
    except subprocess.TimeoutExpired:
        return "no end"
    finally:
        try:
            os.killpg(program.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        program.wait()


def copy_sparse(source, target):
    run(["cp", "--sparse=always", source, target])


class Campaign:
    """All rounds of all file systems."""

    def __init__(self, options, directory):
        self.options = options
        self.directory = directory
        self.random = random.Random(options.seed)
        self.passed = 0
        self.failed = 0

    def run(self):
        for kind in self.options.file_systems:
            self.run_rounds(kind)

    def run_rounds(self, kind):
        directory = os.path.join(self.directory, kind)
        os.makedirs(directory)
        file_system = FileSystem(kind, directory)
        store = None
        counts = collections.Counter()
        kinds_of_failure = collections.Counter()
        start = time.monotonic()
        failed = 0
        try:
            for number in range(1, self.options.rounds + 1):
                if store is None or store.rounds == _ROUNDS_OF_A_STORE:
                    store = Store(file_system, directory, self.random.getrandbits(62),
                                  self.options.programs)
                store.rounds += 1
                well, found, text = self.run_round(store, counts)
                oldest = max(counts["oldest_interval_lost_ms"], found["oldest_interval_lost_ms"])
                counts.update(found)
                counts["oldest_interval_lost_ms"] = oldest
                if not well:
                    failed += 1
                    kinds_of_failure.update(set(re.findall(r"^FAILED (\w+)", text, re.MULTILINE)))
                    print(f"{kind}: round {number} failed:")
                    for line in [l for l in text.splitlines() if not l.startswith("count ")][:20]:
                        print("  " + line[:500])
                    if self.failed + failed <= _KEPT_MAX:
                        self.keep(store, number)
                    sys.stdout.flush()
                    store = None
        finally:
            file_system.let_go()
        # What never loses anything does not cut the power.
        if self.options.rounds >= 20 and not counts["lost"]:
            print(f"{kind}: FAILED campaign: no round has lost an append that was not synced")
            failed += 1
        if self.options.rounds >= 20 and not counts["compacted_away"]:
            print(f"{kind}: FAILED campaign: no round has compacted anything")
            failed += 1
        self.passed += self.options.rounds - min(failed, self.options.rounds)
        self.failed += failed
        summary = ", ".join(f"{number} {what}" for what, number in sorted(counts.items()))
        print(f"{kind}: {self.options.rounds} rounds, {failed} failed, "
              f"{time.monotonic() - start:.0f} s; {summary}")
        if kinds_of_failure:
            print(f"{kind}: rounds by what failed: " +
                  ", ".join(f"{what} {n}" for what, n in kinds_of_failure.most_common()))
        sys.stdout.flush()

    def run_round(self, store, counts):
        long_one = self.random.random() < 0.08
        store.cut_power(int(self.random.uniform(0, 4e6 if long_one else 1.0e6)), from_open=True)
        counts["cuts"] += 1
        while self.random.random() < 0.25:
            # Measured from the start of the program: in the midst of the recovery.
            store.cut_power(int(self.random.uniform(0, 0.12e6)), from_open=False)
            counts["cuts"] += 1
            counts["cuts_in_recovery"] += 1
        copy_sparse(store.file_system.image, store.file_system.image + ".cut")
        return store.check(self.options.allowance_ms)

    def keep(self, store, number):
        """Puts away what is needed to repeat the check of a failed round."""
        kind = store.file_system.kind
        kept = os.path.join(self.options.keep, f"{self.options.seed}-{kind}-{number}")
        shutil.rmtree(kept, ignore_errors=True)
        os.makedirs(kept)
        for name in os.listdir(store.notes):
            if name != str(store.sessions):
                copy_sparse(os.path.join(store.notes, name), os.path.join(kept, name))
        os.replace(store.file_system.image + ".cut", os.path.join(kept, "image"))
        with open(os.path.join(kept, "round.json"), "w", encoding="utf-8") as file:
            json.dump({"kind": kind, "seed": store.seed, "sessions": store.sessions,
                       "allowance_ms": self.options.allowance_ms}, file)
        print(f"  repeat the check: tests/power_loss/run.py --repeat {kept}")


def repeat(kept, directory, programs):
    """Checks a kept image once more, on a copy of it."""
    with open(os.path.join(kept, "round.json"), encoding="utf-8") as file:
        what = json.load(file)
    file_system = FileSystem(what["kind"], directory)
    store = Store(file_system, directory, what["seed"], programs)
    copy_sparse(os.path.join(kept, "image"), file_system.image)
    store.sessions = what["sessions"] - 1
    for i in range(1, what["sessions"]):
        copy_sparse(os.path.join(kept, str(i)), os.path.join(store.notes, str(i)))
    try:
        well, _, text = store.check(what["allowance_ms"])
    finally:
        file_system.let_go()
    print(text, end="")
    return (1, 0) if well else (0, 1)


def remove_leftovers(base):
    """Removes what runs that were killed have left: those whose lock is free."""
    for path in glob.glob(os.path.join(base, _PREFIX + "*")):
        try:
            with open(os.path.join(path, "lock"), "ab") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                for line in run(["losetup", "--list", "--noheadings", "--output",
                                 "NAME,BACK-FILE"]).splitlines():
                    device, _, image = line.partition(" ")
                    if image.strip().startswith(path + "/"):
                        subprocess.run(["umount", device], stderr=subprocess.DEVNULL, check=False)
                        subprocess.run(["losetup", "--detach", device],
                                       stderr=subprocess.DEVNULL, check=False)
                shutil.rmtree(path, ignore_errors=True)
        except (OSError, Broken):
            continue  # Somebody's who is at work.


def parse_options():
    parser = argparse.ArgumentParser(description="Cuts the power under a store, again and again.")
    parser.add_argument("--rounds", type=int, default=300, help="of each file system")
    parser.add_argument("--seed", type=int, default=None, help="what the rounds do")
    parser.add_argument("--file-system", dest="file_systems", action="append",
                        choices=sorted(_MKFS), help="ext4 or xfs; both by default")
    parser.add_argument("--directory", default=tempfile.gettempdir(), help="for the images")
    parser.add_argument("--keep", default=None, help="where failed rounds are kept")
    parser.add_argument("--programs", help="where the two programs are",
                        default=os.path.join(_ROOT, "bazel-bin", "tests", "power_loss"))
    parser.add_argument("--allowance-ms", type=int, default=2000,
                        help="how late a disk may be with the syncs of kInterval")
    parser.add_argument("--after", metavar="SUM", default="",
                        help="a line `N passed, N failed` of before, to add to the last one")
    parser.add_argument("--repeat", metavar="KEPT", help="check a kept round again")
    options = parser.parse_args()
    options.file_systems = options.file_systems or sorted(_MKFS)
    if options.seed is None:
        options.seed = random.SystemRandom().getrandbits(32)
    options.keep = options.keep or os.path.join(options.directory, "varve-power-loss-kept")
    return options


def print_sum(options, passed, failed, skipped=0):
    """The last line, with what went before, and the exit code."""
    before = re.fullmatch(r"(\d+) passed, (\d+) failed(?:, (\d+) skipped)?", options.after)
    if before:
        passed += int(before.group(1))
        failed += int(before.group(2))
        skipped += int(before.group(3) or 0)
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed else 0


def main():
    options = parse_options()
    why = reason_to_skip(options.file_systems)
    if why is not None:
        print(f"SKIPPED: {why}")
        return print_sum(options, 0, 0, skipped=1)
    if os.environ.get("VARVE_POWER_LOSS_NAMESPACE") != str(os.getppid()):
        # Everything that is mounted below goes with the last process in there.
        os.environ["VARVE_POWER_LOSS_NAMESPACE"] = str(os.getppid())
        os.execvp("unshare", ["unshare", "--mount", "--propagation", "private",
                              sys.executable] + sys.argv)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    remove_leftovers(options.directory)
    directory = tempfile.mkdtemp(prefix=_PREFIX, dir=options.directory)
    with open(os.path.join(directory, "lock"), "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            if options.repeat:
                passed, failed = repeat(options.repeat, directory, options.programs)
            else:
                print(f"power loss: seed {options.seed}, {options.rounds} rounds of "
                      f"{' and '.join(options.file_systems)}", flush=True)
                campaign = Campaign(options, directory)
                campaign.run()
                passed, failed = campaign.passed, campaign.failed
        except Broken as error:
            print(f"FAILED campaign: {error}")
            passed, failed = 0, 1
        finally:
            shutil.rmtree(directory, ignore_errors=True)
    return print_sum(options, passed, failed)


if __name__ == "__main__":
    sys.exit(main())
