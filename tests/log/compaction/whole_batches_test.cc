// SPDX-License-Identifier: Apache-2.0

#include "varve/log/compaction/whole_batches.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/log/compaction/batch_log.h"
#include "varve/index/transaction_index.h"
#include "varve/log/batch/record_batch.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class WholeBatchesTest : public ::testing::Test {
 protected:
  WholeBatchesTest() {
    for (int i = 0; i < 3; ++i) log_.Append({Put("a", "1"), Put("b", "2")});
  }

  absl::Status Walk(std::string_view bytes) {
    return ForEachBatch(bytes, rest_, [this](const RecordBatch& batch) {
      seen_.push_back(batch.base_offset());
      return seen_.size() == stop_after_ ? absl::CancelledError("enough")
                                         : absl::OkStatus();
    });
  }

  BatchLog log_;
  OffsetRange rest_ = {0, 100};
  size_t stop_after_ = 1000;
  std::vector<int64_t> seen_;
};

TEST_F(WholeBatchesTest, EachIsSeenInItsOrder) {
  EXPECT_THAT(Walk(log_.bytes()), IsOk());
  EXPECT_THAT(seen_, ElementsAre(0, 2, 4));
  EXPECT_EQ(rest_.from, 6);
}

TEST_F(WholeBatchesTest, NoBytesAreNoBatch) {
  EXPECT_THAT(Walk(""), IsOk());
  EXPECT_THAT(seen_, IsEmpty());
}

TEST_F(WholeBatchesTest, AWalkMayGoOnInOtherBytesAndOverAGap) {
  EXPECT_THAT(Walk(log_.batches[0]), IsOk());
  EXPECT_THAT(Walk(log_.batches[2]), IsOk());
  EXPECT_THAT(seen_, ElementsAre(0, 4));
}

TEST_F(WholeBatchesTest, AnErrorOfTheUserEndsIt) {
  stop_after_ = 2;
  EXPECT_THAT(Walk(log_.bytes()),
              StatusIs(absl::StatusCode::kCancelled, HasSubstr("enough")));
  EXPECT_THAT(seen_, ElementsAre(0, 2));
}

TEST_F(WholeBatchesTest, APartOfABatchIsDamage) {
  const std::string bytes = log_.bytes();
  EXPECT_THAT(Walk(std::string_view(bytes).substr(0, bytes.size() - 1)),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("position ")));
  EXPECT_THAT(seen_, ElementsAre(0, 2));
}

TEST_F(WholeBatchesTest, EveryFlippedBitIsDamageOrOutsideOfTheCrc) {
  const std::string bytes = log_.batches[0];
  for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    std::string flipped = bytes;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    rest_ = {0, 2};
    const absl::Status status = Walk(flipped);
    const size_t byte = bit / 8;
    const bool is_epoch =
        byte >= batch_layout::kLeaderEpoch && byte < batch_layout::kMagic;
    EXPECT_EQ(status.ok(), is_epoch) << byte << " " << status;
  }
}

TEST_F(WholeBatchesTest, OffsetsThatGoBackAreDamage) {
  EXPECT_THAT(Walk(log_.batches[1]), IsOk());
  EXPECT_THAT(Walk(log_.batches[0]),
              StatusIs(absl::StatusCode::kDataLoss,
                       HasSubstr("offsets 0 to 1 is not within 4 to 99")));
}

TEST_F(WholeBatchesTest, OffsetsPastTheRangeAreDamage) {
  rest_.to = 5;
  EXPECT_THAT(Walk(log_.bytes()),
              StatusIs(absl::StatusCode::kDataLoss,
                       HasSubstr("offsets 4 to 5 is not within 4 to 4")));
}

}  // namespace
}  // namespace varve
