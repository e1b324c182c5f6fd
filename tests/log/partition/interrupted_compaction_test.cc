// SPDX-License-Identifier: Apache-2.0

// Compactions that are cut short: by a kill before each of their file
// operations, and by the failure of each.

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/compaction_fixture.h"
#include "tests/fixture/faulty_file_system.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/broker/broker_partition.h"
#include "varve/log/metadata/continuity.h"
#include "varve/log/metadata/partition_checkpoint.h"
#include "varve/log/partition/partition_compaction.h"
#include "varve/log/read_only/read_only_log.h"
#include "varve/log/read_only/read_only_partition_reader.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

using absl_testing::IsOk;
using ::testing::Contains;
using ::testing::Each;
using ::testing::Not;
using ::testing::Truly;

// What the active segment holds: with nothing in it, the segment before is
// compacted, too, in which a recovery begins to scan.
enum class Active : uint8_t { kARecord, kNothing };

class InterruptedCompactionTest : public CompactionFixture,
                                  public testing::WithParamInterface<Active> {
 protected:
  InterruptedCompactionTest() {
    // Three segments in two groups, of which the second one changes, too.
    config_.segment_bytes = 1500;
    config_.segment_index_bytes = 64;
    config_.index_interval_bytes = 0;
    Recover();
    for (int i = 0; i < 24; ++i) {
      Put("k" + std::to_string(i % 5), "v" + std::to_string(i));
    }
    Put("k1", std::nullopt);
    Roll();
    Put("k2", "active");
    EXPECT_THAT(log_->Sync(), IsOk());
    before_ = ReadRecords();
    latest_ = LatestOf(before_);
    CloseCleanly();
    clean_ = checkpoint_;
    Save();
    OpenClean();
    AppendMore();
    files_.ForgetCalls();
    Compact();
    calls_ = files_.call_count();
    after_ = ReadRecords();
    EXPECT_LT(after_.size(), before_.size());
  }

  // As after the first append: the log is not clean any more.
  void AppendMore() {
    Put("k2", "active");
    if (GetParam() == Active::kNothing) Roll();
    EXPECT_THAT(log_->Sync(), IsOk());
  }

  // The log as it was before the compaction, open.
  void StartAgain() {
    files_.StopFailing();
    Restore();
    checkpoint_ = clean_;
    OpenClean();
    AppendMore();
    files_.ForgetCalls();
  }

  // Every record is one that was there, at its offset, and the last value of
  // each key is the same.
  void ExpectSound() {
    const Records now = ReadRecords();
    for (const auto& [offset, record] : now) {
      if (offset < 26) {
        EXPECT_EQ(record, before_.at(offset));
      }
    }
    EXPECT_EQ(LatestOf(now), latest_);
    for (const auto& [offset, record] : after_)
      EXPECT_TRUE(now.contains(offset));
  }
  // A reader of another process: it sees the files alone.
  std::unique_ptr<ReadOnlyPartitionReader> NewFollower(int64_t end) {
    auto directory = FileSystem::Posix()->OpenDirectory(path_);
    EXPECT_THAT(directory, IsOk());
    const PartitionFacts facts = {.checkpoint = {.recovery_point = end},
                                  .continuity = Continuity::kGapsAllowed};
    return std::make_unique<ReadOnlyPartitionReader>(
        std::make_unique<BrokerPartition>(*std::move(directory),
                                          BrokerPartition::Owner::kStore),
        ReadOnlyLog::Options{
            .outline = [facts](FactsAge) -> absl::StatusOr<PartitionFacts> {
              return facts;
            },
            .clock = &clock_});
  }
  static Records ReadFrom(ReadOnlyPartitionReader& follower, int64_t at,
                          int64_t to) {
    Records all;
    while (at < to) {
      const auto view = follower.Read(at, {});
      EXPECT_THAT(view, IsOk()) << at;
      if (!view.ok() || view->next_offset() <= at) break;
      RecordBatches::Records records = view->records();
      while (const RecordView* record = records.Next()) {
        if (record->offset() >= to) break;
        KeyedRecord& read = all[record->offset()];
        read.key = record->key().value_or("");
        if (record->value().has_value()) read.value = *record->value();
      }
      at = view->next_offset();
    }
    return all;
  }

  void ExpectNothingPassing() {
    EXPECT_THAT(SegmentFilesOnDisk(), Not(Contains(Truly(IsPassing))));
  }

  Records before_;
  Records after_;
  Latest latest_;
  PartitionCheckpoint clean_;
  int64_t calls_ = 0;
};

