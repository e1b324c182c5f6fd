// SPDX-License-Identifier: Apache-2.0

#include "varve/log/partition/partition_compaction.h"

#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/compaction_fixture.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/file_bytes.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/metadata/log_config.h"

namespace varve {
namespace {

using absl_testing::IsOk;
using absl_testing::StatusIs;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

class PartitionCompactionTest : public CompactionFixture {
 protected:
  PartitionCompactionTest() { Recover(); }
};

TEST_F(PartitionCompactionTest, TheLatestRecordOfEachKeyStaysAtItsOffset) {
  Fill(/*per_segment=*/10, /*keys=*/5);
  const Records before = ReadRecords();

  const CompactionReport report = Compact();

  ASSERT_TRUE(report.result.has_value());
  const Records after = ReadRecords();
  EXPECT_EQ(after.size(), 6);
  for (const auto& [offset, record] : after) {
    EXPECT_GE(offset, 25);
    EXPECT_EQ(record, before.at(offset));
  }
  EXPECT_EQ(LatestOf(after), LatestOf(before));
  EXPECT_EQ(report.result->first_dirty, 30);
  EXPECT_EQ(log_->compaction().first_dirty(), 30);
  EXPECT_EQ(report.result->stats.cleaning.records_superseded, 25);
}

TEST_F(PartitionCompactionTest, SmallSegmentsBecomeOne) {
  Fill(10, 5);
  EXPECT_EQ(log_->segment_count(), 4);

  const CompactionReport report = Compact();

  EXPECT_EQ(log_->segment_count(), 2);
  EXPECT_EQ(report.result->segments_replaced, 3);
  EXPECT_EQ(report.result->segments_written, 1);
  EXPECT_THAT(SegmentFilesOnDisk(), Not(Contains(::testing::Truly(IsPassing))));
  EXPECT_THAT(SegmentFilesOnDisk(),
              Not(Contains(SegmentFileName(10, SegmentFileKind::kLog))));
}

TEST_F(PartitionCompactionTest, TheActiveSegmentStaysAsItIs) {
  Fill(10, 5);
  Put("k0", "new");
  Put("k0", "newer");
  ASSERT_THAT(log_->Sync(), IsOk());

  Compact();

  const Records after = ReadRecords();
  EXPECT_TRUE(after.contains(31) && after.contains(32));
  EXPECT_TRUE(after.contains(25)) << "the new ones are not compacted yet";
}

// All its batches are durable, but a sync is not done with its files.
TEST_F(PartitionCompactionTest, ASegmentStaysUntilItsFilesAreSynced) {
  for (int i = 0; i < 4; ++i) Put("k", "v");
  ASSERT_THAT(log_->Sync(), IsOk());
  Roll();
  EXPECT_FALSE(Compact().result.has_value());
  ASSERT_THAT(log_->Sync(), IsOk());

  EXPECT_TRUE(Compact().result.has_value());

  EXPECT_EQ(ReadRecords().size(), 1);
}

TEST_F(PartitionCompactionTest, WhatIsNotDurableIsNotCompacted) {
  for (int i = 0; i < 4; ++i) Put("k", "v");
  Roll();
  Put("k", "v");

  const CompactionReport report = Compact();

  EXPECT_FALSE(report.result.has_value());
  EXPECT_EQ(ReadRecords().size(), 5);
}

TEST_F(PartitionCompactionTest, AReadInAGapGoesOnBehindIt) {
  Fill(10, 5);
  Compact();

  const auto view = log_->Read(3, {});

  ASSERT_THAT(view, IsOk());
  RecordBatches::Records records = view->records();
  const RecordView* const first = records.Next();
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(first->offset(), 25);
}

TEST_F(PartitionCompactionTest, AViewOutlivesTheSegmentThatItShows) {
  Fill(10, 5);
  const auto view = log_->Read(12, {});
  ASSERT_THAT(view, IsOk());

  Compact();

  RecordBatches::Records records = view->records();
  const RecordView* const first = records.Next();
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(first->offset(), 12);
  EXPECT_EQ(first->value(), "v12");
  EXPECT_EQ(log_->meters().pins().Count().deleted_segments, 1);
}

TEST_F(PartitionCompactionTest, ATombstoneGoesWhenItsHorizonHasPassed) {
  Put("a", "1");
  Put("b", "1");
  Put("a", std::nullopt);
  Put("c", "1");
  RollAndSync();

  Compact();
  EXPECT_EQ(ReadRecords(), (Records{{1, {"b", "1"}},
                                    {2, {"a", std::nullopt}},
                                    {3, {"c", "1"}},
                                    {4, {"active", "-"}}}));

  RollAndSync();
  clock_.Advance(absl::Milliseconds(999));
  Compact();
  EXPECT_TRUE(ReadRecords().contains(2));

  RollAndSync();
  clock_.Advance(absl::Milliseconds(1));
  Compact();
  EXPECT_EQ(ReadRecords(), (Records{{1, {"b", "1"}},
                                    {3, {"c", "1"}},
                                    {5, {"active", "-"}},
                                    {6, {"active", "-"}}}));
}

TEST_F(PartitionCompactionTest, ASegmentOfWhichNothingGoesIsNotWrittenAgain) {
  config_.segment_bytes = 4096;
  Recover();
  const std::string value(300, 'x');
  for (int i = 0; i < 40; ++i) Put("key-" + std::to_string(i), value);
  RollAndSync();
  files_.ForgetCalls();

  const CompactionReport report = Compact();

  ASSERT_TRUE(report.result.has_value());
  EXPECT_EQ(report.result->segments_written, 0);
  EXPECT_EQ(report.result->first_dirty, 40);
  EXPECT_THAT(files_.calls(), Not(Contains(HasSubstr("cleaned"))));
  EXPECT_EQ(ReadRecords().size(), 41);
}

TEST_F(PartitionCompactionTest, AFullSegmentThatHorizonsMakeLargerStaysOne) {
  config_.segment_bytes = 4096;
  Recover();
  for (int i = 0; log_->segment_count() < 2; ++i)
    Put("key-" + std::to_string(i), std::nullopt);
  ASSERT_THAT(log_->Sync(), IsOk());

  const CompactionReport report = Compact();

  ASSERT_TRUE(report.result.has_value());
  EXPECT_GT(report.result->bytes_written, config_.segment_bytes);
  EXPECT_EQ(report.result->segments_written, 1);
  EXPECT_EQ(log_->segment_count(), 2);
}

TEST_F(PartitionCompactionTest, OnlyWhatADirtyKeyTouchesIsWrittenAgain) {
  config_.segment_bytes = 4096;
  Recover();
  const std::string value(300, 'x');
  for (int i = 0; i < 40; ++i) Put("key-" + std::to_string(i), value);
  ASSERT_THAT(log_->Sync(), IsOk());
  ASSERT_GT(log_->segment_count(), 3);
  Compact();
  Put("key-39", value);
  Put("key-0", value);
  RollAndSync();
  files_.ForgetCalls();

  const CompactionReport report = Compact();

  // The first one, and the last one, which key-39 was in.
  EXPECT_EQ(report.result->segments_replaced, 2);
  EXPECT_FALSE(ReadRecords().contains(0));
  EXPECT_TRUE(ReadRecords().contains(1));
  EXPECT_FALSE(ReadRecords().contains(39));
  EXPECT_EQ(ReadRecords().at(41), (KeyedRecord{"key-0", value}));
}

TEST_F(PartitionCompactionTest, AFullMapGoesOnInTheNextCompaction) {
  Fill(40, 40, 4);
  const Records before = ReadRecords();
  CompactionRequest small;
  small.map_memory_bytes = OffsetMap::kMemoryBytesMin;

  const CompactionReport first = Compact(small);
  ASSERT_TRUE(first.result.has_value());
  EXPECT_LT(first.result->first_dirty, 160);
  EXPECT_EQ(LatestOf(ReadRecords()), LatestOf(before));

  while (log_->compaction().first_dirty() < 160) Compact(small);

  EXPECT_EQ(LatestOf(ReadRecords()), LatestOf(before));
}

// Its last record alone goes: all before it, which had stayed as it was, is
// written again at once.
TEST_F(PartitionCompactionTest, ItWaitsBetweenPiecesOfWhatItWritesAgain) {
  config_.segment_bytes = 16 << 20;
  Recover();
  const std::string value(size_t{64} << 10, 'v');
  for (int i = 0; i < 64; ++i) Put("k" + std::to_string(i), value);
  Put("gone", value);
  Roll();
  Put("gone", "v");
  RollAndSync();
  int waits = 0;
  CompactionRequest request;
  request.pace.wait = [&](absl::Duration) {
    ++waits;
    return true;
  };

  const CompactionReport report = Compact(request);

  EXPECT_GT(report.result->bytes_written, 64 * std::ssize(value));
  // Four MiB were read for their keys, read to be cleaned, and written.
  EXPECT_GE(waits, 3 * 4);
}

TEST_F(PartitionCompactionTest, MemoryThatCannotBeHadIsReported) {
  Fill(10, 5);
  const Records before = ReadRecords();
  files_.FailCallsNamed("FileSystem::MapMemory", ENOMEM,
                        FaultyFileSystem::Repeat::kOnce);

  EXPECT_THAT(TryCompact(), StatusIs(absl::StatusCode::kResourceExhausted,
                                     HasSubstr("MapMemory")));

  EXPECT_EQ(ReadRecords(), before);
  EXPECT_EQ(log_->compaction().first_dirty(), std::nullopt);
  Compact();
  EXPECT_EQ(LatestOf(ReadRecords()), LatestOf(before));
  EXPECT_LT(ReadRecords().size(), before.size());
}

TEST_F(PartitionCompactionTest, AFlippedBaseOffsetStopsIt) {
  Fill(10, 5);
  CloseCleanly();
  // Of the base offset of the second segment's first batch: no CRC covers it.
  WriteBytes(LogPath(10), WithBitFlipped(ReadBytes(LogPath(10)), 7 * 8 + 1));
  OpenClean();

  EXPECT_THAT(TryCompact(), StatusIs(absl::StatusCode::kDataLoss,
                                     HasSubstr("its sidecar was written for")));

  EXPECT_EQ(log_->segment_count(), 4);
  EXPECT_EQ(log_->compaction().first_dirty(), std::nullopt);
}

TEST_F(PartitionCompactionTest, ATrimWhileItRunsStopsIt) {
  Fill(10, 5);
  files_.RunBefore("File::SetModifiedAt", [&] {
    std::thread([&] { EXPECT_THAT(log_->TrimBefore(15), IsOk()); }).join();
  });

  EXPECT_THAT(TryCompact(), StatusIs(absl::StatusCode::kCancelled));

  EXPECT_THAT(SegmentFilesOnDisk(), Not(Contains(::testing::Truly(IsPassing))));
  EXPECT_EQ(ReadRecords().size(), 16);
  Compact();
  EXPECT_EQ(ReadRecords().size(), 6);
}

// It still follows the batch before: the sidecar alone knows.
TEST_F(PartitionCompactionTest, AFlippedBaseOffsetOfTheLastBatchStopsIt) {
  Fill(10, 5);
  CloseCleanly();
  const std::string bytes = ReadBytes(LogPath(10));
  const size_t last = bytes.size() / 10 * 9;
  WriteBytes(LogPath(10), WithBitFlipped(bytes, (last + 7) * 8 + 2));
  OpenClean();

  EXPECT_THAT(TryCompact(), StatusIs(absl::StatusCode::kDataLoss,
                                     HasSubstr("its sidecar was written for")));
}

// The list has the old segments until the replacement is complete.
TEST_F(PartitionCompactionTest, ATrimAfterAReplacementThatFailedCompletesIt) {
  Fill(10, 5);
  for (const char* const call : {"Directory::List", "Directory::Rename",
                                 "Directory::Sync", "File::Map"}) {
    SCOPED_TRACE(call);
    files_.RunBefore("File::SetModifiedAt", [&] {
      files_.FailCallsNamed(call, EMFILE, FaultyFileSystem::Repeat::kForever);
    });
    TryCompact().IgnoreError();  // it may fail before
    files_.StopFailing();

    EXPECT_THAT(log_->TrimBefore(log_->log_start() + 3), IsOk());

    EXPECT_EQ(LatestOf(ReadRecords()).size(), 6);
  }
}

TEST_F(PartitionCompactionTest, ItIsStoppedWhenItIsNotWantedAnyMore) {
  Fill(10, 5);
  CompactionRequest request;
  request.pace.wait = [](absl::Duration) { return false; };

  EXPECT_THAT(TryCompact(request), StatusIs(absl::StatusCode::kCancelled));

  EXPECT_EQ(ReadRecords().size(), 31);
  EXPECT_THAT(SegmentFilesOnDisk(), Not(Contains(::testing::Truly(IsPassing))));
}

TEST_F(PartitionCompactionTest, AReopenGoesOnWhereItWas) {
  Fill(10, 5);
  Compact();
  const Records before = ReadRecords();
  CloseCleanly();
  EXPECT_EQ(checkpoint_.first_dirty, 30);

  OpenClean();

  EXPECT_EQ(ReadRecords(), before);
  EXPECT_EQ(log_->compaction().first_dirty(), 30);
  EXPECT_FALSE(Compact().result.has_value());
}

TEST_F(PartitionCompactionTest, ALostSidecarIsNoHindrance) {
  Fill(10, 5);
  Compact();
  Put("k0", "new");
  RollAndSync();
  std::filesystem::remove(path_ + "/" + SidecarFileName(0));

  Compact();

  EXPECT_EQ(ReadRecords().at(31), (KeyedRecord{"k0", "new"}));
  EXPECT_EQ(ReadRecords().size(), 7);
}

}  // namespace
}  // namespace varve
