// SPDX-License-Identifier: Apache-2.0

#include "varve/log/metadata/offset_commit_record.h"

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "varve/log/metadata/topic_id.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::IsOkAndHolds;
using ::absl_testing::StatusIs;
using ::testing::HasSubstr;

// "00 01 ff" as bytes.
std::string Bytes(std::string_view hex) {
  std::string bytes;
  EXPECT_TRUE(
      absl::HexStringToBytes(absl::StrReplaceAll(hex, {{" ", ""}}), &bytes));
  return bytes;
}

constexpr std::string_view kKey = "00 01 00 02 67 31 00 01 74 00 00 00 00";
constexpr std::string_view kValue3 =
    "00 03 00 00 00 00 00 00 00 67 00 00 00 03 00 00 00 00 01 8b cf e5 68 14";
constexpr std::string_view kValue4 =
    "00 04 00 00 00 00 00 00 00 67 00 00 00 03 01 00 00 01 8b cf e5 68 14 00";
constexpr std::string_view kValue4WithId =
    "00 04 00 00 00 00 00 00 00 67 00 00 00 03 01 00 00 01 8b cf e5 68 14 "
    "01 00 10 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f";

const OffsetCommitValue kExpected = {.offset = 103,
                                     .leader_epoch = 3,
                                     .metadata = "",
                                     .commit_timestamp_ms = 1700000000020};

constexpr TopicId kId(0x0001020304050607, 0x08090a0b0c0d0e0f);

TEST(OffsetCommitRecord, KeyIsKafkasByteForByte) {
  const OffsetCommitKey key = {.group = "g1", .topic = "t", .partition = 0};
  EXPECT_EQ(FormatOffsetCommitKey(key), Bytes(kKey));
  EXPECT_THAT(ParseOffsetCommitKey(Bytes(kKey)), IsOkAndHolds(key));
}

TEST(OffsetCommitRecord, KeyOfType0IsTheSame) {
  std::string bytes = Bytes(kKey);
  bytes[1] = 0;
  EXPECT_THAT(ParseOffsetCommitKey(bytes),
              IsOkAndHolds(OffsetCommitKey{.group = "g1", .topic = "t"}));
}

TEST(OffsetCommitRecord, KeysOfOtherTypesAreNone) {
  EXPECT_THAT(ParseOffsetCommitKey(Bytes("00 02 00 02 67 31")),
              IsOkAndHolds(std::nullopt));
  EXPECT_THAT(ParseOffsetCommitKey(Bytes("7f ff")), IsOkAndHolds(std::nullopt));
}

TEST(OffsetCommitRecord, WrongKeysAreDataLoss) {
  for (const std::string_view hex :
       {"", "00", "ff ff 00 02 67 31 00 01 74 00 00 00 00",  // type -1
        "00 01 ff ff 00 01 74 00 00 00 00",                  // null group
        "00 01 00 02 67 31 ff ff 00 00 00 00",               // null topic
        "00 01 7f ff 67 31 00 01 74 00 00 00 00",            // long group
        "00 01 00 02 67 31 00 01 74 ff ff ff ff"}) {         // partition -1
    EXPECT_THAT(ParseOffsetCommitKey(Bytes(hex)),
                StatusIs(absl::StatusCode::kDataLoss))
        << hex;
  }
}

// The bytes are what Kafka 4.2's OffsetCommitValue makes of these values.
TEST(OffsetCommitRecord, ValueIsKafkasVersion4ByteForByte) {
  OffsetCommitValue value = kExpected;
  EXPECT_EQ(FormatOffsetCommitValue(value), Bytes(kValue4));
  value.topic_id = kId;
  EXPECT_EQ(FormatOffsetCommitValue(value), Bytes(kValue4WithId));
  value.metadata = "höst 1";
  const std::string with_metadata = Bytes(
      "00 04 00 00 00 00 00 00 00 67 00 00 00 03 08 68 c3 b6 73 74 20 31 00 00 "
      "01 8b cf e5 68 14 01 00 10 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e "
      "0f");
  EXPECT_EQ(FormatOffsetCommitValue(value), with_metadata);
  EXPECT_THAT(ParseOffsetCommitValue(with_metadata), IsOkAndHolds(value));
  const std::string metadata(200, 'x');
  value.metadata = metadata;
  EXPECT_EQ(FormatOffsetCommitValue(value),
            Bytes("00 04 00 00 00 00 00 00 00 67 00 00 00 03 c9 01") +
                metadata +
                Bytes("00 00 01 8b cf e5 68 14 01 00 10 00 01 02 03 04 05 06 "
                      "07 08 09 0a 0b 0c 0d 0e 0f"));
}

TEST(OffsetCommitRecord, ValuesOfTheOtherVersionsAreRead) {
  OffsetCommitValue expected = kExpected;
  EXPECT_THAT(ParseOffsetCommitValue(Bytes(kValue3)), IsOkAndHolds(expected));
  EXPECT_THAT(ParseOffsetCommitValue(Bytes(kValue4)), IsOkAndHolds(expected));
  expected.topic_id = kId;
  EXPECT_THAT(ParseOffsetCommitValue(Bytes(kValue4WithId)),
              IsOkAndHolds(expected));
  expected.topic_id = {};
  expected.leader_epoch = -1;
  expected.metadata = "hi";
  for (const std::string_view version : {"00 00", "00 02"}) {
    EXPECT_THAT(
        ParseOffsetCommitValue(Bytes(std::string(version) +
                                     "00 00 00 00 00 00 00 67 00 02 68 69 "
                                     "00 00 01 8b cf e5 68 14")),
        IsOkAndHolds(expected));
  }
  expected.expire_timestamp_ms = 5;
  EXPECT_THAT(
      ParseOffsetCommitValue(Bytes(
          "00 01 00 00 00 00 00 00 00 67 00 02 68 69 00 00 01 8b cf e5 68 14 "
          "00 00 00 00 00 00 00 05")),
      IsOkAndHolds(expected));
}