TEST_P(InterruptedCompactionTest, AKillAtAnyStepLeavesOldOrNewSegments) {
  ASSERT_GT(calls_, 50);
  for (int64_t call = 0; call < calls_; ++call) {
    SCOPED_TRACE(absl::StrCat("killed before call ", call));
    StartAgain();
    const std::string copy = scratch_.path() + "/killed";
    std::filesystem::remove_all(copy);
    files_.RunBefore(call, [&] {
      std::filesystem::copy(path_, copy,
                            std::filesystem::copy_options::recursive);
    });
    Compact();
    const PartitionCheckpoint durable = log_->checkpoint();
    Crash();
    std::filesystem::remove_all(path_);
    std::filesystem::rename(copy, path_);
    checkpoint_.log_start = durable.log_start;
    checkpoint_.recovery_point = durable.recovery_point;

    Recover();

    EXPECT_THAT(recovered_.report.findings, ::testing::IsEmpty());
    ExpectSound();
    ExpectNothingPassing();
    Compact();
    EXPECT_EQ(ReadRecords(), after_);
    CloseCleanly();
    Recover();
    EXPECT_EQ(ReadRecords(), after_);
  }
}

TEST_P(InterruptedCompactionTest, AFailureOfAnyCallLosesNothing) {
  for (const auto repeat :
       {FaultyFileSystem::Repeat::kOnce, FaultyFileSystem::Repeat::kForever}) {
    for (const int error : {EIO, ENOSPC, EMFILE}) {
      for (int64_t call = 0; call < calls_; ++call) {
        SCOPED_TRACE(absl::StrCat("call ", call, " fails, errno ", error));
        StartAgain();
        files_.FailCall(call, error, repeat);
        const auto report = TryCompact();
        files_.StopFailing();
        ExpectSound();

        // What was left half-done is completed, or done again.
        const auto again = TryCompact();

        ASSERT_THAT(again, IsOk());
        EXPECT_EQ(ReadRecords(), after_);
        ExpectNothingPassing();
        EXPECT_THAT(log_->Close(), IsOk());
        checkpoint_ = log_->checkpoint();
        Recover();
        EXPECT_EQ(ReadRecords(), after_);
      }
    }
  }
}

TEST_P(InterruptedCompactionTest, WhatAFailureHasLeftIsSettledByTheNextOpen) {
  for (int64_t call = 0; call < calls_; ++call) {
    SCOPED_TRACE(absl::StrCat("call ", call, " and all after it fail"));
    StartAgain();
    files_.FailCall(call, EIO, FaultyFileSystem::Repeat::kForever);
    TryCompact().IgnoreError();  // it may fail, or not reach the call
    files_.StopFailing();
    checkpoint_ = log_->checkpoint();
    Crash();

    Recover();

    ExpectSound();
    ExpectNothingPassing();
    Compact();
    EXPECT_EQ(ReadRecords(), after_);
  }
}

// A new reader sees all at any moment, and one that has begun to read before
// the compaction goes on wherever it is.
TEST_P(InterruptedCompactionTest, AnotherProcessReadsAllAtAnyStep) {
  for (int64_t call = 0; call < calls_; ++call) {
    SCOPED_TRACE(absl::StrCat("before call ", call));
    StartAgain();
    const int64_t end = log_->visible_end();
    const auto begun = NewFollower(end);
    const Records first = ReadFrom(*begun, 0, /*to=*/7);
    Records rest;
    Records all;
    files_.RunBefore(call, [&] {
      all = ReadFrom(*NewFollower(end), 0, end);
      rest = ReadFrom(*begun, 7, end);
    });

    Compact();

    EXPECT_EQ(LatestOf(all), latest_);
    EXPECT_EQ(all.size() >= after_.size(), true) << all.size();
    Records seen = first;
    seen.insert(rest.begin(), rest.end());
    EXPECT_EQ(LatestOf(seen), latest_);
    EXPECT_EQ(LatestOf(ReadFrom(*begun, 0, end)), latest_);
  }
}

TEST_P(InterruptedCompactionTest, ATrimGoesOnAfterAFailureHalfWay) {
  for (int64_t call = 0; call < calls_; ++call) {
    SCOPED_TRACE(absl::StrCat("call ", call, " fails"));
    StartAgain();
    files_.FailCall(call, EIO, FaultyFileSystem::Repeat::kOnce);
    TryCompact().IgnoreError();  // it may fail, or not reach the call
    files_.StopFailing();

    ASSERT_THAT(log_->TrimBefore(19), IsOk());

    const Records now = ReadRecords();
    EXPECT_EQ(LatestOf(now), latest_);
    checkpoint_ = log_->checkpoint();
    Recover();
    EXPECT_EQ(ReadRecords(), now);
    ExpectNothingPassing();
  }
}

INSTANTIATE_TEST_SUITE_P(WithInTheActiveSegment, InterruptedCompactionTest,
                         testing::Values(Active::kARecord, Active::kNothing),
                         [](const testing::TestParamInfo<Active>& info) {
                           return info.param == Active::kARecord ? "ARecord"
                                                                 : "Nothing";
                         });

}  // namespace
}  // namespace varve
