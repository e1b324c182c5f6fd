// SPDX-License-Identifier: Apache-2.0

// The log of committed offsets stays short, and nothing is lost on the way.

#include "varve/api/groups/offset_rewrite.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/consumer_offsets_append.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/memory_directory.h"
#include "tests/fixture/sanitizer.h"
#include "tests/fixture/stored_records.h"
#include "varve/api/log_store.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/metadata/durability.h"

namespace varve {
namespace {

namespace fs = std::filesystem;

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::HasSubstr;
using ::testing::SizeIs;

using Repeat = FaultyFileSystem::Repeat;

constexpr int32_t kPartitions = 4;
constexpr int64_t kRecords = 1000;
constexpr int64_t kManyCommits =
    kSanitizer == Sanitizer::kNone ? 1'000'000 : 100'000;

// One group that commits for some partitions, with as much metadata as is
// allowed, so that few commits make a long log.
class OffsetRewriteTest : public testing::Test {
 protected:
  using Offsets = std::map<int32_t, int64_t>;

  void SetUp() override {
    Open(path_);
    ASSERT_THAT(store_->CreateTopic("orders", {.partitions = kPartitions}),
                IsOk());
    for (int32_t partition = 0; partition < kPartitions; ++partition) {
      auto orders = store_->partition("orders", partition);
      for (int64_t i = 0; i < kRecords; ++i) {
        ASSERT_THAT(orders->Append({.value = "v"}, Durability::kMemory),
                    IsOk());
      }
    }
  }

  void Open(const std::string& path) {
    store_ = nullptr;
    StoreOptions options;
    options.environment.files = &files_;
    auto opened = LogStore::Open(path, options);
    ASSERT_THAT(opened, IsOk());
    store_ = *std::move(opened);
  }

  absl::Status Commit(int32_t partition, int64_t offset,
                      Durability durability = Durability::kMemory) {
    return store_->CommitOffsets("g",
                                 {OffsetCommit{.topic = "orders",
                                               .partition = partition,
                                               .offset = offset,
                                               .metadata = metadata_}},
                                 durability);
  }

  Partition OffsetsLog() {
    auto partition = store_->partition("__consumer_offsets", 0);
    EXPECT_THAT(partition, IsOk());
    return *partition;
  }

  // Commits, one partition after another, until the next one would make the
  // log long enough to be rewritten.
  void FillUp() {
    const auto size = static_cast<int64_t>(metadata_.size() + 150);
    int64_t offset = 0;
    for (int64_t bytes = 0; bytes + size < kOffsetRewriteBytesMin;
         bytes += size, ++offset) {
      const auto partition = static_cast<int32_t>(offset % kPartitions);
      ASSERT_THAT(Commit(partition, offset), IsOk());
      committed_[partition] = offset;
    }
    ASSERT_EQ(OffsetsLog().log_start(), 0);
  }

  Offsets CommittedNow() {
    Offsets offsets;
    auto described = store_->DescribeGroup("g");
    EXPECT_THAT(described, IsOk());
    if (!described.ok()) return offsets;
    for (const GroupOffset& one : *described) {
      EXPECT_EQ(one.committed.metadata, metadata_);
      offsets[one.partition.partition] = one.committed.offset;
    }
    return offsets;
  }

  static int64_t DiskBytes(const std::string& store) {
    int64_t bytes = 0;
    for (const auto& file :
         fs::directory_iterator(store + "/__consumer_offsets-0")) {
      bytes += static_cast<int64_t>(file.file_size());
    }
    return bytes;
  }

