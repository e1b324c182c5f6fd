// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_READ_ONLY_STORE_H_
#define VARVE_API_READ_ONLY_STORE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "varve/api/committed_offset.h"
#include "varve/api/read_only_partition.h"
#include "varve/api/topic_description.h"
#include "varve/log/metadata/sealed_access.h"
#include "varve/log/system/environment.h"

namespace varve {

class Codecs;
class PartitionReaders;
class ReadOnlyGroups;
class StoreFilesCache;

struct ReadOnlyOptions {
  // How segments that do not change any more are read: in place, or, for disks
  // and directories that are not to be trusted, by copying. In a broker's
  // directory always by copying.
  SealedAccess sealed = SealedAccess::kMap;

  // The codecs that read what is compressed, as StoreOptions::codecs. Borrowed:
  // they must outlive the store, its partitions and views. Null: compressed
  // batches are read as they are, and their records are Unimplemented.
  const Codecs* codecs = nullptr;

  // Files, clock and log sink; tests supply their own.
  Environment environment = {};
};

// A store, or a Kafka broker's directory, that is read, whether or not another
// process is writing it:
//
//   auto store = varve::LogStore::OpenReadOnly("/var/lib/app/log");
//   auto orders = (*store)->partition("orders", 0);
//   varve::Cursor cursor(*orders, *orders->log_start(),
//                        {.reset = varve::OffsetReset::kEarliest});
//   while (auto* record = cursor.Next(absl::InfiniteFuture())) { … }
//   return cursor.status();  // api/cursor.h
//
// It shares nothing with the writer but the files, takes no lock and writes
// nothing: a directory that this process may only read suffices. It sees topics
// that are created, altered and deleted later, and keeps working while writers
// open, close, die and recover.
//
// What it sees is what is visible, with the caveats of
// log/read_only/read_only_partition_reader.h: records that were never synced
// can vanish with the machine's power.
//
// A Kafka broker's log directory, one of its log.dirs, is read in place in the
// same way, as if it were a store; nothing in it is changed, and the broker's
// lock is not touched:
//
// - Which broker: one that was stopped, that died, or that is running; or a
//   copy of its directory, with or without meta.properties. Kafka 3.9 and 4.x
//   were tried; older ones as far as their batches are of format 2 (0.11 on).
// - Topics come from the partitions' directories, ids from partition.metadata,
//   log starts and recovery points from the broker's checkpoints. A topic has
//   the partitions that this broker hosts (TopicDescription::hosted); asking
//   for another one is OutOfRange, and says so. Configs are not in the
//   directory: TopicDescription has the defaults. What the broker deletes,
//   moves or has set aside is left out, and so is its metadata log.
// - Offsets may be missing in any log, as compaction leaves them out, so a
//   segment that was lost is not noticed where it stands between others.
// - Groups come from the partitions of __consumer_offsets that are there.
// - Below the recovery point, bytes that are no batch are damage. Above it they
//   are the end of the log: that of a broker that died is what its next start
//   would keep, but that it may cut, or fetch again, records that its leader
//   has not.
// - While the broker runs, its last segments are read as they grow, from the
//   page cache. What is seen may be above the high watermark, and be cut again
//   when another broker becomes the leader: consume from the cluster where that
//   matters. Records that DeleteRecords removes stay visible until the broker
//   writes its checkpoint, within a minute. While its log cleaner replaces
//   segments, either all of them are read, or all of the new ones
//   (log/broker/loaded_files.h). A deleted segment is read to its end where it
//   is open; the next one is the log start then.
//
// It keeps within the process's limit of descriptors, however many partitions
// are read: as many as an eighth of it, but at least 8 and at most 4,096, have
// files open, at three each, and the others open them again when they are
// touched.
//
// Thread safety: thread-safe, but for the destructor. Partitions and views may
// outlive it.
class ReadOnlyStore {
 public:
  // Errors:
  //   NotFound            There is no store, and no broker's log either.
  //   FailedPrecondition  The directory is another program's, or the store is
  //                       of a newer version.
  //   PermissionDenied    The directory cannot be read.
  //   DataLoss            varve.topics is damaged.
  static absl::StatusOr<std::unique_ptr<ReadOnlyStore>> Open(
      const std::string& path, const ReadOnlyOptions& options = {});

  ~ReadOnlyStore();

  ReadOnlyStore(const ReadOnlyStore&) = delete;
  ReadOnlyStore& operator=(const ReadOnlyStore&) = delete;

  // The topics there are now, by name. Errors: those of `Open`.
  absl::StatusOr<std::vector<TopicDescription>> ListTopics() const;

  // Errors: NotFound; the message names the topics there are. Those of `Open`.
  absl::StatusOr<TopicDescription> DescribeTopic(std::string_view name) const;

  // A handle on a partition, with a place of its own in it: take one for each
  // sequential reader.
  //
  // Errors: NotFound for an unknown topic; OutOfRange for a partition the topic
  // does not have; DataLoss when the partition's directory is missing or
  // another topic's; those of `Open`.
  absl::StatusOr<ReadOnlyPartition> partition(std::string_view topic,
                                              int32_t partition) const;

  // Consumer groups (api/log_store.h), as the records of __consumer_offsets
  // have them now. A call reads what was committed since the last one; the
  // first one reads a log of a mebibyte, or of four times what counts of it.
  //
  // Offsets are seen as soon as their commit is visible, before it is durable.
  // One past the end that this store sees of its partition is given as that
  // end, as the next writer sets it back after a power loss, and nothing is
  // written. Without a power loss that may be seen for the moment in which the
  // records before it are in a segment that has no name yet; it does not happen
  // to commits at kSynced.
  //
  // What is damaged in the records is passed over, as the writer does, and
  // reported to the environment's log sink when it is read: the commit before
  // it counts.

  // The offset that the group committed last. It may lie below the log start.
  //
  // Errors: NotFound when the group has committed none for the partition, and
  // for an unknown topic; OutOfRange for a partition the topic does not have;
  // InvalidArgument for the group's id; Unimplemented when a later Kafka wrote
  // it in a form that varve does not read; DataLoss when a file of
  // __consumer_offsets is cut while it is read, and Unavailable when that is
  // rewritten as fast as it is read: try again; those of `Open`.
  absl::StatusOr<OffsetAndMetadata> CommittedOffset(std::string_view group,
                                                    std::string_view topic,
                                                    int32_t partition) const;

  // All groups that have committed an offset, by name. Errors: those of
  // `CommittedOffset` but NotFound and OutOfRange.
  absl::StatusOr<std::vector<std::string>> ListGroups() const;

  // The group's offsets, by topic and partition, and their lag. Bounds of a
  // partition that cannot be read are left out.
  //
  // Errors: NotFound when it has none; those of `CommittedOffset`.
  absl::StatusOr<std::vector<GroupOffset>> DescribeGroup(
      std::string_view group) const;

  // The same for all groups, by their ids: each partition is looked at once for
  // all of them. Errors: those of `ListGroups`.
  absl::StatusOr<std::map<std::string, std::vector<GroupOffset>>>
  DescribeGroups() const;

  // The directory, as it was given.
  const std::string& path() const;

 private:
  ReadOnlyStore(std::shared_ptr<StoreFilesCache> files,
                const ReadOnlyOptions& options);

  // Constant after construction.
  const std::unique_ptr<const PartitionReaders> readers_;
  const std::unique_ptr<ReadOnlyGroups> groups_;  // on `readers_`
};

}  // namespace varve

#endif  // VARVE_API_READ_ONLY_STORE_H_
