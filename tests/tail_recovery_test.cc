// SPDX-License-Identifier: Apache-2.0

#include "log/tail_recovery.h"

#include <iterator>
#include <set>
#include <string_view>

#include "gtest/gtest.h"

namespace varve {
namespace {

constexpr StopRegion kRegions[] = {StopRegion::kBelowRecoveryPoint,
                                   StopRegion::kAtOrAboveRecoveryPoint};
constexpr StopContent kContents[] = {
    StopContent::kEndOfLog, StopContent::kZerosToEnd,
    StopContent::kMissingBatch, StopContent::kBadBatch};
constexpr BatchBehind kBehinds[] = {BatchBehind::kNone, BatchBehind::kFound};

constexpr auto kAbove = StopRegion::kAtOrAboveRecoveryPoint;

bool Cuts(RecoveryAction action) {
  return action == RecoveryAction::kCutTornTail ||
         action == RecoveryAction::kCutAmbiguous;
}

// Calls `check` with every combination of inputs and its action.
template <typename Check>
void ForEveryCase(Check check) {
  for (StopRegion region : kRegions) {
    for (StopContent content : kContents) {
      for (BatchBehind behind : kBehinds) {
        SCOPED_TRACE(testing::Message()
                     << static_cast<int>(region) << static_cast<int>(content)
                     << static_cast<int>(behind));
        check(region, content, behind, DecideRecovery(region, content, behind));
      }
    }
  }
}

TEST(TailRecoveryTest, EveryCombinationMatchesExactlyOneRow) {
  ForEveryCase([](StopRegion region, StopContent content, BatchBehind behind,
                  RecoveryAction action) {
    int matches = 0;
    for (const RecoveryCase& row : RecoveryCases()) {
      if (row.region != region || row.content != content ||
          row.behind != behind)
        continue;
      ++matches;
      EXPECT_EQ(row.action, action);
    }
    EXPECT_EQ(matches, 1);
  });
}

TEST(TailRecoveryTest, TableHasNoOtherRows) {
  EXPECT_EQ(RecoveryCases().size(),
            std::size(kRegions) * std::size(kContents) * std::size(kBehinds));
}

// I12: what was durable once is never cut, nor even trimmed.
TEST(TailRecoveryTest, BelowTheRecoveryPointEveryByteIsKeptAndReported) {
  ForEveryCase(
      [](StopRegion region, StopContent, BatchBehind, RecoveryAction action) {
        EXPECT_EQ(region == StopRegion::kBelowRecoveryPoint,
                  action == RecoveryAction::kKeepDamaged);
      });
}

TEST(TailRecoveryTest, WholeBatchesBehindAStopAreAlwaysReported) {
  ForEveryCase([](StopRegion region, StopContent, BatchBehind behind,
                  RecoveryAction action) {
    if (region != kAbove) return;
    EXPECT_EQ(behind == BatchBehind::kFound,
              action == RecoveryAction::kCutAmbiguous);
  });
}

TEST(TailRecoveryTest, OnlyZerosAreTrimmedWithoutBeingSetAside) {
  ForEveryCase([](StopRegion, StopContent content, BatchBehind behind,
                  RecoveryAction action) {
    if (action != RecoveryAction::kTrimZeros) return;
    EXPECT_EQ(content, StopContent::kZerosToEnd);
    EXPECT_EQ(behind, BatchBehind::kNone);
  });
}

TEST(TailRecoveryTest, LogThatEndsAsItShouldIsLeftAlone) {
  ForEveryCase([](StopRegion, StopContent content, BatchBehind behind,
                  RecoveryAction action) {
    if (action != RecoveryAction::kKeepAll) return;
    EXPECT_EQ(content, StopContent::kEndOfLog);
    EXPECT_EQ(behind, BatchBehind::kNone);
  });
}

TEST(TailRecoveryTest, BadBytesAtTheEndAboveTheRecoveryPointAreATornTail) {
  EXPECT_EQ(DecideRecovery(kAbove, StopContent::kBadBatch, BatchBehind::kNone),
            RecoveryAction::kCutTornTail);
  EXPECT_EQ(
      DecideRecovery(kAbove, StopContent::kMissingBatch, BatchBehind::kNone),
      RecoveryAction::kCutTornTail);
}

// A log has no gaps: above the recovery point nothing goes on behind a stop.
TEST(TailRecoveryTest, NothingBadIsLeftInPlaceAboveTheRecoveryPoint) {
  ForEveryCase([](StopRegion region, StopContent content, BatchBehind behind,
                  RecoveryAction action) {
    const bool bad = content == StopContent::kBadBatch ||
                     content == StopContent::kMissingBatch ||
                     behind == BatchBehind::kFound;
    EXPECT_EQ(region == kAbove && bad, Cuts(action));
  });
}

TEST(TailRecoveryTest, EveryActionHasAPhraseOfItsOwn) {
  std::set<std::string_view> phrases;
  ForEveryCase(
      [&](StopRegion, StopContent, BatchBehind, RecoveryAction action) {
        EXPECT_NE(RecoveryActionText(action), "unknown");
        phrases.insert(RecoveryActionText(action));
      });
  EXPECT_EQ(phrases.size(), 5);
}

}  // namespace
}  // namespace varve
