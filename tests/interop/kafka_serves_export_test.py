# SPDX-License-Identifier: Apache-2.0
"""Topics of stores, exported into a broker's empty ones: the broker serves them to Kafka's own
consumer, in both isolation levels, field by field as varve reads them; it goes on with them, and
compacts what varve has compacted; and what it has then comes back to varve, and to another broker,
as it was."""

import csv
import os
import shutil
import tempfile
import time
import unittest

import apache_kafka
import counted_main
import exported_topics
import kafka_broker
import required

ISOLATIONS = ("read_uncommitted", "read_committed")
APPENDED = 5
# Those that are appended to at the broker.
GROWN = ("transactions:0", "batches:2", "compacted:0", "empty:0")
# The one that the broker compacts, and how long that may take.
COMPACTED = "transacted"
COMPACTION_SECONDS = 60
# Found by the tests of the versions, in the order of their names, for the table.
COUNTS, VERDICTS = {}, {}


class ExportTest:
    """The tests, for one version of Kafka."""

    wanted = None

    def setUp(self):
        self.maxDiff = 4000
        jars = apache_kafka.jars(self.wanted)
        self.work = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.work)
        classes = os.path.join(self.work, "classes")
        os.mkdir(classes)
        self.client = kafka_broker.Client(jars, classes, ("BrokerClient", "ExportClient"))
        self.stores = exported_topics.Stores(self.work)
        self.broker = kafka_broker.Broker(jars, self.work)
        self.addCleanup(self.broker.kill)
        # A broker with the topics, and without records, for the way here and that back.
        self.broker.start()
        self.client.at_broker(self.broker, "create", *(
            f"{topic}:{exported_topics.PARTITIONS.get(topic, 1)}"
            for topic in exported_topics.TOPICS))
        refused = self.export(self.stores.plain, "zstd", status=1)
        self.assertIn("a broker has it open", refused)
        self.broker.stop()
        self.empty = os.path.join(self.work, "empty")
        shutil.copytree(self.broker.data, self.empty)

    def export(self, store, *topics, status=0, offsets=()):
        return exported_topics.varve(
            "export", self.broker.data, *topics, "--data", store, *offsets, status=status)

    def read(self):
        return {isolation: self.client.read(self.broker, None, isolation)
                for isolation in ISOLATIONS}

    def test_export(self):
        exported = self.check_export()
        self.check_round_trip(self.check_compaction(exported, self.check_going_on(exported)))

    def check_export(self):
        """Returns what Kafka's consumer got, by its isolation level."""
        plain = [topic for topic in exported_topics.TOPICS
                 if self.stores.of(topic) == self.stores.plain]
        offsets = os.path.join(self.work, "offsets.csv")
        report = self.export(self.stores.plain, *plain, offsets=("--offsets", offsets))[0]
        self.assertTrue(report["is_broker"])
        self.export(self.stores.killed, "batches")
        self.export(self.stores.compacted, COMPACTED)
        self.assertEqual(self.leave_unfinished_export(), 1)
        self.broker.start()
        found = self.read()
        aborted = self.stores.aborted()
        for topic in exported_topics.TOPICS:
            expected = exported_topics.read(self.stores.of(topic), topic)
            for isolation, kept in zip(ISOLATIONS, (set(), aborted)):
                due = exported_topics.committed(expected, kept)
                with self.subTest(topic=topic, isolation=isolation):
                    self.note(topic, isolation, due, found[isolation])
        with open(offsets, encoding="utf-8", newline="") as file:
            lines = [(group, f"{topic}:{partition}", offset)
                     for group, topic, partition, offset in csv.reader(file)]
        self.assertEqual(
            sorted(lines), [("a,\"b\"", "gzip:0", "300"), ("billing", "zstd:0", "17")])
        self.assertEqual(
            self.client.at_broker(self.broker, "commit", *(part for line in lines
                                                            for part in line)),
            [offset for _, _, offset in lines])
        return found

    def note(self, topic, isolation, due, found):
        due_lines = exported_topics.of_topic(due, topic)
        found_lines = exported_topics.of_topic(found, topic)
        COUNTS[topic, isolation] = exported_topics.records_in(due)
        VERDICTS[self.broker.version, topic, isolation] = due_lines == found_lines
        self.assertEqual(found_lines, due_lines)

    def leave_unfinished_export(self):
        """As a kill in the middle of an export does: the broker is to start all the same."""
        name = "shapes-0." + 32 * "0" + "-delete"
        shutil.copytree(os.path.join(self.broker.data, "shapes-0"),
                        os.path.join(self.broker.data, name))
        half = os.path.join(self.broker.data, name, "00000000000000000000.log")
        os.truncate(half, os.path.getsize(half) // 2)
        os.rename(half, half + ".tmp")
        return sum(one.endswith("-delete") for one in os.listdir(self.broker.data))

    def check_going_on(self, before):
        """Idempotent and transactional producers append to what was exported."""
        self.client.at_broker(self.broker, "append", str(APPENDED), *GROWN)
        after = self.read()
        for isolation, more in zip(ISOLATIONS, (APPENDED + 2, APPENDED + 1)):
            for partition in GROWN:
                topic = partition.split(":")[0]
                old = {line for line in exported_topics.of_topic(before[isolation], topic)
                       if '"record"' in line}
                new = {line for line in exported_topics.of_topic(after[isolation], topic)
                       if '"record"' in line}
                self.assertLess(old, new)
                self.assertEqual(len(new - old), more, topic)
        return after

    def check_compaction(self, exported, now):
        """The broker's log cleaner goes on where varve's compaction was. Returns what `now` is
        after that."""
        self.client.at_broker(self.broker, "compact", COMPACTED)
        clean_end = self.wait_for_cleaner()
        found = {isolation: self.client.read(self.broker, COMPACTED, isolation)
                 for isolation in ISOLATIONS}
        due = [entry for entry in exported["read_committed"] if entry["topic"] == COMPACTED]
        due += [entry for entry in found["read_committed"] if entry["kind"] == "record"
                and entry["offset"] >= exported_topics.end_of(due)]
        self.assertGreater(clean_end, exported_topics.end_of(due))
        expected = exported_topics.last_of_keys(
            [entry for entry in due if entry.get("offset", 0) < clean_end])
        for isolation in ISOLATIONS:
            left = [entry for entry in found[isolation] if entry["kind"] == "record" and
                    entry["offset"] < clean_end and entry["value"] is not None]
            self.assertEqual(exported_topics.of_topic(left, COMPACTED),
                             exported_topics.of_topic(expected, COMPACTED))
            self.assertLess(len(left), exported_topics.records_in(due))
        return {isolation: [entry for entry in now[isolation] if entry.get("topic") != COMPACTED]
                           + found[isolation] for isolation in ISOLATIONS}

    def wait_for_cleaner(self):
        """Until all but the active segment is clean. Returns where that begins."""
        deadline = time.monotonic() + COMPACTION_SECONDS
        while time.monotonic() < deadline:
            names = os.listdir(os.path.join(self.broker.data, f"{COMPACTED}-0"))
            active = max(int(name[:-4]) for name in names if name.endswith(".log"))
            path = os.path.join(self.broker.data, "cleaner-offset-checkpoint")
            if os.path.exists(path):
                with open(path, encoding="utf-8") as file:
                    if f"{COMPACTED} 0 {active}\n" in file.read():
                        return active
            time.sleep(0.1)
        return self.fail("the broker's log cleaner has not compacted the topic")

    def check_round_trip(self, before):
        """The broker's topics, imported and exported again, to a broker that has them anew."""
        producers = self.client.at_broker(self.broker, "producers", *GROWN)
        # The one whose sequences go on, and the one with transactions.
        self.assertGreaterEqual(len(producers), 2 * len(GROWN))
        self.broker.stop()
        store = os.path.join(self.work, "round")
        exported_topics.varve("import", self.broker.data, "--data", store)
        shutil.rmtree(self.broker.data)
        shutil.copytree(self.empty, self.broker.data)
        self.export(store)
        again = self.export(store)[0]
        self.assertFalse(any(topic["exported"] for topic in again["topics"]
                             if topic["topic"] != "empty"))
        self.broker.start()
        after = self.read()
        for isolation in ISOLATIONS:
            for topic in exported_topics.TOPICS:
                self.assertEqual(exported_topics.of_topic(after[isolation], topic),
                                 exported_topics.of_topic(before[isolation], topic))
        self.assertEqual(
            sorted(self.client.at_broker(self.broker, "producers", *GROWN)), sorted(producers))


class CurrentKafkaTest(ExportTest, unittest.TestCase):
    wanted = "current"


class PreviousKafkaTest(ExportTest, unittest.TestCase):
    wanted = "previous"


class TableTest(unittest.TestCase):
    """After those."""

    def test_page_has_the_table(self):
        if len({version for version, _, _ in VERDICTS}) < 2:
            required.missing("both versions of Kafka are compared in the table")
        made = exported_topics.table(COUNTS, VERDICTS)
        self.assertEqual(exported_topics.table_in_page(), made,
                         f"docs/kafka.md should have, between its two marks:\n{made}")


if __name__ == "__main__":
    counted_main.main()
