// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_BATCH_RECORD_BATCH_H_
#define VARVE_LOG_BATCH_RECORD_BATCH_H_

#include <cstdint>
#include <limits>
#include <string_view>

#include "absl/status/statusor.h"
#include "varve/index/big_endian.h"

namespace varve {

// Where the fields of a record batch stand: Kafka's RecordBatch v2, described
// byte by byte in log/FORMAT.md. No other code knows them. All integers are
// big-endian.
namespace batch_layout {
inline constexpr int kBaseOffset = 0;        // int64, outside the CRC
inline constexpr int kBatchLength = 8;       // int32, outside the CRC
inline constexpr int kLeaderEpoch = 12;      // int32, outside the CRC
inline constexpr int kMagic = 16;            // int8, outside the CRC
inline constexpr int kCrc = 17;              // uint32, CRC-32C of the rest
inline constexpr int kAttributes = 21;       // int16; the CRC covers from here
inline constexpr int kLastOffsetDelta = 23;  // int32
inline constexpr int kBaseTimestamp = 27;    // int64, ms
inline constexpr int kMaxTimestamp = 35;     // int64, ms
inline constexpr int kProducerId = 43;       // int64
inline constexpr int kProducerEpoch = 51;    // int16
inline constexpr int kBaseSequence = 53;     // int32
inline constexpr int kRecordCount = 57;      // int32
inline constexpr int kRecords = 61;          // header size
inline constexpr int kLengthEnd = 12;        // batchLength counts from here
}  // namespace batch_layout

// Frozen in the file format: the bits of the attributes field. Bits 7 to 15 are
// written as 0. Readers ignore them; an append refuses a batch that has one
// (log/batch/batch_admission.h).
namespace batch_attributes {
inline constexpr int16_t kCompressionMask = 0x07;
inline constexpr int16_t kLogAppendTime = 0x08;
inline constexpr int16_t kTransactional = 0x10;
inline constexpr int16_t kControl = 0x20;
inline constexpr int16_t kDeleteHorizon = 0x40;
}  // namespace batch_attributes

// Frozen in the file format: attribute bits 0 to 2.
enum class Compression : int8_t {
  kNone = 0,
  kGzip = 1,
  kSnappy = 2,
  kLz4 = 3,
  kZstd = 4
};

// Kafka's name: "none", "gzip", "snappy", "lz4", "zstd"; "unknown" for others.
std::string_view CompressionName(Compression compression);

// Frozen in the file format: attribute bit 3.
enum class TimestampType : int8_t { kCreateTime = 0, kLogAppendTime = 1 };

inline constexpr int64_t kNoTimestamp = -1;
inline constexpr int8_t kBatchMagic = 2;

// The largest batch, header included: positions in a segment are int32, and so
// is a segment's size.
inline constexpr int64_t kBatchSizeMax = std::numeric_limits<int32_t>::max();

// What is wrong with bytes that should be a batch. `kNone`: nothing. The first
// one found is reported, and the bounds come before what they bound.
enum class BatchDefect {
  kNone,
  kTruncated,  // fewer bytes than a header, or than the length field claims
  kZeros,      // the length field is zero: nothing was written here
  kBadLength,  // the length field is below 49, or the batch above the limit
  kBadMagic,   // not 2
  kBadCrc,     // the checksum does not match
  kBadFields,  // a field is impossible, or contradicts another; see `Check`
};

// A phrase for messages: "the checksum does not match".
std::string_view BatchDefectText(BatchDefect defect);

enum class CrcCheck { kVerify, kSkip };

// A view of one whole record batch in memory it does not own. It is as large
// as a string_view and copied like one; every accessor decodes on the spot.
//
// A RecordBatch exists only over bytes that `Check` found whole, so accessors
// cannot run out of bounds. They read fields as they are: what the fields mean
// together (offsets that continue, an epoch that is known) is checked by the
// log.
//
// Thread safety: immutable.
class RecordBatch {
 public:
  // Checks the first batch in `bytes`, which may hold more after it. On kNone,
  // `*size` is the size of that batch in bytes (61 or more). With a defect it
  // is what the length field claims, a hint for where to look next, if that
  // field is within its bounds; otherwise 0.
  //
  // `max_size`: a batch that claims to be larger is kBadLength; it bounds the
  // work that a wrong length field can cause.
  //
  // kBadFields, which is looked for even if the CRC is not verified: base
  // offset or last offset delta below 0; a last offset above 2^63 - 2; a record
  // count below 0 or above last offset delta + 1; a compression of 5, 6 or 7.
  // Everything else that Kafka loads passes: fewer records than offsets, no
  // records, any producer fields, any timestamps, attribute bits 7 to 15.
  static BatchDefect Check(std::string_view bytes, CrcCheck crc,
                           int64_t max_size, int64_t* size);

