# SPDX-License-Identifier: Apache-2.0
"""Kafka's tools and Kafka's log read what varve wrote, and agree in every field."""

import os
import shutil
import signal
import tempfile
import unittest

import apache_kafka
import counted_main
import varve_batches

_SMALL = ("internal.segment.bytes=16384", "index.interval.bytes=1000")
_CODECS = ("gzip", "snappy", "lz4", "zstd")
_SMALL_TOPICS = ("batches", "compacted", "compressed", "decompressed", "lz4_stamped", "stamped",
                 "transactions", *_CODECS)
_SIDECARS = ("sealed-*",)
_KEPT = (".log", ".index", ".timeindex", "leader-epoch-checkpoint", "partition.metadata")


class Stores:
    """Two stores, written once for all tests, which look at copies: `first` was closed,
    opened, added to and closed; `killed` was killed, recovered, added to and closed."""

    _written = None

    def __init__(self):
        self.directory = tempfile.mkdtemp()
        first, killed = self.path("first"), self.path("killed")
        self.sessions = {
            "first": [varve_batches.run("write_stores", "first", first),
                      varve_batches.run("write_stores", "again", first)]}
        cut_short = varve_batches.run(
            "write_stores", "killed", killed, status=-signal.SIGKILL)
        shutil.copytree(killed, self.path("just-killed"))
        self.sessions["just-killed"] = [cut_short]
        self.sessions["killed"] = [
            cut_short, varve_batches.run("write_stores", "recovered", killed)]

    @classmethod
    def written(cls):
        if cls._written is None:
            cls._written = cls()
        return cls._written

    def path(self, name):
        return os.path.join(self.directory, name)

    def batches(self, name):
        return [batch for session in self.sessions[name] for batch in session]

    def copy(self, name):
        """A copy for Kafka, which may write to what it reads."""
        copy = tempfile.mkdtemp(dir=self.directory)
        shutil.copytree(self.path(name), copy, dirs_exist_ok=True)
        return copy

    def due(self, name, store):
        """(.log of the copy -> what DumpLogSegments should say)."""
        return {
            path: [varve_batches.dumped(batch, varve_batches.contents(path)) for batch in due]
            for path, due in varve_batches.by_segment(store, self.batches(name)).items()}


class InteropTest(unittest.TestCase):
    WANTED = "current"
    maxDiff = 4000

    @classmethod
    def setUpClass(cls):
        cls.kafka = apache_kafka.find(cls.WANTED)
        cls.addClassCleanup(cls.kafka.close)
        cls.stores = Stores.written()


