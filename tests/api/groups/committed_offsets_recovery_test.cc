// SPDX-License-Identifier: Apache-2.0

// Committed offsets after crashes: of the process, which loses nothing, and of
// the power, which may lose records below a committed offset.

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/memory_directory.h"
#include "tests/fixture/stored_records.h"
#include "varve/api/log_store.h"

namespace varve {
namespace {

namespace fs = std::filesystem;

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using Repeat = FaultyFileSystem::Repeat;

class CommittedOffsetsRecoveryTest : public testing::Test {
 protected:
  static constexpr int kRecords = 10;

  void SetUp() override {
    Open(path_);
    ASSERT_THAT(store_->CreateTopic("orders"), IsOk());
    AppendRecords(kRecords);
  }

  void Open(const std::string& path) {
    store_ = nullptr;
    StoreOptions options;
    options.environment.files = &files_;
    auto opened = LogStore::Open(path, options);
    ASSERT_THAT(opened, IsOk());
    store_ = *std::move(opened);
  }

  Partition Orders() {
    auto partition = store_->partition("orders", 0);
    EXPECT_THAT(partition, IsOk());
    return *partition;
  }

  void AppendRecords(int count) {
    for (int i = 0; i < count; ++i) {
      ASSERT_THAT(Orders().Append({.value = "v"}, Durability::kMemory), IsOk());
    }
  }

  void Commit(int64_t offset) {
    ASSERT_THAT(store_->CommitOffset("g", "orders", 0, offset), IsOk());
  }

  int64_t CommittedNow() {
    auto found = store_->CommittedOffset("g", "orders", 0);
    EXPECT_THAT(found, IsOk());
    return found.ok() ? found->offset : -1;
  }

  std::vector<std::string> Notes() { return store_->recovery_report().notes; }

  static constexpr char kOffsetsDirectory[] = "__consumer_offsets-0";

  // A copy of the store after a power loss that left `records` of its records,
  // and what it knew of recovery points.
  void LosePower(int64_t records) {
    const int64_t size = (*Orders().Read(0)).size_bytes() / kRecords;
    CopyStore(files_, path_, copy_);
    fs::resize_file(copy_ + "/orders-0/00000000000000000000.log",
                    static_cast<uintmax_t>(records * size));
    for (const char* name :
         {"varve.checkpoint", "recovery-point-offset-checkpoint"}) {
      fs::remove(copy_ + "/" + name);
    }
  }

