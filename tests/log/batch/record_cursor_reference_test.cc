// SPDX-License-Identifier: Apache-2.0

// The cursor has a quick way for usual records. Here it is compared, record by
// record, with a decoder that has one way for all and counts every byte.

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "varve/index/big_endian.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_cursor.h"
#include "varve/log/batch/record_view.h"
#include "varve/log/batch/varint.h"

namespace varve {
namespace {

constexpr int64_t kBaseOffset = 500;
constexpr int64_t kBaseTimestampMs = 1'700'000'000'000;
constexpr int32_t kLastOffsetDelta = 20'000;

// What a record says, or what is wrong with it.
struct Decoded {
  std::string_view wrong = {};
  int64_t offset = 0;
  int64_t timestamp_ms = 0;
  int64_t size_bytes = 0;
  int32_t header_count = 0;
  std::optional<std::string_view> key = {};
  std::optional<std::string_view> value = {};
};

// The integer in front, before zigzag; nothing when it does not end in time.
std::optional<uint64_t> TakeRaw(std::string_view& rest, int size_max) {
  uint64_t raw = 0;
  for (int i = 0; i < size_max && !rest.empty(); ++i) {
    const auto byte = static_cast<uint8_t>(rest.front());
    rest.remove_prefix(1);
    raw |= static_cast<uint64_t>(byte & 0x7f) << (7 * i);
    if (byte < 0x80) return raw;
  }
  return std::nullopt;
}
std::optional<int32_t> TakeInt(std::string_view& rest) {
  const std::optional<uint64_t> raw = TakeRaw(rest, kVarintSizeMax);
  if (!raw.has_value()) return std::nullopt;
  return UnZigZag32(static_cast<uint32_t>(*raw));
}
bool TakeField(std::string_view& rest, std::optional<std::string_view>& field) {
  field.reset();
  const std::optional<int32_t> size = TakeInt(rest);
  if (!size.has_value()) return false;
  if (*size < 0) return true;
  if (static_cast<size_t>(*size) > rest.size()) return false;
  field = rest.substr(0, static_cast<size_t>(*size));
  rest.remove_prefix(static_cast<size_t>(*size));
  return true;
}

std::string_view TakeHeaders(std::string_view& body, int32_t count) {
  if (count < 0 || static_cast<size_t>(count) > body.size() / 2)
    return "its header count is out of bounds";
  for (; count > 0; --count) {
    std::optional<std::string_view> key;
    std::optional<std::string_view> value;
    if (!TakeField(body, key) || !key.has_value() || !TakeField(body, value))
      return "a header does not fit, or its key is null";
  }
  return "";
}

Decoded Decode(std::string_view bytes) {
  std::string_view rest = bytes;
  const std::optional<int32_t> size = TakeInt(rest);
  if (!size.has_value()) return {.wrong = "its length does not fit the batch"};
  if (*size < 1 || static_cast<size_t>(*size) > rest.size())
    return {.wrong = "its length is out of bounds"};
  std::string_view body = rest.substr(1, static_cast<size_t>(*size) - 1);
  Decoded record;
  const std::optional<uint64_t> timestamp = TakeRaw(body, kVarlongSizeMax);
  if (!timestamp.has_value()) return {.wrong = "its timestamp does not fit"};
  const std::optional<int32_t> offset = TakeInt(body);
  if (!offset.has_value()) return {.wrong = "its offset does not fit"};
  if (*offset < 0) return {.wrong = "its offset does not increase"};
  if (*offset > kLastOffsetDelta)
    return {.wrong = "its offset is behind the batch's last"};
  if (!TakeField(body, record.key)) return {.wrong = "its key does not fit"};
  if (!TakeField(body, record.value))
    return {.wrong = "its value does not fit"};
  const std::optional<int32_t> headers = TakeInt(body);
  if (!headers.has_value()) return {.wrong = "its header count does not fit"};
  record.wrong = TakeHeaders(body, *headers);
  if (record.wrong.empty() && !body.empty())
    record.wrong = "its length is not that of its parts";
  record.offset = kBaseOffset + *offset;
  record.timestamp_ms =
      static_cast<int64_t>(static_cast<uint64_t>(kBaseTimestampMs) +
                           static_cast<uint64_t>(UnZigZag64(*timestamp)));
  record.size_bytes = static_cast<int64_t>(bytes.size() - rest.size()) + *size;
  record.header_count = *headers;
  return record;
}

// The header of a batch of one record, which lies elsewhere.
std::string BatchHeader() {
  std::string header(batch_layout::kRecords, '\0');
  header[batch_layout::kMagic] = kBatchMagic;
  StoreBig64(header.data() + batch_layout::kBaseOffset, kBaseOffset);
  StoreBig64(header.data() + batch_layout::kBaseTimestamp, kBaseTimestampMs);
  StoreBig32(header.data() + batch_layout::kLastOffsetDelta, kLastOffsetDelta);
  StoreBig32(header.data() + batch_layout::kRecordCount, 1);
  return header;
}

class RecordCursorReferenceTest : public testing::Test {
 protected:
  // `bytes`: of the only record, perhaps with others behind it.
  void Compare(std::string_view bytes) {
    const Decoded expected = Decode(bytes);
    RecordCursor cursor(RecordBatch(header_), bytes);
    const RecordView* const record = cursor.Next();
    if (!expected.wrong.empty()) {
      ASSERT_EQ(record, nullptr) << Hex(bytes);
      ExpectWrong(cursor.status(), expected.wrong, bytes);
      return;
    }
    ASSERT_NE(record, nullptr) << Hex(bytes) << cursor.status();
    ASSERT_EQ(record->offset(), expected.offset) << Hex(bytes);
    ASSERT_EQ(record->timestamp_ms(), expected.timestamp_ms) << Hex(bytes);
    ASSERT_EQ(record->size_bytes(), expected.size_bytes) << Hex(bytes);
    ASSERT_EQ(record->header_count(), expected.header_count) << Hex(bytes);
    ASSERT_EQ(record->key(), expected.key) << Hex(bytes);
    ASSERT_EQ(record->value(), expected.value) << Hex(bytes);
    ASSERT_EQ(cursor.Next(), nullptr) << Hex(bytes);
    if (expected.size_bytes < static_cast<int64_t>(bytes.size())) {
      ExpectWrong(cursor.status(), "bytes follow the last record", bytes);
    } else {
      ASSERT_TRUE(cursor.status().ok()) << Hex(bytes);
    }
    ++good_count_;
  }

