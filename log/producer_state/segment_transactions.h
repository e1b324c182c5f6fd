// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_PRODUCER_STATE_SEGMENT_TRANSACTIONS_H_
#define VARVE_LOG_PRODUCER_STATE_SEGMENT_TRANSACTIONS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "varve/index/transaction_index.h"

namespace varve {

// The transaction index of one segment in memory, which grows.
//
// Thread safety: externally synchronized.
class SegmentTransactions {
 public:
  // `entries`: the contents of the segment's .txnindex, checked.
  explicit SegmentTransactions(int64_t base_offset, std::string entries = {});

  // Makes room for one more, so that `Add` allocates nothing.
  void Reserve();

  // Adds a transaction whose marker is in the segment.
  // Precondition: its marker comes after those that are there.
  void Add(const AbortedTransaction& transaction);

  const TransactionIndex& index() const { return *index_; }

  // The contents of the file. Valid until the next `Reserve` or `Add`.
  std::string_view entries() const {
    return {bytes_.data(), static_cast<size_t>(index_->size_bytes())};
  }

 private:
  std::string bytes_;
  std::unique_ptr<TransactionIndex> index_;  // over `bytes_`
};

}  // namespace varve

#endif  // VARVE_LOG_PRODUCER_STATE_SEGMENT_TRANSACTIONS_H_
