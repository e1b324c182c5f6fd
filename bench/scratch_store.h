// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_BENCH_SCRATCH_STORE_H_
#define VARVE_BENCH_SCRATCH_STORE_H_

#include <memory>
#include <string>
#include <vector>

#include "bench/scratch_directory.h"
#include "varve/api/log_store.h"
#include "varve/api/partition.h"
#include "varve/api/store_options.h"
#include "varve/api/topic_config.h"

namespace varve::bench {

// An open store with one topic, whose partitions are open, in a scratch
// directory. Closed and removed on destruction. A failure stops the program.
//
// Thread safety: as LogStore's.
class ScratchStore {
 public:
  static constexpr char kTopic[] = "bench";

  explicit ScratchStore(const TopicConfig& config = {},
                        const StoreOptions& options = {});
  ~ScratchStore();

  ScratchStore(const ScratchStore&) = delete;
  ScratchStore& operator=(const ScratchStore&) = delete;

  const std::string& path() const { return directory_.path(); }
  LogStore& store() { return *store_; }
  Partition& partition(int index = 0) {
    return partitions_[static_cast<size_t>(index)];
  }

 private:
  const ScratchDirectory directory_;
  const std::unique_ptr<LogStore> store_;
  std::vector<Partition> partitions_;
};

}  // namespace varve::bench

#endif  // VARVE_BENCH_SCRATCH_STORE_H_
