# SPDX-License-Identifier: Apache-2.0
"""A store that is exported, what it holds, and the table of docs/kafka.md that says how a broker
served it."""

import base64
import json
import os
import re
import signal
import subprocess

import varve_batches

VARVE = "tools/varve"
# What is in each topic; `batches` is of a store that was killed, and recovered, and `transacted`
# of one that was compacted.
TOPICS = {
    "batches": "3 partitions, several segments, epochs of a store that was killed",
    "compacted": "records and whole batches compacted away",
    "compressed": "every codec, and every level of it",
    "empty": "nothing",
    "gzip": "gzip, by the topic; trimmed inside of a batch",
    "large": "every codec in batches of several blocks",
    "lz4": "lz4, by the topic",
    "lz4_stamped": "lz4, LogAppendTime",
    "shapes": "keys, values and headers: null, empty, long, all bytes",
    "snappy": "snappy, by the topic; trimmed inside of a batch",
    "stamped": "LogAppendTime",
    "timed": "segments by time",
    "transacted": "compacted by varve, with appends between: transactions, tombstones, gaps",
    "transactions": "committed and aborted, with markers; idempotent batches",
    "zstd": "zstd, by the topic",
}
PARTITIONS = {"batches": 3}
# Topic -> before which offset it is trimmed.
TRIMMED = {"gzip": 255, "snappy": 101}

# How often it was compacted, and when, about.
COMPACTIONS = 6
_START_MS = 1700000000000
_HOUR_MS = 3600000

_PAGE = os.path.join("docs", "kafka.md")
_TABLE = re.compile(r"(?<=<!-- export table -->\n).*?(?=<!-- end -->)", re.DOTALL)


def varve(*arguments, status=0):
    """Runs varve, and returns what it printed, with --json, line by line; or its message."""
    done = subprocess.run([VARVE, "--json", *arguments], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False, encoding="utf-8")
    if done.returncode != status:
        raise AssertionError(f"varve {' '.join(arguments)}: {done.returncode}: {done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines()] if status == 0 else done.stderr


class Stores:
    """Three stores: `plain`, which was closed, trimmed, and has committed offsets, `killed`, and
    `compacted`."""

    def __init__(self, work):
        self.plain, self.killed, self.compacted = (
            os.path.join(work, name) for name in ("plain", "killed", "compacted_store"))
        self.batches = varve_batches.run("write_stores", "first", self.plain)
        for topic, offset in TRIMMED.items():
            varve("trim", topic, "--before", str(offset), "--yes", "--data", self.plain)
        for group, topic, offset in (("billing", "zstd", 17), ("a,\"b\"", "gzip", 300)):
            varve("groups", "reset", group, f"{topic}:0", "--to", str(offset),
                  "--data", self.plain)
        varve_batches.run("write_stores", "killed", self.killed, status=-signal.SIGKILL)
        varve_batches.run("write_stores", "recovered", self.killed)
        for turn in range(COMPACTIONS):
            self.batches += varve_batches.run(
                "compact_store", "append", self.compacted, str(_START_MS), str(turn), "transacted")
            varve_batches.run(
                "compact_store", "compact", self.compacted, str(_START_MS),
                str(_START_MS + _HOUR_MS + turn * 1000), "transacted")

    def of(self, topic):
        return {"batches": self.killed, "transacted": self.compacted}.get(topic, self.plain)

    def aborted(self):
        """(topic, offset) of each record whose transaction was aborted, as it was written."""
        open_batches, aborted = {}, set()
        for batch in self.batches:
            key = (batch["topic"], batch["producerId"])
            if batch["isControl"]:
                ended = open_batches.pop(key, [])
                if batch["records"][0]["key"] == "00000000":
                    aborted |= {(one["topic"], record["offset"])
                                for one in ended for record in one["records"]}
            elif batch["isTransactional"]:
                open_batches.setdefault(key, []).append(batch)
        return aborted


def _bytes(record, name):
    """A field that varve prints as text, or as base64 where it is none, as base64."""
    if f"{name}_base64" in record:
        return record[f"{name}_base64"]
    text = record[name]
    return None if text is None else base64.b64encode(text.encode()).decode()


def read(data, topic):
    """What varve reads of a topic: as BrokerClient prints it."""
    found = []
    for partition in varve("topics", "describe", topic, "--data", data)[0]["partitions"]:
        found.append({
            "kind": "partition", "topic": topic, "partition": partition["partition"],
            "log_start": partition["log_start"], "log_end": partition["visible_end"]})
    for record in varve("consume", topic, "--offset", "earliest", "--data", data):
        found.append({
            "kind": "record", "topic": topic, "partition": record["partition"],
            "offset": record["offset"],
            # A record without one: null in varve's output, and Kafka's -1.
            "timestamp": -1 if record["timestamp"] is None else record["timestamp"],
            "key": _bytes(record, "key"), "value": _bytes(record, "value"),
            "headers": [{"name": header["name"], "value": _bytes(header, "value")}
                        for header in record.get("headers", [])]})
    return found


def of_topic(entries, topic):
    """Sorted, as text: dictionaries have no order."""
    return sorted(json.dumps(entry, sort_keys=True) for entry in entries
                  if entry.get("topic") == topic and entry["kind"] != "offset")


def committed(entries, aborted):
    """What of them a reader of committed records gets."""
    return [entry for entry in entries
            if (entry["topic"], entry.get("offset")) not in aborted]


def last_of_keys(entries):
    """The last record of each key, by its offset, but for keys that have none with a value."""
    last = {entry["key"]: entry for entry in sorted(
        (entry for entry in entries if entry["kind"] == "record"), key=lambda one: one["offset"])}
    return [entry for entry in last.values() if entry["value"] is not None]


def end_of(entries):
    """The log end of the only partition in there."""
    end, = (entry["log_end"] for entry in entries if entry["kind"] == "partition")
    return end


def records_in(entries):
    return sum(entry["kind"] == "record" for entry in entries)


def table(counts, verdicts):
    """The table. `counts` is (topic, isolation) -> records; `verdicts` is (version, topic,
    isolation) -> whether Kafka's consumer got the same."""
    versions = sorted({version for version, _, _ in verdicts})
    isolations = ("read_uncommitted", "read_committed")
    columns = [(version, isolation) for isolation in isolations for version in versions]
    lines = [
        "| topic | what is in it | records | of them committed | "
        + " | ".join(f"{version}, `{isolation}`" for version, isolation in columns) + " |",
        "|---|---|---|---|" + "---|" * len(columns)]
    for topic, what in sorted(TOPICS.items()):
        cells = [f"`{topic}`", what, *(f"{counts[topic, one]:,}" for one in isolations)]
        cells += ["equal" if verdicts[version, topic, isolation] else "**differs**"
                  for version, isolation in columns]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def table_in_page():
    with open(_PAGE, encoding="utf-8") as page:
        return _TABLE.search(page.read())[0]
