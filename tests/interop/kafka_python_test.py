# SPDX-License-Identifier: Apache-2.0
"""varve reads the batches that kafka-python makes, and kafka-python those of varve. Kafka
itself says what is right: it reads the same batches."""

import gzip
import os
import shutil
import tempfile
import unittest
from unittest import mock

import apache_kafka
import client_batches
import counted_main
import required
import varve_batches

_PACKAGES = "python3-kafka, python3-lz4, python3-snappy and python3-zstandard"


class Encoder:
    """kafka-python's, at the level of its library."""

    def __init__(self):
        # The modules that it compresses with come first: it does without one.
        self._lz4, self._snappy, self._zstandard, self._codec, self._batches = (
            required.module(name, _PACKAGES) for name in (
                "lz4.frame", "snappy", "zstandard", "kafka.codec", "kafka.record.default_records"))

    def encode(self, codec, records, base_offset, **producer):
        """A batch as kafka-python sends it, at an offset that a log gave it."""
        builder = self._batches.DefaultRecordBatchBuilder(
            magic=2, compression_type=client_batches.CODECS.index(codec), batch_size=2 ** 30,
            **{"is_transactional": False, "producer_id": -1, "producer_epoch": -1,
               "base_sequence": -1} | producer)
        for i, record in enumerate(records):
            builder.append(i, timestamp=record.timestamp, key=record.key, value=record.value,
                           headers=record.headers)
        return client_batches.placed(builder.build(), base_offset)

    def encode_all(self, codec, **producer):
        """Batches of one record up to many, with no offset left out; and what they are."""
        encoded, due, offset = [], [], 0
        for count in (1, 2, 40, 1500):
            records = client_batches.make_records(count, seed=count)
            encoded.append(self.encode(codec, records, offset, **producer))
            due.append(client_batches.described(encoded[-1], records))
            offset += count
        return encoded, due

    def encode_otherwise(self, codec, encode):
        """The same with another function in the place of kafka-python's."""
        with mock.patch.object(self._batches, f"{codec}_encode", encode):
            return self.encode_all(codec)

    def cases(self):
        """(name -> batches, and what they are)."""
        cases = {codec: self.encode_all(codec) for codec in client_batches.CODECS}
        cases["transaction"] = self.encode_all(
            "zstd", is_transactional=True, producer_id=4000, producer_epoch=7, base_sequence=0)
        for name, codec, encode in (
                ("raw", "snappy", self._snappy.compress),
                ("small", "snappy",
                 lambda plain: self._codec.snappy_encode(plain, xerial_blocksize=1000)),
                ("joined", "snappy", _in_two(self._codec.snappy_encode)),
                ("members", "gzip", _in_two(gzip.compress)),
                ("sums", "lz4", self._lz4_with_sums),
                ("frames", "zstd", _in_two(self._zstd_with_sum))):
            cases[name] = self.encode_otherwise(codec, encode)
        return cases

    def _lz4_with_sums(self, plain):
        return self._lz4.compress(
            plain, block_size=self._lz4.BLOCKSIZE_MAX4MB, block_linked=False,
            content_checksum=True, block_checksum=True, store_size=True)

    def _zstd_with_sum(self, plain):
        return self._zstandard.ZstdCompressor(level=19, write_checksum=True).compress(plain)


def _in_two(encode):
    """The beginning and the rest, each as a stream of its own."""
    return lambda plain: encode(plain[:70]) + encode(plain[70:])


class KafkaPythonTest(unittest.TestCase):
    maxDiff = 4000

    @classmethod
    def setUpClass(cls):
        cls.cases = Encoder().cases()
        cls.memory = required.module("kafka.record.memory_records", _PACKAGES)
        cls.kafka = apache_kafka.find("current")
        cls.addClassCleanup(cls.kafka.close)
        cls.directory = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.directory)
        for name, (encoded, _) in cls.cases.items():
            os.mkdir(os.path.join(cls.directory, f"{name}-0"))
            with open(cls.log_of(name), "wb") as file:
                file.write(b"".join(encoded))
        cls.read = varve_batches.by_partition(cls.kafka.json(
            "ReadLogs", *(os.path.dirname(cls.log_of(name)) for name in cls.cases)))

    @classmethod
    def log_of(cls, name):
        return os.path.join(cls.directory, f"{name}-0", "00000000000000000000.log")

    def check(self, name, codec):
        """Kafka and varve read the batches of a case, and alike."""
        _, due = self.cases[name]
        self.assertEqual({batch["compression"] for batch in due[2:]}, {codec})
        position = 0
        for found, batch in zip(self.read[f"{name}-0"], due, strict=True):
            self.assertEqual(
                found, batch | {"topic": name, "position": position, "isvalid": True})
            position += batch["size"]
        for found, batch in zip(
                varve_batches.run("print_batches", self.log_of(name)), due, strict=True):
            self.assertEqual(found, batch)

    def test_varve_reads_every_codec(self):
        for codec in client_batches.CODECS:
            with self.subTest(codec):
                self.check(codec, codec)

    def test_varve_reads_what_a_transaction_wrote(self):
        self.check("transaction", "zstd")

    def test_snappy_without_frames(self):
        """One block, as some clients write it."""
        self.check("raw", "snappy")

    def test_snappy_in_small_and_in_joined_frames(self):
        self.check("small", "snappy")
        self.check("joined", "snappy")

    def test_gzip_of_several_members(self):
        self.check("members", "gzip")

    def test_lz4_with_every_sum_and_large_blocks(self):
        self.check("sums", "lz4")

    def test_zstd_of_several_frames_with_sums(self):
        self.check("frames", "zstd")

    def decode(self, log):
        """What kafka-python reads in a log's bytes."""
        records = self.memory.MemoryRecords(log)
        while records.has_next():
            batch = records.next_batch()
            self.assertTrue(batch.validate_crc())
            yield client_batches.CODECS[batch.compression_type], [
                client_batches.ClientRecord(
                    record.timestamp, record.key, record.value, record.headers).described(
                        record.offset) for record in batch]

    def test_it_reads_what_varve_wrote(self):
        store = os.path.join(self.directory, "store")
        due = varve_batches.run("write_stores", "compressed", store)
        codecs = set()
        for path, batches in varve_batches.by_segment(store, due).items():
            found = list(self.decode(varve_batches.contents(path)))
            self.assertEqual(found, [(batch["compression"], batch["records"])
                                     for batch in batches], path)
            codecs |= {codec for codec, _ in found}
        self.assertEqual(codecs, set(client_batches.CODECS))


if __name__ == "__main__":
    counted_main.main()
