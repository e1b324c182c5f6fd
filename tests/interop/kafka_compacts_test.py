# SPDX-License-Identifier: Apache-2.0
"""Kafka's log cleaner and LogStore::CompactTopic leave the same of the topics that varve wrote,
and of one that Kafka wrote: every field of every batch, turn by turn, with appends between, while
tombstones and markers expire. And Kafka goes on with what varve has left: its cleaner, its
recovery, and its tools."""

import os
import shutil
import struct
import tempfile
import time
import unittest

import apache_kafka
import counted_main
import exported_topics
import varve_batches

_RETENTION_MS = 1000
# When, after the first, the topics are compacted again: no horizon has come; that of the first
# time has; and later ones.
_TURNS = (0, 10, _RETENTION_MS - 1, _RETENTION_MS, 9 * _RETENTION_MS, 99 * _RETENTION_MS)
_LAST = len(_TURNS) - 1
_FILES = (".log", ".index", ".timeindex", ".txnindex")
_HOUR_MS = 3600000
# Where the many syncs of small files cost nothing.
_MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
_TOPICS = ("mixed", "sizes", "transacted", "aged", "sized", "young", "stamped", "trimmed", "full",
           "gaps")
# Compacted in the last turn alone.
_KAFKAS = "keyed"
_ALL = _TOPICS + (_KAFKAS,)
# Where segments are grouped by sizes that depend on the library that compresses, or by those of
# indexes, which Kafka makes of larger pieces.
_GROUPED_OTHERWISE = ("mixed", "sizes", "stamped")
# A batch's header, as Kafka's documentation names its fields.
_HEADER = struct.Struct(">qiibIhiqqqhii")
_FIELDS = ("baseOffset", "batchLength", "partitionLeaderEpoch", "magic", "crc", "attributes",
           "lastOffsetDelta", "baseTimestamp", "maxTimestamp", "producerId", "producerEpoch",
           "baseSequence", "recordsCount")
_OF_CODEC = ("batchLength", "crc")


def _batch(line):
    """A batch, without what depends on the library that compresses."""
    header = dict(zip(_FIELDS, _HEADER.unpack(bytes.fromhex(line["header"]))))
    if line["compression"] != "none":
        header = {name: value for name, value in header.items() if name not in _OF_CODEC}
    others = ("compression", "isControl", "deleteHorizonMs", "timestampType", "records")
    return header | {name: line[name] for name in others}


class Outcome:
    """What one of the logs of a topic has in it after a turn."""

    def __init__(self):
        self.batches, self.segments, self.aborted, self.said = [], [], [], {}

    def add(self, line):
        if "header" in line:
            self.batches.append(_batch(line))
        elif "segment" in line:
            self.segments.append(line["segment"])
            self.aborted += line["aborted"]
        else:
            self.said = line


