// SPDX-License-Identifier: Apache-2.0

#include "varve/log/metadata/offset_commit_record.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/index/big_endian.h"
#include "varve/log/metadata/topic_id.h"

namespace varve {
namespace {

// Frozen in the file format.
constexpr int16_t kKeyTypeMax = 1;  // 0 and 1 are the same; 1 is written
constexpr int16_t kKeyTypeWritten = 1;
constexpr int16_t kValueVersionMax = 4;
constexpr int16_t kValueVersionWritten = 4;
static_assert(kKeyTypeWritten <= kKeyTypeMax);
static_assert(kValueVersionWritten <= kValueVersionMax);
constexpr int16_t kVersionWithExpiry = 1;
constexpr int16_t kVersionWithEpoch = 3;
constexpr int16_t kVersionFlexible = 4;
static_assert(kValueVersionWritten >= kVersionFlexible);
constexpr uint32_t kTagTopicId = 0;
constexpr size_t kTopicIdSize = 16;
static_assert(kTopicIdSize == 2 * sizeof(uint64_t));
constexpr int kUvarintBytesMax = 5;
static_assert(7 * kUvarintBytesMax >= std::numeric_limits<uint32_t>::digits);
static_assert(kOffsetCommitStringMax == std::numeric_limits<int16_t>::max());

// Takes fields off the front of bytes. Past the end it gives zeros, and `ok` is
// false from then on.
class FieldReader {
 public:
  explicit FieldReader(std::string_view bytes) : rest_(bytes) {}

  bool ok() const { return ok_; }

  int16_t Int16() {
    const std::string_view at = Take(sizeof(int16_t));
    return ok_ ? LoadBig16(at.data()) : int16_t{0};
  }
  int32_t Int32() {
    const std::string_view at = Take(sizeof(int32_t));
    return ok_ ? LoadBig32(at.data()) : 0;
  }
  int64_t Int64() {
    const std::string_view at = Take(sizeof(int64_t));
    return ok_ ? LoadBig64(at.data()) : 0;
  }

  // An int16 length, then as many bytes; a negative length is null, which no
  // field here may be.
  std::string_view String() {
    const int16_t size = Int16();
    ok_ = ok_ && size >= 0;
    return ok_ ? Take(static_cast<size_t>(size)) : std::string_view();
  }

  // Kafka's "flexible" form: length + 1 as an unsigned varint, 0 for null.
  std::string_view CompactString() {
    const uint32_t size = Uvarint();
    ok_ = ok_ && size > 0;
    return ok_ ? Take(size - 1) : std::string_view();
  }

  // Seven bits a byte, lowest first, in five bytes at most.
  uint32_t Uvarint() {
    uint32_t value = 0;
    for (int i = 0; i < kUvarintBytesMax; ++i) {
      const std::string_view at = Take(1);
      if (!ok_) return 0;
      const auto byte = static_cast<uint8_t>(at[0]);
      value |= static_cast<uint32_t>(byte & 0x7f) << (7 * i);
      if (byte < 0x80) return value;
    }
    ok_ = false;
    return 0;
  }

