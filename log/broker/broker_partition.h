// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_BROKER_BROKER_PARTITION_H_
#define VARVE_LOG_BROKER_BROKER_PARTITION_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "varve/log/broker/loaded_files.h"
#include "varve/log/system/file_system.h"
#include "varve/log/system/file_system_type.h"

namespace varve {

// The directory of a partition that belongs to a Kafka broker, closed, crashed
// or running, as one that is only read: it has the files that count, under the
// names that they have or are about to get (log/broker/loaded_files.h), so that
// a log is whole also while the broker replaces segments in it. Each call that
// would change something fails with FailedPrecondition.
//
// `List` looks anew; the other calls go by the last look, of which there is one
// at least. A listing is made again until two in a row are the same, because
// the kernel promises nothing about names that change meanwhile.
//
// Errors: Unavailable from `List` when the broker renames files as fast as they
// are listed; file errors (log/system/errno_status.h).
//
// Thread safety: thread-safe.
class BrokerPartition final : public Directory {
 public:
  // A store's own partition, of a topic that is compacted, can be read in the
  // same way beside its writer, or after it was killed.
  using Owner = LoadedFiles::Owner;
  explicit BrokerPartition(std::unique_ptr<Directory> base,
                           Owner owner = Owner::kBroker);

  absl::StatusOr<std::unique_ptr<File>> OpenFile(std::string_view name,
                                                 OpenMode mode) override;
  absl::StatusOr<FileSystemType> Type() override;
  absl::StatusOr<std::vector<DirectoryIdentity>> Lineage() override;
  absl::StatusOr<std::vector<DirectoryEntry>> List() override;
  absl::StatusOr<int64_t> DiskBytes() override;
  absl::StatusOr<int64_t> FreeBytes() override;
  absl::Status Rename(std::string_view from, std::string_view to) override;
  absl::Status RemoveFile(std::string_view name) override;
  absl::Status Sync() override;
  absl::StatusOr<std::unique_ptr<Directory>> OpenDirectory(
      std::string_view name) override;
  absl::Status CreateDirectory(std::string_view name) override;
  absl::Status RemoveDirectory(std::string_view name) override;

 private:
  // A segment that is about to take the place of others, and where it ends.
  struct SwapEnd {
    int64_t size_bytes = 0;
    int64_t next_offset = 0;
  };

  absl::StatusOr<std::vector<DirectoryEntry>> ListSteadily();
  absl::StatusOr<std::vector<DirectoryEntry>> Look()
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::StatusOr<int64_t> EndOfSwap(int64_t base_offset)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status ReadOnlyError() const;

  const std::unique_ptr<Directory> base_;
  const Owner owner_;

  absl::Mutex mu_;
  bool has_looked_ ABSL_GUARDED_BY(mu_) = false;
  LoadedFiles loaded_ ABSL_GUARDED_BY(mu_);
  // By base offset: reading one to its end takes time.
  std::map<int64_t, SwapEnd> swap_ends_ ABSL_GUARDED_BY(mu_);
};

}  // namespace varve

#endif  // VARVE_LOG_BROKER_BROKER_PARTITION_H_
