// SPDX-License-Identifier: Apache-2.0

// Any bytes, taken for the files of a partition's producers: a snapshot, and a
// transaction index. Random bytes never have a right CRC, so each input is also
// tried with that, the version and the number of entries made right.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "absl/crc/crc32c.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "varve/index/big_endian.h"
#include "varve/index/transaction_index.h"
#include "varve/log/producer/producer_snapshot.h"
#include "varve/log/producer/producer_states.h"

namespace varve {
namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr size_t kCrcAt = 2;
constexpr size_t kCountAt = 6;

// What is accepted means the same when it is written again, and can be used.
void ReadSnapshot(std::string_view bytes) {
  const absl::StatusOr<ProducerSnapshot> snapshot =
      ProducerSnapshot::Decode(bytes, kMax);
  if (!snapshot.ok()) return;
  if (snapshot->Encode() != bytes) std::abort();
  const ProducerStates states(*snapshot);
  if (states.size() > static_cast<int64_t>(snapshot->producers.size()))
    std::abort();
}

void ReadSnapshotMadeRight(std::string bytes) {
  constexpr size_t kHeader = ProducerSnapshot::kHeaderSize;
  constexpr size_t kEntry = ProducerSnapshot::kEntrySize;
  if (bytes.size() < kHeader) return;
  bytes.resize(kHeader + (bytes.size() - kHeader) / kEntry * kEntry);
  bytes[0] = 0;
  bytes[1] = 1;
  StoreBig32(bytes.data() + kCountAt,
             static_cast<int32_t>((bytes.size() - kHeader) / kEntry));
  const auto crc = static_cast<uint32_t>(
      absl::ComputeCrc32c(std::string_view(bytes).substr(kCountAt)));
  StoreBig32(bytes.data() + kCrcAt, static_cast<int32_t>(crc));
  ReadSnapshot(bytes);
}

void ReadIndex(std::string bytes) {
  const TransactionIndex index(
      0, absl::MakeSpan(bytes),
      static_cast<int64_t>(bytes.size()) / TransactionIndex::kEntrySize);
  const bool is_sane = index.SanityCheck().ok();
  std::vector<AbortedTransaction> found;
  for (const int64_t to : {int64_t{0}, int64_t{1000}, kMax}) {
    found.clear();
    index.FindOverlapping({.from = 0, .to = to}, found);
    for (const AbortedTransaction& transaction : found) {
      if (is_sane && transaction.first_offset >= to) std::abort();
    }
  }
}

}  // namespace
}  // namespace varve

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  varve::ReadSnapshot(bytes);
  varve::ReadSnapshotMadeRight(bytes);
  varve::ReadIndex(bytes);
  return 0;
}
