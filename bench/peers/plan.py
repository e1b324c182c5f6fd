# SPDX-License-Identifier: Apache-2.0
"""Who is compared, how each is used, and what it is given to do: data alone."""

from typing import NamedTuple, Optional, Tuple

UNSYNCED, SYNCED, READ, SPINNING, BLOCKING = "unsynced", "synced", "read", "spinning", "blocking"


class Variant(NamedTuple):
    """One way to use a peer: what its program calls it, and what a person reads."""
    name: str
    label: str
    modes: Tuple[str, ...]
    # What varve is measured by in these modes; all others are compared with it.
    is_reference: bool = False


class Peer(NamedTuple):
    """Something that does the work, and the program that has it do so."""
    name: str
    program: str  # below bench/peers
    variants: Tuple[Variant, ...]
    # A file of this machine without which it cannot be built, and what brings it.
    header: Optional[str] = None
    package: Optional[str] = None
    # Whether reads depend on how the values were appended.
    keeps_batches: bool = False


CHRONICLE = "chronicle"

PEERS = (
    Peer("varve", "varve_peer", (
        Variant("memory", "varve, kMemory", (UNSYNCED, READ), True),
        Variant("interval", "varve, kInterval", (UNSYNCED,)),
        Variant("synced", "varve, kSynced", (SYNCED,), True),
    ), keeps_batches=True),
    Peer("write", "write_peer", (
        Variant("write", "write(2)", (UNSYNCED, READ)),
        Variant("fdatasync", "write(2), fdatasync", (SYNCED,)),
        Variant("fdatasync_preallocated", "the same, preallocated", (SYNCED,)),
    )),
    Peer("lmdb", "lmdb_peer", (
        Variant("nosync", "LMDB, MDB_NOSYNC", (UNSYNCED, READ)),
        Variant("mapasync", "LMDB, MDB_MAPASYNC", (UNSYNCED,)),
        Variant("sync", "LMDB", (SYNCED,)),
    ), "/usr/include/lmdb.h", "liblmdb-dev"),
    Peer("leveldb", "leveldb_peer", (
        Variant("wal", "LevelDB", (UNSYNCED, READ)),
        Variant("sync", "LevelDB, sync", (SYNCED,)),
    ), "/usr/include/leveldb/db.h", "libleveldb-dev"),
    Peer("rocksdb", "rocksdb_peer", (
        Variant("wal", "RocksDB", (UNSYNCED, READ)),
        Variant("manual_wal_flush", "RocksDB, manual_wal_flush", (UNSYNCED,)),
        Variant("sync", "RocksDB, sync", (SYNCED,)),
    ), "/usr/include/rocksdb/db.h", "librocksdb-dev"),
    Peer("sqlite", "sqlite_peer", (
        Variant("normal", "SQLite, WAL, NORMAL", (UNSYNCED, READ)),
        Variant("full", "SQLite, WAL, FULL", (SYNCED,)),
    ), "/usr/include/sqlite3.h", "libsqlite3-dev"),
    Peer(CHRONICLE, CHRONICLE, (
        Variant("default", "Chronicle Queue", (UNSYNCED, READ)),
        Variant("sparse", "Chronicle Queue, sparse", (UNSYNCED, READ)),
        Variant("sync", "Chronicle Queue, sync", (SYNCED,)),
        Variant("spinning", "Chronicle Queue, spinning", (SPINNING,)),
    )),
    Peer("varve_handoff", "varve_handoff", (
        Variant("spinning", "varve, spinning", (SPINNING,), True),
        Variant("blocking", "varve, WaitFor", (BLOCKING,), True),
    )),
    Peer("queues", "queue_handoff", (
        Variant("ring", "a ring without a lock", (SPINNING,)),
        Variant("mutex_spinning", "a queue with a mutex", (SPINNING,)),
        Variant("mutex_blocking", "a mutex and a condition variable", (BLOCKING,)),
    )),
    Peer("zeromq", "zeromq_handoff", (
        Variant("inproc_spinning", "ZeroMQ inproc, ZMQ_DONTWAIT", (SPINNING,)),
        Variant("inproc_blocking", "ZeroMQ inproc", (BLOCKING,)),
    ), "/usr/include/zmq.h", "libzmq3-dev"),
)

RECORDS = (100, 1024)
BATCHES = (1, 64)
RATE = 100_000


class Work(NamedTuple):
    """A table of its own: what is done, and in which unit it is measured."""
    name: str
    title: str
    mode: str
    unit: str
    metrics: Tuple[str, ...]
    more_is_better: bool
    record: int = 64
    batch: int = 1


def _size(record):
    return f"{record >> 10} KiB" if record % 1024 == 0 else f"{record} B"


def _how(batch):
    return "one by one" if batch == 1 else f"batches of {batch}"


def works():
    """All works, in the order of the report."""
    found = []
    for mode, what in ((UNSYNCED, "not synced"), (SYNCED, "each synced")):
        for record in RECORDS:
            for batch in BATCHES:
                found.append(Work(
                    f"append_{mode}_{record}_{batch}",
                    f"Append, {_size(record)}, {_how(batch)}, {what}",
                    mode, "records/s", ("append",), True, record, batch))
    for metric, what in (("scan", "Scan"), ("point", "Point reads")):
        for record in RECORDS:
            for batch in BATCHES:
                found.append(Work(
                    f"{metric}_{record}_{batch}",
                    f"{what}, {_size(record)}, appended "
                    f"{_how(batch) if batch == 1 else 'in ' + _how(batch)}",
                    READ, "records/s", (metric,), True, record, batch))
    for mode in (SPINNING, BLOCKING):
        found.append(Work(
            f"handoff_{mode}", f"Hand-off, 64 B, {RATE:,}/s, a reader that "
            f"{'spins' if mode == SPINNING else 'is blocked'}",
            mode, "µs", ("p50", "p99", "p99.9"), False))
    return found


class Run(NamedTuple):
    """One start of a program: it may give figures to several works."""
    peer: Peer
    variant: Variant
    mode: str
    record: int
    batch: int


def run_for(work, peer, variant):
    """The run that the figures of this row come from. A log that forgets batches is filled
    and read once, and stands in the tables of both."""
    batch = work.batch
    if work.mode == READ and not peer.keeps_batches:
        batch = max(BATCHES)
    return Run(peer, variant, work.mode, work.record, batch)


def rows_of(work, peers=PEERS):
    """The pairs of peer and variant that do a work."""
    return [(peer, variant) for peer in peers for variant in peer.variants
            if work.mode in variant.modes]


def runs_of(chosen, peers=PEERS):
    """Every run that the works need, once each."""
    found = {}
    for work in chosen:
        for peer, variant in rows_of(work, peers):
            found.setdefault(run_for(work, peer, variant), None)
    return list(found)
