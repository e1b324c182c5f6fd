// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_TOPICS_PENDING_DELETIONS_H_
#define VARVE_API_TOPICS_PENDING_DELETIONS_H_

#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "varve/log/system/file_system.h"

namespace varve {

// The directories of deleted partitions that are still in a data directory,
// under the names that DeletedDirectoryName gives them: each waits until it is
// due, and is removed then with all that is in it. A mapping of a file that is
// removed stays valid, so views do.
//
// Thread safety: thread-safe; no file is touched under its lock.
class PendingDeletions {
 public:
  explicit PendingDeletions(std::shared_ptr<Directory> data)
      : data_(std::move(data)) {}

  // Takes note of a directory.
  void Add(const std::string& name, absl::Time due);

  // Takes note of all that exist and are not known, as an earlier process left
  // them, due at once.
  //
  // Errors: file errors (log/system/errno_status.h) of listing the directory.
  absl::Status AddLeftovers();

  // When the next one will be due; InfiniteFuture without any.
  absl::Time next_due() const;

  // Removes those that are due at `now`, until it is asked to stop. A failure
  // is reported to `failed`, and the directory is due again after
  // `kRetryDelay`.
  using Failed = absl::FunctionRef<void(const absl::Status&)>;
  void RemoveDue(absl::Time now, Failed failed,
                 const std::stop_token& stop = {});

  static constexpr absl::Duration kRetryDelay = absl::Minutes(1);

 private:
  std::vector<std::string> TakeDue(absl::Time now);
  absl::Status Remove(const std::string& name);

  const std::shared_ptr<Directory> data_;

  mutable absl::Mutex mu_;
  // When each is due, by name.
  std::map<std::string, absl::Time> due_ ABSL_GUARDED_BY(mu_);
};

}  // namespace varve

#endif  // VARVE_API_TOPICS_PENDING_DELETIONS_H_
