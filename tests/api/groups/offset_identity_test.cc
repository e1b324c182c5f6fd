// SPDX-License-Identifier: Apache-2.0

// A committed offset belongs to a topic, not to a name: what groups committed
// for a topic that was deleted never counts for a new one of its name, and what
// they commit for that one is not lost with the old one's.

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/eventful_clock.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/memory_directory.h"
#include "tests/fixture/stored_records.h"
#include "varve/api/log_store.h"
#include "varve/log/metadata/topic_id.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::IsOkAndHolds;
using ::absl_testing::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using Repeat = FaultyFileSystem::Repeat;

constexpr auto kNotFound = absl::StatusCode::kNotFound;

class OffsetIdentityTest : public testing::Test {
 protected:
  static constexpr int kRecords = 10;

  void SetUp() override {
    Open(path_);
    ASSERT_THAT(store_->CreateTopic("orders"), IsOk());
    Append("old");
    ASSERT_THAT(Commit(7), IsOk());
  }

  // Nothing but the test changes anything.
  void Open(const std::string& path) {
    store_ = nullptr;
    StoreOptions options = {.background = Background::kNone};
    options.environment.files = &files_;
    options.environment.clock = &clock_;
    auto opened = LogStore::Open(path, options);
    ASSERT_THAT(opened, IsOk());
    store_ = *std::move(opened);
  }

  void Append(const std::string& value) {
    auto orders = store_->partition("orders", 0);
    ASSERT_THAT(orders, IsOk());
    for (int i = 0; i < kRecords; ++i)
      ASSERT_THAT(orders->Append({.value = value}, Durability::kMemory),
                  IsOk());
  }

  absl::Status Commit(int64_t offset) {
    return store_->CommitOffset("billing", "orders", 0, offset);
  }

  // -1 when none is committed.
  int64_t Committed() {
    auto found = store_->CommittedOffset("billing", "orders", 0);
    if (absl::IsNotFound(found.status())) return -1;
    EXPECT_THAT(found, IsOk());
    return found.ok() ? found->offset : -2;
  }

  static constexpr char kOffsetsDirectory[] = "__consumer_offsets-0";
  // The contents of the log: an offset, or a tombstone, of each record.
  StoredRecords OffsetRecords() {
    auto log = store_->partition("__consumer_offsets", 0);
    EXPECT_THAT(log, IsOk());
    auto records = ReadAll(*log);
    EXPECT_THAT(records, IsOk());
    return *records;
  }

  void FailAppendsOfOffsets() {
    files_.FailCallsNamed(
        absl::StrCat("File::Allocate ", path_, "/", kOffsetsDirectory), ENOSPC,
        Repeat::kForever);
  }

  // The numbers of the calls by which a deletion changes files, and one past
  // the last: a kill at another call leaves the same as a kill at the next of
  // these.
  std::vector<int64_t> ChangesOfADeletion() {
    CopyStore(path_, copy_);
    Open(copy_);
    files_.ForgetCalls();
    EXPECT_THAT(store_->DeleteTopic("orders"), IsOk());
    const std::vector<std::string> calls = files_.calls();
    std::vector<int64_t> changes;
    for (size_t i = 0; i < calls.size(); ++i) {
      for (const char* change :
           {"File::WriteAt", "File::Allocate", "File::Truncate", "File::Sync",
            "Directory::Sync", "Directory::Rename", "Directory::RemoveFile"}) {
        if (calls[i].starts_with(change))
          changes.push_back(static_cast<int64_t>(i));
      }
    }
    changes.push_back(static_cast<int64_t>(calls.size()));
    return changes;
  }

  FaultyFileSystem files_;
  EventfulClock clock_;
  MemoryDirectory scratch_;
  const std::string path_ = scratch_ / "store";
  const std::string copy_ = scratch_ / "copy";
  std::unique_ptr<LogStore> store_;
};

TEST_F(OffsetIdentityTest, NewTopicOfTheNameBeginsWithNoOffset) {
  ASSERT_THAT(store_->DeleteTopic("orders"), IsOk());
  EXPECT_THAT(store_->UnfinishedDeletions(), IsEmpty());
  EXPECT_THAT(store_->ListGroups(), IsOkAndHolds(IsEmpty()));
  ASSERT_THAT(store_->CreateTopic("orders"), IsOk());
  Append("new");
  EXPECT_EQ(Committed(), -1);
  ASSERT_THAT(Commit(3), IsOk());
  ASSERT_THAT(store_->Close(), IsOk());
  Open(path_);
  EXPECT_EQ(Committed(), 3);
  EXPECT_THAT(store_->recovery_report().notes, IsEmpty());
}

