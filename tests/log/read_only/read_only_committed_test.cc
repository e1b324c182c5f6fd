// SPDX-License-Identifier: Apache-2.0

// Committed reads of a log that another writer has cut, and gone on with.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/file_bytes.h"
#include "tests/fixture/producer_client.h"
#include "tests/fixture/read_only_partition_reader_fixture.h"
#include "varve/index/big_endian.h"
#include "varve/log/batch/control_record.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/batch/record_view.h"
#include "varve/log/metadata/continuity.h"
#include "varve/log/metadata/partition_checkpoint.h"
#include "varve/log/metadata/read_options.h"
#include "varve/log/producer_state/producer_files.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::IsOkAndHolds;
using ::absl_testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ReadOnlyCommittedTest : public ReadOnlyPartitionReaderFixture {
 protected:
  // Adds the batch of one record, with the epoch of its writer.
  void Add(RecordBatchBuilder builder) {
    std::string bytes(builder.Finish().bytes());
    StoreBig64(bytes.data() + batch_layout::kBaseOffset, end_++);
    StoreBig32(bytes.data() + batch_layout::kLeaderEpoch, epoch_);
    log_ += bytes;
    WriteBytes(LogPath(segment_), log_);
  }
  // What is added from now on is in another segment.
  void Roll() {
    log_.clear();
    segment_ = end_;
  }
  void AddPlain(std::string_view value) {
    RecordBatchBuilder builder;
    ASSERT_THAT(builder.Append({.value = value},
                               absl::FromUnixMillis(ProducerClient::kTimeMs)),
                IsOk());
    Add(std::move(builder));
  }
  void Commit() { Add(one_.Marker(ControlRecordType::kCommit)); }
  void Abort() { Add(one_.Marker(ControlRecordType::kAbort)); }
  // Another writer has recovered the log, and nothing of it is left.
  void CutByAnotherWriter() {
    log_.clear();
    end_ = 0;
    ++epoch_;
    clock_.Advance(absl::Seconds(1));  // until the reader looks again
  }

  std::vector<std::string> ReadFrom(int64_t offset) {
    std::vector<std::string> values;
    while (true) {
      const auto view =
          reader_->Read(offset, {.isolation = Isolation::kReadCommitted});
      EXPECT_THAT(view, IsOk());
      if (!view.ok() || view->next_offset() == offset) return values;
      RecordBatches::Records records = view->records();
      while (const RecordView* record = records.Next())
        values.emplace_back(*record->value());
      offset = view->next_offset();
    }
  }

  const ProducerClient one_ = {.id = 1, .transactional = Transactional::kYes};
  std::string log_;  // of the last segment
  int64_t segment_ = 0;
  int64_t end_ = 0;
  int32_t epoch_ = 0;
};

TEST_F(ReadOnlyCommittedTest, LogOfAnotherWriterThatIsLongerIsReadAnew) {
  Add(one_.Batch(0));
  AddPlain("a");
  Abort();
  OpenReader();
  EXPECT_THAT(ReadFrom(0), ElementsAre("a"));
  CutByAnotherWriter();
  Add(one_.Batch(0));
  AddPlain("b");
  AddPlain("c");
  AddPlain("d");
  EXPECT_THAT(ReadFrom(3), IsEmpty());  // its transaction is open
  Commit();
  EXPECT_THAT(ReadFrom(3), ElementsAre("d"));
  EXPECT_THAT(ReadFrom(0), ElementsAre("1:0", "b", "c", "d"));
}

TEST_F(ReadOnlyCommittedTest, LogOfAnotherWriterThatEndsThereIsReadAnew) {
  Add(one_.Batch(0));
  AddPlain("a");
  Abort();
  OpenReader();
  EXPECT_THAT(ReadFrom(0), ElementsAre("a"));
  CutByAnotherWriter();
  Add(one_.Batch(0));
  Commit();
  AddPlain("b");
  EXPECT_THAT(ReadFrom(0), ElementsAre("1:0", "b"));
}

TEST_F(ReadOnlyCommittedTest, LogThatWasCutBelowWhatIsKnownIsReadAnew) {
  AddPlain("a");
  Add(one_.Batch(0));
  Commit();
  OpenReader();
  EXPECT_THAT(ReadFrom(0), ElementsAre("a", "1:0"));
  CutByAnotherWriter();
  AddPlain("b");
  Add(one_.Batch(0));
  EXPECT_THAT(
      reader_->ReadableEnd(ReadLevel::kVisible, Isolation::kReadCommitted),
      IsOkAndHolds(1));
  EXPECT_THAT(ReadFrom(0), ElementsAre("b"));
}

// The log of another writer ends where the reader is, and nothing comes yet.
TEST_F(ReadOnlyCommittedTest, ReaderAtTheEndOfAnotherWritersLogWaits) {
  AddPlain("a");
  const std::string kept = log_;
  AddPlain("b");
  AddPlain("c");
  OpenReader();
  EXPECT_THAT(ReadFrom(0), ElementsAre("a", "b", "c"));
  log_ = kept;
  WriteBytes(LogPath(0), log_);
  clock_.Advance(absl::Seconds(1));
  EXPECT_THAT(ReadFrom(1), IsEmpty());
  EXPECT_THAT(
      reader_->HasNews(1, ReadLevel::kVisible, Isolation::kReadCommitted),
      IsOkAndHolds(false));
}

