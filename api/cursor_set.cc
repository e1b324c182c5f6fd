// SPDX-License-Identifier: Apache-2.0

#include "varve/api/cursor_set.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>
#include <variant>

#include "absl/log/check.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "varve/api/cursor.h"
#include "varve/api/partition.h"
#include "varve/log/metadata/read_options.h"
#include "varve/log/partition/append_latch.h"
#include "varve/log/partition/append_trigger.h"
#include "varve/log/read_only/poll_interval.h"

namespace varve {

// A cursor, and how its partition wakes the set.
struct CursorSet::Entry {
  Cursor cursor;
  // Of a cursor that need not be polled. The trigger is armed there.
  Partition partition;
  std::shared_ptr<AppendTrigger> trigger;
};

CursorSet::CursorSet() : latch_(std::make_shared<AppendLatch>()) {}

CursorSet::~CursorSet() {
  while (!entries_.empty()) Remove(&entries_.back()->cursor);
}

Cursor* CursorSet::Add(Cursor cursor) {
  const ReadOptions& read = cursor.options_.read;
  auto entry = std::make_unique<Entry>();
  if (const auto* partition = std::get_if<Partition>(&cursor.partition_)) {
    entry->partition = *partition;
    entry->trigger =
        std::make_shared<AppendTrigger>(latch_, read.level, read.isolation);
  }
  entry->cursor = std::move(cursor);
  entries_.push_back(std::move(entry));
  if (entries_.back()->trigger == nullptr) ++read_only_count_;
  // Nothing fires its trigger before the next `Wait` arms it.
  latch_->Set();
  return &entries_.back()->cursor;
}

void CursorSet::Remove(const Cursor* cursor) {
  const auto found =
      std::find_if(entries_.begin(), entries_.end(),
                   [&](const auto& entry) { return &entry->cursor == cursor; });
  CHECK(found != entries_.end());
  Entry& entry = **found;
  if (entry.trigger == nullptr) {
    --read_only_count_;
  } else if (entry.trigger->is_armed()) {
    entry.partition.Disarm(*entry.trigger);
  }
  entries_.erase(found);
}

Cursor* CursorSet::Wait(absl::Time deadline) {
  PollInterval poll;
  while (!entries_.empty()) {
    if (Cursor* cursor = FindNews()) return cursor;
    if (Cursor* cursor = ArmTriggers()) return cursor;
    const absl::Time now = absl::Now();
    if (now >= deadline) return nullptr;
    latch_->Wait(read_only_count_ == 0 ? deadline
                                       : std::min(deadline, now + poll.Next()));
  }
  return nullptr;
}

Cursor* CursorSet::FindNews() {
  for (size_t i = 0; i < entries_.size(); ++i) {
    Cursor& cursor = entries_[turn_ % entries_.size()]->cursor;
    turn_ = (turn_ + 1) % entries_.size();
    if (cursor.HasNews()) return &cursor;
  }
  return nullptr;
}

// The latch is cleared first: in the other order, what fires a trigger between
// the two would be forgotten.
Cursor* CursorSet::ArmTriggers() {
  latch_->Clear();
  for (const std::unique_ptr<Entry>& entry : entries_) {
    if (entry->trigger == nullptr) continue;
    AppendTrigger& trigger = *entry->trigger;
    const int64_t offset = entry->cursor.position();
    if (trigger.is_armed() && trigger.offset() == offset) continue;
    entry->partition.Arm(entry->trigger, offset);
    // What came before that fires nothing.
    if (entry->cursor.HasNews()) return &entry->cursor;
  }
  return nullptr;
}

absl::StatusOr<int> CursorSet::Descriptor() { return latch_->Descriptor(); }

}  // namespace varve
