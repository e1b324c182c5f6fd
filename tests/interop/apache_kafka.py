# SPDX-License-Identifier: Apache-2.0
"""Kafka's own code, as third_party/kafka.sh got it: where it is, running it, and
reading what its DumpLogSegments prints."""

import glob
import json
import os
import re
import shutil
import subprocess
import tempfile

import required

HERE = os.path.dirname(os.path.abspath(__file__))
# The programs that only need what Kafka 3.9 has, too.
_READERS = ("BatchJson", "HexDecoder", "ReadLogs")
_WRITERS = ("CleanLogs", "CleanedFiles", "CodecLevels", "KafkaLog", "LookUp", "OpenLogs",
            "OpenProducers", "ProducerJson", "WriteLogs", "WriteOffsets", "WriteProducers")

# Sandboxed JVMs have the same process ids and quarrel about their performance
# data, on standard output.
_QUIET = ("-XX:-UsePerfData", "-Xlog:disable")

_BATCH = re.compile(
    r"baseOffset: (?P<baseOffset>\d+) lastOffset: (?P<lastOffset>\d+) count: (?P<count>\d+)"
    r" baseSequence: (?P<baseSequence>-?\d+) lastSequence: (?P<lastSequence>-?\d+)"
    r" producerId: (?P<producerId>-?\d+) producerEpoch: (?P<producerEpoch>-?\d+)"
    r" partitionLeaderEpoch: (?P<partitionLeaderEpoch>-?\d+)"
    r" isTransactional: (?P<isTransactional>true|false) isControl: (?P<isControl>true|false)"
    r" deleteHorizonMs: (?P<deleteHorizonMs>OptionalLong\.empty|OptionalLong\[\d+\])"
    r" position: (?P<position>\d+)"
    r" (?P<timestampType>CreateTime|LogAppendTime): (?P<maxTimestamp>-?\d+)"
    r" size: (?P<size>\d+) magic: (?P<magic>\d+) compresscodec: (?P<compression>\w+)"
    r" crc: (?P<crc>\d+) isvalid: (?P<isvalid>true|false)")
_RECORD = re.compile(
    r"\| offset: (?P<offset>\d+) (?P<timestampType>CreateTime|LogAppendTime):"
    r" (?P<timestamp>-?\d+) keySize: (?P<keySize>-?\d+) valueSize: (?P<valueSize>-?\d+)"
    r" sequence: (?P<sequence>-?\d+) headerKeys: \[(?P<headerKeys>.*?)\]"
    r"(?: endTxnMarker: (?P<marker>\w+) coordinatorEpoch: (?P<coordinatorEpoch>\d+))?"
    r"(?: key: \[(?P<key>[0-9a-f]*)\])?(?: payload: \[(?P<value>[0-9a-f]*)\])?")
# The entry of a snapshot, and of a transaction index.
_PRODUCER = re.compile(
    r"producerId: (?P<producer_id>\d+) producerEpoch: (?P<producer_epoch>\d+)"
    r" coordinatorEpoch: (?P<coordinator_epoch>-?\d+)"
    r" currentTxnFirstOffset: (?P<transaction_first_offset>OptionalLong\.empty|OptionalLong"
    r"\[\d+\]) lastTimestamp: (?P<timestamp>-?\d+) (?:firstSequence: -?\d+"
    r" lastSequence: (?P<last_sequence>-?\d+) lastOffset: (?P<last_offset>\d+)"
    r" offsetDelta: (?P<offset_delta>\d+) timestamp: -?\d+)?")
_ABORTED = re.compile(
    r"version: 0 producerId: (?P<producer_id>\d+) firstOffset: (?P<first_offset>\d+)"
    r" lastOffset: (?P<last_offset>\d+) lastStableOffset: (?P<last_stable_offset>\d+)")
# What stands in the file when there is no batch, or no transaction.
_NONE = {"last_sequence": -1, "last_offset": -1, "offset_delta": 0,
         "transaction_first_offset": -1}
_TEXT = {"timestampType", "compression", "headerKeys", "marker", "key", "value"}


def _value(name, text):
    if text in ("true", "false"):
        return text == "true"
    if text == "OptionalLong.empty":
        return None
    if text is None or name in _TEXT:
        return text
    return int(re.search(r"-?\d+", text)[0])


def _fields(match):
    return {name: _value(name, text) for name, text in match.groupdict().items()}


