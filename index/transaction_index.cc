// SPDX-License-Identifier: Apache-2.0

#include "varve/index/transaction_index.h"

#include <cstdint>
#include <vector>

#include "absl/log/absl_check.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "varve/index/big_endian.h"
#include "varve/index/warm_search.h"

namespace varve {
namespace {

constexpr int16_t kVersion = 0;

// Where the fields of an entry stand; the version, an int16, is first.
constexpr int kProducerIdField = 2;
constexpr int kFirstOffsetField = 10;
constexpr int kLastOffsetField = 18;
constexpr int kLastStableOffsetField = 26;

}  // namespace

TransactionIndex::TransactionIndex(int64_t base_offset, absl::Span<char> bytes,
                                   int64_t entry_count)
    : base_offset_(base_offset),
      entries_(bytes.data()),
      capacity_(static_cast<int64_t>(bytes.size()) / kEntrySize),
      entry_count_(entry_count) {
  ABSL_CHECK_GE(base_offset, 0);
  ABSL_CHECK_GE(entry_count, 0);
  ABSL_CHECK_LE(entry_count, capacity_);
}

// What is wrong with an entry, or null. `last_offset_before` is that of the
// entry before it, -1 for none.
const char* TransactionIndex::DefectOf(const AbortedTransaction& entry,
                                       int64_t last_offset_before) const {
  if (entry.producer_id < 0) return "the producer id is negative";
  if (entry.first_offset < 0) return "the first offset is negative";
  if (entry.last_offset < base_offset_) {
    return "the last offset is below the segment";
  }
  // Never equal: one is a batch's, the other the marker's. So zeros are no
  // entry.
  if (entry.last_offset <= entry.first_offset) {
    return "the last offset is not above the first";
  }
  if (entry.last_offset <= last_offset_before) {
    return "the last offset does not grow";
  }
  // Less one, rather than one more than the largest integer.
  if (entry.last_stable_offset < 0 ||
      entry.last_stable_offset - 1 > entry.last_offset) {
    return "the last stable offset is not within 0 to one after the last";
  }
  return nullptr;
}

absl::Status TransactionIndex::Append(const AbortedTransaction& transaction) {
  const int64_t count = entry_count_.load(std::memory_order_relaxed);
  if (count >= capacity_) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "the transaction index is full, with ", count, " entries"));
  }
  const int64_t before = count == 0 ? -1 : EntryAt(count - 1).last_offset;
  if (const char* defect = DefectOf(transaction, before); defect != nullptr) {
    return absl::InvalidArgumentError(absl::StrCat(
        "aborted transaction of producer ", transaction.producer_id,
        ", offsets ", transaction.first_offset, " to ", transaction.last_offset,
        ", last stable offset ", transaction.last_stable_offset, ": ", defect));
  }
  char* const at = entries_ + count * kEntrySize;
  StoreBig16(at, kVersion);
  StoreBig64(at + kProducerIdField, transaction.producer_id);
  StoreBig64(at + kFirstOffsetField, transaction.first_offset);
  StoreBig64(at + kLastOffsetField, transaction.last_offset);
  StoreBig64(at + kLastStableOffsetField, transaction.last_stable_offset);
  entry_count_.store(count + 1, std::memory_order_release);
  return absl::OkStatus();
}

TransactionIndex::Search TransactionIndex::FindOverlapping(
    const OffsetRange& range, std::vector<AbortedTransaction>& found) const {
  const int64_t count = entry_count();
  for (int64_t i = CountBelow(range.from, count); i < count; ++i) {
    const AbortedTransaction entry = EntryAt(i);
    if (entry.first_offset < range.to) found.push_back(entry);
    if (entry.last_stable_offset >= range.to) return Search::kComplete;
  }
  return Search::kContinue;
}

void TransactionIndex::Truncate(int64_t offset) {
  const int64_t count = entry_count_.load(std::memory_order_relaxed);
  entry_count_.store(CountBelow(offset, count), std::memory_order_release);
}

absl::Status TransactionIndex::SanityCheck() const {
  const int64_t count = entry_count();
  int64_t last_offset = -1;
  for (int64_t i = 0; i < count; ++i) {
    const AbortedTransaction entry = EntryAt(i);
    if (const int16_t version = LoadBig16(entries_ + i * kEntrySize);
        version != kVersion) {
      return absl::DataLossError(
          absl::StrCat("entry ", i, " of the transaction index has version ",
                       version, ", not ", kVersion));
    }
    if (const char* defect = DefectOf(entry, last_offset); defect != nullptr) {
      return absl::DataLossError(
          absl::StrCat("entry ", i, " of the transaction index, producer ",
                       entry.producer_id, ", offsets ", entry.first_offset,
                       " to ", entry.last_offset, ", last stable offset ",
                       entry.last_stable_offset, ": ", defect));
    }
    last_offset = entry.last_offset;
  }
  return absl::OkStatus();
}

AbortedTransaction TransactionIndex::entry(int64_t i) const {
  ABSL_CHECK_GE(i, 0);
  ABSL_CHECK_LT(i, entry_count());
  return EntryAt(i);
}

AbortedTransaction TransactionIndex::EntryAt(int64_t i) const {
  const char* const at = entries_ + i * kEntrySize;
  return {.producer_id = LoadBig64(at + kProducerIdField),
          .first_offset = LoadBig64(at + kFirstOffsetField),
          .last_offset = LoadBig64(at + kLastOffsetField),
          .last_stable_offset = LoadBig64(at + kLastStableOffsetField)};
}

// How many of the first `count` entries have a last offset below `offset`.
int64_t TransactionIndex::CountBelow(int64_t offset, int64_t count) const {
  return CountWarmFirst<kWarmBytes / kEntrySize>(
      count, [&](int64_t i) { return EntryAt(i).last_offset < offset; });
}

}  // namespace varve
