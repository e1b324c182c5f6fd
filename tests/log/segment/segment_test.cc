// SPDX-License-Identifier: Apache-2.0

#include "varve/log/segment/segment.h"

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/file_bytes.h"
#include "tests/fixture/scratch_directory.h"
#include "varve/index/big_endian.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/segment/segment_read.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;

using Code = absl::StatusCode;

constexpr int64_t kBatchSize = 1500;
constexpr int kBatchCount = 10;  // records in a batch

// Ten records in 1500 bytes, the batch of kafka-format.md section 3.
std::string Batch(int64_t base_offset, int64_t timestamp_ms) {
  RecordBatchBuilder builder;
  for (int i = 0; i < kBatchCount - 1; ++i) {
    EXPECT_THAT(builder.Append({.value = "value"}, timestamp_ms), IsOk());
  }
  const std::string rest(
      static_cast<size_t>(kBatchSize - builder.size_bytes() - 9), 'r');
  EXPECT_THAT(builder.Append({.value = rest}, timestamp_ms), IsOk());
  std::string bytes(builder.Finish().bytes());
  EXPECT_EQ(bytes.size(), kBatchSize);
  StoreBig64(bytes.data() + batch_layout::kBaseOffset, base_offset);
  return bytes;
}

std::string OffsetEntry(int32_t offset, int32_t position) {
  std::string entry(8, '\0');
  StoreBig32(entry.data(), offset);
  StoreBig32(entry.data() + 4, position);
  return entry;
}

std::string TimeEntry(int64_t timestamp_ms, int32_t offset) {
  std::string entry(12, '\0');
  StoreBig64(entry.data(), timestamp_ms);
  StoreBig32(entry.data() + 8, offset);
  return entry;
}

class SegmentTest : public ::testing::Test {
 protected:
  SegmentTest() { config_.segment_bytes = 1 << 20; }

  void Create(int64_t base_offset = 0) {
    base_offset_ = base_offset;
    Take(Segment::Create(**directory_, base_offset, config_));
  }
  void ReopenForAppend() {
    segment_ = nullptr;
    Take(Segment::OpenForAppend(**directory_, base_offset_, config_));
  }
  void ReopenReadOnly() {
    segment_ = nullptr;
    Take(Segment::OpenReadOnly(**directory_, base_offset_));
  }
  void Take(absl::StatusOr<std::shared_ptr<Segment>> segment) {
    ASSERT_THAT(segment, IsOk());
    segment_ = *std::move(segment);
  }

  // Appends `count` batches; batch i has the timestamp 1000 + i.
  void Append(int count) {
    for (; count > 0; --count) {
      const int64_t number = segment_->size() / kBatchSize;
      const std::string bytes =
          Batch(base_offset_ + number * kBatchCount, 1000 + number);
      ASSERT_THAT(segment_->Reserve(kBatchSize), IsOk());
      std::memcpy(segment_->write_at(), bytes.data(), bytes.size());
      segment_->Publish(IndexedBatch::Of(RecordBatch(bytes)));
      written_ += bytes;
    }
  }
  void Seal() { ASSERT_THAT(segment_->Seal(), IsOk()); }

  // Expects every offset of the segment to read as it was written.
  void ExpectAllReadable() {
    EXPECT_EQ(segment_->visible_bytes(), written_);
    const auto count = static_cast<int64_t>(written_.size()) / kBatchSize;
    for (int64_t i = 0; i < count * kBatchCount; ++i) {
      auto slice = ReadSegment(*segment_, {.offset = base_offset_ + i});
      ASSERT_THAT(slice, IsOk()) << i;
      const int64_t number = i / kBatchCount;
      ASSERT_EQ(slice->bytes.data() - segment_->visible_bytes().data(),
                number * kBatchSize);
      ASSERT_EQ(slice->next_offset, base_offset_ + (number + 1) * kBatchCount);
    }
  }

  std::string PathOf(SegmentFileKind kind) const {
    return scratch_ / SegmentFileName(base_offset_, kind);
  }
  std::string IndexPath() const { return PathOf(SegmentFileKind::kIndex); }
  std::string TimePath() const { return PathOf(SegmentFileKind::kTimeIndex); }

  ScratchDirectory scratch_;
  FaultyFileSystem files_;
  absl::StatusOr<std::unique_ptr<Directory>> directory_ =
      files_.OpenDirectory(scratch_.path());
  LogConfig config_;
  int64_t base_offset_ = 0;
  std::shared_ptr<Segment> segment_;
  std::string written_;
};

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

// Damage to an index file. None may change the records that are read or
// appended.
using Damage = std::string (*)(const std::string& index,
                               const std::string& time_index);
