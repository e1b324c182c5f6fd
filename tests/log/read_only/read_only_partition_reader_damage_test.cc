// SPDX-License-Identifier: Apache-2.0

// The reader on bytes that no living writer leaves: torn tails, garbage,
// damage, files that are cut or replaced.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <random>
#include <string>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/file_bytes.h"
#include "tests/fixture/read_only_partition_reader_fixture.h"
#include "varve/index/big_endian.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/metadata/read_options.h"
#include "varve/log/metadata/sealed_access.h"
#include "varve/log/read_only/read_only_log.h"
#include "varve/log/read_only/read_only_partition_reader.h"
#include "varve/log/segment/batch_scanner.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class PartitionReaderDamageTest : public ReadOnlyPartitionReaderFixture {
 protected:
  // `count` records in segments of five, closed.
  void WriteLog(int64_t count) {
    config_.segment_bytes = 400;
    Recover();
    AppendMany(count);
    CloseCleanly();
  }
  void Change(int64_t base_offset, size_t position, char mask) {
    std::string bytes = ReadBytes(LogPath(base_offset));
    bytes[position] = static_cast<char>(bytes[position] ^ mask);
    WriteBytes(LogPath(base_offset), bytes);
  }
  // A batch that would continue the log at `offset`.
  std::string BatchAt(int64_t offset) {
    std::string bytes = ReadBytes(LogPath(0));
    int64_t size = 0;
    RecordBatch::Check(bytes, CrcCheck::kVerify, std::ssize(bytes), &size);
    bytes.resize(static_cast<size_t>(size));
    StoreBig64(bytes.data() + batch_layout::kBaseOffset, offset);
    return bytes;
  }
  void AppendBytes(int64_t base_offset, const std::string& bytes) {
    WriteBytes(LogPath(base_offset), ReadBytes(LogPath(base_offset)) + bytes);
  }
};

TEST_F(PartitionReaderDamageTest, DamagedBatchEndsTheViewBeforeIt) {
  WriteLog(10);
  const size_t batch_size = ReadBytes(LogPath(0)).size() / 5;
  Change(0, 3 * batch_size - 1, 1);
  for (const SealedAccess sealed : {SealedAccess::kMap, SealedAccess::kRead}) {
    sealed_ = sealed;
    OpenReader();
    const auto view = reader_->Read(0, {});
    ASSERT_THAT(view, IsOk());
    EXPECT_EQ(view->next_offset(), 2);
    EXPECT_THAT(reader_->Read(2, {}),
                StatusIs(absl::StatusCode::kDataLoss,
                         HasSubstr("the checksum does not match")));
  }
}

TEST_F(PartitionReaderDamageTest, EveryPrefixOfABatchIsNothingYet) {
  Recover();
  AppendMany(3);
  CloseCleanly();
  const std::string before = ReadBytes(LogPath(0));
  const std::string batch = BatchAt(3);
  OpenReader();
  EXPECT_EQ(Follow(), Values(0, 3));
  // Its last byte is a zero: with zeros after it, it is whole without it.
  for (size_t size = 0; size <= batch.find_last_not_of('\0'); ++size) {
    for (const std::string& zeros : {std::string(), std::string(4096, '\0')}) {
      WriteBytes(LogPath(0), before + batch.substr(0, size) + zeros);
      EXPECT_THAT(Follow(), IsEmpty()) << size;
      clock_.Advance(ReadOnlyLog::kRefreshInterval);
      EXPECT_THAT(Follow(), IsEmpty()) << size;
      EXPECT_THAT(Bounds(), IsBounds(0, 3, 1)) << size;
    }
  }
  WriteBytes(LogPath(0), before + batch);
  EXPECT_EQ(ReadOne(3), Value(0));
}

TEST_F(PartitionReaderDamageTest, BatchWithoutItsLengthIsNothingYet) {
  Recover();
  AppendMany(1);
  CloseCleanly();
  const std::string before = ReadBytes(LogPath(0));
  std::string batch = BatchAt(1);
  OpenReader();
  StoreBig32(batch.data() + batch_layout::kBatchLength, 0);
  WriteBytes(LogPath(0), before + batch);
  EXPECT_EQ(Follow(), Values(0, 1));
  EXPECT_THAT(Follow(), IsEmpty());
}

