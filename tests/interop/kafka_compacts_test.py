# SPDX-License-Identifier: Apache-2.0
"""Kafka's log cleaner and varve's compaction leave the same of a partition that varve wrote: field
by field of each batch, pass by pass, while tombstones and markers expire."""

import os
import shutil
import tempfile
import time
import unittest

import apache_kafka
import counted_main
import varve_batches

_RETENTION_MS = 1000
_SEGMENT_BYTES = 50000
_CONFIGS = ("cleanup.policy=compact", f"delete.retention.ms={_RETENTION_MS}",
            f"internal.segment.bytes={_SEGMENT_BYTES}", "index.interval.bytes=1000",
            "max.message.bytes=1000000")
# What only Kafka says, and what depends on the library that compresses.
_PLACE = ("position", "isvalid")
_OF_CODEC = ("size", "crc")


def _comparable(batch):
    left_out = _PLACE if batch["compression"] == "none" else _PLACE + _OF_CODEC
    return {name: value for name, value in batch.items() if name not in left_out}


def _passes(lines):
    """(the batches after each pass, the other lines)."""
    others = [line for line in lines if "topic" not in line]
    found = {}
    for line in lines:
        if "topic" in line:
            found.setdefault(line["partition"], []).append(line)
    return [found[number] for number in sorted(found)], others


class KafkaCompactsTest(unittest.TestCase):
    maxDiff = 4000

    @classmethod
    def setUpClass(cls):
        cls.kafka = apache_kafka.find("current")
        cls.addClassCleanup(cls.kafka.close)
        cls.directory = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.directory)
        # A producer whose batches are old has expired, for Kafka.
        start_ms = int(time.time() * 1000) - 3600000
        store = os.path.join(cls.directory, "store")
        varve_batches.run("compact_log", "write", store, str(start_ms))
        cls.partition = os.path.join(store, "keyed-0")
        bases = [varve_batches.base_of(path)
                 for path in varve_batches.files_of(store, ".log")]
        cls.middle, cls.end = bases[len(bases) // 2], bases[-1]
        now_ms = start_ms + 3600000
        cls.schedule = [
            (0, cls.middle, now_ms),                     # half of it
            (cls.middle, cls.end, now_ms + 10),          # the rest: half is clean
            (0, cls.end, now_ms + _RETENTION_MS - 1),    # no horizon has come
            (0, cls.end, now_ms + _RETENTION_MS),        # that of the first pass
            (0, cls.end, now_ms + 2 * _RETENTION_MS + 10),
            (0, cls.end, now_ms + 9 * _RETENTION_MS),
            (0, cls.end, now_ms + 99 * _RETENTION_MS)]
        passes = [":".join(str(part) for part in one) for one in cls.schedule]
        copy = os.path.join(cls.directory, "copy", "keyed-0")
        shutil.copytree(cls.partition, copy)
        cls.kafkas, cls.said = _passes(cls.kafka.json("CleanLogs", copy, *_CONFIGS, *passes))
        producers = cls.said[0]["producers"]
        cls.producers = {int(one.split(":")[0]) for one in producers.split(",")}
        cls.varves, cls.groups = _passes(varve_batches.run(
            "compact_log", "clean", cls.partition, str(_RETENTION_MS), str(_SEGMENT_BYTES),
            producers, *passes))

    def test_every_field_after_every_pass(self):
        self.assertEqual(len(self.kafkas), len(self.schedule))
        for number, kafkas in enumerate(self.kafkas):
            # Kafka's lines have no active segment.
            varves = [batch for batch in self.varves[number] if batch["baseOffset"] < self.end]
            for found, due in zip(varves, kafkas):
                self.assertEqual(_comparable(found), _comparable(due), f"pass {number}")
            self.assertEqual(len(varves), len(kafkas), f"pass {number}")

    def test_the_first_pass_merges_the_same_segments(self):
        merged = [base for base in self.said[1]["segments"] if base < self.middle]
        self.assertEqual(self.groups[0]["groups"], merged)
        self.assertGreater(len(merged), 2)

    def test_kafka_went_as_far(self):
        for said, (_, end, _) in zip(self.said[1:], self.schedule, strict=True):
            self.assertEqual((said["rangeEnd"], said["mappedEnd"]), (end, end))

    def test_all_of_it_has_happened(self):
        """The comparison is of something: each kind of batch was there, and then was not."""
        first, last = self.kafkas[1], self.kafkas[-1]
        self.assertEqual({batch["compression"] for batch in first},
                         {"none", "gzip", "snappy", "lz4", "zstd"})
        self.assertEqual({batch["timestampType"] for batch in first},
                         {"CreateTime", "LogAppendTime"})
        self.assertEqual(self.producers, {70, 71, 4000, 4001})
        self.assertTrue(any(batch["deleteHorizonMs"] is not None for batch in first))
        self.assertTrue(any(batch["count"] == 0 for batch in last))
        for what in (lambda batch: batch["isControl"],
                     lambda batch: any(record["value"] is None for record in batch["records"])):
            before = sum(map(what, self.kafkas[0]))
            after = sum(map(what, last))
            self.assertLess(after, before)
        self.assertLess(sum(batch["size"] for batch in last),
                        sum(batch["size"] for batch in first))


if __name__ == "__main__":
    counted_main.main()