class DumpCases:
    """DumpLogSegments and FileRecords, of any version."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.copies = {name: cls.stores.copy(name) for name in ("first", "killed")}
        cls.due, cls.logs, cls.indexes, cls.complaints = {}, {}, {}, {}
        for name, copy in cls.copies.items():
            cls.due |= cls.stores.due(name, copy)
            found, cls.complaints[name] = cls.kafka.dump_logs(varve_batches.files_of(copy, ".log"))
            cls.logs |= found
            found, more = cls.kafka.dump(varve_batches.files_of(copy, ".index", ".timeindex"))
            cls.indexes |= found
            cls.complaints[name] += more

    def check_topic(self, topic, segments_min, name="first"):
        """Compares every field of every batch and record of a topic."""
        logs = [path for path in varve_batches.files_of(self.copies[name], ".log")
                if f"/{topic}-" in path]
        self.assertGreaterEqual(len(logs), segments_min)
        for path in logs:
            self.assertEqual(len(self.logs[path]), len(self.due[path]), path)
            for found, due in zip(self.logs[path], self.due[path]):
                self.assertEqual(found, due)
            self.assertEqual(sum(b["size"] for b in self.logs[path]), os.path.getsize(path))
            self.assertEqual(varve_batches.base_of(path), self.logs[path][0]["baseOffset"])

    def test_every_shape_of_key_value_and_header(self):
        self.check_topic("shapes", 2)

    def test_several_partitions_and_segments_reopened(self):
        self.check_topic("batches", 12)

    def test_log_append_time(self):
        self.check_topic("stamped", 3)

    def test_producers_transactions_and_markers(self):
        self.check_topic("transactions", 1)

    def test_what_compaction_leaves(self):
        self.check_topic("compacted", 2)

    def codecs_of(self, topic, segments_min=2):
        """Checks a topic, whose batches have these codecs in their headers."""
        self.check_topic(topic, segments_min)
        return {batch["compression"] for path, batches in self.logs.items()
                if f"/{topic}-0/" in path for batch in batches}

    def test_every_codec_and_level(self):
        self.assertEqual(self.codecs_of("compressed"), {"none", *_CODECS})

    def test_every_codec_in_several_blocks(self):
        self.assertEqual(self.codecs_of("large", 1), {"none", *_CODECS})

    def test_compressed_by_the_topic(self):
        for codec in _CODECS:
            with self.subTest(codec):
                self.assertEqual(self.codecs_of(codec), {codec})

    def test_compressed_and_stamped_by_the_topic(self):
        self.assertEqual(self.codecs_of("lz4_stamped"), {"lz4"})

    def test_decompressed_by_the_topic(self):
        self.assertEqual(self.codecs_of("decompressed"), {"none"})

    def test_segments_ended_by_time(self):
        self.check_topic("timed", 5)

    def test_killed_and_recovered(self):
        self.check_topic("batches", 9, "killed")
        epochs = {batch["partitionLeaderEpoch"] for due in self.due.values() for batch in due}
        self.assertEqual(epochs, {0, 1})

    def test_no_complaints(self):
        """Nothing is said but what each file holds: no mismatch, no invalid bytes."""
        gaps = [line for line in self.complaints["first"]
                if line.startswith("Non-consecutive offsets in ")]
        self.assertTrue(all("/compacted-0/" in line for line in gaps), gaps)
        others = [line for name in self.copies for line in self.complaints[name]
                  if line not in gaps and " is followed by " not in line]
        self.assertEqual(others, [])
        self.assertEqual(self.complaints["killed"], [])

    def test_header_values(self):
        """Kafka's FileRecords, which decompresses too; the dump has no header values."""
        for name, copy in self.copies.items():
            read = varve_batches.by_segment(copy, self.kafka.json(
                "ReadLogs", *sorted({os.path.dirname(path) for path in
                                     varve_batches.files_of(copy, ".log")})))
            due = varve_batches.by_segment(copy, self.stores.batches(name))
            self.assertEqual(read.keys(), due.keys())
            for path in due:
                for found, batch in zip(read[path], due[path], strict=True):
                    batch["crc"] = batch["crc"] or found["crc"]
                    self.assertEqual(found, batch | {"isvalid": True})

    def test_offset_indexes(self):
        """Every entry is the last offset and the place of a batch."""
        count = 0
        for path in (path for path in self.indexes if path.endswith(".index")):
            places = {(b["lastOffset"], b["position"])
                      for b in self.logs[path.replace(".index", ".log")]}
            entries = self.indexes[path]
            self.assertEqual(len(entries) * 8, os.path.getsize(path), path)
            self.assertLessEqual(set(entries), places, path)
            count += len(entries)
        self.assertGreater(count, 200)

    def test_time_indexes(self):
        """Every entry is the largest time so far and its batch; the last, of the segment."""
        for path in (path for path in self.indexes if path.endswith(".timeindex")):
            largest, due = -1, set()
            for batch in self.logs[path.replace(".timeindex", ".log")]:
                if batch["maxTimestamp"] > largest:
                    largest = batch["maxTimestamp"]
                    due.add((largest, batch["lastOffset"]))
            entries = self.indexes[path]
            self.assertLessEqual(set(entries), due, path)
            self.assertEqual(entries[-1], max(due), path)
            self.assertEqual(len(entries) * 12, os.path.getsize(path), path)

    def test_index_sanity_check(self):
        files = [path for path in varve_batches.files_of(
            self.copies["first"], ".index", ".timeindex") if os.path.getsize(path)]
        _, said = self.kafka.dump(files, "--index-sanity-check")
        self.assertEqual(said, [f"{path} passed sanity check." for path in files])

    def flip(self, path, position):
        """A copy of the file and its neighbours in which one bit is wrong."""
        copy = shutil.copytree(
            os.path.dirname(path), os.path.join(tempfile.mkdtemp(dir=self.stores.directory), "t-0"))
        flipped = os.path.join(copy, os.path.basename(path))
        with open(flipped, "r+b") as file:
            file.seek(position)
            byte, = file.read(1)
            file.seek(position)
            file.write(bytes([byte ^ 1]))
        return flipped

    def test_a_flipped_bit_is_noticed(self):
        """The oracle can say no: in a record, in a field outside the CRC, in each index."""
        path = varve_batches.files_of(self.copies["first"], ".log")[0]
        batch = self.due[path][3]
        in_record, _ = self.kafka.dump_logs(
            [flipped := self.flip(path, batch["position"] + batch["size"] - 2)])
        self.assertEqual([b["isvalid"] for b in in_record[flipped]][2:5], [True, False, True])
        self.assertNotEqual(in_record[flipped], self.due[path])
        in_epoch, _ = self.kafka.dump_logs([flipped := self.flip(path, batch["position"] + 15)])
        self.assertNotEqual(in_epoch[flipped], self.due[path])
        for suffix, at, words in (
                (".index", 3, "Mismatches in"), (".timeindex", 7, "mismatch in")):
            _, said = self.kafka.dump([self.flip(path.replace(".log", suffix), at)])
            self.assertIn(words, "\n".join(said))


