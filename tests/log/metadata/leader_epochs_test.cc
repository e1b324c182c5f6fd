// SPDX-License-Identifier: Apache-2.0

#include "varve/log/metadata/leader_epochs.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::IsOkAndHolds;
using ::absl_testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Optional;

using E = LeaderEpoch;

// Epoch 0 from 0, 3 from 100, 4 from 250.
LeaderEpochs Three() {
  LeaderEpochs epochs;
  EXPECT_TRUE(epochs.Assign(0, 0));
  EXPECT_TRUE(epochs.Assign(3, 100));
  EXPECT_TRUE(epochs.Assign(4, 250));
  return epochs;
}

TEST(LeaderEpochsTest, EmptyKnowsNothing) {
  const LeaderEpochs epochs;
  EXPECT_EQ(epochs.highest(), std::nullopt);
  EXPECT_EQ(epochs.EpochAt(0), std::nullopt);
  EXPECT_EQ(epochs.EndOffset(0, 10), std::nullopt);
  EXPECT_EQ(epochs.ToText(), "0\n0\n");
}

struct AssignCase {
  E assigned;
  bool changed;
  std::vector<E> left;
};

TEST(LeaderEpochsTest, AssignKeepsEpochsAndStartsGrowing) {
  const AssignCase kCases[] = {
      {{5, 300}, true, {{0, 0}, {3, 100}, {4, 250}, {5, 300}}},
      // The highest epoch, again: later is ignored, earlier moves it.
      {{4, 250}, false, {{0, 0}, {3, 100}, {4, 250}}},
      {{4, 300}, false, {{0, 0}, {3, 100}, {4, 250}}},
      {{4, 200}, true, {{0, 0}, {3, 100}, {4, 200}}},
      // Two opens without an append between them: the second replaces.
      {{5, 250}, true, {{0, 0}, {3, 100}, {5, 250}}},
      {{5, 100}, true, {{0, 0}, {5, 100}}},
      {{5, 0}, true, {{5, 0}}},
      // A lower epoch removes all that is not below it.
      {{3, 300}, true, {{0, 0}, {3, 300}}},
      {{2, 300}, true, {{0, 0}, {2, 300}}},
      {{0, 300}, true, {{0, 300}}},
      // Nothing.
      {{-1, 300}, false, {{0, 0}, {3, 100}, {4, 250}}},
      {{5, -1}, false, {{0, 0}, {3, 100}, {4, 250}}},
  };
  for (const AssignCase& c : kCases) {
    LeaderEpochs epochs = Three();
    EXPECT_EQ(epochs.Assign(c.assigned.epoch, c.assigned.start_offset),
              c.changed);
    EXPECT_EQ(epochs.entries(), c.left)
        << c.assigned.epoch << " " << c.assigned.start_offset;
  }
}

TEST(LeaderEpochsTest, EpochAtIsTheLastOneThatBegan) {
  const LeaderEpochs epochs = Three();
  EXPECT_EQ(epochs.EpochAt(-1), std::nullopt);
  EXPECT_THAT(epochs.EpochAt(0), Optional(0));
  EXPECT_THAT(epochs.EpochAt(99), Optional(0));
  EXPECT_THAT(epochs.EpochAt(100), Optional(3));
  EXPECT_THAT(epochs.EpochAt(249), Optional(3));
  EXPECT_THAT(epochs.EpochAt(250), Optional(4));
  EXPECT_THAT(epochs.EpochAt(INT64_MAX), Optional(4));
  EXPECT_THAT(epochs.highest(), Optional(4));
}

TEST(LeaderEpochsTest, EndOffsetIsTheStartOfTheNextEpoch) {
  const LeaderEpochs epochs = Three();
  EXPECT_THAT(epochs.EndOffset(0, 300), Optional(100));
  EXPECT_THAT(epochs.EndOffset(1, 300), Optional(100));
  EXPECT_THAT(epochs.EndOffset(2, 300), Optional(100));
  EXPECT_THAT(epochs.EndOffset(3, 300), Optional(250));
  EXPECT_THAT(epochs.EndOffset(4, 300), Optional(300));
  EXPECT_EQ(epochs.EndOffset(5, 300), std::nullopt);
  EXPECT_EQ(epochs.EndOffset(-1, 300), std::nullopt);
}

TEST(LeaderEpochsTest, TruncateFromEndDropsEpochsWithoutBatches) {
  LeaderEpochs epochs = Three();
  EXPECT_FALSE(epochs.TruncateFromEnd(251));
  EXPECT_TRUE(epochs.TruncateFromEnd(250));
  EXPECT_THAT(epochs.entries(), ElementsAre(E{0, 0}, E{3, 100}));
  EXPECT_TRUE(epochs.TruncateFromEnd(0));
  EXPECT_THAT(epochs.entries(), IsEmpty());
}

TEST(LeaderEpochsTest, TruncateFromStartFoldsWhatLiesBefore) {
  LeaderEpochs epochs = Three();
  EXPECT_FALSE(epochs.TruncateFromStart(0));
  EXPECT_TRUE(epochs.TruncateFromStart(50));
  EXPECT_THAT(epochs.entries(), ElementsAre(E{0, 50}, E{3, 100}, E{4, 250}));
  EXPECT_FALSE(epochs.TruncateFromStart(20));
  EXPECT_TRUE(epochs.TruncateFromStart(100));
  EXPECT_THAT(epochs.entries(), ElementsAre(E{3, 100}, E{4, 250}));
  EXPECT_FALSE(epochs.TruncateFromStart(100));
  EXPECT_TRUE(epochs.TruncateFromStart(1000));
  EXPECT_THAT(epochs.entries(), ElementsAre(E{4, 1000}));
}

TEST(LeaderEpochsTest, TextIsKafkas) {
  LeaderEpochs epochs;
  epochs.Assign(0, 0);
  epochs.Assign(3, 102);
  EXPECT_EQ(epochs.ToText(), "0\n2\n0 0\n3 102\n");
  EXPECT_THAT(LeaderEpochs::FromText(epochs.ToText()), IsOkAndHolds(epochs));
  EXPECT_THAT(LeaderEpochs::FromText(""), IsOkAndHolds(LeaderEpochs()));
}

TEST(LeaderEpochsTest, TextThatDoesNotGrowIsDamage) {
  const std::string_view kTexts[] = {
      "0\n2\n0 0\n0 5\n",
      "0\n2\n1 0\n0 5\n",
      "0\n2\n0 5\n1 5\n",
      "0\n2\n0 5\n1 4\n",
      "0\n2\n2147483647 5\n2147483648 6\n",
      "0\n2\n0 9223372036854775806\n1 9223372036854775807\n",
  };
  for (std::string_view text : kTexts) {
    EXPECT_THAT(LeaderEpochs::FromText(text),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr("line 4: ")))
        << text;
  }
  for (std::string_view text : {"0\n1\n-1 0\n", "0\n1\n0 -1\n", "0\n1\n0\n"}) {
    EXPECT_THAT(LeaderEpochs::FromText(text),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr("line 3: ")))
        << text;
  }
}

}  // namespace
}  // namespace varve
