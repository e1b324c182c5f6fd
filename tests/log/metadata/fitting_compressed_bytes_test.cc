// SPDX-License-Identifier: Apache-2.0

#include "varve/log/metadata/fitting_compressed_bytes.h"

#include <cstdint>

#include "gtest/gtest.h"
#include "varve/log/metadata/read_options.h"

namespace varve {
namespace {

constexpr int64_t kKiB = 1024;

TEST(FittingCompressedBytesTest, AreAQuarterOfALargeRead) {
  EXPECT_EQ(FittingCompressedBytes({.max_bytes = 1024 * kKiB}), 256 * kKiB);
}

TEST(FittingCompressedBytesTest, AreNotBelow64KiBWhereTheReadIsNot) {
  EXPECT_EQ(FittingCompressedBytes({.max_bytes = 100 * kKiB}), 64 * kKiB);
  EXPECT_EQ(FittingCompressedBytes({.max_bytes = 64 * kKiB}), 64 * kKiB);
  EXPECT_EQ(FittingCompressedBytes({.max_bytes = 1000}), 1000);
  EXPECT_EQ(FittingCompressedBytes({.max_bytes = 0}), 0);
}

TEST(FittingCompressedBytesTest, AreAllThatAReadMayHaveThatLeavesThem) {
  EXPECT_EQ(FittingCompressedBytes({.max_bytes = 1024 * kKiB,
                                    .decompression = Decompression::kLeave}),
            1024 * kKiB);
}

}  // namespace
}  // namespace varve