// Whichever call the process is killed at: a deleted topic leaves no offset
// that a new one of the name could inherit, and leftovers of the old one's are
// deleted.
TEST_F(OffsetIdentityTest, KillInADeletionRevivesNoOffset) {
  ASSERT_THAT(store_->Close(), IsOk());
  int gone = 0;
  int left_offsets = 0;
  for (const int64_t i : ChangesOfADeletion()) {
    SCOPED_TRACE(absl::StrCat("killed at call ", i));
    CopyStore(path_, copy_);
    Open(copy_);
    files_.ForgetCalls();
    files_.FailCall(i, EIO, Repeat::kForever);
    store_->DeleteTopic("orders").IgnoreError();  // the process dies
    const std::string killed = copy_ + ".killed";
    CopyStore(files_, copy_, killed);
    files_.StopFailing();
    Open(killed);
    if (store_->DescribeTopic("orders").ok()) {
      EXPECT_EQ(Committed(), 7);
      continue;
    }
    ++gone;
    EXPECT_THAT(store_->recovery_report().notes, IsEmpty());
    EXPECT_THAT(store_->ListGroups(), IsOkAndHolds(IsEmpty()));
    EXPECT_THAT(store_->DescribeGroup("billing"), StatusIs(kNotFound));
    EXPECT_THAT(store_->DeleteGroup("billing"), StatusIs(kNotFound));
    ASSERT_THAT(store_->CreateTopic("orders"), IsOk());
    Append("new");
    EXPECT_EQ(Committed(), -1);
    left_offsets += OffsetRecords().back().second.value.has_value() ? 1 : 0;
    // Due work is done, and none of it is left.
    ASSERT_THAT(store_->RunMaintenance(), IsOk());
    EXPECT_THAT(store_->UnfinishedDeletions(), IsEmpty());
    EXPECT_EQ(OffsetRecords().back().second.value, std::nullopt);
    ASSERT_THAT(Commit(2), IsOk());
    ASSERT_THAT(store_->Close(), IsOk());
    Open(killed);
    EXPECT_THAT(store_->UnfinishedDeletions(), IsEmpty());
    EXPECT_EQ(Committed(), 2);
  }
  EXPECT_GE(gone, 5);
  EXPECT_GE(left_offsets, 3);
}

TEST_F(OffsetIdentityTest, FullDiskPutsOffTheOffsetsAndNotTheDeletion) {
  ASSERT_THAT(store_->Close(), IsOk());
  Open(path_);
  FailAppendsOfOffsets();
  const TopicId old_id = store_->DescribeTopic("orders")->id;
  ASSERT_THAT(store_->DeleteTopic("orders"), IsOk());
  const auto unfinished = [&] {
    return ElementsAre(
        AllOf(testing::Field(&UnfinishedDeletion::topic, "orders"),
              testing::Field(&UnfinishedDeletion::topic_id, old_id),
              testing::Field(&UnfinishedDeletion::has_directories, false),
              testing::Field(&UnfinishedDeletion::has_offsets, true)));
  };
  EXPECT_THAT(store_->UnfinishedDeletions(), unfinished());
  EXPECT_THAT(store_->DescribeGroup("billing"), StatusIs(kNotFound));
  // Neither a new topic nor a new process changes that.
  ASSERT_THAT(store_->CreateTopic("orders"), IsOk());
  Append("new");
  EXPECT_EQ(Committed(), -1);
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  EXPECT_THAT(store_->UnfinishedDeletions(), unfinished());
  ASSERT_THAT(store_->Close(), IsOk());
  EXPECT_THAT(store_->UnfinishedDeletions(), unfinished());
  Open(path_);
  EXPECT_EQ(Committed(), -1);
  files_.StopFailing();
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  EXPECT_THAT(store_->UnfinishedDeletions(), IsEmpty());
  EXPECT_EQ(OffsetRecords().back().second.value, std::nullopt);
}

TEST_F(OffsetIdentityTest, CloseDoesWhatIsDue) {
  ASSERT_THAT(store_->Close(), IsOk());
  Open(path_);
  FailAppendsOfOffsets();
  ASSERT_THAT(store_->DeleteTopic("orders"), IsOk());
  EXPECT_THAT(store_->UnfinishedDeletions(), SizeIs(1));
  files_.StopFailing();
  ASSERT_THAT(store_->Close(), IsOk());
  EXPECT_THAT(store_->UnfinishedDeletions(), IsEmpty());
  Open(path_);
  EXPECT_TRUE(store_->recovery_report().clean);
  EXPECT_THAT(store_->UnfinishedDeletions(), IsEmpty());
  EXPECT_EQ(OffsetRecords().back().second.value, std::nullopt);
}

