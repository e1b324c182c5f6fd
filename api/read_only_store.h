// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_READ_ONLY_STORE_H_
#define VARVE_API_READ_ONLY_STORE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "varve/api/read_only_partition.h"
#include "varve/api/topic_description.h"
#include "varve/log/metadata/sealed_access.h"
#include "varve/log/system/environment.h"

namespace varve {

class OpenReaders;
class StoreFilesCache;

struct ReadOnlyOptions {
  // How segments that do not change any more are read: in place, or, for disks
  // and directories that are not to be trusted, by copying.
  SealedAccess sealed = SealedAccess::kMap;

  // Files and clock; tests supply their own.
  Environment environment = {};
};

// A store that is read, whether or not another process is writing it:
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
  //   NotFound            There is no store.
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

  // The directory, as it was given.
  const std::string& path() const;

 private:
  ReadOnlyStore(std::shared_ptr<StoreFilesCache> outline,
                const ReadOnlyOptions& options);

  absl::StatusOr<ReadOnlyPartition> TryPartition(std::string_view topic,
                                                 int32_t partition) const;

  const std::shared_ptr<StoreFilesCache> outline_;
  const ReadOnlyOptions options_;
  const std::shared_ptr<OpenReaders> open_readers_;
};

}  // namespace varve

#endif  // VARVE_API_READ_ONLY_STORE_H_
