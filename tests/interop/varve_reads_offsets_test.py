# SPDX-License-Identifier: Apache-2.0
"""varve finds the offsets that the groups of a Kafka broker committed, whatever the broker
compresses them with (its config offsets.topic.compression.codec)."""

import os
import shutil
import tempfile
import unittest

import apache_kafka
import counted_main
import varve_batches


class VarveReadsOffsetsTest(unittest.TestCase):
    maxDiff = 4000

    @classmethod
    def setUpClass(cls):
        cls.kafka = apache_kafka.find("current")
        cls.addClassCleanup(cls.kafka.close)
        cls.directory = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.directory)
        store = os.path.join(cls.directory, "store")
        theirs = os.path.join(cls.directory, "__consumer_offsets-0")
        created, = varve_batches.run("replay_offsets", "create", store)
        cls.due = cls.kafka.json("WriteOffsets", theirs, created["topicId"])
        cls.batches = cls.kafka.json("ReadLogs", theirs)
        log, = (os.path.join(theirs, name) for name in os.listdir(theirs) if name.endswith(".log"))
        cls.found = varve_batches.run("replay_offsets", "replay", store, log)

    def check(self, found):
        """Those of the broker, beside the one that varve itself committed."""
        found = {(offset["group"], offset["partition"]): offset for offset in found}
        self.assertEqual(found.pop(("first", 0))["offset"], 1)
        self.assertEqual(found, {(offset["group"], offset["partition"]): offset
                                 for offset in self.due})

    def test_every_codec_and_transactions(self):
        self.assertEqual({batch["compression"] for batch in self.batches},
                         {"none", "gzip", "snappy", "lz4", "zstd"})
        self.assertGreater(sum(batch["isControl"] for batch in self.batches), 10)
        # Each batch has the last word on some group.
        last = {offset["commitTimestamp"] // 1000 for offset in self.due}
        self.assertGreater(len(last), 50)

    def test_found_by_the_store(self):
        self.check(line for line in self.found if "readOnly" not in line)

    def test_found_by_a_reader(self):
        self.check({name: value for name, value in line.items() if name != "readOnly"}
                   for line in self.found if "readOnly" in line)


if __name__ == "__main__":
    counted_main.main()