  FaultyFileSystem files_;
  // In memory where possible: a test opens hundreds of stores.
  MemoryDirectory scratch_;
  const std::string path_ = scratch_ / "store";
  const std::string copy_ = scratch_ / "copy";
  const std::string crashed_ = scratch_ / "crashed";
  std::string metadata_ = std::string(kOffsetMetadataSizeMax, 'm');
  Offsets committed_;
  std::unique_ptr<LogStore> store_;
};

TEST_F(OffsetRewriteTest, LongLogIsRewrittenToWhatCounts) {
  FillUp();
  for (int i = 0; i < 4; ++i) ASSERT_THAT(Commit(0, kRecords), IsOk());
  committed_[0] = kRecords;
  Partition log = OffsetsLog();
  EXPECT_GT(log.log_start(), 200);
  // The live ones, and the commits since.
  EXPECT_LE(log.visible_end() - log.log_start(), kPartitions + 4);
  EXPECT_EQ(log.segment_count(), 1);
  EXPECT_EQ(CommittedNow(), committed_);
  ASSERT_THAT(store_->Close(), IsOk());
  EXPECT_LT(DiskBytes(path_), 64 << 10);
  Open(path_);
  EXPECT_EQ(CommittedNow(), committed_);
}

TEST_F(OffsetRewriteTest, DeletedOffsetsAndOtherRecordsAreNotMixedUp) {
  ASSERT_THAT(Commit(0, 1), IsOk());
  const Record other = {.key = std::string_view("\0\2\0\1g", 5),
                        .value = "group metadata"};
  EXPECT_THAT(OffsetsLog().Append(other),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("is internal, the store's own")));
  EXPECT_THAT(OffsetsLog().TrimBefore(1),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(OffsetsLog().visible_end(), 1);
  ASSERT_THAT(store_->Close(), IsOk());
  store_ = nullptr;
  RecordBatchBuilder builder;
  ASSERT_THAT(builder.Append(other, absl::Now()), IsOk());
  ASSERT_THAT(AppendToConsumerOffsets(path_, "g", builder.Finish()), IsOk());
  Open(path_);
  FillUp();
  ASSERT_THAT(store_->DeleteOffsets("g", {{.topic = "orders", .partition = 3}}),
              IsOk());
  committed_.erase(3);
  for (int i = 0; i < 4; ++i) ASSERT_THAT(Commit(0, kRecords), IsOk());
  committed_[0] = kRecords;
  ASSERT_GT(OffsetsLog().log_start(), 200);
  auto records = ReadAll(OffsetsLog());
  ASSERT_THAT(records, IsOk());
  EXPECT_EQ(records->front().second.key, other.key);
  EXPECT_EQ(records->front().second.value, other.value);
  EXPECT_EQ(CommittedNow(), committed_);
  ASSERT_THAT(store_->Close(), IsOk());
  Open(path_);
  EXPECT_EQ(CommittedNow(), committed_);
}

TEST_F(OffsetRewriteTest, ManyGroupsAreRewrittenWhenTheyAreAQuarterOfTheLog) {
  metadata_ = "";
  ASSERT_THAT(Commit(0, 1), IsOk());
  // More than the least size, all live: not to be written again and again.
  const std::string longest(2000, 'x');
  for (int i = 0; OffsetsLog().log_start() == 0 && i < 100'000; ++i) {
    const std::string group = absl::StrCat(longest, i);
    ASSERT_THAT(
        store_->CommitOffset(group, "orders", 0, 1, Durability::kMemory),
        IsOk());
    if (OffsetsLog().visible_end() == 1200) break;
  }
  EXPECT_EQ(OffsetsLog().log_start(), 0);
  EXPECT_EQ(OffsetsLog().visible_end(), 1200);
}

TEST_F(OffsetRewriteTest, ManyCommitsTakeLittleDisk) {
  metadata_ = "";
  int64_t largest = 0;
  for (int64_t i = 0; i < kManyCommits; ++i) {
    const auto partition = static_cast<int32_t>(i % kPartitions);
    ASSERT_THAT(Commit(partition, i % kRecords), IsOk());
    committed_[partition] = i % kRecords;
    if (i % 1000 == 0) largest = std::max(largest, DiskBytes(path_));
  }
  EXPECT_LT(largest, int64_t{8} << 20);
  EXPECT_EQ(OffsetsLog().visible_end() / kManyCommits, 1);
  EXPECT_EQ(CommittedNow(), committed_);
  ASSERT_THAT(store_->Close(), IsOk());
  EXPECT_LT(DiskBytes(path_), 2 << 20);
  Open(path_);
  EXPECT_EQ(CommittedNow(), committed_);
}

// Whichever call of the rewriting fails, once or from then on, and whether the
// process continues or dies there: acknowledged offsets are committed.
TEST_F(OffsetRewriteTest, NoFailingCallLosesAnOffset) {
  FillUp();
  ASSERT_THAT(store_->Close(), IsOk());
  for (Repeat repeat : {Repeat::kOnce, Repeat::kForever}) {
    for (int error : {EIO, ENOSPC}) {
      bool has_call = true;
      for (int64_t i = 0; has_call; i += kInputStep) {
        store_ = nullptr;
        CopyStore(path_, copy_);
        Open(copy_);
        ASSERT_EQ(CommittedNow(), committed_);
        files_.ForgetCalls();
        files_.FailCall(i, error, repeat);
        Offsets acknowledged = committed_;
        Offsets asked = committed_;
        for (int round = 0; round < 4; ++round) {
          asked[1] = 600 + round;
          if (!Commit(1, asked[1], Durability::kSynced).ok()) break;
          acknowledged = asked;
        }
        has_call = files_.call_count() > i;
        CopyStore(files_, copy_, crashed_);
        files_.StopFailing();
        SCOPED_TRACE(testing::Message()
                     << "call " << i << ", error " << error << ", forever "
                     << (repeat == Repeat::kForever));
        Open(copy_);
        ASSERT_THAT(CommittedNow(), testing::AnyOf(acknowledged, asked));
        ASSERT_THAT(Commit(1, kRecords), IsOk());
        Open(crashed_);
        ASSERT_THAT(CommittedNow(), testing::AnyOf(acknowledged, asked));
        ASSERT_THAT(Commit(1, kRecords), IsOk());
        if (!has_call) {
          ASSERT_GT(OffsetsLog().log_start(), 200);
        }
      }
    }
  }
}

TEST_F(OffsetRewriteTest, FullDiskPutsOffTheRewritingAndNotTheCommits) {
  FillUp();
  files_.FailCallsNamed("Directory::OpenFile", ENOSPC, Repeat::kForever);
  for (int i = 0; i < 8; ++i) ASSERT_THAT(Commit(1, i), IsOk());
  EXPECT_EQ(OffsetsLog().log_start(), 0);
  files_.StopFailing();
  // It is tried again when the log has grown by as much once more.
  for (int i = 0; i < 300; ++i) ASSERT_THAT(Commit(1, i), IsOk());
  EXPECT_GT(OffsetsLog().log_start(), 200);
  EXPECT_EQ(OffsetsLog().segment_count(), 1);
  committed_[1] = 299;
  EXPECT_EQ(CommittedNow(), committed_);
}

}  // namespace
}  // namespace varve
