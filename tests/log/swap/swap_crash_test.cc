// SPDX-License-Identifier: Apache-2.0

// Replacements of segments that a power loss interrupts, by enumeration: of
// what was done since the last sync of the directory any part may be there.

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/swap/segment_swap.h"
#include "varve/log/swap/swap_plan.h"
#include "varve/log/swap/swap_recovery.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

using absl_testing::IsOk;

using Files = std::map<std::string, std::string>;  // contents by name

// A directory of names, which remembers what was done to them.
class NameDirectory final : public Directory {
 public:
  struct Change {
    std::string from;  // empty: the directory is synced
    std::string to;    // empty: `from` is removed
  };

  explicit NameDirectory(Files files)
      : Directory("names"), files_(std::move(files)) {}

  absl::Status Rename(std::string_view from, std::string_view to) override {
    if (!files_.contains(std::string(from))) return absl::NotFoundError(from);
    changes.push_back({std::string(from), std::string(to)});
    Apply(changes.back(), files_);
    return absl::OkStatus();
  }
  absl::Status RemoveFile(std::string_view name) override {
    if (!files_.contains(std::string(name))) return absl::NotFoundError(name);
    changes.push_back({std::string(name), ""});
    Apply(changes.back(), files_);
    return absl::OkStatus();
  }
  absl::Status Sync() override {
    changes.push_back({});
    return absl::OkStatus();
  }

  static void Apply(const Change& change, Files& files) {
    const auto found = files.find(change.from);
    if (found == files.end()) return;
    std::string contents = std::move(found->second);
    files.erase(found);
    if (!change.to.empty()) files[change.to] = std::move(contents);
  }

  const Files& files() const { return files_; }

  absl::StatusOr<std::unique_ptr<File>> OpenFile(std::string_view,
                                                 OpenMode) override {
    return absl::UnimplementedError("");
  }
  absl::StatusOr<FileSystemType> Type() override {
    return absl::UnimplementedError("");
  }
  absl::StatusOr<std::vector<DirectoryIdentity>> Lineage() override {
    return absl::UnimplementedError("");
  }
  absl::StatusOr<std::vector<DirectoryEntry>> List() override {
    std::vector<DirectoryEntry> entries;
    for (const auto& [name, contents] : files_)
      entries.push_back({.name = name, .kind = EntryKind::kFile});
    return entries;
  }
  absl::StatusOr<int64_t> DiskBytes() override {
    return absl::UnimplementedError("");
  }
  absl::StatusOr<int64_t> FreeBytes() override {
    return absl::UnimplementedError("");
  }
  absl::StatusOr<std::unique_ptr<Directory>> OpenDirectory(
      std::string_view) override {
    return absl::UnimplementedError("");
  }
  absl::Status CreateDirectory(std::string_view) override {
    return absl::UnimplementedError("");
  }
  absl::Status RemoveDirectory(std::string_view) override {
    return absl::UnimplementedError("");
  }

  std::vector<Change> changes;

 private:
  Files files_;
};

// Segments 0, 10 and 20 are replaced, 30 is the active one.
struct Case {
  std::string name;
  std::vector<int64_t> by;
  // Of the old and of the new ones: those with a transaction index.
  std::set<int64_t> old_transactions;
  std::set<int64_t> new_transactions;
};

std::string Name(int64_t base, SegmentFileKind kind) {
  return SegmentFileName(base, kind);
}

void AddSegment(int64_t base, std::string_view whose, bool has_transactions,
                Files& files) {
  files[Name(base, SegmentFileKind::kLog)] = absl::StrCat(whose, " log ", base);
  files[Name(base, SegmentFileKind::kIndex)] =
      absl::StrCat(whose, " index ", base);
  files[Name(base, SegmentFileKind::kTimeIndex)] =
      absl::StrCat(whose, " timeindex ", base);
  if (has_transactions) {
    files[Name(base, SegmentFileKind::kTxnIndex)] =
        absl::StrCat(whose, " txnindex ", base);
  }
  files[SidecarFileName(base)] = absl::StrCat(whose, " sidecar ", base);
}

class SwapCrashTest : public ::testing::TestWithParam<Case> {
 protected:
  static constexpr int64_t kEnd = 30;

