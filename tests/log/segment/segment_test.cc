// SPDX-License-Identifier: Apache-2.0

#include "varve/log/segment/segment.h"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/file_bytes.h"
#include "tests/log/segment/segment_fixture.h"
#include "varve/log/batch/record_batch.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;

using Code = absl::StatusCode;

using SegmentTest = SegmentFixture;

TEST_F(SegmentTest, NewSegmentIsEmpty) {
  Create(57);
  EXPECT_EQ(segment_->base_offset(), 57);
  EXPECT_EQ(segment_->visible_bytes(), "");
  EXPECT_EQ(segment_->first_batch_max_timestamp_ms(), -1);
  EXPECT_EQ(segment_->Lookup(60), (OffsetPosition{57, 0}));
}

TEST_F(SegmentTest, WhatIsWrittenIsSeenOncePublished) {
  Create();
  ASSERT_THAT(segment_->Reserve(kBatchSize), IsOk());
  const std::string bytes = Batch(0, 1000);
  std::memcpy(segment_->write_at(), bytes.data(), bytes.size());
  EXPECT_EQ(segment_->visible_bytes(), "");
  segment_->Publish(IndexedBatch::Of(RecordBatch(bytes)));
  EXPECT_EQ(segment_->visible_bytes(), bytes);
  EXPECT_EQ(segment_->first_batch_max_timestamp_ms(), 1000);
}

TEST_F(SegmentTest, BatchesAreReadBackByEveryOffset) {
  Create(1000);
  Append(20);
  ExpectAllReadable();
}

TEST_F(SegmentTest, SegmentThatExistsIsNotCreated) {
  Create();
  Append(1);
  EXPECT_THAT(Segment::Create(**directory_, 0, config_),
              StatusIs(Code::kAlreadyExists));
}

TEST_F(SegmentTest, EmptyFileThatAFailedCreationLeftIsReplaced) {
  Create();
  segment_ = nullptr;
  EXPECT_THAT(Segment::Create(**directory_, 0, config_), IsOk());
}

// kafka-format.md section 3: 10-record batches of 1500 B, interval 4096.
TEST_F(SegmentTest, IndexEntriesAreThoseOfKafkasRule) {
  Create(500);
  Append(11);
  Seal();
  EXPECT_EQ(
      ReadBytes(IndexPath()),
      OffsetEntry(39, 4500) + OffsetEntry(69, 9000) + OffsetEntry(99, 13500));
  EXPECT_EQ(ReadBytes(TimePath()), TimeEntry(1003, 39) + TimeEntry(1006, 69) +
                                       TimeEntry(1009, 99) +
                                       TimeEntry(1010, 109));
}

TEST_F(SegmentTest, IntervalIsExceededStrictly) {
  config_.index_interval_bytes = 3 * kBatchSize;
  Create();
  Append(9);
  Seal();
  EXPECT_EQ(ReadBytes(IndexPath()),
            OffsetEntry(49, 6000) + OffsetEntry(89, 12000));
}

TEST_F(SegmentTest, LookupGivesTheEntryAtOrBefore) {
  Create(500);
  Append(11);
  EXPECT_EQ(segment_->Lookup(538), (OffsetPosition{500, 0}));
  EXPECT_EQ(segment_->Lookup(539), (OffsetPosition{539, 4500}));
  EXPECT_EQ(segment_->Lookup(598), (OffsetPosition{569, 9000}));
  EXPECT_EQ(segment_->Lookup(100000), (OffsetPosition{599, 13500}));
}

TEST_F(SegmentTest, FinalTimeEntryIsNotDoubled) {
  Create();
  Append(10);
  Seal();
  EXPECT_EQ(ReadBytes(TimePath()),
            TimeEntry(1003, 39) + TimeEntry(1006, 69) + TimeEntry(1009, 99));
}

TEST_F(SegmentTest, SealTrimsTheFilesAndBytesStayWhereTheyAre) {
  Create();
  Append(3);
  const char* const data = segment_->visible_bytes().data();
  Seal();
  EXPECT_EQ(ReadBytes(segment_->path()), written_);
  EXPECT_EQ(segment_->visible_bytes().data(), data);
  EXPECT_EQ(ReadBytes(IndexPath()), "");
  EXPECT_EQ(ReadBytes(TimePath()), TimeEntry(1002, 29));
  ExpectAllReadable();
}

TEST_F(SegmentTest, ReopenedSegmentIsContinued) {
  Create(500);
  Append(5);
  Seal();
  ReopenForAppend();
  EXPECT_EQ(segment_->first_batch_max_timestamp_ms(), 1000);
  Append(6);
  ExpectAllReadable();
  Seal();
  ReopenReadOnly();
  ExpectAllReadable();
}

// Kafka counts from the reopen, not from the last entry.
TEST_F(SegmentTest, IntervalStartsAnewWithAReopen) {
  Create();
  Append(3);
  Seal();
  ReopenForAppend();
  Append(4);
  Seal();
  EXPECT_EQ(ReadBytes(IndexPath()), OffsetEntry(69, 9000));
}

TEST_F(SegmentTest, ReopenedEmptySegmentIsContinued) {
  Create();
  Seal();
  ReopenForAppend();
  Append(4);
  ExpectAllReadable();
}

TEST_F(SegmentTest, ReadOnlyShowsNoMoreThanItIsTold) {
  Create();
  Append(3);
  Seal();
  Take(Segment::OpenReadOnly(**directory_, 0, 2 * kBatchSize));
  EXPECT_EQ(segment_->visible_bytes(),
            std::string_view(written_).substr(0, 2 * kBatchSize));
}

TEST_F(SegmentTest, FullDiskChangesNothingForDataOrIndex) {
  Create();
  for (int64_t space : {0, 4096, 4096}) {
    files_.LimitSpace(space);
    EXPECT_THAT(segment_->Reserve(kBatchSize),
                StatusIs(Code::kResourceExhausted));
  }
  EXPECT_EQ(segment_->size(), 0);
  files_.UnlimitSpace();
  Append(3);
  ExpectAllReadable();
}

TEST_F(SegmentTest, FullIndexTakesNoMoreAndReadsGoOn) {
  config_.segment_index_bytes = 16;
  Create();
  Append(20);
  EXPECT_TRUE(segment_->indexes().offset_index_full());
  EXPECT_TRUE(segment_->indexes().time_index_full());
  ExpectAllReadable();
  Seal();
  EXPECT_EQ(ReadBytes(IndexPath()),
            OffsetEntry(39, 4500) + OffsetEntry(69, 9000));
  EXPECT_EQ(ReadBytes(TimePath()), TimeEntry(1019, 199));
}

TEST_F(SegmentTest, CreationWithoutRoomForIndexesLeavesNoFile) {
  files_.FailCallsNamed("File::Map " + TimePath(), ENOMEM,
                        FaultyFileSystem::Repeat::kOnce);
  EXPECT_THAT(Segment::Create(**directory_, 0, config_),
              StatusIs(Code::kResourceExhausted));
  EXPECT_THAT(NamesIn(scratch_.path()), ::testing::IsEmpty());
}

}  // namespace
}  // namespace varve
