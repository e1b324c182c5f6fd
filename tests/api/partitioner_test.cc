// SPDX-License-Identifier: Apache-2.0

#include "varve/api/partitioner.h"

#include <cstdint>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace varve {
namespace {

using std::string_literals::operator""s;

struct Vector {
  std::string key;
  uint32_t hash;
  int32_t of_3, of_10, of_50;
};

// Computed by Kafka's rule, cross-checked with kafka-python.
const std::vector<Vector>& Vectors() {
  static const auto& vectors = *new std::vector<Vector>{
      {"", 0x106e08d9, 0, 1, 31},
      {"a", 0xa2d0b27c, 1, 4, 24},
      {"ab", 0x12d8262a, 2, 4, 34},
      {"abc", 0x1c94221b, 0, 7, 7},
      {"abcd", 0xb11ab5f4, 2, 0, 0},
      {"21", 0xc5f2f8ec, 0, 0, 40},
      {"foobar", 0xd0e47bbe, 0, 6, 16},
      {"key", 0xbfa176a9, 1, 1, 31},
      {"a-little-bit-long-string", 0xc53b1da0, 2, 2, 12},
      {"a-little-bit-longer-string", 0xa768c9c3, 2, 9, 19},
      {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", 0xfc7d49cd, 2, 7,
       27},
      {"\xff"s, 0xed6f615b, 0, 3, 13},
      {"\0\0\0\0\0\0\0\x2a"s, 0x1e361fc0, 1, 2, 2},
  };
  return vectors;
}

TEST(PartitionerTest, HashIsKafkasMurmur2) {
  for (const Vector& vector : Vectors()) {
    EXPECT_EQ(Murmur2(vector.key), vector.hash) << vector.key;
  }
}

TEST(PartitionerTest, KeyGoesToKafkasPartition) {
  for (const Vector& vector : Vectors()) {
    EXPECT_EQ(PartitionForKey(vector.key, 3), vector.of_3) << vector.key;
    EXPECT_EQ(PartitionForKey(vector.key, 10), vector.of_10) << vector.key;
    EXPECT_EQ(PartitionForKey(vector.key, 50), vector.of_50) << vector.key;
  }
}

TEST(PartitionerTest, OnePartitionTakesEveryKey) {
  for (const Vector& vector : Vectors()) {
    EXPECT_EQ(PartitionForKey(vector.key, 1), 0);
  }
}

}  // namespace
}  // namespace varve