  SwapCrashTest() {
    for (const int64_t base : kReplaced) {
      AddSegment(base, "old", GetParam().old_transactions.contains(base), old_);
      old_[Name(base, SegmentFileKind::kSnapshot)] = "snapshot";
    }
    AddSegment(kEnd, "active", true, old_);
    for (const int64_t base : GetParam().by)
      AddSegment(base, "new", GetParam().new_transactions.contains(base), new_);
    AddSegment(kEnd, "active", true, new_);
    new_[Name(0, SegmentFileKind::kSnapshot)] = "snapshot";
    start_ = old_;
    for (const auto& [name, contents] : new_) {
      if (!absl::StartsWith(contents, "new")) continue;
      if (const auto file = ParseSegmentFileName(name)) {
        start_[SwapFileName({*file, SwapStage::kCleaned})] = contents;
      } else {
        start_[CleanedSidecarFileName(*ParseSidecarFileName(name))] = contents;
      }
    }
  }

  SegmentReplacement Replacement() const {
    return {.replaced = kReplaced, .end = kEnd, .by = GetParam().by};
  }

  // Where a new segment ends, and whether a sidecar is that of the live log.
  int64_t EndOf(int64_t base) const {
    for (const int64_t by : GetParam().by) {
      if (by > base) return by;
    }
    return kEnd;
  }
  static SwapPlan Plan(const Files& files, const SwapCrashTest& test) {
    std::vector<std::string> names;
    for (const auto& [name, contents] : files) names.push_back(name);
    const auto plan = PlanSwaps(
        names,
        [&](int64_t base) { return absl::StatusOr<int64_t>(test.EndOf(base)); },
        [&](int64_t base) {
          const auto log = files.find(Name(base, SegmentFileKind::kLog));
          return log != files.end() && absl::StartsWith(log->second, "new");
        });
    EXPECT_THAT(plan, IsOk());
    return *plan;
  }

  // The parts of so many changes, a bit each: all of them, as long as they are
  // few; otherwise those that end early, those that lack one, and some more.
  static std::vector<uint64_t> PartsOf(size_t count) {
    constexpr size_t kAllUpTo = 9;
    std::vector<uint64_t> parts;
    const uint64_t end = uint64_t{1} << count;
    if (count <= kAllUpTo) {
      for (uint64_t part = 0; part < end; ++part) parts.push_back(part);
      return parts;
    }
    for (size_t i = 0; i < count; ++i) {
      parts.push_back((uint64_t{1} << i) - 1);
      parts.push_back((end - 1) & ~(uint64_t{1} << i));
      parts.push_back(uint64_t{1} << i);
    }
    parts.push_back(end - 1);
    std::mt19937_64 random(count);
    for (int i = 0; i < 200; ++i) parts.push_back(random() % end);
    return parts;
  }

  // What a power loss may leave of the changes: all up to the last sync, and
  // any part of those after it.
  static std::vector<Files> AfterPowerLoss(
      const Files& start, const std::vector<NameDirectory::Change>& changes,
      size_t done) {
    Files durable = start;
    std::vector<NameDirectory::Change> loose;
    for (size_t i = 0; i < done; ++i) {
      if (changes[i].from.empty()) {
        for (const auto& change : loose) NameDirectory::Apply(change, durable);
        loose.clear();
      } else {
        loose.push_back(changes[i]);
      }
    }
    std::vector<Files> all;
    for (const uint64_t part : PartsOf(loose.size())) {
      Files files = durable;
      for (size_t i = 0; i < loose.size(); ++i) {
        if ((part >> i & 1) != 0) NameDirectory::Apply(loose[i], files);
      }
      all.push_back(std::move(files));
    }
    return all;
  }

  // Only segments count: snapshots of old bases may go or stay.
  static Files SegmentsOf(const Files& files) {
    Files segments;
    for (const auto& [name, contents] : files) {
      if (contents != "snapshot") segments[name] = contents;
    }
    return segments;
  }

  const std::vector<int64_t> kReplaced = {0, 10, 20};
  Files old_;
  Files new_;
  Files start_;  // the old ones, and the new ones as `.cleaned`
};