  FaultyFileSystem files_;
  // In memory where possible: a test opens hundreds of stores.
  MemoryDirectory scratch_;
  const std::string path_ = scratch_ / "store";
  const std::string copy_ = scratch_ / "copy";
  std::unique_ptr<LogStore> store_;
};

TEST_F(CommittedOffsetsRecoveryTest, KilledProcessLosesNoCommit) {
  for (int64_t offset : {1, 5, 3}) {
    ASSERT_THAT(
        store_->CommitOffset("g", "orders", 0, offset, Durability::kMemory),
        IsOk());
    CopyStore(files_, path_, copy_);
    auto killed = LogStore::Open(copy_);
    ASSERT_THAT(killed, IsOk());
    auto found = (*killed)->CommittedOffset("g", "orders", 0);
    ASSERT_THAT(found, IsOk());
    EXPECT_EQ(found->offset, offset);
    EXPECT_THAT((*killed)->recovery_report().notes, IsEmpty());
  }
}

TEST_F(CommittedOffsetsRecoveryTest, OffsetBehindWhatIsLeftIsSetBackAndTold) {
  ASSERT_THAT(
      store_->CommitOffsets(
          "g",
          {OffsetCommit{.topic = "orders", .offset = 8, .metadata = "kept"}}),
      IsOk());
  LosePower(/*records=*/5);
  Open(copy_);
  // It is reported at the open, before any call asks, and committed.
  EXPECT_THAT(Notes(), ElementsAre(AllOf(
                           HasSubstr("group \"g\", orders, partition 0"),
                           HasSubstr("offset 8"), HasSubstr("leader epoch 0"),
                           HasSubstr("before 5"))));
  EXPECT_EQ(CommittedNow(), 5);
  EXPECT_EQ(store_->CommittedOffset("g", "orders", 0)->metadata, "kept");
  AppendRecords(3);
  ASSERT_THAT(store_->Close(), IsOk());
  Open(copy_);
  EXPECT_EQ(CommittedNow(), 5);
  EXPECT_THAT(Notes(), IsEmpty());
}

TEST_F(CommittedOffsetsRecoveryTest, OffsetsUpToWhatIsLeftStay) {
  Commit(5);
  LosePower(/*records=*/5);
  Open(copy_);
  EXPECT_EQ(CommittedNow(), 5);
  EXPECT_THAT(Notes(), IsEmpty());
}

// The offset was not looked at before the log grew past it again: only the
// epoch shows that those are other records.
TEST_F(CommittedOffsetsRecoveryTest, OffsetOfRecordsThatWereReplacedIsSetBack) {
  Commit(8);
  LosePower(/*records=*/5);
  const std::string log = "/00000000000000000000.log";
  fs::copy_file(copy_ + "/" + kOffsetsDirectory + log, scratch_ / "before");
  Open(copy_);
  AppendRecords(10);
  ASSERT_THAT(store_->Close(), IsOk());
  fs::copy_file(scratch_ / "before", copy_ + "/" + kOffsetsDirectory + log,
                fs::copy_options::overwrite_existing);
  Open(copy_);
  ASSERT_TRUE(store_->recovery_report().clean);
  EXPECT_THAT(Notes(), IsEmpty());
  EXPECT_EQ(CommittedNow(), 5);
  EXPECT_THAT(Notes(), Contains(HasSubstr("before 5")));
  EXPECT_EQ(Orders().visible_end(), 15);
}

TEST_F(CommittedOffsetsRecoveryTest, OffsetBelowTheLogStartIsGivenAsItIs) {
  Commit(2);
  ASSERT_THAT(Orders().TrimBefore(5), IsOk());
  ASSERT_THAT(store_->Close(), IsOk());
  Open(path_);
  EXPECT_EQ(CommittedNow(), 2);
  auto described = store_->DescribeGroup("g");
  ASSERT_THAT(described, IsOk());
  EXPECT_EQ((*described)[0].log_start, 5);
  EXPECT_EQ((*described)[0].lag(), 8);
  EXPECT_THAT(store_->CommitOffset("g", "orders", 0, 4),
              StatusIs(absl::StatusCode::kOutOfRange));
  EXPECT_THAT(Notes(), IsEmpty());
}

TEST_F(CommittedOffsetsRecoveryTest, OffsetIsSetBackLaterWhenTheDiskIsFull) {
  Commit(8);
  LosePower(/*records=*/5);
  files_.FailCallsNamed(
      absl::StrCat("File::Allocate ", copy_, "/", kOffsetsDirectory), ENOSPC,
      Repeat::kForever);
  Open(copy_);
  EXPECT_THAT(Notes(), ElementsAre(HasSubstr("not checked")));
  EXPECT_THAT(store_->CommittedOffset("g", "orders", 0),
              StatusIs(absl::StatusCode::kResourceExhausted));
  files_.StopFailing();
  EXPECT_EQ(CommittedNow(), 5);
  EXPECT_THAT(Notes(), SizeIs(2));
}

TEST_F(CommittedOffsetsRecoveryTest, OffsetsOfATopicThatIsGoneStayDeletable) {
  // Offsets of a topic that this store does not have: another store's log.
  const std::string other = scratch_ / "other";
  {
    auto store = LogStore::Open(other);
    ASSERT_THAT((*store)->CreateTopic("gone"), IsOk());
    ASSERT_THAT((*store)->CommitOffset("g", "gone", 0, 0), IsOk());
    ASSERT_THAT((*store)->Close(), IsOk());
  }
  Commit(1);
  ASSERT_THAT(store_->Close(), IsOk());
  for (const char* suffix : {".log", ".index", ".timeindex"}) {
    const std::string name =
        absl::StrCat("/", kOffsetsDirectory, "/00000000000000000000", suffix);
    fs::copy_file(other + name, path_ + name,
                  fs::copy_options::overwrite_existing);
  }
  Open(path_);
  auto described = store_->DescribeGroup("g");
  ASSERT_THAT(described, IsOk());
  ASSERT_THAT(*described, SizeIs(1));
  EXPECT_EQ((*described)[0].partition.topic, "gone");
  EXPECT_EQ((*described)[0].log_end, std::nullopt);
  EXPECT_EQ((*described)[0].lag(), std::nullopt);
  EXPECT_THAT(store_->CommittedOffset("g", "gone", 0),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(store_->DeleteGroup("g"), IsOk());
  EXPECT_THAT(store_->DescribeGroup("g"),
              StatusIs(absl::StatusCode::kNotFound));
}

// Whatever call fails, an acknowledged commit is there at the next open, and
// nothing that was not asked for.
TEST_F(CommittedOffsetsRecoveryTest, NoFailingCallLosesAnAcknowledgedCommit) {
  ASSERT_THAT(store_->Close(), IsOk());
  int64_t failures = 0;
  bool has_call = true;
  for (int64_t i = 0; has_call; ++i) {
    store_ = nullptr;
    CopyStore(path_, copy_);
    Open(copy_);
    files_.ForgetCalls();
    files_.FailCall(i, EIO, Repeat::kOnce);
    int64_t acknowledged = 0;
    int64_t asked = 0;
    for (int64_t offset : {3, 6, 9}) {
      asked = offset;
      if (!store_->CommitOffset("g", "orders", 0, offset).ok()) break;
      acknowledged = offset;
    }
    has_call = files_.call_count() > i;
    if (acknowledged < 9) ++failures;
    files_.StopFailing();
    Open(copy_);
    auto found = store_->CommittedOffset("g", "orders", 0);
    const int64_t offset = found.ok() ? found->offset : 0;
    ASSERT_TRUE(found.ok() || absl::IsNotFound(found.status()))
        << found.status();
    ASSERT_TRUE(offset == acknowledged || offset == asked)
        << files_.calls()[static_cast<size_t>(i)] << ": " << acknowledged
        << " was acknowledged, " << offset << " is there";
    ASSERT_THAT(store_->CommitOffset("g", "orders", 0, 10), IsOk());
    ASSERT_EQ(CommittedNow(), 10);
  }
  EXPECT_GT(failures, 15);
}

}  // namespace
}  // namespace varve
