// SPDX-License-Identifier: Apache-2.0

// The reader beside a writer that appends, rolls, closes, dies and recovers.
// Both are in one process here and share nothing but the files;
// read_only_partition_reader_damage_test.cc has what a writer would not leave.

#include "varve/log/read_only/read_only_partition_reader.h"

#include <cstdint>
#include <filesystem>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/read_only_partition_reader_fixture.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/metadata/read_options.h"
#include "varve/log/read_only/read_only_log.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::IsOkAndHolds;
using ::absl_testing::StatusIs;
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ReadOnlyPartitionReaderTest
    : public ReadOnlyPartitionReaderFixture,
      public testing::WithParamInterface<SealedAccess> {
 protected:
  ReadOnlyPartitionReaderTest() { sealed_ = GetParam(); }
};

INSTANTIATE_TEST_SUITE_P(Access, ReadOnlyPartitionReaderTest,
                         testing::Values(SealedAccess::kMap,
                                         SealedAccess::kRead),
                         [](const auto& access) {
                           return access.param == SealedAccess::kMap ? "Map"
                                                                     : "Read";
                         });

TEST_P(ReadOnlyPartitionReaderTest, EmptyLogHasNothingYet) {
  OpenReader();
  EXPECT_THAT(Follow(), IsEmpty());
  EXPECT_THAT(Bounds(), IsBounds(0, 0, 0));
  EXPECT_THAT(reader_->Read(1, {}), StatusIs(absl::StatusCode::kOutOfRange));
  EXPECT_THAT(reader_->WaitFor(0, absl::Now()),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
}

TEST_P(ReadOnlyPartitionReaderTest, OffsetPastTheEndIsNewsAtEveryLevel) {
  Recover();
  AppendMany(3);
  outline_.checkpoint.recovery_point = 1;
  for (const ReadLevel level : {ReadLevel::kVisible, ReadLevel::kDurable}) {
    OpenReader();
    EXPECT_THAT(reader_->HasNews(4, level), IsOkAndHolds(true));
    EXPECT_THAT(reader_->WaitFor(4, absl::InfiniteFuture(), level), IsOk());
    EXPECT_THAT(reader_->Read(4, {.level = level}),
                StatusIs(absl::StatusCode::kOutOfRange));
    EXPECT_THAT(reader_->HasNews(3, level), IsOkAndHolds(false));
  }
  // Visible, and not durable.
  EXPECT_THAT(reader_->HasNews(2, ReadLevel::kDurable), IsOkAndHolds(false));
  EXPECT_THAT(reader_->HasNews(1, ReadLevel::kDurable), IsOkAndHolds(false));
  EXPECT_THAT(reader_->HasNews(0, ReadLevel::kDurable), IsOkAndHolds(true));
}

TEST_P(ReadOnlyPartitionReaderTest, ReaderFromBeforeTheFirstRecordSeesAll) {
  OpenReader();
  EXPECT_THAT(Follow(), IsEmpty());
  Recover();
  AppendMany(3);
  EXPECT_EQ(Follow(), Values(0, 3));
  AppendMany(2);
  EXPECT_EQ(Follow(), Values(3, 5));
  EXPECT_THAT(Follow(), IsEmpty());
}

TEST_P(ReadOnlyPartitionReaderTest, FollowsAcrossRolls) {
  config_.segment_bytes = 300;
  Recover();
  OpenReader();
  Contents seen;
  for (int i = 1; i <= 60; ++i) {
    AppendMany(i % 7);
    seen.merge(Follow());
  }
  EXPECT_GT(log_->segment_count(), 30);
  EXPECT_EQ(seen, Values(0, log_->visible_end()));
  EXPECT_THAT(Bounds(),
              IsBounds(0, log_->visible_end(), log_->segment_count()));
}

TEST_P(ReadOnlyPartitionReaderTest, CatchesUpFromAnyOffset) {
  config_.segment_bytes = 2000;
  config_.index_interval_bytes = 150;
  Recover();
  AppendMany(200);
  for (int64_t from = 0; from <= 200; ++from) {
    OpenReader();
    position_ = from;
    EXPECT_EQ(Follow(), Values(from, 200)) << from;
  }
}

TEST_P(ReadOnlyPartitionReaderTest, JumpsToAnyOffset) {
  config_.segment_bytes = 2000;
  config_.index_interval_bytes = 150;
  Recover();
  AppendMany(200);
  OpenReader();
  for (int64_t i = 0; i < 200; ++i) {
    const int64_t offset = i * 77 % 200;
    EXPECT_EQ(ReadOne(offset), Value(offset));
  }
}

TEST_P(ReadOnlyPartitionReaderTest, WithoutIndexesFindsEverything) {
  config_.segment_bytes = 2000;
  config_.index_interval_bytes = 150;
  Recover();
  AppendMany(100);
  CloseCleanly();
  for (const auto& entry : std::filesystem::directory_iterator(path_)) {
    if (entry.path().extension() == ".index") {
      std::filesystem::remove(entry.path());
    }
  }
  OpenReader();
  for (const int64_t offset : {0, 99, 17, 50}) {
    EXPECT_EQ(ReadOne(offset), Value(offset));
  }
  EXPECT_THAT(Bounds(), IsBounds(0, 100, std::ssize(BasesOnDisk())));
}

TEST_P(ReadOnlyPartitionReaderTest, BatchesLargerThanTheWindowAreWhole) {
  Recover();
  OpenReader();
  Contents written;
  for (const int size : {20'000, 10, 400'000, 3}) {
    const std::string value(static_cast<size_t>(size), 'v');
    written[Append(value)] = value;
  }
  EXPECT_EQ(Follow(), written);
  EXPECT_EQ(ReadOne(2), written[2]);
}

TEST_P(ReadOnlyPartitionReaderTest, MaxBytesBoundsAllButTheFirstBatch) {
  Recover();
  AppendMany(10);
  OpenReader();
  const int64_t batch = reader_->Read(0, {.max_bytes = 0})->size_bytes();
  const auto three = reader_->Read(4, {.max_bytes = 3 * batch + 1});
  ASSERT_THAT(three, IsOk());
  EXPECT_EQ(three->size_bytes(), 3 * batch);
  EXPECT_EQ(three->next_offset(), 7);
}

TEST_P(ReadOnlyPartitionReaderTest, WriterThatComesAndGoesIsFollowed) {
  config_.segment_bytes = 500;
  OpenReader();
  Contents seen;
  for (int i = 0; i < 40; ++i) {
    Recover();
    AppendMany(1 + i % 9);
    seen.merge(Follow());
    AppendMany(i % 4);
    i % 2 == 0 ? CloseCleanly() : Crash();
  }
  seen.merge(Follow());
  Recover();
  EXPECT_EQ(seen, Values(0, log_->visible_end()));
}

TEST_P(ReadOnlyPartitionReaderTest, ViewsOutliveTheReaderAndTheFiles) {
  config_.segment_bytes = 300;
  Recover();
  AppendMany(10);
  OpenReader();
  auto sealed = reader_->Read(0, {.max_bytes = 0});
  auto last = reader_->Read(9, {});
  ASSERT_THAT(sealed, IsOk());
  ASSERT_THAT(last, IsOk());
  reader_ = nullptr;
  Crash();
  std::filesystem::remove_all(path_);
  for (const auto* view : {&*sealed, &*last}) {
    RecordBatches::Records records = view->records();
    const RecordView* record = records.Next();
    ASSERT_NE(record, nullptr);
    EXPECT_EQ(record->value(), Value(record->offset()));
  }
}

TEST_P(ReadOnlyPartitionReaderTest, BelowTheLogStartNamesTheEarliestOffset) {
  config_.segment_bytes = 300;
  Recover();
  AppendMany(20);
  OpenReader();
  EXPECT_EQ(ReadOne(0), Value(0));
  outline_.checkpoint.log_start = 13;
  clock_.Advance(ReadOnlyLog::kRefreshInterval);
  EXPECT_THAT(Bounds(), IsBounds(13, 20, log_->segment_count()));
  EXPECT_THAT(
      reader_->Read(12, {}),
      StatusIs(absl::StatusCode::kOutOfRange,
               AllOf(HasSubstr("offset 12"), HasSubstr("starts at 13"))));
  EXPECT_EQ(ReadOne(13), Value(13));
}

TEST_P(ReadOnlyPartitionReaderTest,
       ReaderOfATrimmedSegmentReadsItsRestAndIsTold) {
  config_.segment_bytes = 300;
  Recover();
  AppendMany(30);
  OpenReader();
  const int64_t second = BasesOnDisk()[1];
  const int64_t fifth = BasesOnDisk()[4];
  position_ = 1;
  EXPECT_EQ(ReadOne(1), Value(1));
  RemoveSegmentsBelow(fifth);
  for (int64_t offset = 2; offset < second; ++offset) {
    EXPECT_EQ(ReadOne(offset), Value(offset));
  }
  const auto trimmed = reader_->Read(second, {});
  EXPECT_THAT(trimmed, StatusIs(absl::StatusCode::kOutOfRange,
                                HasSubstr("the log starts at " +
                                          std::to_string(fifth))));
  EXPECT_THAT(reader_->WaitFor(second, absl::Now()), IsOk());
  position_ = fifth;
  EXPECT_EQ(Follow(), Values(fifth, 30));
}

TEST_P(ReadOnlyPartitionReaderTest,
       TrimPastAReaderThatKnowsNoLaterSegmentShows) {
  config_.segment_bytes = 300;
  for (const int64_t read_before : {0, 1}) {
    Recover();
    const int64_t begin = log_->visible_end();
    AppendMany(read_before);
    OpenReader();
    position_ = begin;
    EXPECT_EQ(Follow(), Values(begin, begin + read_before));
    AppendMany(30);
    const int64_t last = BasesOnDisk().back();
    RemoveSegmentsBelow(last);
    absl::StatusOr<RecordBatches> view = reader_->Read(position_, {});
    Contents seen;
    while (view.ok() && !view->empty()) {
      Collect(*view, seen);
      view = reader_->Read(position_, {});
    }
    EXPECT_THAT(view, StatusIs(absl::StatusCode::kOutOfRange,
                               HasSubstr(absl::StrCat("starts at ", last))));
    Crash();
    std::filesystem::remove_all(path_);
    std::filesystem::create_directory(path_);
  }
}

TEST_P(ReadOnlyPartitionReaderTest, DeletedTopicIsNotFound) {
  Recover();
  AppendMany(1);
  OpenReader();
  EXPECT_EQ(Follow(), Values(0, 1));
  outline_error_ = absl::NotFoundError("the topic was deleted");
  clock_.Advance(ReadOnlyLog::kRefreshInterval);
  EXPECT_THAT(reader_->Read(1, {}), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(reader_->WaitFor(1, absl::InfiniteFuture()),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_P(ReadOnlyPartitionReaderTest, WaiterWakesWhenTheRecordIsThere) {
  Recover();
  OpenReader();
  std::thread writer([&] {
    absl::SleepFor(absl::Milliseconds(20));
    AppendMany(5);
  });
  EXPECT_THAT(reader_->WaitFor(0, absl::InfiniteFuture()), IsOk());
  EXPECT_EQ(ReadOne(0), Value(0));
  writer.join();
}

TEST_P(ReadOnlyPartitionReaderTest, SequentialReaderOpensAndListsNothingAgain) {
  Recover();
  AppendMany(1);
  OpenReader();
  EXPECT_EQ(Follow(), Values(0, 1));
  reader_files_.ForgetCalls();
  AppendMany(3);
  EXPECT_EQ(ReadOne(1), Value(1));
  EXPECT_EQ(ReadOne(2), Value(2));
  for (const std::string& call : reader_files_.calls()) {
    EXPECT_THAT(call,
                AnyOf(HasSubstr("File::Size"), HasSubstr("File::ReadAt")));
  }
}

TEST_P(ReadOnlyPartitionReaderTest, LastSegmentIsNeverMapped) {
  config_.segment_bytes = 300;
  Recover();
  AppendMany(30);
  CloseCleanly();
  const std::string last = LogPath(BasesOnDisk().back());
  OpenReader();
  EXPECT_EQ(Follow(), Values(0, 30));
  int64_t mapped = 0;
  for (const std::string& call : reader_files_.calls()) {
    if (!call.starts_with("File::Map")) continue;
    ++mapped;
    EXPECT_THAT(call, testing::Not(HasSubstr(last)));
  }
  EXPECT_EQ(mapped > 0, GetParam() == SealedAccess::kMap);
}

TEST_P(ReadOnlyPartitionReaderTest, SegmentThatIsNotSealedYetIsNotMapped) {
  config_.segment_bytes = 300;
  Recover();
  AppendMany(30);
  // The first segment still has its zeros, as after a roll that a crash
  // interrupted.
  std::filesystem::resize_file(LogPath(0), 4096);
  OpenReader();
  EXPECT_EQ(ReadOne(0), Value(0));
  for (const std::string& call : reader_files_.calls()) {
    EXPECT_THAT(call, testing::Not(HasSubstr("File::Map")));
  }
  position_ = 1;
  EXPECT_EQ(Follow(), Values(1, 30));
}

TEST_P(ReadOnlyPartitionReaderTest, ChangesNothing) {
  config_.segment_bytes = 300;
  Recover();
  AppendMany(30);
  OpenReader();
  Follow();
  Bounds();
  for (const std::string& call : reader_files_.calls()) {
    EXPECT_THAT(call,
                AnyOf(HasSubstr("::OpenDirectory"), HasSubstr("::OpenFile"),
                      HasSubstr("::List"), HasSubstr("File::Size"),
                      HasSubstr("File::ReadAt"), HasSubstr("File::Map")));
  }
}

TEST_P(ReadOnlyPartitionReaderTest,
       EveryFailedCallIsAnErrorAndTheNextReadSucceeds) {
  config_.segment_bytes = 300;
  Recover();
  AppendMany(12);
  for (int64_t i = 0;; ++i) {
    OpenReader();
    const int64_t before = reader_files_.call_count();
    reader_files_.FailCall(before + i, 5 /* EIO */,
                           FaultyFileSystem::Repeat::kOnce);
    Contents seen;
    for (position_ = 0; position_ < 12;) {
      const int64_t at = position_;
      auto view = reader_->Read(at, {});
      if (!view.ok()) {
        EXPECT_THAT(view.status().message(), HasSubstr("Input/output error"));
        continue;
      }
      Collect(*view, seen);
    }
    EXPECT_EQ(seen, Values(0, 12)) << "call " << i;
    reader_files_.StopFailing();
    if (reader_files_.call_count() <= before + i) break;
  }
}

}  // namespace
}  // namespace varve
