// SPDX-License-Identifier: Apache-2.0

#include "varve/log/producer/producer_snapshot.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "absl/crc/crc32c.h"
#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "varve/index/big_endian.h"

namespace varve {
namespace {

using ::absl_testing::IsOkAndHolds;
using ::absl_testing::StatusIs;
using ::testing::HasSubstr;

constexpr auto kDataLoss = absl::StatusCode::kDataLoss;

// The worked examples of Kafka's format.
constexpr std::string_view kOneProducerBytes(
    "\x00\x01\x45\x84\x45\x7f\x00\x00\x00\x01"
    "\x00\x00\x00\x00\x00\x00\x0f\xa0\x00\x00\x00\x00\x00\x01"
    "\x00\x00\x00\x00\x00\x00\x00\x65\x00\x00\x00\x01"
    "\x00\x00\x01\x8b\xcf\xe5\x68\x05\x00\x00\x00\x07"
    "\xff\xff\xff\xff\xff\xff\xff\xff",
    56);
constexpr std::string_view kEmptyBytes(
    "\x00\x01\x48\x67\x4b\xc7\x00\x00\x00\x00", 10);

std::string OneProducerBytes() { return std::string(kOneProducerBytes); }

constexpr ProducerEntry kProducer = {.producer_id = 4000,
                                     .producer_epoch = 0,
                                     .last_sequence = 1,
                                     .last_offset = 101,
                                     .offset_delta = 1,
                                     .timestamp_ms = 1'700'000'000'005,
                                     .coordinator_epoch = 7};

// The bytes of a snapshot with this entry, however wrong.
std::string BytesOf(const ProducerEntry& entry) {
  return ProducerSnapshot{.producers = {entry}}.Encode();
}

std::string WithCrc(std::string bytes) {
  const absl::crc32c_t crc =
      absl::ComputeCrc32c(std::string_view(bytes).substr(6));
  StoreBig32(bytes.data() + 2,
             static_cast<int32_t>(static_cast<uint32_t>(crc)));
  return bytes;
}

TEST(ProducerSnapshotTest, BytesAreKafkas) {
  const ProducerSnapshot snapshot = {.offset = 103, .producers = {kProducer}};
  EXPECT_EQ(snapshot.Encode(), kOneProducerBytes);
  EXPECT_THAT(ProducerSnapshot::Decode(kOneProducerBytes, 103),
              IsOkAndHolds(snapshot));
}

TEST(ProducerSnapshotTest, EmptyBytesAreKafkas) {
  EXPECT_EQ(ProducerSnapshot().Encode(), kEmptyBytes);
  EXPECT_THAT(ProducerSnapshot::Decode(kEmptyBytes, 5),
              IsOkAndHolds(ProducerSnapshot{.offset = 5}));
}

TEST(ProducerSnapshotTest, EveryFieldReturns) {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  const ProducerSnapshot snapshot = {
      .offset = kMax,
      .producers = {{.producer_id = kMax,
                     .producer_epoch = 0x7fff,
                     .last_sequence = 0x7fffffff,
                     .last_offset = kMax - 1,
                     .offset_delta = 0x7fffffff,
                     .timestamp_ms = kMax,
                     .coordinator_epoch = 0x7fffffff,
                     .transaction_first_offset = kMax - 2},
                    {.producer_id = 0},
                    {.producer_id = 7,
                     .producer_epoch = 3,
                     .timestamp_ms = -5,
                     .coordinator_epoch = 1}}};
  EXPECT_THAT(ProducerSnapshot::Decode(snapshot.Encode(), kMax),
              IsOkAndHolds(snapshot));
}

// A flip in the version makes it another version; one in the CRC, or in what it
// covers, makes them differ. So none is harmless.
TEST(ProducerSnapshotTest, EveryFlippedBitIsRefused) {
  for (const std::string_view whole : {kOneProducerBytes, kEmptyBytes}) {
    for (size_t bit = 0; bit < 8 * whole.size(); ++bit) {
      std::string bytes(whole);
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
      const absl::Status status = ProducerSnapshot::Decode(bytes, 103).status();
      EXPECT_TRUE(status.code() == kDataLoss ||
                  (bit < 16 && absl::IsUnimplemented(status)))
          << "bit " << bit << ": " << status;
    }
  }
}

TEST(ProducerSnapshotTest, EveryCutIsRefused) {
  for (const std::string_view whole : {kOneProducerBytes, kEmptyBytes}) {
    for (size_t size = 0; size < whole.size(); ++size) {
      EXPECT_THAT(
          ProducerSnapshot::Decode(whole.substr(0, size), 103),
          StatusIs(kDataLoss, HasSubstr(size < 10 ? "the file ends inside"
                                                  : "a count of 1 entries")))
          << size;
    }
  }
}

TEST(ProducerSnapshotTest, BytesBehindTheEntriesAreRefused) {
  for (const std::string_view more :
       {std::string_view("\0", 1), kOneProducerBytes}) {
    EXPECT_THAT(ProducerSnapshot::Decode(
                    WithCrc(OneProducerBytes() + std::string(more)), 103),
                StatusIs(kDataLoss, HasSubstr("position 6: a count of 1")));
  }
}

// A count never sizes anything before the file is found to have that many.
TEST(ProducerSnapshotTest, CountBeyondTheFileIsRefused) {
  for (const int32_t count : {-1, 2, 0x7fffffff, 0x10000001}) {
    std::string bytes = OneProducerBytes();
    StoreBig32(bytes.data() + 6, count);
    EXPECT_THAT(ProducerSnapshot::Decode(WithCrc(bytes), 103),
                StatusIs(kDataLoss, HasSubstr("46 bytes of them")))
        << count;
  }
}

TEST(ProducerSnapshotTest, WrongCrcIsDataLossWithBoth) {
  std::string bytes = OneProducerBytes();
  bytes[3] = 0;
  EXPECT_THAT(ProducerSnapshot::Decode(bytes, 103),
              StatusIs(kDataLoss,
                       HasSubstr("position 2: the CRC-32C is 4500457f, that of "
                                 "the bytes is 4584457f")));
}

TEST(ProducerSnapshotTest, LaterVersionIsUnimplemented) {
  std::string bytes = OneProducerBytes();
  bytes[1] = 2;
  EXPECT_THAT(ProducerSnapshot::Decode(bytes, 103),
              StatusIs(absl::StatusCode::kUnimplemented,
                       HasSubstr("position 0: version 2")));
}

TEST(ProducerSnapshotTest, NoVersionBeforeTheFirstIsRead) {
  for (const int16_t version : {0, -1}) {
    std::string bytes = OneProducerBytes();
    StoreBig16(bytes.data(), version);
    EXPECT_THAT(ProducerSnapshot::Decode(bytes, 103),
                StatusIs(kDataLoss, HasSubstr("not 1")))
        << version;
  }
}

TEST(ProducerSnapshotTest, FileOfTooManyProducersIsRefused) {
  const std::string bytes(ProducerSnapshot::kSizeMax + 1, '\0');
  EXPECT_THAT(ProducerSnapshot::Decode(bytes, 103),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       HasSubstr("1000000 producers")));
}

struct Impossible {
  ProducerEntry entry;
  const char* why;
};

TEST(ProducerSnapshotTest, FieldsThatCannotBeAreRefused) {
  for (const auto& [entry, why] : {
           Impossible{{.producer_id = -1}, "producer id is negative"},
           {{.producer_epoch = -1}, "producer epoch is negative"},
           {{.last_sequence = -2, .last_offset = 5}, "last sequence"},
           {{.last_sequence = 0, .last_offset = 103}, "last offset"},
           {{.last_offset = 5, .offset_delta = 6}, "offset delta"},
           {{.last_offset = 5, .offset_delta = -1}, "offset delta"},
           {{.transaction_first_offset = 103}, "transaction begins"},
       }) {
    EXPECT_THAT(ProducerSnapshot::Decode(BytesOf(entry), 103),
                StatusIs(kDataLoss, AllOf(HasSubstr("position 10: producer"),
                                          HasSubstr(why))));
  }
  EXPECT_THAT(
      ProducerSnapshot::Decode(
          ProducerSnapshot{.producers = {kProducer, {.producer_id = -7}}}
              .Encode(),
          103),
      StatusIs(kDataLoss, HasSubstr("position 56: producer -7")));
}

TEST(ProducerSnapshotTest, AnyOffsetBelowZeroIsNone) {
  const ProducerEntry entry = {.last_sequence = 8,
                               .last_offset = -3,
                               .offset_delta = -1,
                               .transaction_first_offset = -9};
  EXPECT_THAT(ProducerSnapshot::Decode(BytesOf(entry), 103),
              IsOkAndHolds(ProducerSnapshot{.offset = 103,
                                            .producers = {ProducerEntry{}}}));
}

}  // namespace
}  // namespace varve
