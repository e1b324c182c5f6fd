# SPDX-License-Identifier: Apache-2.0
"""The rooms of the house, and the arrows between them, as data.

A room is a folder. What may be included stands in MAY_INCLUDE; nothing else may be, and
room_rules_test.py sees that no arrow leads in a circle. The files of api/ itself are of two
rooms: the face (the store, and what opens one), and the values that it takes and gives.
"""

import os

FACE = "api (face)"
_FACE_UNITS = ("log_store", "read_only_store", "store_backup", "store_verifier")

# Room -> the rooms it may include, from the ground up.
MAY_INCLUDE = {
    "index": (),
    "log/system": (),
    "log/meters": ("log/system",),
    "log/batch": ("index",),
    "log/metadata": ("index", "log/batch", "log/system"),
    "log/segment": ("index", "log/batch", "log/metadata", "log/system"),
    "log/producer": ("index", "log/batch"),
    "log/producer_state": (
        "index", "log/batch", "log/metadata", "log/producer", "log/segment", "log/system"),
    "log/swap": ("index", "log/batch", "log/metadata", "log/segment", "log/system"),
    "log/recovery": (
        "log/batch", "log/metadata", "log/producer_state", "log/segment", "log/swap",
        "log/system"),
    "log/verification": (
        "index", "log/batch", "log/metadata", "log/producer", "log/recovery", "log/segment",
        "log/system"),
    "log/read_only": (
        "index", "log/batch", "log/metadata", "log/producer", "log/producer_state",
        "log/recovery", "log/segment", "log/system"),
    "log/backup": (
        "log/batch", "log/metadata", "log/read_only", "log/recovery", "log/segment",
        "log/system", "log/verification"),
    "log/sync": ("log/metadata", "log/producer_state", "log/segment", "log/system"),
    "log/broker": ("log/batch", "log/metadata", "log/recovery", "log/segment", "log/system"),
    "log/import": (
        "log/backup", "log/batch", "log/broker", "log/metadata", "log/producer_state",
        "log/recovery", "log/segment", "log/system"),
    "log/export": (
        "log/backup", "log/batch", "log/metadata", "log/producer_state", "log/read_only",
        "log/recovery", "log/segment", "log/system", "log/verification"),
    "log/retention": ("index", "log/metadata", "log/read_only", "log/segment", "log/system"),
    "log/compression": ("log/batch", "log/metadata"),
    "log/compaction": ("index", "log/batch", "log/metadata", "log/producer"),
    "log/cleaner": (
        "index", "log/batch", "log/compaction", "log/metadata", "log/producer_state",
        "log/retention", "log/segment", "log/swap", "log/system"),
    "log/partition": (
        "index", "log/batch", "log/cleaner", "log/compaction", "log/compression",
        "log/metadata", "log/meters", "log/producer", "log/producer_state", "log/recovery",
        "log/retention", "log/segment", "log/sync", "log/system"),
    "codec": ("index", "log/batch"),
    "api": (
        "log/batch", "log/metadata", "log/meters", "log/partition", "log/producer",
        "log/read_only", "log/recovery", "log/system"),
    "api/duty": ("log/partition", "log/system"),
    "api/metrics": (
        "api", "api/duty", "log/metadata", "log/meters", "log/partition", "log/recovery",
        "log/segment", "log/system"),
    "api/catalog": ("api", "log/metadata", "log/recovery", "log/segment", "log/system"),
    "api/partitions": (
        "api", "api/catalog", "api/duty", "api/metrics", "log/batch", "log/metadata",
        "log/meters", "log/partition", "log/recovery", "log/segment", "log/system"),
    "api/retention": (
        "api/catalog", "api/duty", "api/partitions", "log/metadata", "log/meters",
        "log/partition", "log/producer", "log/recovery", "log/retention", "log/system"),
    "api/compaction": (
        "api", "api/catalog", "api/duty", "api/partitions", "log/compaction", "log/metadata",
        "log/meters", "log/partition", "log/system"),
    "api/space": (
        "api", "api/duty", "log/metadata", "log/meters", "log/partition", "log/system"),
    "api/topics": (
        "api", "api/catalog", "api/duty", "api/partitions", "log/metadata", "log/partition",
        "log/recovery", "log/system"),
    "api/store": (
        "api", "api/catalog", "api/compaction", "api/duty", "api/metrics", "api/partitions",
        "api/retention", "api/space", "api/topics", "log/compaction", "log/metadata",
        "log/meters", "log/partition", "log/system"),
    "api/offsets": ("api", "log/batch", "log/metadata"),
    "api/groups": (
        "api", "api/catalog", "api/offsets", "api/store", "api/topics", "log/batch",
        "log/metadata", "log/partition"),
    "api/read_only": (
        "api", "api/catalog", "api/offsets", "api/partitions", "log/batch", "log/broker",
        "log/metadata", "log/read_only", "log/recovery", "log/segment", "log/system",
        "log/verification"),
    "api/backup": (
        "api", "api/catalog", "api/offsets", "api/read_only", "log/backup", "log/metadata",
        "log/read_only", "log/system", "log/verification"),
    "api/import": (
        "api", "api/backup", "api/catalog", "api/groups", "api/offsets", "api/read_only",
        "api/store", "api/topics", "log/batch", "log/broker", "log/import", "log/metadata",
        "log/partition", "log/read_only", "log/system"),
    "api/export": (
        "api", "api/backup", "api/catalog", "api/offsets", "api/read_only", "log/backup",
        "log/batch", "log/export", "log/metadata", "log/read_only", "log/recovery", "log/system"),
    FACE: (
        "api", "api/backup", "api/catalog", "api/compaction", "api/duty", "api/groups",
        "api/metrics", "api/offsets", "api/read_only", "api/retention", "api/store", "log/batch",
        "log/metadata", "log/partition", "log/read_only", "log/recovery", "log/system",
        "log/verification"),
    "tools/shell": ("api", FACE, "codec", "log/batch", "log/metadata", "log/system"),
    "tools/monitor": (
        "api", FACE, "api/catalog", "api/metrics", "log/metadata", "log/system", "tools/shell"),
    "tools/dump": (
        "api/catalog", "api/offsets", "api/retention", "codec", "index", "log/batch",
        "log/metadata", "log/producer", "log/segment", "log/system", "tools/shell"),
    "tools/input": ("log/batch", "log/system", "tools/shell"),
    "tools/manual": ("api", "tools/shell"),
    "tools/command": (
        "api", FACE, "api/compaction", "api/duty", "api/export", "api/import", "codec",
        "log/batch", "log/metadata", "log/partition", "log/read_only", "log/system",
        "log/verification", "tools/input", "tools/monitor", "tools/shell"),
    "tools/quickstart": (
        "api", FACE, "api/compaction", "log/batch", "log/metadata", "log/system",
        "tools/command", "tools/shell"),
    "tools": (
        "api", "tools/command", "tools/dump", "tools/manual", "tools/monitor", "tools/shell"),
}