TEST_F(PartitionReaderDamageTest, EveryBitFlippedInTheTailIsNothingYet) {
  Recover();
  AppendMany(2);
  CloseCleanly();
  const std::string before = ReadBytes(LogPath(0));
  const std::string batch = BatchAt(2);
  for (size_t bit = 0; bit < 8 * batch.size(); ++bit) {
    WriteBytes(LogPath(0), before + WithBitFlipped(batch, bit));
    OpenReader();
    position_ = 2;
    // The epoch means nothing here; all other fields are checked.
    const size_t byte = bit / 8;
    const bool is_epoch =
        byte >= batch_layout::kLeaderEpoch && byte < batch_layout::kMagic;
    EXPECT_EQ(Follow().size(), is_epoch ? 1 : 0) << "bit " << bit;
  }
}

TEST_F(PartitionReaderDamageTest, DamageBelowTheLogStartHidesNothingAfterIt) {
  Recover();
  AppendMany(6);
  CloseCleanly();
  Change(0, 2 * BatchAt(0).size() + batch_layout::kRecords, 1);
  outline_.checkpoint.log_start = 4;
  outline_.checkpoint.recovery_point = 6;
  for (const int64_t offset : {4, 5}) {
    OpenReader();
    EXPECT_EQ(ReadOne(offset), Value(offset));
  }
  OpenReader();
  EXPECT_THAT(reader_->Read(3, {}), StatusIs(absl::StatusCode::kOutOfRange));
  EXPECT_THAT(Bounds(), IsBounds(4, 6, 1));
}

TEST_F(PartitionReaderDamageTest, BatchOfAnotherOffsetIsNothingYet) {
  Recover();
  AppendMany(2);
  CloseCleanly();
  OpenReader();
  for (const int64_t offset : {0, 1, 3, 1000}) {
    AppendBytes(0, BatchAt(offset));
    position_ = 0;
    EXPECT_EQ(Follow(), Values(0, 2)) << offset;
    clock_.Advance(ReadOnlyLog::kRefreshInterval);
    EXPECT_THAT(Follow(), IsEmpty());
    std::filesystem::resize_file(LogPath(0), 2 * BatchAt(0).size());
  }
}

TEST_F(PartitionReaderDamageTest, GarbageInTheTailIsBoundedInTimeAndSpace) {
  const uint64_t seed = std::random_device()();
  std::cout << "seed " << seed << "\n";
  std::mt19937_64 random(seed);
  Recover();
  AppendMany(3);
  CloseCleanly();
  const std::string before = ReadBytes(LogPath(0));
  const std::string batch = BatchAt(3);
  for (int i = 0; i < 300; ++i) {
    std::string garbage = i % 2 == 0 ? batch : std::string(random() % 5000, 0);
    for (char& byte : garbage) {
      if (i % 2 != 0 || random() % 20 == 0) byte = static_cast<char>(random());
    }
    WriteBytes(LogPath(0), before + garbage);
    OpenReader();
    position_ = 3;
    const auto view = reader_->Read(3, {});
    if (view.ok() && view->empty()) continue;
    // Only what no check covers was changed.
    ASSERT_THAT(view, IsOk()) << "seed " << seed;
    EXPECT_EQ(ReadOne(3), Value(0)) << "seed " << seed;
  }
}

TEST_F(PartitionReaderDamageTest, HugeLengthInAHugeFileAllocatesNothing) {
  Recover();
  AppendMany(1);
  CloseCleanly();
  std::string batch = BatchAt(1);
  const size_t size = batch.size();
  StoreBig32(batch.data() + batch_layout::kBatchLength, 0x7ffffff0 - 12);
  for (const bool is_next : {true, false}) {
    StoreBig64(batch.data() + batch_layout::kBaseOffset, is_next ? 1 : 77);
    AppendBytes(0, batch);
    // Sparse, and larger than a segment can be.
    std::filesystem::resize_file(LogPath(0),
                                 is_next ? 1 << 20 : uint64_t{1} << 40);
    OpenReader();
    reader_files_.ForgetCalls();
    EXPECT_EQ(Follow(), Values(0, 1));
    EXPECT_THAT(Follow(), IsEmpty());
    EXPECT_LT(reader_files_.call_count(), 30);
    std::filesystem::resize_file(LogPath(0), size);
  }
}

