// SPDX-License-Identifier: Apache-2.0

#include "varve/api/groups/offset_notes.h"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "varve/api/offsets/consumer_offsets_topic.h"

namespace varve {
namespace {

constexpr size_t kNotesMax = 1000;

}  // namespace

void OffsetNotes::Add(std::string note) {
  absl::MutexLock lock(&mu_);
  if (notes_.size() < kNotesMax) {
    notes_.push_back(std::move(note));
  } else {
    ++more_;
  }
}

std::vector<std::string> OffsetNotes::Get() const {
  absl::MutexLock lock(&mu_);
  std::vector<std::string> notes = notes_;
  if (more_ > 0) {
    notes.push_back(
        absl::StrCat(kConsumerOffsetsTopic, ": and ", more_, " more findings"));
  }
  return notes;
}

}  // namespace varve
