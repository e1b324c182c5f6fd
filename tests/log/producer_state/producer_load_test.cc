// SPDX-License-Identifier: Apache-2.0

#include "varve/log/producer_state/producer_load.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "absl/log/check.h"
#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/file_bytes.h"
#include "tests/fixture/producer_client.h"
#include "tests/fixture/producer_store_fixture.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/producer/producer_position.h"
#include "varve/log/producer/producer_state.h"
#include "varve/log/producer_state/producer_files.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::testing::Not;

// A log of several segments: a producer has appended to the first one, and
// another one to the third.
class ProducerLoadTest : public ProducerStoreFixture {
 protected:
  void SetUp() override {
    CreateInSegmentsOf(1024);
    ASSERT_THAT(Append(first_.Batch(0, 3)), IsOk());
    AppendASegment();
    AppendASegment();
    ASSERT_THAT(Append(second_.Batch(0, 3)), IsOk());
    AppendASegment();
    end_ = Orders().visible_end();
    Close();
    directory_ = *FileSystem::Posix()->OpenDirectory(path_ + "/orders-0");
    files_ = *ListProducerFiles(*directory_);
    ASSERT_GT(files_.segments.size(), size_t{4});
  }
  // More than a segment.
  void AppendASegment() {
    for (int i = 0; i < 8; ++i) AppendPlain(std::string(100, 'p'));
  }

  // Recovers after an unclean end; the log starts and ends there.
  LoadedProducers Recover(int64_t scanned_from, int64_t log_start,
                          int64_t end) {
    auto producers =
        RecoverProducers(*directory_,
                         {.log = {.segment_bases = files_.segments},
                          .log_start = log_start,
                          .next_offset = end},
                         scanned_from);
    CHECK_OK(producers.status());
    return *std::move(producers);
  }
  static bool Knows(const LoadedProducers& loaded,
                    const ProducerClient& client) {
    const ProducerState* const found = loaded.states.Find(client.id);
    return found != nullptr && found->position().last_sequence == 2;
  }
  std::string PathOf(int64_t offset, SegmentFileKind kind) const {
    return path_ + "/orders-0/" + SegmentFileName(offset, kind);
  }
  int64_t Base(size_t i) const { return files_.segments[i]; }

  const ProducerClient first_ = {.id = 1};
  const ProducerClient second_ = {.id = 2};
  int64_t end_ = 0;
  std::unique_ptr<Directory> directory_;
  ProducerFiles files_;
};

TEST_F(ProducerLoadTest, AllAreKnownFromTheSnapshotOfTheScannedSegment) {
  const LoadedProducers loaded = Recover(files_.segments.back(), 0, end_);
  EXPECT_TRUE(Knows(loaded, first_));
  EXPECT_TRUE(Knows(loaded, second_));
  EXPECT_EQ(loaded.snapshot_at_end, end_);
}

// A crash came between the checkpoint of a trim and the deletion of the files:
// recovery scans a segment that lies below the log start. The snapshot at the
// log start was not durable yet.
TEST_F(ProducerLoadTest, SnapshotBelowTheLogStartCountsWhileItIsScanned) {
  const size_t last = files_.segments.size() - 1;
  std::filesystem::remove(PathOf(Base(last), SegmentFileKind::kSnapshot));
  const LoadedProducers loaded =
      Recover(Base(last - 1), Base(last), Base(last));
  EXPECT_TRUE(Knows(loaded, first_));
  EXPECT_TRUE(Knows(loaded, second_));
}

// The snapshot after it is older than the damage.
TEST_F(ProducerLoadTest, DamagedBatchIsKnownFromTheNextSnapshot) {
  size_t damaged = 0;
  for (size_t i = 0; i + 1 < files_.segments.size(); ++i) {
    const std::string bytes = ReadBytes(PathOf(Base(i), SegmentFileKind::kLog));
    if (bytes.find("2:1") == std::string::npos) continue;
    damaged = i;
    std::string changed = bytes;
    changed[bytes.find("2:1")] = '3';
    WriteBytes(PathOf(Base(i), SegmentFileKind::kLog), changed);
  }
  ASSERT_GT(damaged, size_t{0});
  const LoadedProducers loaded = Recover(Base(damaged), 0, end_);
  EXPECT_TRUE(Knows(loaded, second_));
}

TEST_F(ProducerLoadTest, MissingSnapshotsAreWrittenAgainWhereTheyWereDue) {
  for (const int64_t offset : files_.snapshots)
    std::filesystem::remove(PathOf(offset, SegmentFileKind::kSnapshot));
  const LoadedProducers loaded = Recover(0, 0, end_);
  EXPECT_TRUE(Knows(loaded, first_));
  EXPECT_TRUE(Knows(loaded, second_));
  const auto files = ListProducerFiles(*directory_);
  ASSERT_THAT(files, IsOk());
  EXPECT_EQ(files->snapshots, files_.snapshots);
}

TEST_F(ProducerLoadTest, SnapshotsAboveTheEndAreRemoved) {
  const int64_t end = Base(2);
  files_.segments.resize(2);
  const LoadedProducers loaded = Recover(Base(1), 0, end);
  EXPECT_TRUE(Knows(loaded, first_));
  EXPECT_FALSE(Knows(loaded, second_));
  const auto files = ListProducerFiles(*directory_);
  ASSERT_THAT(files, IsOk());
  EXPECT_EQ(files->snapshots.back(), end);
}

TEST_F(ProducerLoadTest, UnfinishedFilesOfACrashAreRemovedAndOthersStay) {
  const std::string snapshot = PathOf(7, SegmentFileKind::kSnapshot) + ".tmp";
  const std::string index = PathOf(0, SegmentFileKind::kTxnIndex) + ".tmp";
  const std::string other = path_ + "/orders-0/mine.snapshot.tmp";
  for (const std::string& path : {snapshot, index, other})
    WriteBytes(path, "x");
  Recover(files_.segments.back(), 0, end_);
  EXPECT_FALSE(std::filesystem::exists(snapshot));
  EXPECT_FALSE(std::filesystem::exists(index));
  EXPECT_TRUE(std::filesystem::exists(other));
}

TEST_F(ProducerLoadTest, SnapshotOfALaterVersionStaysAndTheBatchesAreRead) {
  std::string bytes = ReadBytes(PathOf(Base(1), SegmentFileKind::kSnapshot));
  bytes[1] = 2;
  WriteBytes(PathOf(Base(1), SegmentFileKind::kSnapshot), bytes);
  const LoadedProducers loaded = Recover(Base(1), 0, Base(2));
  EXPECT_TRUE(Knows(loaded, first_));
  EXPECT_THAT(loaded.notes, Not(testing::IsEmpty()));
  EXPECT_EQ(ReadBytes(PathOf(Base(1), SegmentFileKind::kSnapshot)), bytes);
}

}  // namespace
}  // namespace varve
