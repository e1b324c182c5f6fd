// SPDX-License-Identifier: Apache-2.0

#include "varve/index/transaction_index_damage.h"

#include <cstdint>
#include <iterator>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "varve/index/big_endian.h"
#include "varve/index/transaction_index.h"

namespace varve {
namespace {

constexpr int64_t kEntrySize = TransactionIndex::kEntrySize;
constexpr int64_t kLastStableOffsetField = 26;  // in an entry

absl::Status Check(int64_t base_offset, absl::Span<char> bytes, int64_t count) {
  return TransactionIndex(base_offset, bytes, count).SanityCheck();
}

// Makes those that are above the marker its offset, which is sound.
void LowerStableOffsets(std::string& bytes) {
  const int64_t count = std::ssize(bytes) / kEntrySize;
  const TransactionIndex index(0, absl::MakeSpan(bytes), count);
  for (int64_t i = 0; i < count; ++i) {
    const AbortedTransaction entry = index.entry(i);
    if (entry.last_stable_offset <= entry.last_offset) continue;
    StoreBig64(bytes.data() + i * kEntrySize + kLastStableOffsetField,
               entry.last_offset);
  }
}

// Precondition: not all of the first `count` entries are sound.
int64_t FirstUnsound(int64_t base_offset, absl::Span<char> bytes,
                     int64_t count) {
  int64_t sound = 0;  // that many are
  int64_t unsound = count;
  while (sound + 1 < unsound) {
    const int64_t middle = sound + (unsound - sound) / 2;
    (Check(base_offset, bytes, middle).ok() ? sound : unsound) = middle;
  }
  return sound;
}

}  // namespace

std::optional<TransactionIndexDamage> FindTransactionIndexDamage(
    int64_t base_offset, std::string file, IndexWriter writer) {
  if (writer == IndexWriter::kKafka) LowerStableOffsets(file);
  const absl::Span<char> bytes = absl::MakeSpan(file);
  const int64_t count = std::ssize(bytes) / kEntrySize;
  if (const absl::Status status = Check(base_offset, bytes, count);
      !status.ok()) {
    return TransactionIndexDamage{
        .position = FirstUnsound(base_offset, bytes, count) * kEntrySize,
        .what = std::string(status.message())};
  }
  if (count * kEntrySize == std::ssize(bytes)) return std::nullopt;
  return TransactionIndexDamage{
      .position = count * kEntrySize,
      .what = absl::StrCat("the file ends within an entry of ", kEntrySize,
                           " bytes")};
}

}  // namespace varve