# The top-level rooms that those are in: their headers are included with the prefix.
PREFIXED = ("index", "log", "codec", "api", "tools")
PREFIX = "varve/"

# Folder -> how the headers of libraries begin that it alone may include: what varve is compared
# with, and what the codecs are made of.
APART = {
    "bench/peers": ("lmdb.h", "leveldb/", "rocksdb/", "sqlite3.h", "zmq.h"),
    "codec": ("lz4.h", "lz4frame.h", "lz4hc.h", "snappy.h", "zlib.h", "zstd.h", "zstd_errors.h"),
}
# And the folder that measures one of these beside the libraries alone.
MEASURED_IN = {"codec": "bench/bare"}


def room_of(path):
    """The room of a source, by its path from the root; "" for what is in none."""
    folder, name = os.path.split(path)
    if folder == "api" and os.path.splitext(name)[0] in _FACE_UNITS:
        return FACE
    return folder if folder in MAY_INCLUDE else ""


def circle_in(arrows):
    """Rooms that an arrow leads back to, or []."""
    done = set()

    def visit(room, way):
        if room in way:
            return way[way.index(room):] + [room]
        if room in done:
            return []
        for other in arrows.get(room, ()):
            found = visit(other, way + [room])
            if found:
                return found
        done.add(room)
        return []

    for room in arrows:
        found = visit(room, [])
        if found:
            return found
    return []
