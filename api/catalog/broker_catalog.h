// SPDX-License-Identifier: Apache-2.0

// A Kafka broker's log directory, one of its log.dirs, by its files alone: what
// varve.topics and varve.checkpoint say of a store. The forms of the files are
// Kafka's (log/FORMAT.md, section 9); the cluster's own records of topics,
// configs and replicas are not looked at.

#ifndef VARVE_API_CATALOG_BROKER_CATALOG_H_
#define VARVE_API_CATALOG_BROKER_CATALOG_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "varve/api/catalog/store_checkpoint.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/log/metadata/topic_id.h"
#include "varve/log/system/file_system.h"

namespace varve {

// What a broker has at the top of each of its directories.
inline constexpr std::string_view kMetaPropertiesName = "meta.properties";
// High watermarks, and how far the log cleaner has come, in the form of
// kRecoveryPointName.
inline constexpr std::string_view kReplicationName =
    "replication-offset-checkpoint";

// Whether a directory with these entries is a broker's, or a copy of one: it
// has meta.properties, or it has partitions with records and nothing of a
// store.
//
// Errors: file errors (log/system/errno_status.h) of looking into partitions.
absl::StatusOr<bool> IsBrokerDirectory(
    Directory& data, absl::Span<const DirectoryEntry> entries);

// Whether a broker has something of this name at the top of its directory that
// is no partition: its files, its metadata log, what it has of remote segments,
// and the directories of partitions that it deletes, moves, or has set aside.
bool IsBrokerEntry(const DirectoryEntry& entry);

// The topics of which the broker hosts a partition, each with the ids that its
// partition.metadata say and the partitions that are there. Its configs are not
// known: they are the defaults, and offsets may be missing in its logs, as
// where it was compacted. What the broker has set aside, deletes or moves
// (`-stray`, `-delete`, `-future`), and its metadata log, are no topics.
//
// A topic without an id, as brokers before Kafka 2.8 have them, gets
// IdOfNamelessTopic. Of partitions of one name that say different ids, those of
// the id that most of them have are the topic's. What is left out for such a
// reason is a line in `notes`.
//
// Errors: file errors.
absl::StatusOr<TopicCatalog> ReadBrokerTopics(Directory& data,
                                              std::vector<std::string>& notes);

// An id for a topic that has none, which is always the same for that name.
TopicId IdOfNamelessTopic(std::string_view name);

// The recovery points and log starts of the broker's checkpoints, which are
// lower bounds: it writes them every minute, and when it is stopped. A
// partition is missing from them if the broker has not written them since it
// was made. A file that is damaged says nothing, which is a line in `notes`.
//
// Errors: file errors.
absl::StatusOr<FoundCheckpoint> ReadBrokerCheckpoint(
    Directory& data, std::vector<std::string>& notes);

}  // namespace varve

#endif  // VARVE_API_CATALOG_BROKER_CATALOG_H_
