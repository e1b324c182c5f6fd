# SPDX-License-Identifier: Apache-2.0
"""Records for Kafka's clients in Python, and what the programs of these tests say of the
batches that they make."""

import random
import struct
import typing

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
HEADER_SIZE = 61
_START_MS = 1700000000000
_WORDS = (b"layer ", b"of ", b"sediment ", b"laid ", b"down ", b"in order, ")
_HEADER = struct.Struct(">qiibIhiqqqhii")
_LOG_APPEND_TIME, _TRANSACTIONAL, _CONTROL = 0x08, 0x10, 0x20


class ClientRecord(typing.NamedTuple):
    """What a program gives to a client, or gets."""
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]

    def described(self, offset):
        """In the JSON of described_batch.h."""
        return {"offset": offset, "timestamp": self.timestamp, "key": _hex(self.key),
                "value": _hex(self.value),
                "headers": [[_hex(key.encode()), _hex(value)] for key, value in self.headers]}


def _hex(value):
    return None if value is None else bytes(value).hex()


def make_records(count, seed):
    """Records of some hundred bytes, the same each time; every hundredth is larger, and
    random."""
    numbers = random.Random(seed)
    records = []
    for i in range(count):
        value = b"".join(numbers.choices(_WORDS, k=numbers.randrange(40)))
        if i % 100 == 50:
            value = numbers.randbytes(4000)
        headers = [("größe", b"%d" % i), ("größe", b""), ("none", None)] if i % 5 == 3 else []
        records.append(ClientRecord(
            timestamp=_START_MS + i * 10 - (i % 3) * 2500,
            key=None if i % 7 == 1 else b"key %d" % numbers.randrange(50),
            value=None if i % 11 == 2 else value, headers=headers))
    return records


def described(batch, records):
    """A batch, of which these are the records, in the JSON of described_batch.h."""
    (base_offset, length, leader_epoch, _, crc, attributes, delta, _, largest, producer_id,
     producer_epoch, base_sequence, count) = _HEADER.unpack_from(batch)
    return {
        "topic": "", "partition": 0, "baseOffset": base_offset,
        "lastOffset": base_offset + delta, "count": count, "baseSequence": base_sequence,
        "producerId": producer_id, "producerEpoch": producer_epoch,
        "partitionLeaderEpoch": leader_epoch,
        "isTransactional": attributes & _TRANSACTIONAL != 0,
        "isControl": attributes & _CONTROL != 0, "deleteHorizonMs": None,
        "timestampType": "LogAppendTime" if attributes & _LOG_APPEND_TIME else "CreateTime",
        "maxTimestamp": largest, "size": 12 + length, "compression": CODECS[attributes & 7],
        "crc": crc, "records": [record.described(base_offset + i)
                                for i, record in enumerate(records)]}


def placed(batch, base_offset):
    """The batch at another offset, which its CRC does not cover."""
    return struct.pack(">q", base_offset) + bytes(batch[8:])


def split(batches):
    """The batches in these bytes, one by one."""
    found = []
    while batches:
        size = 12 + struct.unpack_from(">i", batches, 8)[0]
        found.append(batches[:size])
        batches = batches[size:]
    return found
