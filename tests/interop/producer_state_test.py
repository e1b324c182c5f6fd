# SPDX-License-Identifier: Apache-2.0
"""What Kafka's log and varve know of producers and transactions: the files of each are read by
the other, and say the same, and a batch that is in the log is not appended again by either."""

import json
import os
import shutil
import subprocess
import tempfile
import unittest

import apache_kafka
import counted_main
import varve_batches

VARVE = os.environ.get("VARVE_INTEROP_VARVE", "tools/varve")
_SMALL = ("internal.segment.bytes=4096",)
_FILES = (".snapshot", ".txnindex")
_KINDS = ("producer", "aborted")
# What FindProducer has of the fields of a snapshot.
_POSITION = ("producer_epoch", "last_sequence", "last_offset", "transaction_first_offset")


def _varve(*arguments):
    """Runs varve, and returns what it printed, with --json, line by line."""
    done = subprocess.run([VARVE, "--json", *arguments], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False, encoding="utf-8")
    if done.returncode != 0:
        raise AssertionError(f"varve {' '.join(arguments)}: {done.stdout}{done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def _of_kind(kind, lines):
    return [{name: value for name, value in line.items() if name not in ("file", "kind")}
            for line in lines if line["kind"] == kind]


def _producers(lines):
    return {line["producer_id"]: line for line in _of_kind("producer", lines)}


def _varve_dump(files):
    """(file -> the entries in it), as varve reads them."""
    found = {path: [] for path in files}
    for line in _varve("dump-log", *files):
        if line["kind"] in _KINDS:
            found[line["file"]] += _of_kind(line["kind"], [line])
    return found


def _by_producer(entries):
    return sorted(entries, key=lambda entry: entry["producer_id"])


class ProducerStateTest(unittest.TestCase):
    maxDiff = 4000

    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.directory)
        cls.kafka = apache_kafka.find("current")
        cls.addClassCleanup(cls.kafka.close)
        cls.kafkas = cls.path("kafka")
        os.mkdir(cls.kafkas)
        cls.known = cls.kafka.json(
            "WriteProducers", os.path.join(cls.kafkas, "producers-0"), *_SMALL)
        with open(os.path.join(cls.kafkas, "meta.properties"), "w", encoding="utf-8") as file:
            file.write("node.id=1\nversion=1\ncluster.id=varve\n")
        with open(os.path.join(cls.kafkas, "producers-0", "partition.metadata"), "w",
                  encoding="utf-8") as file:
            file.write("version: 0\ntopic_id: AAAAAAAAQAGAAAAAAAAAAA\n")
        cls.ours = cls.path("ours")
        varve_batches.run("producer_states", "write", cls.ours)
        cls.imported = cls.path("imported")
        _varve("import", cls.kafkas, "--data", cls.imported)

    @classmethod
    def path(cls, name):
        return os.path.join(cls.directory, name)

    def copy(self, store):
        """A copy of the partition, for Kafka, which may write to what it reads."""
        copy = os.path.join(tempfile.mkdtemp(dir=self.directory), "producers-0")
        shutil.copytree(os.path.join(store, "producers-0"), copy)
        return copy

    def look(self, store, what="look"):
        return varve_batches.run("producer_states", what, store, "producers")

    # Of single files.

    def check_dumps(self, kafka, store):
        """Kafka's tool and varve's say the same of each file, in all fields."""
        files = varve_batches.files_of(store, *_FILES)
        self.assertGreater(len(files), 12)
        ours = _varve_dump(files)
        theirs, complaints = kafka.dump(files)
        self.assertEqual(complaints, [])
        for path in files:
            sort = _by_producer if path.endswith(".snapshot") else list
            self.assertEqual(sort(ours[path]), sort(theirs[path]), path)
            self.assertTrue(ours[path], path)

    def test_every_file_says_the_same_to_both(self):
        for store in (self.kafkas, self.ours, self.imported):
            with self.subTest(store):
                self.check_dumps(self.kafka, store)

    def test_every_file_says_the_same_to_the_previous_kafka(self):
        previous = apache_kafka.find("previous")
        self.addCleanup(previous.close)
        for store in (self.kafkas, self.ours):
            with self.subTest(store):
                self.check_dumps(previous, store)

    def dumped(self, store):
        """The newest snapshot and all transaction indexes, as varve's tool has them."""
        files = varve_batches.files_of(store, ".snapshot")[-1:]
        found = _varve("dump-log", *files, *varve_batches.files_of(store, ".txnindex"))
        return [line for line in found if line["kind"] in _KINDS]

    def test_varve_dumps_what_kafkas_log_knows(self):
        found = self.dumped(self.kafkas)
        self.assertEqual(_producers(found), _producers(self.known))
        self.assertGreater(len(_producers(found)), 6)
        self.assertEqual(_of_kind("aborted", found), _of_kind("aborted", self.known))

    def test_last_stable_offset_of_a_follower_is_behind_its_marker(self):
        """So Kafka writes them; varve takes them, and writes its own otherwise."""
        def far(lines):
            return [line["producer_id"] for line in _of_kind("aborted", lines)
                    if line["last_stable_offset"] > line["last_offset"] + 1]
        self.assertEqual(far(self.dumped(self.kafkas)), [1006])
        self.assertEqual(far(self.dumped(self.imported)), [])

    # Of whole logs.

    def open(self, how, partition):
        return self.kafka.json("OpenProducers", how, partition, *_SMALL)

    def test_kafka_loads_the_snapshot_of_varve(self):
        found = self.open("clean", self.copy(self.ours))
        due = self.dumped(self.ours)
        self.assertEqual(_producers(found), _producers(due))
        self.assertGreater(len(_producers(found)), 5)
        self.assertEqual(_of_kind("aborted", found), _of_kind("aborted", due))
        self.assertGreater(len(_of_kind("aborted", found)), 30)
        position = {producer: {name: line[name] for name in _POSITION}
                    for producer, line in _producers(found).items()}
        self.assertEqual(position, {
            producer: {name: line[name] for name in _POSITION}
            for producer, line in _producers(self.look(self.ours)).items()})

    def test_kafka_knew_that_from_the_snapshot_alone(self):
        copy = self.copy(self.ours)
        for name in os.listdir(copy):
            if name.endswith(".snapshot"):
                os.remove(os.path.join(copy, name))
        self.assertEqual(_producers(self.open("clean", copy)), {})

    def test_kafka_makes_the_same_of_the_batches(self):
        """Without the mark of a clean stop it reads them all."""
        copy = self.copy(self.ours)
        for name in os.listdir(copy):
            if name.endswith(_FILES):
                os.remove(os.path.join(copy, name))
        found = self.open("unclean", copy)
        due = self.dumped(self.ours)
        self.assertEqual(_producers(found), _producers(due))
        self.assertEqual(_of_kind("aborted", found), _of_kind("aborted", due))

    def check_repeated(self, repeated, log_end):
        """Each is said to be where it is, and the log has not grown."""
        self.assertGreater(len(repeated), 4)
        last = {line["producer_id"]: line for line in repeated}
        for producer, line in last.items():
            self.assertIn("offset", line, producer)
            self.assertEqual(line["end"], log_end)
        return {producer: (line["offset"], line["last_offset"])
                for producer, line in last.items()}

    def due_places(self, lines, but):
        return {producer: (line["last_offset"] - line["offset_delta"], line["last_offset"])
                for producer, line in _producers(lines).items() if producer not in but}

    def split_fenced(self, lines, fenced):
        """What was repeated, without that of a producer whose epoch has gone on."""
        repeated = _of_kind("repeated", lines)
        refused = [line for line in repeated if "refused" in line]
        self.assertEqual([line["producer_id"] for line in refused], [fenced])
        return [line for line in repeated if "refused" not in line]

    def test_kafka_recognises_what_varve_has_appended(self):
        lines = self.open("clean", self.copy(self.ours))
        log, = _of_kind("log", lines)
        places = self.check_repeated(self.split_fenced(lines, 2005), log["end"])
        self.assertEqual(places, self.due_places(lines, {2005}))

    def test_varve_recognises_what_kafka_has_appended(self):
        store = self.path("repeated")
        shutil.copytree(self.imported, store)
        lines = self.look(store, "repeat")
        log, = _of_kind("log", self.known)
        repeated = self.split_fenced(lines, 1005)
        self.assertTrue(all(line["is_duplicate"] for line in repeated))
        places = self.check_repeated(repeated, log["end"])
        self.assertEqual(places, self.due_places(self.known, {1005}))

    def test_imported_log_knows_what_kafka_knew(self):
        known = _producers(self.known)
        for producer, line in _producers(self.look(self.imported)).items():
            for name in _POSITION:
                self.assertEqual(line[name], known[producer][name], (producer, name))

    def committed(self, store, lines):
        """The records that Kafka's clients would leave of a log: by its aborted transactions,
        and up to the first one that is open."""
        log, = _of_kind("log", lines)
        aborted = _of_kind("aborted", lines)
        end = log["end"] if log["first_unstable"] is None else log["first_unstable"]
        offsets = []
        for batch in self.kafka.json("ReadLogs", os.path.join(store, "producers-0")):
            is_aborted = batch["isTransactional"] and any(
                entry["producer_id"] == batch["producerId"]
                and entry["first_offset"] <= batch["baseOffset"] <= entry["last_offset"]
                for entry in aborted)
            if not batch["isControl"] and not is_aborted:
                offsets += [record["offset"] for record in batch["records"]
                            if record["offset"] < end]
        return offsets

    def test_varve_reads_the_same_committed_records(self):
        for store, lines in ((self.imported, self.known),
                             (self.ours, self.open("clean", self.copy(self.ours)))):
            with self.subTest(store):
                due = self.committed(store, lines)
                self.assertGreater(len(due), 100)
                self.assertEqual(
                    [line["offset"] for line in _of_kind("committed", self.look(store))], due)

    def test_verify_finds_nothing_in_any(self):
        for store in (self.kafkas, self.ours, self.imported):
            report, = _varve("verify", "--data", store)
            self.assertEqual([finding for finding in report["findings"]
                              if finding["path"].endswith(_FILES)], [], store)


if __name__ == "__main__":
    counted_main.main()
