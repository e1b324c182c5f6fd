// SPDX-License-Identifier: Apache-2.0

#include "varve/log/batch/decompressed_records.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/log/batch/byte_buffer.h"
#include "varve/log/batch/codecs.h"
#include "varve/log/batch/decompression_memory.h"
#include "varve/log/batch/record_batch.h"

namespace varve {

DecompressedRecords::DecompressedRecords(
    std::shared_ptr<const void> pin,
    std::shared_ptr<DecompressionMemory> memory)
    : pin_(std::move(pin)),
      memory_(std::move(memory)),
      piece_(memory_->Take()) {}

DecompressedRecords::~DecompressedRecords() {
  memory_->GiveBack(std::move(piece_));
}

int64_t DecompressedRecords::size_bytes() const {
  return static_cast<int64_t>(piece_->bytes.size());
}

DecompressedRecords::Added DecompressedRecords::Add(const RecordBatch& batch,
                                                    const Codecs* codecs,
                                                    int64_t size_max) {
  DCHECK(failed_ == nullptr);
  ByteBuffer& bytes = piece_->bytes;
  const size_t begin = bytes.size();
  // Before anything is decompressed: it may throw.
  DecompressedBatch& added = piece_->batches.emplace_back();
  absl::Status status = DecompressRecords(batch, codecs, bytes, size_max);
  if (status.ok()) {
    added = {
        .batch = batch.bytes().data(), .begin = begin, .end = bytes.size()};
    compressed_bytes_ += batch.size();
    return Added::kAdded;
  }
  piece_->batches.pop_back();
  if (absl::IsResourceExhausted(status) &&
      size_max < codecs->decompressed_size_max()) {
    return Added::kTooLarge;
  }
  failed_ = batch.bytes().data();
  failure_ = std::move(status);
  return Added::kFailed;
}

std::optional<absl::StatusOr<std::string_view>> DecompressedRecords::Find(
    const RecordBatch& batch) const {
  const char* const at = batch.bytes().data();
  if (at == failed_) return failure_;
  const std::vector<DecompressedBatch>& batches = piece_->batches;
  const auto found = std::lower_bound(
      batches.begin(), batches.end(), at,
      [](const DecompressedBatch& a, const char* b) { return a.batch < b; });
  if (found == batches.end() || found->batch != at) return std::nullopt;
  return piece_->bytes.view().substr(found->begin, found->end - found->begin);
}

}  // namespace varve