TEST_F(PartitionReaderDamageTest, BelowTheRecoveryPointItIsDamage) {
  WriteLog(4);
  Change(0, 2 * BatchAt(0).size() + 70, 1);
  outline_.checkpoint = {.log_start = 0, .recovery_point = 4};
  OpenReader();
  EXPECT_EQ(ReadOne(1), Value(1));
  const auto damaged = reader_->Read(2, {});
  EXPECT_THAT(damaged,
              StatusIs(absl::StatusCode::kDataLoss,
                       AllOf(HasSubstr("offset 2"), HasSubstr("checksum"),
                             HasSubstr("next readable offset is 3"))));
  EXPECT_EQ(ReadOne(3), Value(3));
  EXPECT_THAT(Bounds(), IsBounds(0, 4, 1));
  EXPECT_THAT(reader_->WaitFor(2, absl::Now()), IsOk());
}

TEST_F(PartitionReaderDamageTest, MissingEndBelowTheRecoveryPointIsDamage) {
  WriteLog(4);
  std::filesystem::resize_file(LogPath(0), 3 * BatchAt(0).size());
  outline_.checkpoint = {.log_start = 0, .recovery_point = 4};
  OpenReader();
  EXPECT_THAT(reader_->Read(3, {}),
              StatusIs(absl::StatusCode::kDataLoss,
                       HasSubstr("next readable offset is 4")));
  position_ = 4;
  EXPECT_THAT(Follow(), IsEmpty());
  EXPECT_THAT(reader_->Read(5, {}), StatusIs(absl::StatusCode::kOutOfRange));
}

TEST_F(PartitionReaderDamageTest, DamageInFrontOfALaterSegmentIsDamage) {
  for (const SealedAccess access : {SealedAccess::kMap, SealedAccess::kRead}) {
    Crash();
    std::filesystem::remove_all(path_);
    std::filesystem::create_directory(path_);
    checkpoint_ = {};
    WriteLog(20);
    const int64_t second = BasesOnDisk()[1];
    // The last batch of the first segment.
    Change(0, static_cast<size_t>(second - 1) * BatchAt(0).size() + 65, 4);
    sealed_ = access;
    OpenReader();
    for (int64_t i = 0; i < second - 1; ++i) EXPECT_EQ(ReadOne(i), Value(i));
    EXPECT_THAT(
        reader_->Read(second - 1, {}),
        StatusIs(absl::StatusCode::kDataLoss,
                 HasSubstr(absl::StrCat("next readable offset is ", second))));
    position_ = second;
    EXPECT_EQ(Follow(), Values(second, 20));
    EXPECT_THAT(Bounds(), IsBounds(0, 20, std::ssize(BasesOnDisk())));
  }
}

TEST_F(PartitionReaderDamageTest, MissingSegmentIsDamage) {
  WriteLog(20);
  const int64_t second = BasesOnDisk()[1];
  const int64_t third = BasesOnDisk()[2];
  std::filesystem::remove(LogPath(second));
  OpenReader();
  EXPECT_EQ(ReadOne(second - 1), Value(second - 1));
  EXPECT_THAT(
      reader_->Read(second, {}),
      StatusIs(absl::StatusCode::kDataLoss,
               HasSubstr(absl::StrCat("next readable offset is ", third))));
  position_ = third;
  EXPECT_EQ(Follow(), Values(third, 20));
}

TEST_F(PartitionReaderDamageTest, GapsAreSteppedOverWhereTheyAreAllowed) {
  WriteLog(20);
  const int64_t second = BasesOnDisk()[1];
  const int64_t third = BasesOnDisk()[2];
  std::filesystem::remove(LogPath(second));
  std::filesystem::resize_file(LogPath(third), 0);
  outline_.continuity = Continuity::kGapsAllowed;
  outline_.checkpoint.recovery_point =
      20;  // records above were never compacted
  OpenReader();
  int64_t next = 0;
  Contents seen;
  while (next < 20) {
    const auto view = reader_->Read(next, {});
    ASSERT_THAT(view, IsOk());
    RecordBatches::Records records = view->records();
    while (const RecordView* record = records.Next()) {
      seen[record->offset()] = *record->value();
    }
    next = view->next_offset();
  }
  Contents expected = Values(0, second);
  expected.merge(Values(BasesOnDisk()[2], 20));
  EXPECT_EQ(seen, expected);
}

