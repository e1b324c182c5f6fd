# SPDX-License-Identifier: Apache-2.0
"""A broker's log directory, read in place and imported, against what Kafka's own consumer gets
of that broker: every record and every field of it, every bound, every committed offset."""

import base64
import collections
import json
import os
import shutil
import subprocess
import tempfile
import unittest

import apache_kafka
import counted_main
import kafka_broker

VARVE = "tools/varve"
RECORDS = 300
# Between two looks at a topic that the log cleaner may be at work on.
SETTLE_SECONDS = 1


def _varve(*arguments):
    """Runs varve, and returns what it printed, with --json, line by line."""
    done = subprocess.run([VARVE, "--json", *arguments], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False, encoding="utf-8")
    if done.returncode != 0:
        raise AssertionError(f"varve {' '.join(arguments)}: {done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def _bytes(record, name):
    """A field that varve prints as text, or as base64 where it is none, as base64."""
    if f"{name}_base64" in record:
        return record[f"{name}_base64"]
    text = record[name]
    return None if text is None else base64.b64encode(text.encode()).decode()


def _record(topic, record):
    return {
        "kind": "record", "topic": topic, "partition": record["partition"],
        "offset": record["offset"], "timestamp": record["timestamp"],
        "key": _bytes(record, "key"), "value": _bytes(record, "value"),
        "headers": [{"name": header["name"], "value": _bytes(header, "value")}
                    for header in record.get("headers", [])]}


def _contents(data, isolation):
    """What varve reads in a directory, in the form of BrokerClient. The bounds are those of a
    reader of all records."""
    found = []
    for topic in sorted(entry["topic"] for entry in _varve("topics", "list", "--data", data)[0]):
        details = _varve("topics", "describe", topic, "--data", data)[0]
        for partition in details["partitions"]:
            found.append({
                "kind": "partition", "topic": topic, "partition": partition["partition"],
                "log_start": partition["log_start"], "log_end": partition["visible_end"]})
        found += [_record(topic, record) for record in _varve(
            "consume", topic, "--offset", "earliest", "--isolation-level", isolation, "--data",
            data)]
    for group in _varve("groups", "list", "--data", data)[0]:
        for offset in _varve("groups", "describe", group["group"], "--data", data)[0]["offsets"]:
            found.append({
                "kind": "offset", "group": group["group"], "topic": offset["topic"],
                "partition": offset["partition"], "offset": offset["offset"],
                "metadata": offset["metadata"]})
    return found


def _sorted(entries):
    return sorted(json.dumps(entry, sort_keys=True) for entry in entries)


def _state(data):
    """Each file below `data`, with its bytes and when it was changed."""
    state = {}
    for folder, _, names in os.walk(data):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                state[path] = (os.stat(path).st_mtime_ns, file.read())
    return state


class BrokerTest:
    """The tests, for one version of Kafka."""

    wanted = None

    def setUp(self):
        self.maxDiff = 4000
        jars = apache_kafka.jars(self.wanted)
        self.work = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.work)
        classes = os.path.join(self.work, "classes")
        os.mkdir(classes)
        self.client = kafka_broker.Client(jars, classes)
        self.broker = kafka_broker.Broker(jars, self.work)
        self.addCleanup(self.broker.kill)
        self.broker.start()
        self.client.write(self.broker, RECORDS)
        self.expected = self.client.read_settled(self.broker, SETTLE_SECONDS)
        bounds = [entry for entry in self.expected["read_uncommitted"]
                  if entry["kind"] == "partition"]
        self.expected["read_committed"] = bounds + [
            entry for entry in self.expected["read_committed"] if entry["kind"] != "partition"]

    def check(self, data):
        """That varve reads in `data` what Kafka's consumer got, in both isolation levels."""
        for isolation, entries in self.expected.items():
            found, expected = set(_sorted(_contents(data, isolation))), set(_sorted(entries))
            self.assertFalse(expected - found, f"{data}, {isolation}: what only Kafka reads")
            self.assertFalse(found - expected, f"{data}, {isolation}: what only varve reads")

    def import_into(self, name, data):
        store = os.path.join(self.work, name)
        report = _varve("import", data, "--data", store)[0]
        self.assertTrue(report["ok"])
        return store

    def check_sound(self, data):
        report = _varve("verify", "--data", data)[0]
        self.assertTrue(report["ok"], report["findings"])

    def test_broker(self):
        kinds = {isolation: collections.Counter(entry["kind"] for entry in entries)
                 for isolation, entries in self.expected.items()}
        committed = kinds["read_committed"]["record"]
        self.assertGreater(committed, 6 * RECORDS)
        # Half of the transactions are aborted; two thirds of "undecided" are held back.
        self.assertEqual(kinds["read_uncommitted"]["record"],
                         committed + RECORDS // 2 + 2 * (RECORDS // 3))
        self.assertEqual(kinds["read_committed"]["offset"], 5)
        # While it runs.
        self.check(self.broker.data)
        self.check_sound(self.broker.data)
        self.check_refused()
        # After a crash: the broker has not closed its files, nor written its checkpoints.
        crashed = os.path.join(self.work, "crashed")
        self.broker.copy_as_crashed(crashed)
        self.check(crashed)
        self.check_sound(crashed)
        self.check(self.import_into("of_crashed", crashed))
        # After a clean stop.
        self.broker.stop()
        before = _state(self.broker.data)
        self.check(self.broker.data)
        self.check_sound(self.broker.data)
        store = self.import_into("of_stopped", self.broker.data)
        self.check(store)
        self.check_sound(store)
        # Once more: nothing is there twice.
        again = _varve("import", self.broker.data, "--data", store)[0]
        self.assertFalse(any(topic["imported"] for topic in again["topics"]))
        self.check(store)
        self.assertEqual(_state(self.broker.data), before)

    def check_refused(self):
        refused = subprocess.run(
            [VARVE, "import", self.broker.data, "--data", os.path.join(self.work, "no")],
            stderr=subprocess.PIPE, check=False, encoding="utf-8")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("a broker has it open", refused.stderr)


class CurrentBrokerTest(BrokerTest, unittest.TestCase):
    wanted = "current"


class PreviousBrokerTest(BrokerTest, unittest.TestCase):
    wanted = "previous"


if __name__ == "__main__":
    counted_main.main()