  static std::string Hex(std::string_view bytes) {
    std::string text;
    for (const char byte : bytes)
      absl::StrAppend(&text, absl::Hex(static_cast<uint8_t>(byte)), " ");
    return text;
  }
  static void ExpectWrong(const absl::Status& status, std::string_view what,
                          std::string_view bytes) {
    ASSERT_EQ(status.code(), absl::StatusCode::kDataLoss) << Hex(bytes);
    ASSERT_TRUE(status.message().ends_with(what))
        << Hex(bytes) << status << " and not: " << what;
  }

  const std::string header_ = BatchHeader();
  int64_t good_count_ = 0;  // records that were no error
};

// Each of these bytes at each of the first places, behind each of some lengths.
TEST_F(RecordCursorReferenceTest, AllShortRecordsAreReadAlike) {
  constexpr uint8_t kBytes[] = {0x00, 0x01, 0x02, 0x04, 0x80};
  constexpr size_t kFreeMax = 7;
  for (const std::string_view length :
       {"\x02", "\x0a", "\x0c", "\x0e", "\x10", "\x8c", "\x8e\x01"}) {
    for (size_t free = 0; free <= kFreeMax; ++free) {
      // Of exactly their size, so that the address sanitizer sees their end.
      std::vector<char> bytes(length.begin(), length.end());
      bytes.resize(length.size() + free);
      bytes.shrink_to_fit();
      std::vector<size_t> digits(free, 0);
      bool is_last = false;
      while (!is_last) {
        for (size_t i = 0; i < free; ++i)
          bytes[length.size() + i] = static_cast<char>(kBytes[digits[i]]);
        ASSERT_NO_FATAL_FAILURE(Compare({bytes.data(), bytes.size()}));
        size_t i = 0;
        while (i < free && ++digits[i] == std::size(kBytes)) digits[i++] = 0;
        is_last = i == free;
      }
    }
  }
  EXPECT_GT(good_count_, 100);
}

std::string Varint(int64_t value) {
  char bytes[kVarlongSizeMax];
  return std::string(bytes, EncodeVarlong(value, bytes));
}
// -1: null.
std::string Field(int64_t size) {
  return Varint(size) +
         std::string(static_cast<size_t>(size < 0 ? 0 : size), 'x');
}

// On both sides of where an integer gets a byte more.
TEST_F(RecordCursorReferenceTest, IntegersOfEverySizeAreReadAlike) {
  constexpr int64_t kSizes[] = {-2, -1, 0, 1, 63, 64, 8191, 8192};
  constexpr int64_t kDeltas[] = {-1, 0, 1, 63, 64, 8191, 8192, 20'001};
  constexpr int64_t kTimes[] = {
      0, -64, -65, 8192, int64_t{1} << 40, std::numeric_limits<int64_t>::min()};
  for (const int64_t key : kSizes) {
    for (const int64_t value : kSizes) {
      for (const int64_t delta : kDeltas) {
        for (const int64_t time : kTimes) {
          for (const std::string& headers :
               {Varint(0), std::string("\x80\0", 2),
                Varint(1) + Field(1) + Field(-1)}) {
            const std::string body = std::string(1, '\0') + Varint(time) +
                                     Varint(delta) + Field(key) + Field(value) +
                                     headers;
            ASSERT_NO_FATAL_FAILURE(
                Compare(Varint(static_cast<int64_t>(body.size())) + body));
          }
        }
      }
    }
  }
  EXPECT_GT(good_count_, 1000);
}

TEST_F(RecordCursorReferenceTest, DamagedRecordsAreReadAlike) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 100'000; ++round) {
    const std::string body =
        std::string(1, '\0') + Varint(static_cast<int64_t>(random() % 100)) +
        Varint(static_cast<int64_t>(random() % 100)) +
        Field(static_cast<int64_t>(random() % 4) - 1) +
        Field(static_cast<int64_t>(random() % 80)) + Varint(0);
    const std::string good = Varint(static_cast<int64_t>(body.size())) + body;
    std::vector<char> bytes(good.begin(), good.end());
    for (uint64_t left = random() % 3; left > 0; --left) {
      const size_t at = static_cast<size_t>(random() % 12) % bytes.size();
      bytes[at] = static_cast<char>(bytes[at] + random() % 5 - 2);
    }
    bytes.resize(bytes.size() - static_cast<size_t>(random() % 3));
    bytes.shrink_to_fit();
    ASSERT_NO_FATAL_FAILURE(Compare({bytes.data(), bytes.size()}));
  }
  EXPECT_GT(good_count_, 10'000);
}

}  // namespace
}  // namespace varve
