// SPDX-License-Identifier: Apache-2.0

#include "varve/log/recovery/tail_recovery.h"

#include <set>
#include <string_view>

#include "gtest/gtest.h"

namespace varve {
namespace {

using enum StopRegion;
using enum StopContent;
using enum RecoveryAction;

constexpr StopRegion kRegions[] = {kBelowRecoveryPoint, kAtOrAboveRecoveryPoint,
                                   kWithoutCheckpoint};
constexpr StopContent kContents[] = {kEndOfFile, kZerosToEnd, kLaterBatch,
                                     kBadBatch};
constexpr NextSegment kNexts[] = {NextSegment::kNone, NextSegment::kContinues,
                                  NextSegment::kBehindGap,
                                  NextSegment::kOverlaps};
constexpr BatchBehind kBehinds[] = {BatchBehind::kNone, BatchBehind::kFound};

bool Cuts(RecoveryAction action) {
  return action == kCutTornTail || action == kCutAmbiguous;
}

// Only zeros, or nothing, are at the stop.
bool IsUnwritten(const RecoveryStop& stop) {
  return stop.content == kEndOfFile || stop.content == kZerosToEnd;
}

bool LeadsToNext(const RecoveryStop& stop) {
  return IsUnwritten(stop) && stop.next == NextSegment::kContinues;
}

// Whether another program's compaction may have left this.
bool MayBeCompaction(const RecoveryStop& stop) {
  return stop.content == kLaterBatch ||
         (stop.content == kEndOfFile && stop.next == NextSegment::kBehindGap);
}

// Calls `check` with every combination of inputs and its action.
template <typename Check>
void ForEveryCase(Check check) {
  for (StopRegion region : kRegions) {
    for (StopContent content : kContents) {
      for (NextSegment next : kNexts) {
        for (BatchBehind behind : kBehinds) {
          SCOPED_TRACE(testing::Message()
                       << static_cast<int>(region) << static_cast<int>(content)
                       << static_cast<int>(next) << static_cast<int>(behind));
          const RecoveryStop stop = {region, content, next, behind};
          check(stop, DecideRecovery(stop));
        }
      }
    }
  }
}

TEST(TailRecoveryTest, EveryCombinationHasARowAndEveryRowACombination) {
  std::set<const RecoveryCase*> deciding;
  ForEveryCase([&](const RecoveryStop& stop, RecoveryAction action) {
    for (const RecoveryCase& row : RecoveryCases()) {
      if (!row.Matches(stop)) continue;
      EXPECT_EQ(row.action, action);
      deciding.insert(&row);
      return;
    }
    ADD_FAILURE() << "no row";
  });
  EXPECT_EQ(deciding.size(), RecoveryCases().size());
}

// The whole of the specification, in another form than the table.
TEST(TailRecoveryTest, EveryCombinationHasTheActionOfTheSpecification) {
  ForEveryCase([](const RecoveryStop& stop, RecoveryAction action) {
    RecoveryAction expected =
        stop.behind == BatchBehind::kFound ? kCutAmbiguous : kCutTornTail;
    if (stop.next == NextSegment::kNone && IsUnwritten(stop) &&
        stop.behind == BatchBehind::kNone) {
      expected = stop.content == kEndOfFile ? kKeepAll : kTrimZeros;
    }
    if (stop.region == kWithoutCheckpoint && MayBeCompaction(stop)) {
      expected = kKeepDamaged;
    }
    if (stop.region == kBelowRecoveryPoint) expected = kKeepDamaged;
    if (LeadsToNext(stop)) {
      expected = stop.content == kEndOfFile ? kKeepAll : kTrimZeros;
    }
    EXPECT_EQ(action, expected);
  });
}

// I12: what was durable once is never cut.
TEST(TailRecoveryTest, BelowTheRecoveryPointEveryByteIsKeptAndReported) {
  ForEveryCase([](const RecoveryStop& stop, RecoveryAction action) {
    if (stop.region != kBelowRecoveryPoint || LeadsToNext(stop)) return;
    EXPECT_EQ(action, kKeepDamaged);
  });
}

// No gap stays above the recovery point of a sound checkpoint, whatever the
// bytes around it are.
TEST(TailRecoveryTest, AboveTheRecoveryPointTheLogHasNoGaps) {
  ForEveryCase([](const RecoveryStop& stop, RecoveryAction action) {
    if (stop.region != kAtOrAboveRecoveryPoint) return;
    EXPECT_NE(action, kKeepDamaged);
    if (stop.next == NextSegment::kBehindGap ||
        stop.next == NextSegment::kOverlaps || !IsUnwritten(stop)) {
      EXPECT_TRUE(Cuts(action));
    }
  });
}

TEST(TailRecoveryTest, ZerosAndPartsOfABatchPrecedeNoOtherSegment) {
  ForEveryCase([](const RecoveryStop& stop, RecoveryAction action) {
    if (stop.region == kBelowRecoveryPoint || LeadsToNext(stop)) return;
    if (stop.next == NextSegment::kNone) return;
    if (stop.content != kZerosToEnd && stop.content != kBadBatch) return;
    EXPECT_TRUE(Cuts(action));
  });
}

TEST(TailRecoveryTest, WithoutACheckpointOnlyWhatCompactionLeavesIsKept) {
  ForEveryCase([](const RecoveryStop& stop, RecoveryAction action) {
    if (stop.region != kWithoutCheckpoint) return;
    EXPECT_EQ(action == kKeepDamaged, MayBeCompaction(stop));
    if (MayBeCompaction(stop)) return;
    RecoveryStop with_checkpoint = stop;
    with_checkpoint.region = kAtOrAboveRecoveryPoint;
    EXPECT_EQ(action, DecideRecovery(with_checkpoint));
  });
}

TEST(TailRecoveryTest, WholeBatchesBehindACutAreAlwaysReported) {
  ForEveryCase([](const RecoveryStop& stop, RecoveryAction action) {
    if (!Cuts(action)) return;
    EXPECT_EQ(stop.behind == BatchBehind::kFound, action == kCutAmbiguous);
  });
}

TEST(TailRecoveryTest, OnlyZerosAreTrimmedWithoutBeingSetAside) {
  ForEveryCase([](const RecoveryStop& stop, RecoveryAction action) {
    if (action != kTrimZeros) return;
    EXPECT_EQ(stop.content, kZerosToEnd);
    EXPECT_TRUE(stop.next == NextSegment::kContinues ||
                stop.behind == BatchBehind::kNone);
  });
}

TEST(TailRecoveryTest, LogThatEndsAsItShouldIsLeftAlone) {
  ForEveryCase([](const RecoveryStop& stop, RecoveryAction action) {
    if (action != kKeepAll) return;
    EXPECT_EQ(stop.content, kEndOfFile);
    EXPECT_TRUE(stop.next == NextSegment::kContinues ||
                stop.next == NextSegment::kNone);
  });
}

TEST(TailRecoveryTest, EveryActionHasAPhraseOfItsOwn) {
  std::set<std::string_view> phrases;
  ForEveryCase([&](const RecoveryStop&, RecoveryAction action) {
    EXPECT_NE(RecoveryActionText(action), "unknown");
    phrases.insert(RecoveryActionText(action));
  });
  EXPECT_EQ(phrases.size(), 5);
}

}  // namespace
}  // namespace varve
