// SPDX-License-Identifier: Apache-2.0

#include "varve/log/sync/unsynced_files.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/log/check.h"
#include "varve/log/segment/segment.h"
#include "varve/log/sync/pending_sync.h"

namespace varve {
namespace {

// A log that was abandoned meanwhile has none.
template <typename T>
void EraseFront(std::vector<T>& kept, const std::vector<T>& synced) {
  const size_t count = std::min(synced.size(), kept.size());
  CHECK(count == 0 || kept.front() == synced.front());
  kept.erase(kept.begin(), kept.begin() + static_cast<int64_t>(count));
}

}  // namespace

PendingSync UnsyncedFiles::Begin(const std::shared_ptr<Segment>& active,
                                 int64_t end_offset) {
  CHECK_EQ(being_synced_, size_t{0});
  PendingSync files = {.directory = names_changed_,
                       .sealed = sealed_,
                       .active = active,
                       .producer_files = producer_files_,
                       .end_offset = end_offset};
  names_changed_in_sync_ = false;
  being_synced_ = sealed_.size();
  return files;
}

void UnsyncedFiles::End(const PendingSync& files, SyncEnd end) {
  being_synced_ = 0;
  if (end == SyncEnd::kNotSynced) return;
  names_changed_ = names_changed_in_sync_;
  EraseFront(sealed_, files.sealed);
  EraseFront(producer_files_, files.producer_files);
}

void UnsyncedFiles::Clear() {
  sealed_.clear();
  producer_files_.clear();
}

}  // namespace varve
