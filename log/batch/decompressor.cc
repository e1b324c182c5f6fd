// SPDX-License-Identifier: Apache-2.0

#include "varve/log/batch/decompressor.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>

#include "absl/log/check.h"
#include "varve/log/batch/codecs.h"
#include "varve/log/batch/decompressed_records.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_batches.h"

namespace varve {
namespace {

using Added = DecompressedRecords::Added;

// Adds a batch that is not the first of its view. Of a batch that does not fit
// all the work would be in vain, so it is tried only if it is likely to.
Added AddIfItFits(const RecordBatch& batch, const Codecs* codecs,
                  int64_t max_bytes, DecompressedRecords& records) {
  const int64_t room = max_bytes - records.size_bytes();
  if (room < 0) return Added::kTooLarge;
  if (records.compressed_bytes() > 0) {
    const double ratio = static_cast<double>(records.size_bytes()) /
                         static_cast<double>(records.compressed_bytes());
    if (static_cast<double>(batch.size()) * ratio > static_cast<double>(room))
      return Added::kTooLarge;
  }
  return records.Add(batch, codecs, room);
}

// Whether there is something to decompress for who reads records: those of
// control batches are skipped.
bool HasCompressedRecords(const RecordBatch& batch) {
  return batch.compression() != Compression::kNone &&
         batch.record_count() > 0 && !batch.is_control();
}

}  // namespace

RecordBatches Decompressor::Decompress(RecordBatches view,
                                       int64_t max_bytes) const {
  DCHECK(!view.empty());
  DCHECK(view.decompressed_ == nullptr);
  const auto records =
      std::make_shared<DecompressedRecords>(std::move(view.pin_), memory_);
  size_t kept = 0;
  int64_t next_offset = 0;
  Added added = Added::kAdded;
  for (RecordBatches::Iterator at = view.begin();
       at != view.end() && added != Added::kFailed; ++at) {
    const RecordBatch batch = *at;
    if (HasCompressedRecords(batch)) {
      added = kept == 0 ? records->Add(batch, codecs_,
                                       std::numeric_limits<int64_t>::max())
                        : AddIfItFits(batch, codecs_, max_bytes, *records);
      if (added == Added::kTooLarge) {
        view.bytes_ = view.bytes_.substr(0, kept);
        view.next_offset_ = next_offset;
        break;
      }
    }
    kept += batch.bytes().size();
    next_offset = batch.next_offset();
  }
  view.decompressed_ = records.get();
  view.pin_ = records;
  return view;
}

}  // namespace varve
