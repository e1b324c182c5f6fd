# SPDX-License-Identifier: Apache-2.0
"""What the programs write_stores and replay_log print, and the files they wrote."""

import glob
import json
import os
import struct
import subprocess

_PROGRAMS = os.environ.get(
    "VARVE_INTEROP_PROGRAMS", os.path.join("tests", "interop"))
_SEQUENCES = 2 ** 31
# Where in a batch the CRC is.
_CRC_AT = 17


def run(program, *arguments, status=0):
    """Runs a program of varve and returns the JSON lines it printed."""
    done = subprocess.run(
        [os.path.join(_PROGRAMS, program), *arguments], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, check=False, encoding="utf-8")
    if done.returncode != status:
        raise AssertionError(f"{program} {arguments}: {done.returncode}\n{done.stderr[-4000:]}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def contents(path):
    with open(path, "rb") as file:
        return file.read()


def files_of(store, *suffixes):
    """The files of a store's partitions with one of the suffixes, sorted."""
    return sorted(path for suffix in suffixes for path in glob.glob(f"{store}/*-*/*{suffix}"))


def base_of(path):
    return int(os.path.basename(path).split(".")[0])


def by_partition(batches):
    """(directory -> its batches, in order)."""
    found = {}
    for batch in batches:
        found.setdefault(f"{batch['topic']}-{batch['partition']}", []).append(batch)
    return found


def by_segment(store, batches):
    """(path of a .log -> the batches that should be in it, with their positions)."""
    found = {path: [] for path in files_of(store, ".log")}
    for directory, due in by_partition(batches).items():
        logs = [path for path in found if os.path.dirname(path).endswith("/" + directory)]
        for batch in due:
            log = [path for path in logs if base_of(path) <= batch["baseOffset"]][-1]
            position = sum(other["size"] for other in found[log])
            found[log].append(batch | {"position": position})
    return found


def sequence(batch, delta):
    base = batch["baseSequence"]
    return -1 if base < 0 else (base + delta) % _SEQUENCES


def _size(hex_digits):
    return -1 if hex_digits is None else len(hex_digits) // 2


def _dumped_record(batch, record):
    dumped = {
        "offset": record["offset"],
        "timestampType": batch["timestampType"],
        "timestamp": record["timestamp"],
        "keySize": _size(record["key"]),
        "valueSize": _size(record["value"]),
        "sequence": sequence(batch, record["offset"] - batch["baseOffset"]),
        "headerKeys": ",".join(bytes.fromhex(key).decode() for key, _ in record["headers"]),
        "marker": None, "coordinatorEpoch": None, "key": record["key"], "value": record["value"],
    }
    if batch["isControl"]:
        kind, = struct.unpack(">xxh", bytes.fromhex(record["key"]))
        epoch, = struct.unpack(">xxi", bytes.fromhex(record["value"]))
        dumped |= {"marker": ("ABORT", "COMMIT")[kind], "coordinatorEpoch": epoch,
                   "key": None, "value": None}
    return dumped


def dumped(batch, log):
    """What DumpLogSegments should print of a batch; `log` is the file's bytes."""
    stored, = struct.unpack_from(">I", log, batch["position"] + _CRC_AT)
    if batch["crc"] not in (None, stored):
        raise AssertionError(f"{batch['crc']} became {stored} in the file")
    delta = batch["lastOffset"] - batch["baseOffset"]
    fields = {name: value for name, value in batch.items() if name not in ("topic", "partition")}
    return fields | {
        "crc": stored, "isvalid": True, "magic": 2, "lastSequence": sequence(batch, delta),
        "records": [_dumped_record(batch, record) for record in batch["records"]]}
