// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_BENCH_BARE_GROUP_COMMIT_LOOP_H_
#define VARVE_BENCH_BARE_GROUP_COMMIT_LOOP_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "bench/bare/commit_rounds.h"
#include "bench/scratch_directory.h"

namespace varve::bench {

// The bare loop that synced appends of many threads are measured against: one
// preallocated file, to which threads append batches and whose syncs they
// share. When the file is full it begins again at the front.
//
// Thread safety: thread-safe.
class GroupCommitLoop {
 public:
  enum class Way {
    kSync,    // a pwrite for each batch, an fdatasync for each round
    kDirect,  // a buffer for each round, written by one O_DIRECT and O_DSYNC
  };

  GroupCommitLoop(Way way, int64_t size_bytes);
  ~GroupCommitLoop();

  GroupCommitLoop(const GroupCommitLoop&) = delete;
  GroupCommitLoop& operator=(const GroupCommitLoop&) = delete;

  // Appends `value` as a batch of one record, and returns when it is durable.
  void Append(std::string_view value);

  int64_t sync_count() const { return rounds_.count(); }

 private:
  void WriteBatch(std::string_view value);
  void GatherBatch(std::string_view value);
  void Commit();
  void WriteGathered();

  const ScratchDirectory directory_;
  const Way way_;
  const int64_t size_;
  int fd_ = -1;  // constant after construction

  absl::Mutex mu_;
  int64_t position_ ABSL_GUARDED_BY(mu_) = 0;
  int64_t next_offset_ ABSL_GUARDED_BY(mu_) = 0;
  // kDirect: the buffer that batches go to, and the one that is written, by the
  // leader of a round alone. Both begin at a block.
  char* gathering_ ABSL_GUARDED_BY(mu_) = nullptr;
  int64_t gathered_ ABSL_GUARDED_BY(mu_) = 0;  // bytes
  char* writing_ = nullptr;
  std::vector<char> memory_;  // of both

  CommitRounds rounds_;
};

}  // namespace varve::bench

#endif  // VARVE_BENCH_BARE_GROUP_COMMIT_LOOP_H_