class CurrentKafkaTest(DumpCases, InteropTest):
    """The newest Kafka that the tests know, and what a broker makes of the files."""

    def open_logs(self, how, copy, topics, configs):
        directories = sorted({os.path.dirname(path) for path in varve_batches.files_of(copy, ".log")
                              if os.path.basename(os.path.dirname(path)).rpartition("-")[0]
                              in topics})
        self.assertTrue(directories)
        return self.kafka.json("OpenLogs", how, *configs, *directories)

    def open_all(self, how, name):
        """Opens a copy as a broker does, and closes it; what it found, and the copy."""
        copy = self.stores.copy(name)
        found = self.open_logs(how, copy, _SMALL_TOPICS, _SMALL)
        if name == "first":
            found += self.open_logs(how, copy, ("large", "shapes"), ())
            found += self.open_logs(how, copy, ("timed",), ("segment.ms=3600000",))
        return found, copy

    def check_found(self, name, found, copy):
        """The ends, segments, epochs and topic ids that Kafka found are what we wrote."""
        due = varve_batches.by_partition(self.stores.batches(name))
        self.assertEqual({log["directory"] for log in found}, due.keys())
        for log in found:
            batches = due[log["directory"]]
            self.assertEqual((log["logStart"], log["logEnd"]), (0, batches[-1]["lastOffset"] + 1))
            starts = {}
            for batch in batches:
                starts.setdefault(batch["partitionLeaderEpoch"], batch["baseOffset"])
            self.assertEqual(log["epochs"], [list(entry) for entry in starts.items()])
            paths = [path for path in varve_batches.files_of(copy, ".log")
                     if f"/{log['directory']}/" in path]
            self.assertEqual(log["segments"], len(paths))
            catalog = varve_batches.contents(os.path.join(copy, "varve.topics")).decode()
            line, = (line for line in catalog.splitlines()
                     if line.startswith(f"topic {log['directory'].rpartition('-')[0]} "))
            self.assertIn(f" {log['topicId']} ", line + " ")

    def check_same_files(self, before, after, but=(), kept=_KEPT):
        """Segments, indexes and checkpoints are equal, byte for byte."""
        count = 0
        for path in varve_batches.files_of(before, *kept):
            name = os.path.relpath(path, before)
            if name in but:
                continue
            self.assertEqual(varve_batches.contents(os.path.join(after, name)),
                             varve_batches.contents(path), name)
            count += 1
        return count

    def spanning_indexes(self, name):
        """Indexes of segments that two sessions wrote. Kafka counts bytes since the last
        entry anew at each open, and so do we; who makes the index again does not."""
        later = varve_batches.by_partition(self.stores.sessions[name][1])
        found = set()
        for directory, due in later.items():
            bases = [varve_batches.base_of(path)
                     for path in varve_batches.files_of(self.stores.path(name), ".log")
                     if f"/{directory}/" in path]
            last = max(base for base in bases if base <= due[0]["baseOffset"])
            found |= {f"{directory}/{last:020}{suffix}" for suffix in (".index", ".timeindex")}
        return found

    def test_broker_opens_what_was_closed_and_changes_nothing(self):
        for name in ("first", "killed"):
            found, copy = self.open_all("clean", name)
            self.check_found(name, found, copy)
            self.assertGreater(self.check_same_files(self.stores.path(name), copy), 20)
            self.assertGreater(self.check_same_files(
                self.stores.path(name), copy, kept=_SIDECARS), 5)

    def test_broker_recovers_to_the_same_bytes(self):
        """Kafka makes all indexes again, from the batches, and they are equal to ours."""
        for name in ("first", "killed"):
            found, copy = self.open_all("unclean", name)
            self.check_found(name, found, copy)
            self.assertGreater(self.check_same_files(
                self.stores.path(name), copy, self.spanning_indexes(name)), 20)

    def check_recovered_alike(self, damage):
        """varve and Kafka each recover a copy of what a kill left."""
        ours, theirs = (self.stores.copy("just-killed") for _ in range(2))
        for copy in (ours, theirs):
            damage(copy)
        varve_batches.run("write_stores", "opened", ours)
        found = self.open_logs("unclean", theirs, ("batches",), _SMALL)
        # Only varve begins a new epoch when it recovers.
        epochs = [f"batches-{partition}/leader-epoch-checkpoint" for partition in range(3)]
        self.assertGreater(self.check_same_files(ours, theirs, epochs), 20)
        return found

    def test_killed_store_is_recovered_as_kafka_does(self):
        found = self.check_recovered_alike(lambda copy: None)
        due = varve_batches.by_partition(self.stores.batches("just-killed"))
        for log in found:
            self.assertEqual(log["logEnd"], due[log["directory"]][-1]["lastOffset"] + 1)

    def test_torn_tail_is_cut_where_kafka_cuts(self):
        """The last batch of each partition lacks its end."""
        def tear(copy):
            for path, due in varve_batches.by_segment(
                    copy, self.stores.batches("just-killed")).items():
                directory = os.path.basename(os.path.dirname(path))
                if due and due[-1]["lastOffset"] == ends[directory]:
                    with open(path, "r+b") as file:
                        file.seek(due[-1]["position"] + due[-1]["size"] - 20)
                        file.write(bytes(20))
        partitions = varve_batches.by_partition(self.stores.batches("just-killed"))
        ends = {directory: due[-1]["lastOffset"] for directory, due in partitions.items()}
        for log in self.check_recovered_alike(tear):
            self.assertEqual(
                log["logEnd"], partitions[log["directory"]][-1]["baseOffset"])


class PreviousKafkaTest(DumpCases, InteropTest):
    """The last Kafka before 4.0."""

    WANTED = "previous"


def tearDownModule():
    if Stores._written is not None:
        shutil.rmtree(Stores._written.directory)


if __name__ == "__main__":
    counted_main.main()
