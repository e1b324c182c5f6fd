// SPDX-License-Identifier: Apache-2.0

// Topics of a store, made partitions of a Kafka broker.

#ifndef VARVE_API_EXPORT_BROKER_EXPORT_H_
#define VARVE_API_EXPORT_BROKER_EXPORT_H_

#include <string>

#include "absl/status/statusor.h"
#include "varve/api/export/export_report.h"
#include "varve/log/system/environment.h"

namespace varve {

// The two directories, by what they are and not by their order.
struct ExportPaths {
  std::string store;
  // One of a stopped broker's log.dirs, where the topics were created and are
  // empty; or any other directory, made if it is not there, for partitions to
  // copy from. What it is, is told by its meta.properties.
  std::string broker;
};

// Exports topics of a store into the log directory of a Kafka broker (KRaft,
// 3.9 and later) that is stopped:
//
//   auto report = varve::ExportToBroker(
//       {.store = "/var/lib/app/log", .broker = "/var/lib/kafka"},
//       {.topics = {"orders"}, .codecs = varve::AllCodecs()});
//
// What of the store. It takes no lock, and changes nothing: a program may have
// it open for writing. Of each partition it exports what was visible when its
// turn came, at least, as a backup does (api/store_backup.h); stop the program
// if that is to be the end of its log. Of a store that was not closed, it
// exports what the next open would keep.
//
// What a broker gets. The records at their offsets, with timestamps, keys,
// headers, producers, transactions and their markers, in the batches of the
// store: but for the leader epoch their bytes are not changed, so that what is
// compressed stays so. The epoch is 0 in all of them, and
// leader-epoch-checkpoint says so, because varve's epochs mean nothing to a
// controller, and one above its own would have clients take the log for cut.
// The indexes, the producers' states, log starts, and gaps. The topic keeps the
// id that the broker has given it.
//
// What it does not get. Configs: create the topic with those it is to have,
// before; a broker deletes what is older than its retention.ms half a minute
// after its start. Committed offsets, which are in the report, and which it
// takes through its protocol alone (OffsetsCsv). Internal topics.
//
// The mark of a clean stop. It is removed, and so are the recovery points of
// these partitions: so the broker checks each of their batches when it is
// started, and makes the indexes anew.
//
// When it is there. A topic's partitions appear when all of them are copied,
// each byte is checked, and all is durable; each at once. An interrupted
// export, by a kill or a power loss at any point, leaves each partition out or
// whole. Call it again, and it goes on; partitions that are there, and are the
// same, are left as they are. What an export that is given up has left are
// directories `<topic>-<n>.…-delete`, which a broker removes when it is
// started; elsewhere, remove them.
//
// Errors: nothing that was in the directory is replaced but empty partitions.
//   NotFound            There is no store, or not that topic; or the broker has
//                       no topic of that name.
//   FailedPrecondition  A broker or another export has the directory open
//                       (IsLockConflict, log/metadata/lock_conflict.h); a
//                       directory is another program's; or the broker has
//                       another number of partitions there.
//   InvalidArgument     An internal topic; one directory lies in the other.
//   AlreadyExists       A partition holds other records than the store's.
//   ResourceExhausted   There is not enough room, which is looked at first.
//   DataLoss            Records of the store are damaged: the message says
//                       where. Or a file of the broker's is, which is named.
//   Unavailable         The store changes faster than it can be copied, or an
//                       index could not be made: try again.
//   Other file errors (log/system/errno_status.h).
//
// The files belong to the user who runs this: run it as the broker's.
//
// Thread safety: thread-safe; of two calls with one directory the second fails.
absl::StatusOr<ExportReport> ExportToBroker(
    const ExportPaths& paths, const ExportOptions& options = {},
    const Environment& environment = {});

}  // namespace varve

#endif  // VARVE_API_EXPORT_BROKER_EXPORT_H_
