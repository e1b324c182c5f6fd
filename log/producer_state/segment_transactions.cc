// SPDX-License-Identifier: Apache-2.0

#include "varve/log/producer_state/segment_transactions.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <string>
#include <utility>

#include "absl/log/check.h"
#include "absl/types/span.h"
#include "varve/index/transaction_index.h"

namespace varve {
namespace {

constexpr size_t kSizeMin = size_t{8} * TransactionIndex::kEntrySize;

}  // namespace

SegmentTransactions::SegmentTransactions(int64_t base_offset,
                                         std::string entries)
    : bytes_(std::move(entries)),
      index_(std::make_unique<TransactionIndex>(
          base_offset, absl::MakeSpan(bytes_),
          std::ssize(bytes_) / TransactionIndex::kEntrySize)) {}

void SegmentTransactions::Reserve() {
  if (!index_->is_full()) return;
  std::string larger(bytes_);
  larger.resize(std::max(2 * bytes_.size(), kSizeMin));
  auto index = std::make_unique<TransactionIndex>(
      index_->base_offset(), absl::MakeSpan(larger), index_->entry_count());
  // The string is long enough that moving it moves none of its bytes.
  bytes_ = std::move(larger);
  index_ = std::move(index);
}

void SegmentTransactions::Add(const AbortedTransaction& transaction) {
  Reserve();
  CHECK_OK(index_->Append(transaction));
}

}  // namespace varve
