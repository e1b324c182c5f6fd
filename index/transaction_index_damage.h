// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_INDEX_TRANSACTION_INDEX_DAMAGE_H_
#define VARVE_INDEX_TRANSACTION_INDEX_DAMAGE_H_

#include <cstdint>
#include <optional>
#include <string>

namespace varve {

// Who may have written the entries.
enum class IndexWriter {
  kVarve,
  // A broker that copies another one's log appends several batches at once: the
  // last stable offset of an entry may then lie behind the offset after its
  // marker.
  kKafka,
};

// What is wrong in the bytes of a `.txnindex`, and where.
struct TransactionIndexDamage {
  int64_t position = 0;  // of the entry
  std::string what = {};
};

// The first entry of the file that TransactionIndex::SanityCheck refuses, or
// the end of a file that ends within an entry; nothing when all are sound.
// `bytes` are those of the whole file.
//
// Precondition: `base_offset` is 0 or more.
std::optional<TransactionIndexDamage> FindTransactionIndexDamage(
    int64_t base_offset, std::string bytes, IndexWriter writer);

}  // namespace varve

#endif  // VARVE_INDEX_TRANSACTION_INDEX_DAMAGE_H_