struct NamedDamage {
  const char* name;
  Damage damage;
};

std::string Missing(const std::string&, const std::string&) { return "-"; }
std::string Emptied(const std::string&, const std::string&) { return ""; }
std::string Short(const std::string& index, const std::string&) {
  return index.substr(0, index.size() - 8);
}
std::string Odd(const std::string& index, const std::string&) {
  return index.substr(0, index.size() - 3);
}
std::string Zeroed(const std::string& index, const std::string&) {
  return std::string(index.size(), '\0');
}
std::string ZeroTail(const std::string& index, const std::string&) {
  return index + std::string(4096, '\0');
}
std::string Garbage(const std::string&, const std::string&) {
  return std::string(240, 'g');
}
std::string Swapped(const std::string&, const std::string& time_index) {
  return time_index;
}
// Passes the sanity check: entries grow.
std::string WrongPositions(const std::string&, const std::string&) {
  return OffsetEntry(10, 1) + OffsetEntry(20, 700) + OffsetEntry(39, 14999);
}
std::string WrongOffsets(const std::string&, const std::string&) {
  return OffsetEntry(9, 4500) + OffsetEntry(10, 6000) + OffsetEntry(50, 9000);
}
std::string BeyondTheEnd(const std::string&, const std::string&) {
  return OffsetEntry(5, 0x7fffff00) + OffsetEntry(0x7fffffff, 0x7fffffff);
}

class SegmentWithDamagedIndexTest
    : public SegmentTest,
      public ::testing::WithParamInterface<NamedDamage> {
 protected:
  void SetUp() override {
    Create(500);
    Append(10);
    Seal();
  }
  // Damages both indexes as the parameter says.
  void DamageIndexes() {
    const std::string index = ReadBytes(IndexPath());
    const std::string time = ReadBytes(TimePath());
    Put(IndexPath(), GetParam().damage(index, time));
    Put(TimePath(), GetParam().damage(time, index));
  }
  static void Put(const std::string& path, const std::string& bytes) {
    if (bytes == "-") {
      std::filesystem::remove(path);
    } else {
      WriteBytes(path, bytes);
    }
  }
};

TEST_P(SegmentWithDamagedIndexTest, IsReadAllTheSame) {
  DamageIndexes();
  ReopenReadOnly();
  ExpectAllReadable();
}

TEST_P(SegmentWithDamagedIndexTest, IsContinuedAllTheSame) {
  DamageIndexes();
  ReopenForAppend();
  ExpectAllReadable();
  Append(12);
  ExpectAllReadable();
  Seal();
  ReopenReadOnly();
  ExpectAllReadable();
}

INSTANTIATE_TEST_SUITE_P(
    Damages, SegmentWithDamagedIndexTest,
    ::testing::ValuesIn<NamedDamage>({{"Missing", Missing},
                                      {"Emptied", Emptied},
                                      {"Short", Short},
                                      {"Odd", Odd},
                                      {"Zeroed", Zeroed},
                                      {"ZeroTail", ZeroTail},
                                      {"Garbage", Garbage},
                                      {"Swapped", Swapped},
                                      {"WrongPositions", WrongPositions},
                                      {"WrongOffsets", WrongOffsets},
                                      {"BeyondTheEnd", BeyondTheEnd}}),
    [](const auto& suite) { return std::string(suite.param.name); });

TEST_F(SegmentTest, MissingIndexesAreMadeAgainAsTheyWere) {
  Create();
  Append(11);
  Seal();
  const std::string index = ReadBytes(IndexPath());
  const std::string time = ReadBytes(TimePath());
  std::filesystem::remove(IndexPath());
  ReopenForAppend();
  Seal();
  EXPECT_EQ(ReadBytes(IndexPath()), index);
  EXPECT_EQ(ReadBytes(TimePath()), time);
}

TEST_F(SegmentTest, IndexesMadeAgainPassOverDamage) {
  Create();
  Append(11);
  Seal();
  WriteBytes(segment_->path(), WithBitFlipped(written_, 8 * 2000));
  std::filesystem::remove(IndexPath());
  ReopenForAppend();
  EXPECT_EQ(segment_->Lookup(109), (OffsetPosition{109, 15000}));
  EXPECT_THAT(ReadSegment(*segment_, {.offset = 9}), IsOk());
  EXPECT_THAT(ReadSegment(*segment_, {.offset = 10}),
              StatusIs(Code::kDataLoss));
  EXPECT_THAT(ReadSegment(*segment_, {.offset = 20}), IsOk());
}

}  // namespace
}  // namespace varve
