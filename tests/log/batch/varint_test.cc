// SPDX-License-Identifier: Apache-2.0

#include "varve/log/batch/varint.h"

#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace varve {
namespace {

using std::string_literals::operator""s;

constexpr int32_t kInt32Max = std::numeric_limits<int32_t>::max();
constexpr int32_t kInt32Min = std::numeric_limits<int32_t>::min();
constexpr int64_t kInt64Max = std::numeric_limits<int64_t>::max();
constexpr int64_t kInt64Min = std::numeric_limits<int64_t>::min();

std::string Varint(int32_t value) {
  char bytes[kVarintSizeMax];
  return std::string(bytes, EncodeVarint(value, bytes));
}

std::string Varlong(int64_t value) {
  char bytes[kVarlongSizeMax];
  return std::string(bytes, EncodeVarlong(value, bytes));
}

// Both decoders take the same bytes; these return the result of both.
constexpr int64_t kFails = 0x0bad;
int64_t ReadVarint(std::string_view bytes) {
  int32_t value = 0;
  const char* end = bytes.data() + bytes.size();
  return DecodeVarint(bytes.data(), end, &value) == end ? value : kFails;
}
int64_t ReadVarlong(std::string_view bytes) {
  int64_t value = 0;
  const char* end = bytes.data() + bytes.size();
  return DecodeVarlong(bytes.data(), end, &value) == end ? value : kFails;
}

TEST(VarintTest, KnownValuesHaveKnownBytes) {
  const std::vector<std::pair<int32_t, std::string>> table = {
      {0, "\x00"s},
      {-1, "\x01"s},
      {1, "\x02"s},
      {63, "\x7e"s},
      {-64, "\x7f"s},
      {64, "\x80\x01"s},
      {-65, "\x81\x01"s},
      {300, "\xd8\x04"s},
      {8191, "\xfe\x7f"s},
      {8192, "\x80\x80\x01"s},
      {kInt32Max, "\xfe\xff\xff\xff\x0f"s},
      {kInt32Min, "\xff\xff\xff\xff\x0f"s}};
  for (const auto& [value, bytes] : table) {
    EXPECT_EQ(Varint(value), bytes) << value;
    EXPECT_EQ(ReadVarint(bytes), value);
    EXPECT_EQ(VarintSize(value), static_cast<int>(bytes.size())) << value;
    EXPECT_EQ(Varlong(value), bytes) << value;
    EXPECT_EQ(ReadVarlong(bytes), value);
  }
}

TEST(VarintTest, LongExtremesTakeTenBytes) {
  const std::string nine(9, '\xff');
  EXPECT_EQ(Varlong(kInt64Min), nine + "\x01");
  EXPECT_EQ(Varlong(kInt64Max), "\xfe" + nine.substr(1) + "\x01");
  EXPECT_EQ(ReadVarlong(nine + "\x01"), kInt64Min);
  EXPECT_EQ(VarlongSize(kInt64Min), kVarlongSizeMax);
  EXPECT_EQ(VarlongSize(kInt64Max), kVarlongSizeMax);
}

TEST(VarintTest, AroundEveryPowerOfTwoSizeMatchesBytesAndValueReturns) {
  for (int bit = 0; bit < 64; ++bit) {
    for (int64_t around : {-1, 0, 1}) {
      const auto value = static_cast<int64_t>((uint64_t{1} << bit) +
                                              static_cast<uint64_t>(around));
      const std::string bytes = Varlong(value);
      EXPECT_EQ(VarlongSize(value), static_cast<int>(bytes.size())) << value;
      EXPECT_EQ(ReadVarlong(bytes), value);
    }
  }
}

TEST(VarintTest, RandomValuesReturn) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  for (int i = 0; i < 100000; ++i) {
    const auto value = static_cast<int64_t>(random() >> (random() % 64));
    ASSERT_EQ(ReadVarlong(Varlong(value)), value);
    ASSERT_EQ(ReadVarint(Varint(static_cast<int32_t>(value))),
              static_cast<int32_t>(value));
  }
}

TEST(VarintTest, BytesThatEndTooEarlyFail) {
  for (const std::string& whole :
       {Varlong(kInt64Min), Varlong(64), Varlong(8192)}) {
    for (size_t size = 0; size < whole.size(); ++size) {
      EXPECT_EQ(ReadVarlong(whole.substr(0, size)), kFails) << size;
      EXPECT_EQ(ReadVarint(whole.substr(0, size)), kFails) << size;
    }
  }
}

TEST(VarintTest, MoreThanTheLongestFormFails) {
  EXPECT_EQ(ReadVarint("\x80\x80\x80\x80\x80\x00"s), kFails);
  EXPECT_EQ(ReadVarint("\xff\xff\xff\xff\xff"s), kFails);
  EXPECT_EQ(ReadVarlong(std::string(10, '\x80') + '\0'), kFails);
  EXPECT_EQ(ReadVarlong(std::string(10, '\xff')), kFails);
}

TEST(VarintTest, FailureLeavesTheValueUnchanged) {
  const std::string_view bytes = "\x80";
  int32_t value = 7;
  EXPECT_EQ(DecodeVarint(bytes.data(), bytes.data() + 1, &value), nullptr);
  EXPECT_EQ(value, 7);
}

TEST(VarintTest, LongerFormThanNecessaryIsRead) {
  EXPECT_EQ(ReadVarint("\x82\x00"s), 1);
  EXPECT_EQ(ReadVarint("\x82\x80\x80\x80\x00"s), 1);
  EXPECT_EQ(ReadVarlong("\x82\x80\x80\x80\x80\x80\x80\x80\x80\x00"s), 1);
}

TEST(VarintTest, BitsThatDoNotFitTheTypeAreDroppedAsInKafka) {
  EXPECT_EQ(ReadVarint("\xfe\xff\xff\xff\x7f"s), kInt32Max);
  EXPECT_EQ(ReadVarlong(std::string(9, '\xff') + "\x7f"), kInt64Min);
}

TEST(VarintTest, BytesBehindTheValueAreNotRead) {
  const std::string bytes = Varint(300) + "\xff";
  int32_t value = 0;
  EXPECT_EQ(DecodeVarint(bytes.data(), bytes.data() + bytes.size(), &value),
            bytes.data() + 2);
  EXPECT_EQ(value, 300);
}

}  // namespace
}  // namespace varve
