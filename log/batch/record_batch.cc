// SPDX-License-Identifier: Apache-2.0

#include "varve/log/batch/record_batch.h"

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "absl/crc/crc32c.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "varve/index/big_endian.h"

namespace varve {
namespace {

constexpr int64_t kLengthMin =
    batch_layout::kRecords - batch_layout::kLengthEnd;
static_assert(kLengthMin == 49, "Kafka's smallest batchLength");

// Where each field begins, in their order, and how many bytes it has.
struct FieldPlace {
  int at;
  int size;
};
constexpr FieldPlace kFieldPlaces[] = {{batch_layout::kBaseOffset, 8},
                                       {batch_layout::kBatchLength, 4},
                                       {batch_layout::kLeaderEpoch, 4},
                                       {batch_layout::kMagic, 1},
                                       {batch_layout::kCrc, 4},
                                       {batch_layout::kAttributes, 2},
                                       {batch_layout::kLastOffsetDelta, 4},
                                       {batch_layout::kBaseTimestamp, 8},
                                       {batch_layout::kMaxTimestamp, 8},
                                       {batch_layout::kProducerId, 8},
                                       {batch_layout::kProducerEpoch, 2},
                                       {batch_layout::kBaseSequence, 4},
                                       {batch_layout::kRecordCount, 4}};
constexpr bool FieldsFillTheHeader() {
  int end = 0;
  for (const FieldPlace& field : kFieldPlaces) {
    if (field.at != end) return false;
    end += field.size;
  }
  return end == batch_layout::kRecords;
}
static_assert(FieldsFillTheHeader());
static_assert(batch_layout::kLengthEnd == batch_layout::kLeaderEpoch,
              "the length counts what is behind itself");

// The next offset must exist too, so the last one stays below the maximum.
constexpr int64_t kLastOffsetMax = std::numeric_limits<int64_t>::max() - 1;

static_assert(static_cast<int>(Compression::kZstd) <=
              batch_attributes::kCompressionMask);

bool FieldsAreSound(const RecordBatch& batch) {
  const int64_t base = batch.base_offset();
  const int32_t delta = batch.last_offset_delta();
  if (base < 0 || delta < 0 || base > kLastOffsetMax - delta) return false;
  const int64_t count = batch.record_count();
  if (count < 0 || count > int64_t{delta} + 1) return false;
  return batch.compression() <= Compression::kZstd;
}

std::string Details(std::string_view bytes, BatchDefect defect) {
  if (defect == BatchDefect::kTruncated &&
      bytes.size() < batch_layout::kLengthEnd) {
    return absl::StrCat("there are ", bytes.size(), " bytes");
  }
  const int32_t length = LoadBig32(bytes.data() + batch_layout::kBatchLength);
  if (defect <= BatchDefect::kBadLength) {
    return absl::StrCat("length field ", length, ", ", bytes.size(),
                        " bytes here");
  }
  const RecordBatch batch(bytes.substr(
      0, static_cast<size_t>(int64_t{length} + batch_layout::kLengthEnd)));
  if (defect == BatchDefect::kBadMagic) {
    return absl::StrCat("magic ", int{batch.magic()});
  }
  if (defect == BatchDefect::kBadCrc) {
    return absl::StrFormat("stored %08x, computed %08x", batch.crc(),
                           batch.ComputeCrc());
  }
  return absl::StrFormat(
      "base offset %d, last offset delta %d, record count %d, attributes "
      "0x%02x",
      batch.base_offset(), batch.last_offset_delta(), batch.record_count(),
      static_cast<uint16_t>(batch.attributes()));
}

}  // namespace

std::string_view CompressionName(Compression compression) {
  switch (compression) {
    case Compression::kNone:
      return "none";
    case Compression::kGzip:
      return "gzip";
    case Compression::kSnappy:
      return "snappy";
    case Compression::kLz4:
      return "lz4";
    case Compression::kZstd:
      return "zstd";
  }
  return "unknown";
}

std::string_view BatchDefectText(BatchDefect defect) {
  switch (defect) {
    case BatchDefect::kNone:
      return "nothing is wrong";
    case BatchDefect::kTruncated:
      return "the bytes end before the batch does";
    case BatchDefect::kZeros:
      return "the length field is zero";
    case BatchDefect::kBadLength:
      return "the length field is out of bounds";
    case BatchDefect::kBadMagic:
      return "the magic byte is not 2";
    case BatchDefect::kBadCrc:
      return "the checksum does not match";
    case BatchDefect::kBadFields:
      return "the header's fields contradict each other";
  }
  return "unknown";
}

BatchDefect RecordBatch::Check(std::string_view bytes, CrcCheck crc,
                               int64_t max_size, int64_t* size) {
  *size = 0;
  if (bytes.size() < batch_layout::kLengthEnd) return BatchDefect::kTruncated;
  const int64_t length = LoadBig32(bytes.data() + batch_layout::kBatchLength);
  if (length == 0) return BatchDefect::kZeros;
  const int64_t claimed = length + batch_layout::kLengthEnd;
  if (length < kLengthMin || claimed > max_size) return BatchDefect::kBadLength;
  *size = claimed;
  if (claimed > static_cast<int64_t>(bytes.size())) {
    return BatchDefect::kTruncated;
  }
  const RecordBatch batch(bytes.substr(0, static_cast<size_t>(claimed)));
  if (batch.magic() != kBatchMagic) return BatchDefect::kBadMagic;
  if (crc == CrcCheck::kVerify && batch.crc() != batch.ComputeCrc()) {
    return BatchDefect::kBadCrc;
  }
  return FieldsAreSound(batch) ? BatchDefect::kNone : BatchDefect::kBadFields;
}

absl::StatusOr<RecordBatch> RecordBatch::Parse(std::string_view bytes,
                                               CrcCheck crc) {
  int64_t size = 0;
  const BatchDefect defect = Check(bytes, crc, kBatchSizeMax, &size);
  if (defect == BatchDefect::kNone) {
    return RecordBatch(bytes.substr(0, static_cast<size_t>(size)));
  }
  return absl::DataLossError(
      absl::StrCat("bad record batch: ", BatchDefectText(defect), " (",
                   Details(bytes, defect), ")"));
}

uint32_t RecordBatch::ComputeCrc() const {
  return static_cast<uint32_t>(
      absl::ComputeCrc32c(bytes_.substr(batch_layout::kAttributes)));
}

}  // namespace varve
