// SPDX-License-Identifier: Apache-2.0

#include "bench/scratch_store.h"

#include <cstdint>
#include <utility>

#include "absl/log/check.h"
#include "absl/status/statusor.h"
#include "varve/api/log_store.h"
#include "varve/api/partition.h"
#include "varve/api/store_options.h"
#include "varve/api/topic_config.h"

namespace varve::bench {
namespace {

std::unique_ptr<LogStore> OpenStore(const std::string& path,
                                    const StoreOptions& options) {
  absl::StatusOr<std::unique_ptr<LogStore>> store =
      LogStore::Open(path, options);
  CHECK_OK(store.status());
  return *std::move(store);
}

}  // namespace

ScratchStore::ScratchStore(const TopicConfig& config,
                           const StoreOptions& options)
    : store_(OpenStore(directory_.path(), options)) {
  CHECK_OK(store_->CreateTopic(kTopic, config));
  for (int32_t i = 0; i < config.partitions; ++i) {
    absl::StatusOr<Partition> partition = store_->partition(kTopic, i);
    CHECK_OK(partition.status());
    partitions_.push_back(*std::move(partition));
  }
}

ScratchStore::~ScratchStore() { CHECK_OK(store_->Close()); }

}  // namespace varve::bench
