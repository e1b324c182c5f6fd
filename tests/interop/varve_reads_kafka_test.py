# SPDX-License-Identifier: Apache-2.0
"""varve reads what Kafka's own log wrote, and writes the same bytes when it is
given the same batches."""

import filecmp
import os
import shutil
import tempfile
import unittest

import apache_kafka
import counted_main
import varve_batches

_SEGMENT = 65536
_CONFIGS = (f"segment.bytes={_SEGMENT}", "index.interval.bytes=1500")
_KEPT = (".log", ".index", ".timeindex", "leader-epoch-checkpoint")
_STAMPED = "message.timestamp.type=LogAppendTime"


class VarveReadsKafkaTest(unittest.TestCase):
    maxDiff = 4000

    @classmethod
    def setUpClass(cls):
        cls.kafka = apache_kafka.find("current")
        cls.addClassCleanup(cls.kafka.close)
        cls.directory = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.directory)

    def write(self, name, kind, configs, of_kafka):
        """Has Kafka write a partition, with configs of its own besides, and varve read it
        and write its own. Returns both directories, what Kafka reads, and what varve read."""
        # Kafka 4 has no such small segments by the ordinary name.
        theirs = [text.replace("segment.bytes", "internal.segment.bytes") for text in configs]
        theirs += of_kafka
        directory = os.path.join(self.directory, f"{name}-0")
        reopened, _ = self.kafka.java("WriteLogs", directory, kind, *theirs)
        store = os.path.join(self.directory, f"store-{name}")
        ours = varve_batches.run("replay_log", directory, store, reopened.strip(), *configs)
        read = self.kafka.json("ReadLogs", directory)
        return directory, os.path.join(store, f"{name}-0"), read, ours

    def check(self, name, kind, *configs, of_kafka=(), segments_min=4):
        theirs, ours, read, printed = self.write(name, kind, configs or _CONFIGS, of_kafka)
        batches = [line for line in printed if "segment" not in line]
        self.assertEqual(len(batches), len(read))
        for found, due in zip(batches, read):
            self.assertTrue(due["isvalid"])
            due = {field: value for field, value in due.items()
                   if field not in ("isvalid", "position")}
            self.assertEqual(found, due)
        # The indexes that Kafka wrote, asked by both.
        self.assertEqual([line for line in printed if "segment" in line],
                         self.kafka.json("LookUp", theirs))
        kept = sorted(file for file in os.listdir(theirs) if file.endswith(_KEPT))
        self.assertEqual(sorted(file for file in os.listdir(ours) if file.endswith(_KEPT)), kept)
        self.assertGreaterEqual(len(kept), 3 * segments_min + 1)
        different = [file for file in kept if not filecmp.cmp(
            os.path.join(theirs, file), os.path.join(ours, file), shallow=False)]
        self.assertEqual(different, [])
        return read

    def test_plain_batches(self):
        self.check("plain", "plain")

    def check_codecs(self, read, due):
        self.assertEqual({batch["compression"] for batch in read}, set(due))

    def test_every_codec_and_level(self):
        read = self.check("compressed", "compressed")
        self.check_codecs(read, {"none", "gzip", "snappy", "lz4", "zstd"})

    def test_every_codec_in_several_blocks(self):
        read = self.check("large", "large", "index.interval.bytes=1500", segments_min=1)
        self.check_codecs(read, {"none", "gzip", "snappy", "lz4", "zstd"})

    def test_transactions_with_markers(self):
        read = self.check("transactions", "transactions")
        self.assertGreater(sum(batch["isControl"] for batch in read), 50)
        self.check_codecs(read, {"none", "gzip", "snappy", "lz4", "zstd"})

    def test_what_the_cleaner_leaves(self):
        read = self.check("compacted", "compacted", segments_min=3)
        self.assertGreater(sum(batch["count"] == 0 for batch in read), 20)
        self.assertGreater(sum(batch["deleteHorizonMs"] is not None for batch in read), 50)
        self.check_codecs(read, {"none", "gzip", "snappy", "lz4", "zstd"})

    def check_stamped(self, read):
        self.assertEqual({batch["timestampType"] for batch in read}, {"LogAppendTime"})

    def test_stamped_by_the_broker(self):
        """varve takes the batches as they are."""
        self.check_stamped(self.check("stamped", "compressed", of_kafka=(_STAMPED,)))

    def test_compressed_by_the_broker(self):
        for codec in ("gzip", "lz4"):
            with self.subTest(codec):
                read = self.check(
                    codec, "plain", of_kafka=(_STAMPED, f"compression.type={codec}"))
                self.check_stamped(read)
                self.check_codecs(read, {codec})

    def test_segments_ended_by_time(self):
        self.check("timed", "plain", "segment.ms=3600000", "index.interval.bytes=1500")

    def test_segments_ended_by_full_indexes(self):
        self.check("full", "plain", "segment.index.bytes=100", "index.interval.bytes=1000")

    def test_every_batch_indexed(self):
        self.check("dense", "plain", _CONFIGS[0], "index.interval.bytes=0")

    def test_large_interval_and_small_segments(self):
        """A batch that is larger than the rest of its segment; indexes with no entry."""
        self.check("sparse", "plain", "segment.bytes=20000", "index.interval.bytes=1000000")

    def test_a_different_interval_is_noticed(self):
        """The comparison can say no."""
        with self.assertRaisesRegex(AssertionError, r"\.index"):
            self.check_interval("other")

    def check_interval(self, name):
        directory = os.path.join(self.directory, f"{name}-0")
        reopened, _ = self.kafka.java("WriteLogs", directory, "plain", "index.interval.bytes=1500")
        store = os.path.join(self.directory, f"store-{name}")
        varve_batches.run(
            "replay_log", directory, store, reopened.strip(), "index.interval.bytes=1400")
        for file in sorted(file for file in os.listdir(directory) if file.endswith(_KEPT)):
            self.assertEqual(varve_batches.contents(os.path.join(store, f"{name}-0", file)),
                             varve_batches.contents(os.path.join(directory, file)), file)


if __name__ == "__main__":
    counted_main.main()