TEST_P(SwapCrashTest, APowerLossAtAnyMomentLeavesOldOrNewSegments) {
  NameDirectory directory(start_);
  SegmentSwap swap(&directory, Replacement());
  ASSERT_THAT(swap.Commit(), IsOk());
  const size_t committed = directory.changes.size();
  ASSERT_THAT(swap.Complete(), IsOk());
  ASSERT_EQ(SegmentsOf(directory.files()), SegmentsOf(new_));
  int64_t old_count = 0;
  int64_t new_count = 0;
  std::set<std::pair<Files, bool>> seen;  // and whether it was committed
  for (size_t done = 0; done <= directory.changes.size(); ++done) {
    for (const Files& left : AfterPowerLoss(start_, directory.changes, done)) {
      if (!seen.emplace(left, done >= committed).second) continue;
      NameDirectory reopened(left);
      ASSERT_THAT(CarryOut(reopened, Plan(left, *this)), IsOk());
      const Files settled = SegmentsOf(reopened.files());
      const bool is_old = settled == SegmentsOf(old_);
      const bool is_new = settled == SegmentsOf(new_);
      ASSERT_TRUE(is_new || (is_old && done < committed))
          << "after " << done << " of " << directory.changes.size() << ": "
          << ::testing::PrintToString(left) << "\nbecame "
          << ::testing::PrintToString(settled);
      ++(is_old ? old_count : new_count);
      ASSERT_TRUE(Plan(reopened.files(), *this).empty());
    }
  }
  EXPECT_GT(old_count, 0);
  EXPECT_GT(new_count, 0);
}

TEST_P(SwapCrashTest, APowerLossWhileAnOpenSettlesItIsSettledByTheNext) {
  NameDirectory directory(start_);
  SegmentSwap swap(&directory, Replacement());
  ASSERT_THAT(swap.Commit(), IsOk());
  const size_t committed = directory.changes.size();
  ASSERT_THAT(swap.Complete(), IsOk());
  for (size_t done = 0; done <= directory.changes.size(); ++done) {
    Files left = start_;
    for (size_t i = 0; i < done; ++i) {
      if (!directory.changes[i].from.empty())
        NameDirectory::Apply(directory.changes[i], left);
    }
    NameDirectory first(left);
    ASSERT_THAT(CarryOut(first, Plan(left, *this)), IsOk());
    const Files expected = SegmentsOf(first.files());
    ASSERT_TRUE(expected == SegmentsOf(done < committed ? old_ : new_) ||
                done + 2 >= committed);
    for (size_t i = 0; i <= first.changes.size(); ++i) {
      for (const Files& again : AfterPowerLoss(left, first.changes, i)) {
        NameDirectory second(again);
        ASSERT_THAT(CarryOut(second, Plan(again, *this)), IsOk());
        ASSERT_EQ(SegmentsOf(second.files()), expected)
            << done << ", " << i << ": " << ::testing::PrintToString(again);
      }
    }
  }
}

TEST_P(SwapCrashTest, ACleanedFileThatAnotherTryHasLeftGoesFirst) {
  Files files = start_;
  files[SwapFileName({{0, SegmentFileKind::kIndex}, SwapStage::kCleaned})];
  files[SwapFileName({{5, SegmentFileKind::kLog}, SwapStage::kCleaned})];
  NameDirectory directory(files);
  SegmentSwap swap(&directory, Replacement());
  ASSERT_THAT(swap.Commit(), IsOk());
  for (const auto& [name, contents] : directory.files()) {
    const auto file = ParseSwapFileName(name);
    EXPECT_TRUE(!file.has_value() || file->stage != SwapStage::kCleaned)
        << name;
  }
}

TEST_P(SwapCrashTest, WhatIsDiscardedLeavesTheOldSegments) {
  NameDirectory directory(start_);
  SegmentSwap swap(&directory, Replacement());
  ASSERT_THAT(swap.Discard(), IsOk());
  EXPECT_EQ(directory.files(), old_);
}

INSTANTIATE_TEST_SUITE_P(
    All, SwapCrashTest,
    ::testing::Values(
        Case{"OneSegment", {0}, {}, {}},
        Case{"OneSegmentThatLosesItsTransactions", {0}, {0, 10}, {}},
        Case{"OneSegmentThatGetsTransactions", {0}, {10}, {0}},
        Case{"TwoSegments", {0, 7}, {0, 20}, {0}},
        Case{"TwoSegmentsOfWhichOneHasAnOldBase", {0, 20}, {20}, {20}}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace varve
