// SPDX-License-Identifier: Apache-2.0

#include "varve/log/producer_state/aborted_transactions.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "varve/index/transaction_index.h"
#include "varve/log/producer_state/segment_transactions.h"

namespace varve {

AbortedTransactions::AbortedTransactions(const std::vector<int64_t>& with_file,
                                         Load load)
    : load_(std::move(load)), is_empty_(with_file.empty()) {
  for (const int64_t base_offset : with_file)
    segments_[base_offset].has_file = true;
}

absl::StatusOr<std::unique_ptr<SegmentTransactions>> AbortedTransactions::Read(
    int64_t base_offset) const {
  absl::StatusOr<std::string> entries = load_(base_offset);
  if (!entries.ok()) return entries.status();
  return std::make_unique<SegmentTransactions>(base_offset,
                                               *std::move(entries));
}

// Another thread may have read it meanwhile, or it was forgotten.
void AbortedTransactions::Put(int64_t base_offset,
                              std::unique_ptr<SegmentTransactions> read) {
  const auto found = segments_.find(base_offset);
  if (found == segments_.end() || found->second.transactions != nullptr) return;
  KeepLimit();
  found->second.transactions = std::move(read);
}

void AbortedTransactions::KeepLimit() {
  int64_t bytes = 0;
  for (const auto& [base_offset, entry] : segments_) {
    if (entry.transactions != nullptr && entry.has_file)
      bytes += std::ssize(entry.transactions->entries());
  }
  if (bytes < kLoadedBytesMax) return;
  for (auto& [base_offset, entry] : segments_) {
    if (entry.has_file && !entry.is_open) entry.transactions = nullptr;
  }
}

// Goes on after a segment that it had to read, so that others which are read
// meanwhile, and push that one out, do not make it begin again. What was added
// to it since has its marker above the range.
absl::Status AbortedTransactions::FindOverlapping(
    const OffsetRange& range, std::vector<AbortedTransaction>& found) {
  constexpr auto kComplete = TransactionIndex::Search::kComplete;
  int64_t from_base = -1;
  while (true) {
    int64_t unread = -1;
    {
      absl::MutexLock lock(&mu_);
      // The segment that holds `from` is this one, or has no index.
      auto at = segments_.upper_bound(std::max(range.from, from_base));
      if (from_base < 0 && at != segments_.begin()) --at;
      for (; at != segments_.end() && unread < 0; ++at) {
        if (at->second.transactions == nullptr) {
          unread = at->first;
        } else if (at->second.transactions->index().FindOverlapping(
                       range, found) == kComplete) {
          return absl::OkStatus();
        }
      }
    }
    if (unread < 0) return absl::OkStatus();
    auto read = Read(unread);
    if (!read.ok()) return read.status();
    const auto search = (*read)->index().FindOverlapping(range, found);
    absl::MutexLock lock(&mu_);
    Put(unread, *std::move(read));
    if (search == kComplete) return absl::OkStatus();
    from_base = unread;
  }
}

absl::Status AbortedTransactions::Open(int64_t base_offset) {
  {
    absl::MutexLock lock(&mu_);
    const auto found = segments_.find(base_offset);
    if (found == segments_.end()) return absl::OkStatus();
    found->second.is_open = true;
    if (found->second.transactions != nullptr) return absl::OkStatus();
  }
  auto read = Read(base_offset);
  if (!read.ok()) return read.status();
  absl::MutexLock lock(&mu_);
  Put(base_offset, *std::move(read));
  return absl::OkStatus();
}

SegmentTransactions& AbortedTransactions::Open(Entry& entry,
                                               int64_t base_offset) {
  if (entry.transactions == nullptr) {
    CHECK(!entry.has_file) << base_offset;
    entry.transactions = std::make_unique<SegmentTransactions>(base_offset);
  }
  return *entry.transactions;
}

void AbortedTransactions::Reserve(int64_t base_offset) {
  absl::MutexLock lock(&mu_);
  Entry& entry = segments_[base_offset];
  Open(entry, base_offset).Reserve();
  entry.is_open = true;
}

void AbortedTransactions::Add(int64_t base_offset,
                              const AbortedTransaction& transaction) {
  absl::MutexLock lock(&mu_);
  const auto found = segments_.find(base_offset);
  CHECK(found != segments_.end() && found->second.transactions != nullptr);
  found->second.transactions->Add(transaction);
  found->second.has_file = false;
  is_empty_.store(false, std::memory_order_release);
}

bool AbortedTransactions::IsChanged(int64_t base_offset) {
  absl::MutexLock lock(&mu_);
  const auto found = segments_.find(base_offset);
  return found != segments_.end() && !found->second.has_file &&
         found->second.transactions != nullptr &&
         found->second.transactions->index().entry_count() > 0;
}

std::string AbortedTransactions::Entries(int64_t base_offset) {
  absl::MutexLock lock(&mu_);
  const auto found = segments_.find(base_offset);
  if (found == segments_.end() || found->second.transactions == nullptr)
    return {};
  return std::string(found->second.transactions->entries());
}

void AbortedTransactions::NoteWritten(int64_t base_offset) {
  absl::MutexLock lock(&mu_);
  const auto found = segments_.find(base_offset);
  if (found == segments_.end()) return;
  found->second.has_file = true;
  found->second.is_open = false;
}

void AbortedTransactions::Replace(const OffsetRange& range,
                                  absl::Span<const int64_t> by) {
  if (empty()) return;
  absl::MutexLock lock(&mu_);
  segments_.erase(segments_.lower_bound(range.from),
                  segments_.lower_bound(range.to));
  for (const int64_t base_offset : by) segments_[base_offset].has_file = true;
}

void AbortedTransactions::ForgetBefore(int64_t base_offset) {
  absl::MutexLock lock(&mu_);
  segments_.erase(segments_.begin(), segments_.lower_bound(base_offset));
}

}  // namespace varve
