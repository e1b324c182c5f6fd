# SPDX-License-Identifier: Apache-2.0
"""librdkafka, which confluent-kafka-python brings, with a broker of its own in this process:
it keeps the batches of producers as they come, and hands them out again."""

import ctypes
import socket
import time

import client_batches
import required

_WAIT_S = 30
_FETCH_BYTES = 2 ** 26
_RDKAFKA = "python3-confluent-kafka"
_KAFKA_PYTHON = "python3-kafka"
_TIMESTAMP_TYPES = {1: "CreateTime", 2: "LogAppendTime"}


def _read(message):
    if message.error():
        raise AssertionError(str(message.error()))
    kind, timestamp = message.timestamp()
    headers = message.headers() or []
    for _, value in headers:
        if value is None:
            # confluent-kafka 1.7 gives such a None away without a reference of its own.
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(None))
    record = client_batches.ClientRecord(timestamp, message.key(), message.value(), headers)
    return message.offset(), _TIMESTAMP_TYPES[kind], record


class MockCluster:
    """A cluster of one broker on the loopback interface, and raw batches in and out of it."""

    def __init__(self):
        self.rdkafka = required.module("confluent_kafka", _RDKAFKA)
        self._conn, self._fetch, self._produce = (required.module(name, _KAFKA_PYTHON) for name in (
            "kafka.conn", "kafka.protocol.fetch", "kafka.protocol.produce"))
        # The cluster lives as long as this client.
        self._owner = self.rdkafka.Producer({"test.mock.num.brokers": 1, "log_level": 0})
        broker, = self._owner.list_topics(timeout=_WAIT_S).brokers.values()
        self.address = f"{broker.host}:{broker.port}"
        self._connection = self._conn.BrokerConnection(
            broker.host, broker.port, socket.AF_INET, api_version=(0, 11))
        if not self._connection.connect_blocking(_WAIT_S):
            raise AssertionError(f"no connection to {self.address}")

    def close(self):
        self._connection.close()

    def create(self, topic):
        """Makes a topic, if there is none; the broker does when it is asked for it."""
        self._owner.list_topics(topic, timeout=_WAIT_S)

    def produce(self, topic, records, **configs):
        """Has librdkafka send these records to partition 0, in one batch if they fit one: it
        waits until it has them all, however slow this machine is. A batch of few records it
        would send as it is, when compressing does not make it smaller. A flush would not let
        it wait."""
        producer = self.rdkafka.Producer({
            "bootstrap.servers": self.address, "linger.ms": 500 * _WAIT_S,
            "batch.num.messages": len(records), "log_level": 0} | configs)
        self.create(topic)
        for record in records:
            producer.produce(topic, partition=0, key=record.key, value=record.value,
                             timestamp=record.timestamp, headers=record.headers)
        deadline = time.monotonic() + _WAIT_S
        while len(producer):
            producer.poll(0.1)
            if time.monotonic() > deadline:
                raise AssertionError(f"{topic}: not all was sent")

    def consume(self, topic, count):
        """The first records of partition 0, as librdkafka reads them, each with its offset and
        the kind of its timestamp. It checks the CRCs."""
        consumer = self.rdkafka.Consumer({
            "bootstrap.servers": self.address, "group.id": "interop", "check.crcs": True,
            "enable.auto.commit": False, "log_level": 0})
        try:
            consumer.assign([self.rdkafka.TopicPartition(topic, 0, 0)])
            messages = consumer.consume(count, timeout=_WAIT_S)
        finally:
            consumer.close()
        return [_read(message) for message in messages]

    def fetch(self, topic, count):
        """The batches of partition 0 up to offset `count`, as they came, but for their
        offsets."""
        batches, offset = [], 0
        while offset < count:
            (_, ((_, error, _, _, _, records),)), = self._ask(self._fetch.FetchRequest[4](
                -1, 100, 1, _FETCH_BYTES, 0, [(topic, [(0, offset, _FETCH_BYTES)])])).topics
            if error != 0 or not records:
                raise AssertionError(f"{topic} at {offset} of {count}: error {error}")
            batches += client_batches.split(records)
            offset = client_batches.described(batches[-1], ())["lastOffset"] + 1
        return batches

    def append(self, topic, batch):
        """Gives the broker a batch for partition 0 as it is."""
        (_, ((_, error, *_),)), = self._ask(self._produce.ProduceRequest[3](
            None, -1, 1000 * _WAIT_S, [(topic, [(0, batch)])])).topics
        if error != 0:
            raise AssertionError(f"{topic}: error {error}")

    def _ask(self, request):
        future = self._connection.send(request)
        while not future.is_done:
            for response, sent in self._connection.recv():
                sent.success(response)
        if future.failed():
            raise future.exception
        return future.value
