// SPDX-License-Identifier: Apache-2.0

// The log of committed offsets is compacted, and nothing is lost on the way.

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
#include "varve/api/duty/maintenance_pause.h"
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
    kSanitizer == Sanitizer::kNone ? 100'000 : 20'000;

// Bytes of commits that fill a segment and begin another one.
constexpr int64_t kBytes = int64_t{5} << 19;

// One group that commits for some partitions, with as much metadata as is
// allowed, so that few commits make a long log.
class OffsetCompactionTest : public testing::Test {
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

  // Commits, one partition after another, until two segments are sealed.
  void FillUp() { FillUpOf(kPartitions); }
  void FillUpOf(int32_t partitions) {
    const auto size = static_cast<int64_t>(metadata_.size());
    int64_t offset = 0;
    for (int64_t bytes = 0; bytes < kBytes; bytes += size, ++offset) {
      const auto partition = static_cast<int32_t>(offset % partitions);
      ASSERT_THAT(Commit(partition, offset), IsOk());
      committed_[partition] = offset;
    }
    ASSERT_THAT(OffsetsLog().Sync(), IsOk());
    ASSERT_EQ(OffsetsLog().segment_count(), 3);
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

TEST_F(OffsetCompactionTest, LastOffsetsAreLeft) {
  FillUp();
  const int64_t end = OffsetsLog().visible_end();
  const auto compacted = store_->CompactTopic("__consumer_offsets");
  ASSERT_THAT(compacted, IsOk());
  EXPECT_TRUE(compacted->front().compacted);
  EXPECT_GT(compacted->front().records_removed, 200);
  EXPECT_EQ(OffsetsLog().visible_end(), end);
  EXPECT_EQ(CommittedNow(), committed_);
  ASSERT_THAT(store_->Close(), IsOk());
  // The active segment is half full.
  EXPECT_LT(DiskBytes(path_), 1 << 20);
  Open(path_);
  EXPECT_EQ(CommittedNow(), committed_);
}

TEST_F(OffsetCompactionTest, DeletedOffsetsAndOtherRecordsAreNotMixedUp) {
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
  ASSERT_THAT(Commit(3, 1), IsOk());
  ASSERT_THAT(store_->DeleteOffsets("g", {{.topic = "orders", .partition = 3}}),
              IsOk());
  FillUpOf(3);
  ASSERT_THAT(store_->CompactTopic("__consumer_offsets"), IsOk());
  auto records = ReadAll(OffsetsLog());
  ASSERT_THAT(records, IsOk());
  EXPECT_EQ(records->front().second.key, other.key);
  EXPECT_EQ(records->front().second.value, other.value);
  EXPECT_EQ(CommittedNow(), committed_);
  ASSERT_THAT(store_->Close(), IsOk());
  Open(path_);
  EXPECT_EQ(CommittedNow(), committed_);
}

// A process that lives too short for the background compacts when it closes.
TEST_F(OffsetCompactionTest, ManyCommitsTakeLittleDiskAfterTheClose) {
  metadata_ = "";
  for (int64_t i = 0; i < kManyCommits; ++i) {
    const auto partition = static_cast<int32_t>(i % kPartitions);
    ASSERT_THAT(Commit(partition, i % kRecords), IsOk());
    committed_[partition] = i % kRecords;
  }
  EXPECT_EQ(OffsetsLog().visible_end(), kManyCommits);
  EXPECT_EQ(CommittedNow(), committed_);
  ASSERT_THAT(store_->Close(), IsOk());
  EXPECT_LT(DiskBytes(path_), 3 << 20);
  Open(path_);
  EXPECT_EQ(CommittedNow(), committed_);
}

// Whichever call of the compaction fails, once or from then on, and whether the
// process continues or dies there: acknowledged offsets are committed.
TEST_F(OffsetCompactionTest, NoFailingCallLosesAnOffset) {
  FillUp();
  {
    const MaintenancePause pause = store_->PauseMaintenance();
    ASSERT_THAT(store_->Close(), IsOk());
  }
  // tests/log/partition has each call of a compaction fail; this is about the
  // offsets.
  constexpr int64_t kStep = 5 * kInputStep;
  for (Repeat repeat : {Repeat::kOnce, Repeat::kForever}) {
    for (int error : {EIO, ENOSPC}) {
      bool has_call = true;
      for (int64_t i = error == EIO ? 0 : 2; has_call; i += kStep) {
        store_ = nullptr;
        CopyStore(path_, copy_);
        Open(copy_);
        ASSERT_EQ(CommittedNow(), committed_);
        files_.ForgetCalls();
        files_.FailCall(i, error, repeat);
        Offsets acknowledged = committed_;
        Offsets asked = committed_;
        const absl::Status compacted =
            store_->CompactTopic("__consumer_offsets").status();
        for (int round = 0; round < 2; ++round) {
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
          ASSERT_THAT(compacted, IsOk());
        }
      }
    }
  }
}

}  // namespace
}  // namespace varve