// The deletion of the old topic's offsets comes after the new one's commit.
TEST_F(OffsetIdentityTest, LateDeletionLeavesTheNewTopicsCommitAlone) {
  ASSERT_THAT(store_->CommitOffset("audit", "orders", 0, 5), IsOk());
  ASSERT_THAT(store_->Close(), IsOk());
  Open(path_);
  FailAppendsOfOffsets();
  ASSERT_THAT(store_->DeleteTopic("orders"), IsOk());
  ASSERT_THAT(store_->CreateTopic("orders"), IsOk());
  Append("new");
  files_.StopFailing();
  ASSERT_THAT(Commit(2), IsOk());
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  EXPECT_THAT(store_->UnfinishedDeletions(), IsEmpty());
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(Committed(), 2);
    EXPECT_THAT(store_->ListGroups(), IsOkAndHolds(ElementsAre("billing")));
    ASSERT_THAT(store_->Close(), IsOk());
    Open(path_);
  }
}

// A commit that was begun for the old topic ends when the new one has got one.
TEST_F(OffsetIdentityTest, CommitForADeletedTopicReplacesNoneOfTheNewOne) {
  clock_.DoAtNextLook([&] {
    ASSERT_THAT(store_->DeleteTopic("orders"), IsOk());
    ASSERT_THAT(store_->CreateTopic("orders"), IsOk());
    Append("new");
    ASSERT_THAT(Commit(2), IsOk());
  });
  EXPECT_THAT(Commit(9),
              StatusIs(kNotFound, HasSubstr("topic \"orders\" was deleted")));
  EXPECT_EQ(Committed(), 2);
}

TEST_F(OffsetIdentityTest, CommitThatNamesTheTopicsIdIsForThatTopicAlone) {
  const TopicId old_id = (*store_->partition("orders", 0)).topic_id();
  EXPECT_EQ(old_id, store_->DescribeTopic("orders")->id);
  const auto commit = [&](TopicId id) {
    return store_->CommitOffsets(
        "billing",
        {OffsetCommit{.topic = "orders", .offset = 4, .topic_id = id}});
  };
  EXPECT_THAT(commit(old_id), IsOk());
  ASSERT_THAT(store_->DeleteTopic("orders"), IsOk());
  ASSERT_THAT(store_->CreateTopic("orders"), IsOk());
  Append("new");
  EXPECT_THAT(commit(old_id), StatusIs(kNotFound, HasSubstr(old_id.ToText())));
  EXPECT_EQ(Committed(), -1);
  EXPECT_THAT(commit((*store_->partition("orders", 0)).topic_id()), IsOk());
  EXPECT_EQ(Committed(), 4);
}

TEST_F(OffsetIdentityTest, AcknowledgedCommitsOutliveDeletionsBesideThem) {
  for (int round = 0; round < 50; ++round) {
    absl::Status committed;
    std::thread committer([&] {
      while (!store_->CreateTopic("orders").ok()) {
      }
      Append("new");
      committed = Commit(2);
    });
    ASSERT_THAT(store_->DeleteTopic("orders"), IsOk());
    committer.join();
    ASSERT_THAT(committed, IsOk());
    ASSERT_EQ(Committed(), 2) << "round " << round;
  }
  ASSERT_THAT(store_->Close(), IsOk());
  Open(path_);
  EXPECT_EQ(Committed(), 2);
}

// One call deletes all offsets of a group, in several batches.
TEST_F(OffsetIdentityTest, GroupOfManyLongNamesIsDeletedInParts) {
  const std::string group(20'000, 'g');
  ASSERT_THAT(store_->CreateTopic("wide", {.partitions = 200}), IsOk());
  for (int32_t i = 0; i < 200; ++i) {
    ASSERT_THAT(store_->CommitOffset(group, "wide", i, 0, Durability::kMemory),
                IsOk());
  }
  ASSERT_THAT(store_->DeleteGroup(group), IsOk());
  EXPECT_THAT(store_->DescribeGroup(group), StatusIs(kNotFound));
  EXPECT_EQ(Committed(), 7);
}

}  // namespace
}  // namespace varve
