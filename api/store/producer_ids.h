// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_STORE_PRODUCER_IDS_H_
#define VARVE_API_STORE_PRODUCER_IDS_H_

#include <cstdint>
#include <memory>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "varve/log/system/environment.h"
#include "varve/log/system/file_system.h"

namespace varve {

// Issues a store's producer ids: LogStore::NewProducerId.
//
// The file varve.producers says where the next block begins, and has been
// synced before the first id of the block before it is issued. So a crash skips
// the rest of a block, and repeats nothing.
//
// Without that file, or with a damaged one, what was issued is not known. The
// next block then begins at one of 2^40 places, by chance: after a loss when a
// million ids had been issued, it lies among their blocks with a probability of
// 1,000 / 2^40, one in a thousand million. That is rare enough to go on by, so
// a damaged file is reported and replaced.
//
// A backup has no such file, so the store that is made of it begins in this way
// too: apart from what its copied logs can hold, however many ids were issued
// while they were copied, and apart from what the first store issues next. A
// copy of the file would not give the second.
//
// Thread safety: thread-safe. The lock is held while a block is taken, which
// writes and syncs.
class ProducerIds {
 public:
  // Reads nothing before the first id is asked for.
  ProducerIds(std::shared_ptr<Directory> directory, Environment environment);

  ProducerIds(const ProducerIds&) = delete;
  ProducerIds& operator=(const ProducerIds&) = delete;

  // Errors: ResourceExhausted when the disk is full, and when all ids of the
  // range are used up; FailedPrecondition when a newer version wrote the file;
  // file errors (log/system/errno_status.h). Nothing was issued then, and the
  // next call tries again.
  absl::StatusOr<int64_t> Next();

 private:
  absl::Status TakeBlock() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Where the first block of this process begins.
  absl::StatusOr<int64_t> FirstBlock() const;
  int64_t RandomBlock() const;

  const std::shared_ptr<Directory> directory_;
  const Environment environment_;

  absl::Mutex mu_;
  // The rest of the block that is being issued: [next_, end_).
  int64_t next_ ABSL_GUARDED_BY(mu_) = 0;
  int64_t end_ ABSL_GUARDED_BY(mu_) = 0;
  // The begin of the block after it; nothing before the file was looked at.
  std::optional<int64_t> next_block_ ABSL_GUARDED_BY(mu_);
};

}  // namespace varve

#endif  // VARVE_API_STORE_PRODUCER_IDS_H_
