# SPDX-License-Identifier: Apache-2.0
"""varve reads the batches that librdkafka sends, and librdkafka those of varve: both by way
of the broker that librdkafka has for tests, which keeps batches as they come."""

import os
import shutil
import tempfile
import unittest

import client_batches
import counted_main
import mock_cluster
import varve_batches

_COUNT = 2000
_XERIAL = b"\x82SNAPPY\0"


class LibrdkafkaTest(unittest.TestCase):
    maxDiff = 4000

    @classmethod
    def setUpClass(cls):
        cls.cluster = mock_cluster.MockCluster()
        cls.addClassCleanup(cls.cluster.close)
        cls.directory = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.directory)

    def check_sent(self, topic, codec, **configs):
        """varve reads what it sends with these configs. Returns the batches."""
        records = client_batches.make_records(_COUNT, seed=_COUNT)
        self.cluster.produce(topic, records, **{"compression.type": codec} | configs)
        batches = self.cluster.fetch(topic, _COUNT)
        path = os.path.join(self.directory, topic)
        with open(path, "wb") as file:
            file.write(b"".join(batches))
        found = varve_batches.run("print_batches", path)
        offset = 0
        for batch, line in zip(batches, found, strict=True):
            end = offset + line["count"]
            self.assertEqual(line, client_batches.described(batch, records[offset:end]))
            self.assertEqual(line["compression"], codec)
            offset = end
        self.assertEqual(offset, _COUNT)
        # How many it makes of them is a matter of time; a large one is among them.
        self.assertGreater(max(line["count"] for line in found), _COUNT // 10)
        return batches

    def test_varve_reads_every_codec(self):
        for codec in client_batches.CODECS:
            with self.subTest(codec):
                self.check_sent(codec, codec)

    def test_varve_reads_the_levels(self):
        for codec, level in (("gzip", 1), ("gzip", 9), ("lz4", 1), ("lz4", 12), ("zstd", 1),
                             ("zstd", 12)):
            with self.subTest(codec=codec, level=level):
                self.check_sent(f"{codec}_{level}", codec, **{"compression.level": level})

    def test_snappy_without_frames(self):
        """Unlike Kafka's own clients, it writes one block."""
        for batch in self.check_sent("unframed", "snappy"):
            self.assertNotEqual(
                batch[client_batches.HEADER_SIZE:][:len(_XERIAL)], _XERIAL)

    def test_varve_reads_what_an_idempotent_producer_sent(self):
        batches = self.check_sent("idempotent", "lz4", **{"enable.idempotence": True})
        self.assertEqual(client_batches.described(batches[0], ())["baseSequence"], 0)

    def check_got(self, topic, due, log):
        """It reads a topic of varve's, whose batches are these bytes."""
        self.cluster.create(topic)
        for batch in client_batches.split(log):
            self.cluster.append(topic, batch)
        records = [(batch["timestampType"], record) for batch in due
                   for record in batch["records"]]
        for (offset, kind, found), record in zip(
                self.cluster.consume(topic, len(records)), records, strict=True):
            self.assertEqual((kind, found.described(offset)), record)

    def test_it_reads_what_varve_wrote(self):
        store = os.path.join(self.directory, "store")
        due = varve_batches.run("write_stores", "compressed", store)
        for directory, batches in varve_batches.by_partition(due).items():
            with self.subTest(directory):
                self.check_got(f"varve_{directory}", batches, b"".join(
                    varve_batches.contents(path)
                    for path in varve_batches.files_of(store, ".log")
                    if f"/{directory}/" in path))
        self.assertEqual({batch["compression"] for batch in due}, set(client_batches.CODECS))


if __name__ == "__main__":
    counted_main.main()
