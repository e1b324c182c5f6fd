// SPDX-License-Identifier: Apache-2.0

// Topics of a Kafka broker, taken over into a store.

#ifndef VARVE_API_IMPORT_BROKER_IMPORT_H_
#define VARVE_API_IMPORT_BROKER_IMPORT_H_

#include <string>

#include "absl/status/statusor.h"
#include "varve/api/import/import_report.h"
#include "varve/log/system/environment.h"

namespace varve {

// The two directories, by what they are and not by their order.
struct ImportPaths {
  std::string broker;  // one of a broker's log.dirs, or a copy of it
  std::string store;   // made if it is not there
};

// Imports topics from the log directory of a broker that is stopped, or died,
// into a store, which must not be open:
//
//   auto report = varve::ImportBroker(
//       {.broker = "/var/lib/kafka", .store = "/var/lib/app/log"},
//       {.topics = {"orders"}});
//
// What comes. The topics with their ids and all of their partitions; the
// records at their offsets, with timestamps, keys, headers, producers and
// leader epochs, in the broker's own batches, whose bytes are not changed, so
// that what is compressed stays so; log starts, and gaps, where offsets were
// compacted away; and the offsets that groups have committed for them. The
// first append to a partition begins a leader epoch above the broker's. What
// does not come: configs, which are not in the directory (ImportOptions::config
// has those to use), members of groups, and the broker's internal topics.
//
// What of the broker. Its directory is only read, and its log is taken as its
// next start would load it: a torn tail is left out, and segments that the log
// cleaner was replacing are whole. To read it without an import, open it with
// LogStore::OpenReadOnly.
//
// When it is there. A topic appears in the store with all of its partitions
// and offsets at once, when its files are copied, each batch is checked, the
// indexes are made, and all is durable. An interrupted import, by a kill or a
// power loss at any point, leaves each topic out or whole. Call it again: it
// goes on after the last segment that was done; topics that are there, and are
// the same, are left as they are. What an import that is given up has left are
// directories of partitions that no topic has: remove them, or delete the topic
// once it has been imported.
//
// Errors: nothing is imported of a topic that is not in the report of a
// repeated call; those before it may be.
//   NotFound            There is no broker's log, or not that topic.
//   FailedPrecondition  A broker has the directory open, or another process has
//                       the store (IsLockConflict, log/metadata/
//                       lock_conflict.h, tells these two); a directory is
//                       another program's; or other brokers have partitions of
//                       a topic, which is imported whole or not at all.
//   InvalidArgument     An internal topic; a config that CreateTopic would
//                       refuse; one directory lies in the other.
//   AlreadyExists       The store has a topic of that name with other content,
//                       or a partition's directory of another topic.
//   ResourceExhausted   There is not enough room, which is looked at first.
//   DataLoss            Records are damaged that the broker once had safe
//                       (IsRefusedForDamage, api/store_copy.h), and kCopy was
//                       not asked for. The message says where.
//   Unavailable         The directory changes while it is read, or an index
//                       could not be made: try again.
//   Other file errors (log/system/errno_status.h), and those of LogStore::Open.
//
// Thread safety: thread-safe; of two calls with one store the second fails.
absl::StatusOr<ImportReport> ImportBroker(const ImportPaths& paths,
                                          const ImportOptions& options = {},
                                          const Environment& environment = {});

}  // namespace varve

#endif  // VARVE_API_IMPORT_BROKER_IMPORT_H_
