// SPDX-License-Identifier: Apache-2.0

// Any bytes, taken for batches and their records. Random bytes never have a
// right CRC, so each input is also tried with its length and CRC made right.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tests/fixture/batch_bytes.h"
#include "varve/index/big_endian.h"
#include "varve/log/batch/control_record.h"
#include "varve/log/batch/encoded_batch.h"
#include "varve/log/batch/incoming_batch.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_cursor.h"

namespace varve {
namespace {

// Reads one byte of all that a view points at, for the sanitizer to see.
void Touch(std::string_view bytes) {
  [[maybe_unused]] static volatile char sink;
  if (!bytes.empty()) sink = static_cast<char>(bytes.front() ^ bytes.back());
}

// Reads the message; either outcome is right, and only a crash is not.
void Ignore(const absl::Status& status) { Touch(status.message()); }

void ReadRecords(const RecordBatch& batch) {
  RecordCursor cursor(batch);
  int64_t count = 0;
  while (const RecordView* record = cursor.Next()) {
    ++count;
    Touch(record->key().value_or(""));
    Touch(record->value().value_or(""));
    for (const Header& header : record->headers()) {
      Touch(header.key);
      Touch(header.value.value_or(""));
    }
    if (batch.is_control()) {
      Ignore(ParseControlRecordType(record->key()).status());
      Ignore(ParseCoordinatorEpoch(record->value()).status());
    }
    if (record->offset() > batch.last_offset()) std::abort();
  }
  if (cursor.status().ok() && count != batch.record_count() &&
      batch.compression() == Compression::kNone) {
    std::abort();
  }
}

void ReadBatches(std::string_view bytes, CrcCheck crc) {
  int64_t size = 0;
  while (RecordBatch::Check(bytes, crc, kBatchSizeMax, &size) ==
         BatchDefect::kNone) {
    ReadRecords(RecordBatch(bytes.substr(0, static_cast<size_t>(size))));
    bytes.remove_prefix(static_cast<size_t>(size));
  }
  // Fails, for the reason that ended the loop; only its message is exercised.
  if (RecordBatch::Parse(bytes, crc).ok()) std::abort();
}

// What can be appended is a batch again at its place.
void Place(std::string_view bytes) {
  absl::StatusOr<EncodedBatch> batch = EncodedBatch::Parse(bytes);
  if (!batch.ok()) return;
  std::string placed(bytes.size(), '\0');
  IncomingBatch(*batch, /*now_ms=*/0)
      .PlaceAt(placed.data(), {.base_offset = 1,
                               .leader_epoch = 2,
                               .timestamp_type = TimestampType::kLogAppendTime,
                               .append_time_ms = 3});
  if (!EncodedBatch::Parse(placed).ok()) std::abort();
}

}  // namespace
}  // namespace varve

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using varve::CrcCheck;
  std::string bytes(reinterpret_cast<const char*>(data), size);
  varve::ReadBatches(bytes, CrcCheck::kVerify);
  varve::ReadBatches(bytes, CrcCheck::kSkip);
  if (size < varve::batch_layout::kRecords) return 0;
  bytes[varve::batch_layout::kMagic] = varve::kBatchMagic;
  varve::StoreBig32(
      bytes.data() + varve::batch_layout::kBatchLength,
      static_cast<int32_t>(size - varve::batch_layout::kLengthEnd));
  bytes = varve::WithCrc(bytes);
  varve::ReadBatches(bytes, CrcCheck::kVerify);
  varve::Place(bytes);
  return 0;
}