def _producer(match):
    """The entry of a snapshot, in the fields of varve's dump-log."""
    return {name: _NONE[name] if value is None else value
            for name, value in _fields(match).items()}


def jars(wanted):
    """The jars of the "current" Kafka, or of the "previous" one."""
    for directory in versions():
        if os.path.basename(directory).startswith("3.") == (wanted == "previous"):
            return directory
    return required.missing(f"there is no {wanted} Kafka here")


def parse_dump(text):
    """What DumpLogSegments printed, as (file -> what is in it, lines not understood).
    A .log has batches, each with its records; an index has pairs of numbers; a .snapshot
    and a .txnindex have entries in the fields of varve's dump-log."""
    files, complaints, entries = {}, [], None
    for line in text.splitlines():
        if line.startswith("Dumping "):
            entries = files.setdefault(line[len("Dumping "):], [])
        elif match := _BATCH.fullmatch(line):
            entries.append(_fields(match) | {"records": []})
        elif (match := _RECORD.fullmatch(line)) and entries:
            entries[-1]["records"].append(_fields(match))
        elif match := _PRODUCER.fullmatch(line):
            entries.append(_producer(match))
        elif match := _ABORTED.fullmatch(line):
            entries.append(_fields(match))
        elif match := re.fullmatch(r"offset: (\d+) position: (\d+)", line):
            entries.append((int(match[1]), int(match[2])))
        elif match := re.fullmatch(r"timestamp: (\d+) offset: (\d+)", line):
            entries.append((int(match[1]), int(match[2])))
        elif not re.fullmatch(r"Log starting offset: \d+|.*\.(time)?index is empty\.", line):
            complaints.append(line)
    return files, complaints


class Kafka:
    """One version of Kafka, with the programs of this directory compiled for it."""

    def __init__(self, directory):
        self.version = os.path.basename(directory)
        self.classes = tempfile.mkdtemp()
        self.class_path = f"{self.classes}:{directory}/*"
        names = _READERS + (_WRITERS if self.is_current() else ())
        sources = [os.path.join(HERE, f"{name}.java") for name in names]
        subprocess.run(
            ["javac", *(f"-J{flag}" for flag in _QUIET), "-nowarn", "-cp", f"{directory}/*",
             "-d", self.classes, *sources], check=True)

    def close(self):
        shutil.rmtree(self.classes)

    def is_current(self):
        """Whether a broker's log can be had without the broker: its classes are Java."""
        return not self.version.startswith("3.")

    def java(self, program, *arguments, given=None):
        """Runs a program and returns what it printed, and what it complained of. It reads
        `given` as its input."""
        done = subprocess.run(
            ["java", *_QUIET, "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
             "-Dfile.encoding=UTF-8", "-Dsun.stdout.encoding=UTF-8",
             "-cp", self.class_path, program, *arguments],
            input=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
            encoding="utf-8")
        if done.returncode != 0:
            raise AssertionError(f"{program} of Kafka {self.version}:\n{done.stderr[-4000:]}")
        return done.stdout, done.stderr

    def json(self, program, *arguments, given=None):
        """Runs a program that prints JSON lines."""
        out, _ = self.java(program, *arguments, given=given)
        return [json.loads(line) for line in out.splitlines()]

    def dump(self, files, *options):
        """DumpLogSegments of files: as parse_dump. Its exit status says nothing."""
        out, err = self.java(
            "kafka.tools.DumpLogSegments", *options, "--files", ",".join(files))
        found, complaints = parse_dump(out)
        return found, complaints + err.splitlines()

    def dump_logs(self, files):
        return self.dump(
            files, "--deep-iteration", "--print-data-log", "--key-decoder-class", "HexDecoder",
            "--value-decoder-class", "HexDecoder")


def versions():
    """The directories that hold a Kafka, newest first; skips if there is none."""
    home = os.environ.get("VARVE_KAFKA_HOME", "")
    found = glob.glob(f"{home}/*/kafka_2.13-*.jar") if home else []
    if not found:
        required.missing(
            "there is no Kafka here: ./dev interop gets it from Maven's central repository")
    if not shutil.which("javac"):
        required.missing("there is no JDK here")
    return sorted({os.path.dirname(path) for path in found}, reverse=True)


def find(wanted):
    """The Kafka for tests of `wanted`: "current" or "previous"; skips without."""
    for directory in versions():
        if os.path.basename(directory).startswith("3.") == (wanted == "previous"):
            return Kafka(directory)
    return required.missing(f"there is no {wanted} Kafka here")