TEST_F(ReadOnlyCommittedTest, DamagedIndexBeforeTheLogStartDoesNotMatter) {
  Add(one_.Batch(0));
  Abort();
  AddPlain("a");
  WriteBytes(path_ + "/00000000000000000000.txnindex", "odd");
  outline_.checkpoint.log_start = 2;
  outline_.checkpoint.recovery_point = 2;
  OpenReader();
  EXPECT_THAT(ReadFrom(2), ElementsAre("a"));
}

TEST_F(ReadOnlyCommittedTest, DamageOfTheLastBatchIsReported) {
  AddPlain("a");
  const size_t damaged = log_.size() + batch_layout::kRecords;
  AddPlain("b");
  log_[damaged] ^= 1;
  WriteBytes(LogPath(0), log_);
  outline_.checkpoint.recovery_point = end_;
  OpenReader();
  EXPECT_THAT(
      reader_->HasNews(1, ReadLevel::kVisible, Isolation::kReadCommitted),
      IsOkAndHolds(true));
  EXPECT_THAT(reader_->Read(1, {.isolation = Isolation::kReadCommitted}),
              StatusIs(absl::StatusCode::kDataLoss));
}

// The leader epoch is not covered by the CRC.
TEST_F(ReadOnlyCommittedTest, DamagedLeaderEpochHidesNothing) {
  AddPlain("a");
  const size_t epoch = log_.size() + batch_layout::kLeaderEpoch;
  AddPlain("b");
  AddPlain("c");
  log_[epoch] ^= 1;
  WriteBytes(LogPath(0), log_);
  OpenReader();
  EXPECT_THAT(ReadFrom(0), ElementsAre("a", "b", "c"));
  EXPECT_THAT(ReadFrom(1), ElementsAre("b", "c"));
}

// A log cleaner has removed the aborted batch, and then its marker.
TEST_F(ReadOnlyCommittedTest, SnapshotOfALaterSegmentSaysWhatAMarkerDid) {
  outline_.continuity = Continuity::kGapsAllowed;
  outline_.checkpoint.origin = CheckpointOrigin::kStandIn;
  Add(one_.Batch(0));
  AddPlain("a");
  OpenReader();
  EXPECT_THAT(ReadFrom(0), IsEmpty());
  log_.clear();
  end_ = 1;
  AddPlain("a");
  end_ = 3;
  Roll();
  AddPlain("b");
  const auto directory = FileSystem::Posix()->OpenDirectory(path_);
  ASSERT_THAT(directory, IsOk());
  ASSERT_THAT(WriteProducerSnapshot(**directory, {.offset = 3}), IsOk());
  outline_.checkpoint.recovery_point = 3;
  clock_.Advance(absl::Seconds(1));
  EXPECT_THAT(ReadFrom(1), ElementsAre("a", "b"));
}

// The snapshot of a segment is written when its batches are known already.
TEST_F(ReadOnlyCommittedTest, SnapshotOfAKnownSegmentIsNotTakenForItsEnd) {
  Add(one_.Batch(0));
  Roll();
  AddPlain("a");
  Abort();
  OpenReader();
  EXPECT_THAT(ReadFrom(0), ElementsAre("a"));
  const auto directory = FileSystem::Posix()->OpenDirectory(path_);
  ASSERT_THAT(directory, IsOk());
  ASSERT_THAT(
      WriteProducerSnapshot(**directory,
                            {.offset = 1,
                             .producers = {{.producer_id = one_.id,
                                            .producer_epoch = one_.epoch,
                                            .last_sequence = 0,
                                            .last_offset = 0,
                                            .transaction_first_offset = 0}}}),
      IsOk());
  outline_.checkpoint.recovery_point = 1;
  ASSERT_THAT(reader_->Bounds(), IsOk());  // looks at the recovery point
  AddPlain("b");
  EXPECT_THAT(ReadFrom(1), ElementsAre("a", "b"));
}

TEST_F(ReadOnlyCommittedTest, DamageIsPassedOverToKnowWhatFollows) {
  AddPlain("a");
  const size_t damaged = log_.size() + batch_layout::kRecords;
  AddPlain("b");
  AddPlain("c");
  Add(one_.Batch(0));
  Abort();
  AddPlain("d");
  log_[damaged] ^= 1;
  WriteBytes(LogPath(0), log_);
  outline_.checkpoint.recovery_point = end_;
  OpenReader();
  EXPECT_THAT(reader_->Read(1, {.isolation = Isolation::kReadCommitted}),
              StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(ReadFrom(2), ElementsAre("c", "d"));
}

// A clean open begins no epoch, and an unclean one that cuts nothing does.
TEST_F(ReadOnlyCommittedTest, EpochThatGrowsWithoutACutLosesNothing) {
  Add(one_.Batch(0));
  OpenReader();
  EXPECT_THAT(ReadFrom(0), IsEmpty());
  ++epoch_;
  AddPlain("a");
  EXPECT_THAT(ReadFrom(0), IsEmpty());
  Abort();
  EXPECT_THAT(ReadFrom(0), ElementsAre("a"));
}

}  // namespace
}  // namespace varve