class Turns:
    """The store after each turn, and what Kafka has made of the same."""

    def __init__(self, kafka, work):
        self.work = work
        # A producer whose batches are old has expired, for Kafka.
        self.start_ms = int(time.time() * 1000) - _HOUR_MS
        self.varves, self.lines = {}, []
        store = os.path.join(work, "store")
        for turn in range(len(_TURNS)):
            varve_batches.run("compact_store", "append", store, str(self.start_ms), str(turn))
            self._compact(store, turn, _TOPICS)
        self._compact(self._imported(kafka), _LAST, (_KAFKAS,), _KAFKAS)
        self.outcomes = {}
        for line in kafka.json("CleanLogs", work, given="\n".join(self.lines)):
            place = (line["topic"], line["turn"], line["log"])
            self.outcomes.setdefault(place, Outcome()).add(line)

    def _imported(self, kafka):
        """A store with what a broker has written."""
        broker, store = (os.path.join(self.work, name) for name in ("broker", "imported"))
        kafka.java("WriteLogs", os.path.join(broker, f"{_KAFKAS}-0"), _KAFKAS,
                   f"start.ms={self.start_ms - 5 * _HOUR_MS}", "cleanup.policy=compact",
                   "internal.segment.bytes=30000", "index.interval.bytes=1000")
        exported_topics.varve("import", broker, "--data", store)
        return store

    def _compact(self, store, turn, topics, *only):
        now_ms = self.start_ms + _HOUR_MS + _TURNS[turn]
        self._keep(store, turn, topics, "before")
        for said in varve_batches.run(
                "compact_store", "compact", store, str(self.start_ms), str(now_ms), *only):
            self.varves[said["topic"], turn] = said
            self.lines.append("\t".join(
                [said["topic"], str(turn), str(now_ms), str(said["mapBytes"]),
                 str(said["trimmedTo"])] + self.configs(said["topic"], turn)))
        self._keep(store, turn, topics, "after")

    def _keep(self, store, turn, topics, when):
        for topic in topics:
            shutil.copytree(os.path.join(store, f"{topic}-0"), self.path(turn, when, topic))

    def path(self, turn, when, topic):
        return os.path.join(self.work, str(turn), when, f"{topic}-0")

    def has_written(self, path):
        """Whether varve wrote this file of the last turn, or one beside it, in a compaction:
        what was appended on both sides of an open has its index entries elsewhere."""
        log = os.path.splitext(path)[0] + ".log"
        for turn in range(len(_TURNS)):
            before, after = (log.replace(f"/{_LAST}/after/", f"/{turn}/{when}/")
                             for when in ("before", "after"))
            if (os.path.exists(before) and os.path.exists(after) and
                    varve_batches.contents(before) != varve_batches.contents(after)):
                return True
        return False

    def configs(self, topic, turn):
        """Kafka 4 lets nobody set small segments but by another name."""
        return [f"internal.{name}={value}" if name == "segment.bytes" else f"{name}={value}"
                for name, value in self.varves[topic, turn]["configs"].items()]