  // Does `Check` with the largest limit, and returns an error for a person.
  //
  // Errors: DataLoss with the defect and the values that show it.
  static absl::StatusOr<RecordBatch> Parse(std::string_view bytes,
                                           CrcCheck crc);

  // Precondition: `Check` found kNone for these bytes, and they are its size.
  explicit RecordBatch(std::string_view checked) : bytes_(checked) {}

  // The whole batch, header included.
  std::string_view bytes() const { return bytes_; }
  int64_t size() const { return static_cast<int64_t>(bytes_.size()); }

  int64_t base_offset() const { return Load64(batch_layout::kBaseOffset); }
  int32_t last_offset_delta() const {
    return Load32(batch_layout::kLastOffsetDelta);
  }
  int64_t last_offset() const { return base_offset() + last_offset_delta(); }
  // The offset that follows. After compaction a batch holds fewer records
  // than offsets, so this is never counted from records.
  int64_t next_offset() const { return last_offset() + 1; }

  int32_t leader_epoch() const { return Load32(batch_layout::kLeaderEpoch); }
  int8_t magic() const {
    return static_cast<int8_t>(bytes_[batch_layout::kMagic]);
  }
  uint32_t crc() const {
    return static_cast<uint32_t>(Load32(batch_layout::kCrc));
  }
  int16_t attributes() const {
    return LoadBig16(bytes_.data() + batch_layout::kAttributes);
  }
  Compression compression() const {
    return static_cast<Compression>(attributes() &
                                    batch_attributes::kCompressionMask);
  }
  TimestampType timestamp_type() const {
    return (attributes() & batch_attributes::kLogAppendTime) != 0
               ? TimestampType::kLogAppendTime
               : TimestampType::kCreateTime;
  }
  bool is_transactional() const {
    return (attributes() & batch_attributes::kTransactional) != 0;
  }
  bool is_control() const {
    return (attributes() & batch_attributes::kControl) != 0;
  }
  // KIP-534: `base_timestamp` is the time after which tombstones may be
  // removed.
  bool has_delete_horizon() const {
    return (attributes() & batch_attributes::kDeleteHorizon) != 0;
  }

  // Milliseconds since the Unix epoch; -1 for none.
  int64_t base_timestamp_ms() const {
    return Load64(batch_layout::kBaseTimestamp);
  }
  int64_t max_timestamp_ms() const {
    return Load64(batch_layout::kMaxTimestamp);
  }

  int64_t producer_id() const { return Load64(batch_layout::kProducerId); }
  int16_t producer_epoch() const {
    return LoadBig16(bytes_.data() + batch_layout::kProducerEpoch);
  }
  int32_t base_sequence() const { return Load32(batch_layout::kBaseSequence); }
  int32_t record_count() const { return Load32(batch_layout::kRecordCount); }

  // The CRC-32C of the bytes that it covers, computed now.
  uint32_t ComputeCrc() const;

  // The records, as `log/batch/record_cursor.h` reads them; compressed as one
  // stream unless `compression()` is kNone.
  std::string_view records() const {
    return bytes_.substr(batch_layout::kRecords);
  }

 private:
  int32_t Load32(int at) const { return LoadBig32(bytes_.data() + at); }
  int64_t Load64(int at) const { return LoadBig64(bytes_.data() + at); }

  std::string_view bytes_;
};

}  // namespace varve

#endif  // VARVE_LOG_BATCH_RECORD_BATCH_H_