TEST_F(PartitionReaderDamageTest, GapUpToTheRecoveryPointSkipsNoLaterRecord) {
  Recover();
  AppendMany(3);
  CloseCleanly();
  AppendBytes(0, BatchAt(10));
  outline_.continuity = Continuity::kGapsAllowed;
  outline_.checkpoint.recovery_point = 7;
  OpenReader();
  const auto view = reader_->Read(3, {.level = ReadLevel::kDurable});
  ASSERT_THAT(view, IsOk());
  EXPECT_TRUE(view->empty());
  EXPECT_EQ(view->next_offset(), 7);
}

TEST_F(PartitionReaderDamageTest, SealedSegmentCutUnderTheReaderIsDamage) {
  for (const SealedAccess access : {SealedAccess::kMap, SealedAccess::kRead}) {
    Crash();
    std::filesystem::remove_all(path_);
    std::filesystem::create_directory(path_);
    checkpoint_ = {};
    WriteLog(20);
    const int64_t second = BasesOnDisk()[1];
    sealed_ = access;
    OpenReader();
    EXPECT_EQ(ReadOne(0), Value(0));
    std::filesystem::resize_file(LogPath(0), BatchAt(0).size() + 20);
    EXPECT_THAT(reader_->Read(1, {}), StatusIs(absl::StatusCode::kDataLoss));
    // By now it has looked again.
    EXPECT_THAT(
        reader_->Read(1, {}),
        StatusIs(absl::StatusCode::kDataLoss,
                 HasSubstr(absl::StrCat("next readable offset is ", second))));
    position_ = second;
    EXPECT_EQ(Follow(), Values(second, 20));
  }
}

TEST_F(PartitionReaderDamageTest, LogThatWasCutBelowTheReaderSaysSo) {
  Recover();
  AppendMany(5);
  CloseCleanly();
  const std::string all = ReadBytes(LogPath(0));
  OpenReader();
  EXPECT_EQ(Follow(), Values(0, 5));
  // A power loss takes what was not synced: other records come in its place.
  std::filesystem::resize_file(LogPath(0), 3 * BatchAt(0).size());
  clock_.Advance(ReadOnlyLog::kRefreshInterval);
  EXPECT_THAT(reader_->WaitFor(5, absl::InfiniteFuture()), IsOk());
  EXPECT_THAT(reader_->Read(5, {}), StatusIs(absl::StatusCode::kOutOfRange,
                                             HasSubstr("ends before 3")));
  EXPECT_THAT(Bounds(), IsBounds(0, 3, 1));
  WriteBytes(LogPath(0), all);
  EXPECT_EQ(ReadOne(4), Value(4));
}

TEST_F(PartitionReaderDamageTest, IndexesThatLieCostTimeOnly) {
  const uint64_t seed = std::random_device()();
  std::cout << "seed " << seed << "\n";
  std::mt19937_64 random(seed);
  config_.segment_bytes = 2000;
  config_.index_interval_bytes = 150;
  Recover();
  AppendMany(100);
  CloseCleanly();
  for (int round = 0; round < 20; ++round) {
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
      if (!entry.path().extension().string().ends_with("index")) continue;
      std::string bytes(random() % 200, '\0');
      for (char& byte : bytes) byte = static_cast<char>(random() % 3);
      WriteBytes(entry.path(), bytes);
    }
    OpenReader();
    for (int64_t i = 0; i < 100; ++i) {
      const int64_t offset = i * 37 % 100;
      EXPECT_EQ(ReadOne(offset), Value(offset)) << "seed " << seed;
    }
    EXPECT_THAT(Bounds(), IsBounds(0, 100, std::ssize(BasesOnDisk())));
  }
}

}  // namespace
}  // namespace varve