  std::string_view Take(size_t size) {
    ok_ = ok_ && size <= rest_.size();
    if (!ok_) return {};
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

// Reads the tagged fields at the end of a flexible version; unknown ones are
// skipped.
TopicId ReadTags(FieldReader& reader) {
  TopicId topic_id;
  // Each takes two bytes at least, so a wrong count soon runs out of them.
  for (uint32_t left = reader.Uvarint(); left > 0 && reader.ok(); --left) {
    const uint32_t tag = reader.Uvarint();
    const std::string_view field = reader.Take(reader.Uvarint());
    if (tag != kTagTopicId || field.size() != kTopicIdSize) continue;
    topic_id = TopicId(
        static_cast<uint64_t>(LoadBig64(field.data())),
        static_cast<uint64_t>(LoadBig64(field.data() + sizeof(uint64_t))));
  }
  return topic_id;
}

absl::Status CutShort(std::string_view what, size_t size) {
  return absl::DataLossError(absl::StrCat(
      "an offset commit's ", what, " of ", size,
      " bytes: a field is null, or the bytes end before the fields do"));
}

// Appends fields in Kafka's classic form, and in its flexible one.
class FieldWriter {
 public:
  void Int16(int16_t value) { StoreBig16(Grow(sizeof value), value); }
  void Int32(int32_t value) { StoreBig32(Grow(sizeof value), value); }
  void Int64(int64_t value) { StoreBig64(Grow(sizeof value), value); }
  void String(std::string_view value) {
    CHECK_LE(value.size(), kOffsetCommitStringMax);
    Int16(static_cast<int16_t>(value.size()));
    bytes_.append(value);
  }
  // Writes what FieldReader::CompactString reads.
  void CompactString(std::string_view value) {
    Uvarint(static_cast<uint32_t>(value.size()) + 1);
    bytes_.append(value);
  }
  void Uvarint(uint32_t value) {
    for (; value >= 0x80; value >>= 7)
      bytes_.push_back(static_cast<char>(value | 0x80));
    bytes_.push_back(static_cast<char>(value));
  }
  const std::string& bytes() const { return bytes_; }

 private:
  char* Grow(size_t size) {
    bytes_.resize(bytes_.size() + size);
    return bytes_.data() + bytes_.size() - size;
  }

  std::string bytes_;
};

// Writes the tagged fields: the id, unless it is none.
void WriteTags(TopicId topic_id, FieldWriter& writer) {
  writer.Uvarint(topic_id.is_none() ? 0 : 1);
  if (topic_id.is_none()) return;
  writer.Uvarint(kTagTopicId);
  writer.Uvarint(kTopicIdSize);
  writer.Int64(static_cast<int64_t>(topic_id.high()));
  writer.Int64(static_cast<int64_t>(topic_id.low()));
}

}  // namespace

absl::StatusOr<std::optional<OffsetCommitKey>> ParseOffsetCommitKey(
    std::string_view bytes) {
  FieldReader reader(bytes);
  const int16_t type = reader.Int16();
  if (!reader.ok()) return CutShort("key", bytes.size());
  if (type < 0) {
    return absl::DataLossError(
        absl::StrCat("a key of __consumer_offsets has type ", type));
  }
  if (type > kKeyTypeMax) return std::nullopt;
  OffsetCommitKey key;
  key.group = reader.String();
  key.topic = reader.String();
  key.partition = reader.Int32();
  if (!reader.ok()) return CutShort("key", bytes.size());
  if (key.partition < 0) {
    return absl::DataLossError(
        absl::StrCat("an offset commit's key has partition ", key.partition));
  }
  return key;
}

absl::StatusOr<OffsetCommitValue> ParseOffsetCommitValue(
    std::string_view bytes) {
  FieldReader reader(bytes);
  const int16_t version = reader.Int16();
  if (!reader.ok()) return CutShort("value", bytes.size());
  if (version < 0) {
    return absl::DataLossError(
        absl::StrCat("an offset commit's value has version ", version));
  }
  if (version > kValueVersionMax) {
    return absl::UnimplementedError(
        absl::StrCat("an offset commit's value has version ", version,
                     "; this varve reads up to ", kValueVersionMax));
  }
  OffsetCommitValue value;
  value.offset = reader.Int64();
  if (version >= kVersionWithEpoch) value.leader_epoch = reader.Int32();
  value.metadata =
      version >= kVersionFlexible ? reader.CompactString() : reader.String();
  value.commit_timestamp_ms = reader.Int64();
  if (version == kVersionWithExpiry) value.expire_timestamp_ms = reader.Int64();
  if (version >= kVersionFlexible) value.topic_id = ReadTags(reader);
  if (!reader.ok()) return CutShort("value", bytes.size());
  if (value.offset < 0) {
    return absl::DataLossError(
        absl::StrCat("an offset commit's value has offset ", value.offset));
  }
  return value;
}

std::string FormatOffsetCommitKey(const OffsetCommitKey& key) {
  CHECK_GE(key.partition, 0);
  FieldWriter writer;
  writer.Int16(kKeyTypeWritten);
  writer.String(key.group);
  writer.String(key.topic);
  writer.Int32(key.partition);
  return writer.bytes();
}

std::string FormatOffsetCommitValue(const OffsetCommitValue& value) {
  CHECK_GE(value.offset, 0);
  FieldWriter writer;
  writer.Int16(kValueVersionWritten);
  writer.Int64(value.offset);
  writer.Int32(value.leader_epoch);
  writer.CompactString(value.metadata);
  writer.Int64(value.commit_timestamp_ms);
  WriteTags(value.topic_id, writer);
  return writer.bytes();
}

}  // namespace varve