TEST(OffsetCommitRecord, UnknownTagsAreSkipped) {
  EXPECT_THAT(
      ParseOffsetCommitValue(Bytes(
          "00 04 00 00 00 00 00 00 00 67 00 00 00 03 01 00 00 01 8b cf e5 68 "
          "14 02 05 03 61 62 63 ff 7f 00")),
      IsOkAndHolds(kExpected));
}

TEST(OffsetCommitRecord, LaterVersionIsNamedAndNotGuessedAt) {
  std::string bytes = Bytes(kValue4);
  bytes[1] = 5;
  EXPECT_THAT(
      ParseOffsetCommitValue(bytes),
      StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("version 5")));
}

TEST(OffsetCommitRecord, WrongValuesAreDataLoss) {
  for (const std::string_view hex :
       {"", "00", "80 00", "ff ff",
        // Offset -1; null metadata in both forms; more metadata than there is;
        // a length that never ends; a tag that leaves the bytes.
        "00 03 ff ff ff ff ff ff ff ff 00 00 00 03 00 00 00 00 01 8b cf e5 68 "
        "14",
        "00 03 00 00 00 00 00 00 00 67 00 00 00 03 ff ff 00 00 01 8b cf e5 68 "
        "14",
        "00 04 00 00 00 00 00 00 00 67 00 00 00 03 00 00 00 01 8b cf e5 68 14 "
        "00",
        "00 03 00 00 00 00 00 00 00 67 00 00 00 03 7f ff 00 00 01 8b cf e5 68 "
        "14",
        "00 04 00 00 00 00 00 00 00 67 00 00 00 03 ff ff ff ff ff ff 00 00 00",
        "00 04 00 00 00 00 00 00 00 67 00 00 00 03 01 00 00 01 8b cf e5 68 14 "
        "01 00 ff ff ff ff 0f",
        "00 04 00 00 00 00 00 00 00 67 00 00 00 03 01 00 00 01 8b cf e5 68 14 "
        "ff ff ff ff 0f"}) {
    EXPECT_THAT(ParseOffsetCommitValue(Bytes(hex)),
                StatusIs(absl::StatusCode::kDataLoss))
        << hex;
  }
}

TEST(OffsetCommitRecord, EveryCutIsDataLoss) {
  const std::string key = Bytes(kKey);
  for (size_t size = 0; size < key.size(); ++size) {
    EXPECT_THAT(ParseOffsetCommitKey(key.substr(0, size)),
                StatusIs(absl::StatusCode::kDataLoss))
        << size;
  }
  for (const std::string_view hex : {kValue3, kValue4, kValue4WithId}) {
    const std::string value = Bytes(hex);
    for (size_t size = 0; size < value.size(); ++size) {
      EXPECT_THAT(ParseOffsetCommitValue(value.substr(0, size)),
                  StatusIs(absl::StatusCode::kDataLoss))
          << hex << " cut at " << size;
    }
  }
}

TEST(OffsetCommitRecord, LongestStringsComeBack) {
  const std::string longest(kOffsetCommitStringMax, 'x');
  const OffsetCommitKey key = {
      .group = longest, .topic = longest, .partition = 2147483647};
  const std::string key_bytes = FormatOffsetCommitKey(key);
  EXPECT_THAT(ParseOffsetCommitKey(key_bytes), IsOkAndHolds(key));
  const OffsetCommitValue value = {.offset = 9223372036854775806,
                                   .leader_epoch = 2147483647,
                                   .metadata = longest};
  const std::string value_bytes = FormatOffsetCommitValue(value);
  EXPECT_THAT(ParseOffsetCommitValue(value_bytes), IsOkAndHolds(value));
}

// Values read from any bytes lie within them, and are written as they were
// read.
TEST(OffsetCommitRecord, RandomBytesNeverLeaveTheirBounds) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  const std::string seeds[] = {Bytes(kKey), Bytes(kValue3), Bytes(kValue4),
                               Bytes(kValue4WithId)};
  int64_t read = 0;
  for (int i = 0; i < 200'000; ++i) {
    // A copy of its own size, so that a sanitizer sees a read past its end.
    std::string bytes = seeds[random() % std::size(seeds)];
    for (uint64_t flips = random() % 4; flips > 0; --flips) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    bytes.resize(random() % 8 == 0 ? random() % 64 : bytes.size());
    bytes.shrink_to_fit();
    if (auto key = ParseOffsetCommitKey(bytes); key.ok() && key->has_value()) {
      ++read;
      const std::string again = FormatOffsetCommitKey(**key);
      ASSERT_THAT(ParseOffsetCommitKey(again), IsOkAndHolds(**key));
    }
    if (auto value = ParseOffsetCommitValue(bytes); value.ok()) {
      ++read;
      OffsetCommitValue kept = *value;
      kept.expire_timestamp_ms.reset();
      const std::string again = FormatOffsetCommitValue(kept);
      ASSERT_THAT(ParseOffsetCommitValue(again), IsOkAndHolds(kept));
    }
  }
  EXPECT_GT(read, 10'000);
}

}  // namespace
}  // namespace varve
