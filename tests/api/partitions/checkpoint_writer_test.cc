// SPDX-License-Identifier: Apache-2.0

#include "varve/api/partitions/checkpoint_writer.h"

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/scratch_directory.h"
#include "varve/api/catalog/store_checkpoint.h"
#include "varve/api/catalog/store_files.h"
#include "varve/api/metrics/store_meters.h"
#include "varve/log/system/clock.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;

constexpr CheckpointWriter::Room kReserved = CheckpointWriter::Room::kReserved;

class CheckpointWriterTest : public testing::Test {
 protected:
  // The contents of the file: the count of changes when it was asked for.
  StoreCheckpoint Present() {
    ++asked_;
    const int64_t changes = changes_;
    while (asked_ == 1 && writer_->writing() < expected_writers_)
      absl::SleepFor(absl::Milliseconds(1));
    return {{{"t", 0}, {.log_start = changes, .recovery_point = changes}}};
  }
  int64_t Written() {
    std::vector<std::string> notes;
    auto checkpoint = ReadStoreCheckpoint(*directory_, notes);
    return checkpoint.ok() && !checkpoint->partitions.empty()
               ? checkpoint->partitions.begin()->second.log_start
               : -1;
  }

  ScratchDirectory scratch_;
  FaultyFileSystem files_;
  std::shared_ptr<Directory> directory_ =
      *files_.OpenDirectory(scratch_.path());
  std::atomic<int64_t> changes_ = 0;
  std::atomic<int64_t> asked_ = 0;
  int64_t expected_writers_ = 0;
  std::unique_ptr<CheckpointWriter> writer_ =
      std::make_unique<CheckpointWriter>(
          directory_, std::make_shared<StoreMeters>(Clock::Real()),
          [this] { return Present(); });
};

TEST_F(CheckpointWriterTest, ThoseThatWaitShareTheNextFile) {
  constexpr int kWaiting = 7;
  expected_writers_ = 1 + kWaiting;
  std::vector<std::thread> threads;
  const auto change_and_write = [&] {
    const int64_t change = ++changes_;
    EXPECT_THAT(writer_->Write(kReserved), IsOk());
    EXPECT_GE(Written(), change);
  };
  threads.emplace_back(change_and_write);
  // The first has asked what to write, and waits until all others have come.
  while (asked_ == 0) absl::SleepFor(absl::Milliseconds(1));
  for (int i = 0; i < kWaiting; ++i) threads.emplace_back(change_and_write);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(asked_, 2);
  EXPECT_EQ(writer_->writing(), 0);
}

TEST_F(CheckpointWriterTest, FileThatWasNotWrittenServesNobody) {
  files_.FailCallsNamed("Directory::Rename", EIO,
                        FaultyFileSystem::Repeat::kForever);
  EXPECT_THAT(writer_->Write(kReserved), StatusIs(absl::StatusCode::kUnknown));
  files_.StopFailing();
  ++changes_;
  EXPECT_THAT(writer_->Write(kReserved), IsOk());
  EXPECT_EQ(Written(), 1);
}

TEST_F(CheckpointWriterTest, CallsOneAfterAnotherWriteAFileEach) {
  for (int i = 1; i <= 3; ++i) {
    ++changes_;
    ASSERT_THAT(writer_->Write(kReserved), IsOk());
    EXPECT_EQ(Written(), i);
    EXPECT_EQ(asked_, i);
  }
}

TEST_F(CheckpointWriterTest, AfterStopNothingIsWritten) {
  writer_->Stop();
  EXPECT_THAT(writer_->Write(kReserved),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(asked_, 0);
}

}  // namespace
}  // namespace varve
