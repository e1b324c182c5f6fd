# SPDX-License-Identifier: Apache-2.0
"""What the tests of the comparison share: where its modules are, and lines as the programs
print them. Imported first."""

import sys

sys.path[:0] = ["bench/peers", "tests/lint"]

import plan  # noqa: E402


def variant(label):
    """The peer and the variant of that label."""
    return next((peer, found) for peer in plan.PEERS for found in peer.variants
                if found.label == label)


def work(name):
    return next(found for found in plan.works() if found.name == name)


def run(work_name, label):
    return plan.run_for(work(work_name), *variant(label))


def line(metric="append", records=1000, seconds=1.0, appended=1000, checksum="0f", record=100):
    """A line of a store's program."""
    return {"work": metric, "variant": "v", "version": "Peer 1.2", "record": record, "batch": 1,
            "synced": False, "survives": {"kill": "all", "power_loss": "a prefix"},
            "appended": appended, "checksum": checksum, "records": records, "seconds": seconds}


def handoff_line(p50, p99=10.0, p999=100.0):
    """A line of a hand-off's program."""
    return {"work": "handoff_spinning", "variant": "v", "version": "Peer 1.2", "rate": 100_000,
            "survives": {"kill": "nothing", "power_loss": "nothing"}, "messages": 1000,
            "us": {"p50": p50, "p99": p99, "p99.9": p999, "p99.99": 500.0, "max": 900.0}}
