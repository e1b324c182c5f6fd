// SPDX-License-Identifier: Apache-2.0

#include "varve/log/metadata/recovery_scan.h"

#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

namespace varve {
namespace {

TEST(RecoveryScanTest, BeginsWithTheSegmentThatHoldsTheRecoveryPoint) {
  const std::vector<int64_t> bases = {10, 20, 30};
  EXPECT_EQ(FirstSegmentToScan(bases, 11), 0);
  EXPECT_EQ(FirstSegmentToScan(bases, 25), 1);
  EXPECT_EQ(FirstSegmentToScan(bases, 31), 2);
  EXPECT_EQ(FirstSegmentToScan(bases, 1000), 2);
}

TEST(RecoveryScanTest, BeginsWithTheSegmentThatEndsAtTheRecoveryPoint) {
  const std::vector<int64_t> bases = {10, 20, 30};
  EXPECT_EQ(FirstSegmentToScan(bases, 20), 0);
  EXPECT_EQ(FirstSegmentToScan(bases, 30), 1);
}

TEST(RecoveryScanTest, BeginsWithTheFirstSegmentWhenNoneIsBefore) {
  const std::vector<int64_t> bases = {10, 20, 30};
  EXPECT_EQ(FirstSegmentToScan(bases, 10), 0);
  EXPECT_EQ(FirstSegmentToScan(bases, 0), 0);
  EXPECT_EQ(FirstSegmentToScan({}, 5), 0);
}

}  // namespace
}  // namespace varve
