# SPDX-License-Identifier: Apache-2.0
"""Kafka's DumpLogSegments reads the offsets that groups committed in varve."""

import json
import os
import re
import shutil
import signal
import tempfile
import unittest

import apache_kafka
import counted_main
import varve_batches

_PARTITIONS = 50
_COMMIT = re.compile(
    r"\| offset: (?P<offset>\d+) .* key: (?P<key>\{.*\}) payload: (?P<value>\{.*\}|<DELETE>)")


def partition_of(group):
    """Java's hash of the string, modulo the partitions of the topic."""
    units = group.encode("utf-16-be")
    value = 0
    for high, low in zip(units[::2], units[1::2]):
        value = (31 * value + high * 256 + low) % 2 ** 32
    return 0 if value == 2 ** 31 else min(value, 2 ** 32 - value) % _PARTITIONS


def dumped(commit, knows_ids):
    """What the dump should say of a commit: its key and its value. A Kafka that does not
    know of topic ids passes over them."""
    data = dict(commit)
    key = {"type": "1", "data": {name: data.pop(name) for name in ("group", "topic", "partition")}}
    if not knows_ids:
        data.pop("topicId", None)
    return key, None if data["offset"] is None else {"version": "4", "data": data}


class OffsetCases:
    """Of any version of Kafka."""

    WANTED = "current"
    maxDiff = 4000

    @classmethod
    def setUpClass(cls):
        cls.kafka = apache_kafka.find(cls.WANTED)
        cls.addClassCleanup(cls.kafka.close)
        cls.store = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.store)
        commits = varve_batches.run("write_offsets", "before", cls.store, status=-signal.SIGKILL)
        commits += varve_batches.run("write_offsets", "after", cls.store)
        cls.due = {}
        for commit in commits:
            directory = f"__consumer_offsets-{partition_of(commit['group'])}"
            cls.due.setdefault(directory, []).append(dumped(commit, cls.kafka.is_current()))

    def dump(self, path):
        out, err = self.kafka.java(
            "kafka.tools.DumpLogSegments", "--offsets-decoder", "--files", path)
        self.assertEqual(err, "")
        found = []
        for line in out.splitlines():
            if line.startswith("| "):
                match = _COMMIT.fullmatch(line)
                self.assertIsNotNone(match, line)
                self.assertEqual(int(match["offset"]), len(found))
                deleted = match["value"] == "<DELETE>"
                found.append((json.loads(match["key"]),
                              None if deleted else json.loads(match["value"])))
        self.assertNotIn("isvalid: false", out)
        return found

    def test_every_commit_in_the_partition_of_its_group(self):
        found = {}
        for path in varve_batches.files_of(self.store, ".log"):
            directory = os.path.basename(os.path.dirname(path))
            if directory.startswith("__consumer_offsets-") and os.path.getsize(path) > 0:
                found.setdefault(directory, []).extend(self.dump(path))
        self.assertEqual(found, self.due)
        self.assertEqual(len(found), 4)

    def test_commits_of_two_epochs(self):
        epochs = {value["data"]["leaderEpoch"] for due in self.due.values()
                  for _, value in due if value is not None}
        self.assertEqual(epochs, {-1, 0, 1})

class CurrentKafkaTest(OffsetCases, unittest.TestCase):
    WANTED = "current"

    def test_ids_of_the_topics(self):
        ids = {key["data"]["topic"]: value["data"]["topicId"] for due in self.due.values()
               for key, value in due if value is not None}
        self.assertEqual(set(ids), {"orders", "t"})
        for topic, topic_id in ids.items():
            with open(os.path.join(self.store, f"{topic}-0", "partition.metadata"),
                      encoding="utf-8") as metadata:
                self.assertIn(f"topic_id: {topic_id}", metadata.read())


class PreviousKafkaTest(OffsetCases, unittest.TestCase):
    WANTED = "previous"


if __name__ == "__main__":
    counted_main.main()