class KafkaCompactsTest(unittest.TestCase):
    maxDiff = 4000

    @classmethod
    def setUpClass(cls):
        cls.kafka = apache_kafka.find("current")
        cls.addClassCleanup(cls.kafka.close)
        work = tempfile.mkdtemp(dir=_MEMORY)
        cls.addClassCleanup(shutil.rmtree, work)
        cls.turns = Turns(cls.kafka, work)

    def each(self, check):
        """Checks each topic after each turn."""
        for topic, turn in self.turns.varves:
            with self.subTest(topic=topic, turn=turn):
                check(topic, turn)

    def outcome(self, topic, turn, log):
        return self.turns.outcomes[topic, turn, log]

    def test_every_field_after_every_turn(self):
        def check(topic, turn):
            found, due = (self.outcome(topic, turn, log).batches for log in ("varve", "kafka"))
            for one, other in zip(found, due):
                self.assertEqual(one, other)
            self.assertEqual(len(found), len(due))
        self.each(check)

    def test_kafka_goes_on_with_what_varve_has_compacted(self):
        def check(topic, turn):
            crossed, due = (self.outcome(topic, turn, log) for log in ("crossed", "kafka"))
            self.assertEqual(crossed.batches, due.batches)
            self.assertEqual(crossed.said["ends"], due.said["ends"])
        self.each(check)

    def test_each_compaction_ends_where_kafkas_does(self):
        def check(topic, turn):
            varves, kafkas = self.turns.varves[topic, turn], self.outcome(topic, turn, "kafka")
            for name in ("ends", "logStart", "logEnd"):
                self.assertEqual(varves[name], kafkas.said[name], name)
        self.each(check)

    def test_segments_and_aborted_transactions(self):
        def check(topic, turn):
            found, due = (self.outcome(topic, turn, log) for log in ("varve", "kafka"))
            self.assertEqual(found.aborted, due.aborted)
            if turn == 0 or topic not in _GROUPED_OTHERWISE:
                self.assertEqual(found.segments, due.segments)
        self.each(check)

    def test_a_recovery_makes_the_same_indexes_of_what_varve_has_compacted(self):
        """Kafka makes them again, from the batches. Not that of aborted transactions, of which
        only the markers are left."""
        copies = self.turns.path(_LAST, "recovered", "")[:-len("-0")]
        arguments = []
        for topic in _ALL:
            copy = os.path.join(copies, f"{topic}-0")
            shutil.copytree(self.turns.path(_LAST, "after", topic), copy)
            arguments += self.turns.configs(topic, _LAST) + [copy]
        found = self.kafka.json("OpenLogs", "unclean", *arguments)
        self.assertEqual([one["logEnd"] for one in found],
                         [self.turns.varves[topic, _LAST]["logEnd"] for topic in _ALL])
        compared = 0
        for path in varve_batches.files_of(copies, ".log", ".index", ".timeindex"):
            was = path.replace("/recovered/", "/after/")
            if path.endswith(".log") or self.turns.has_written(was):
                compared += 1
                self.assertEqual(varve_batches.contents(path), varve_batches.contents(was), path)
        self.assertGreater(compared, 80)

    def test_kafkas_dump_finds_what_it_finds_of_kafkas(self):
        """Which is that an empty batch has a time, and no record of that time."""
        for wanted in ("current", "previous"):
            kafka = self.kafka if wanted == "current" else apache_kafka.find(wanted)
            if wanted == "previous":
                self.addCleanup(kafka.close)
            varves, kafkas = (os.path.join(self.turns.work, *parts)
                              for parts in ((str(_LAST), "after"), ("kafka",)))
            found, complaints = kafka.dump(
                varve_batches.files_of(varves, *_FILES, ".snapshot") +
                varve_batches.files_of(kafkas, ".timeindex"))
            batches = sum(len(entries) for path, entries in found.items()
                          if path.endswith(".log"))
            self.assertEqual(batches, sum(len(self.outcome(topic, _LAST, "varve").batches)
                                          for topic in _ALL))
            # Two lines each: the file, and the times.
            of = {varves: [], kafkas: []}
            for path, times in zip(complaints[::2], complaints[1::2], strict=True):
                directory = os.path.dirname(path.split(":")[-1])
                of[os.path.dirname(directory)].append((os.path.basename(directory), times))
            self.assertEqual(sorted(of[varves]), sorted(of[kafkas]))
            self.assertTrue(all(times.endswith("log timestamp: -1") for _, times in of[varves]))

    def test_all_of_it_has_happened(self):
        """The comparison is of something: each kind of batch was there, and most then went."""
        first, last = (self.outcome("mixed", turn, "varve").batches for turn in (0, _LAST))
        self.assertEqual({batch["compression"] for batch in first},
                         {"none", "gzip", "snappy", "lz4", "zstd"})
        self.assertEqual({batch["timestampType"] for batch in first},
                         {"CreateTime", "LogAppendTime"})
        self.assertEqual(self.outcome("mixed", 0, "kafka").said["producers"],
                         [70, 71, 4000, 4001])
        for topic in ("mixed", "transacted"):
            batches = self.outcome(topic, _LAST, "varve").batches
            self.assertTrue(any(batch["recordsCount"] == 0 for batch in batches), topic)
            self.assertTrue(any(batch["deleteHorizonMs"] >= 0 and batch["isControl"]
                                for batch in batches), topic)
        offsets = [{batch["baseOffset"] for batch in batches if batch["isControl"]}
                   for batches in (first, last)]
        self.assertTrue(offsets[0] - offsets[1])
        kafkas = self.outcome(_KAFKAS, _LAST, "varve")
        self.assertTrue(kafkas.aborted)
        self.assertTrue(any(batch["deleteHorizonMs"] >= 0 for batch in kafkas.batches))
        ends = {place: said["ends"] for place, said in self.turns.varves.items()}
        self.assertGreater(len(ends["full", 0]), 3)
        self.assertEqual((ends["transacted", 1], ends["transacted", 2]), ([], []))
        self.assertGreater(len(ends["transacted", 3]), 0)
        self.assertLess(ends["young", 0][0], ends["stamped", 0][0])
        for topic in ("aged", "sized"):
            self.assertGreater(self.turns.varves[topic, _LAST]["logStart"], 0)
        for topic in ("mixed", "sizes", "transacted", "sized", "stamped", "trimmed",
                      _KAFKAS):
            appended = self.turns.varves[topic, _LAST]["logEnd"]
            left = sum(batch["recordsCount"]
                       for batch in self.outcome(topic, _LAST, "varve").batches)
            self.assertLess(left, appended / 3, topic)


if __name__ == "__main__":
    counted_main.main()
