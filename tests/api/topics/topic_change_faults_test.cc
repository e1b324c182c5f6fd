// SPDX-License-Identifier: Apache-2.0

// Every change of a store's topics, with each of its system calls failing in
// turn, and with a crash after each: the change is there as a whole or not at
// all, and nothing else is touched.

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <ostream>
#include <set>
#include <string>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/memory_directory.h"
#include "tests/fixture/store_snapshot.h"
#include "tests/fixture/stored_records.h"
#include "varve/api/log_store.h"
#include "varve/log/metadata/file_names.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::testing::AnyOf;

struct Change {
  std::string name;
  std::function<absl::Status(LogStore&)> make;
};

void PrintTo(const Change& change, std::ostream* out) { *out << change.name; }

class TopicFaultsTest : public testing::Test {
 protected:
  // Makes a store of two topics with records, closed cleanly, and records its
  // contents before and after a change.
  void Prepare(const Change& change) {
    auto store = Open(before_path_);
    ASSERT_THAT(store->CreateTopic("kept", {.partitions = 2}), IsOk());
    TopicConfig config = {.partitions = 2};
    config.log.segment_bytes = 200;
    ASSERT_THAT(store->CreateTopic("orders", config), IsOk());
    for (int i = 0; i < 5; ++i) ASSERT_THAT(AppendEverywhere(*store), IsOk());
    before_ = SnapshotOf(*store);
    ASSERT_THAT(store->Close(), IsOk());

    CopyStore(before_path_, path_);
    FaultyFileSystem files;
    auto changed = Open(path_, &files);
    ASSERT_THAT(change.make(*changed), IsOk());
    after_ = SnapshotOf(*changed);
    ASSERT_NE(before_, after_);
  }

  static std::unique_ptr<LogStore> Open(
      const std::string& path, FileSystem* files = FileSystem::Posix()) {
    // Nothing but the change makes calls on files.
    StoreOptions options = {.background = Background::kNone};
    options.environment.files = files;
    auto store = LogStore::Open(path, options);
    CHECK_OK(store.status());
    return *std::move(store);
  }

  // The contents that the next open finds in `path`, which must be sound.
  static std::string Reopened(const std::string& path) {
    auto store = Open(path);
    EXPECT_FALSE(store->recovery_report().has_damage())
        << store->recovery_report().ToString();
    std::string snapshot = SnapshotOf(*store);
    EXPECT_THAT(AppendEverywhere(*store), IsOk());
    EXPECT_THAT(store->RunMaintenance(), IsOk());
    EXPECT_THAT(store->Close(), IsOk());
    ExpectNoRecordsOfNoTopic(*store);
    return snapshot;
  }

  // A creation that was cut short may leave empty directories, but nothing
  // leaves segments.
  static void ExpectNoRecordsOfNoTopic(const LogStore& store) {
    std::set<std::string> known;
    for (const TopicDescription& topic : store.ListTopics()) {
      for (int32_t i = 0; i < topic.config.partitions; ++i)
        known.insert(PartitionDirectoryName(topic.name, i));
    }
    for (const auto& entry :
         std::filesystem::directory_iterator(store.path())) {
      if (!entry.is_directory()) continue;
      if (known.contains(entry.path().filename())) continue;
      for (const auto& file :
           std::filesystem::directory_iterator(entry.path())) {
        EXPECT_THAT(file.path().filename().string(),
                    testing::StartsWith("partition.metadata"))
            << entry.path();
      }
    }
  }

  // In memory where possible: a test opens hundreds of stores.
  MemoryDirectory scratch_;
  const std::string before_path_ = scratch_ / "before";
  const std::string path_ = scratch_ / "store";
  std::string before_;
  std::string after_;
};

class TopicChangeFaultsTest : public TopicFaultsTest,
                              public testing::WithParamInterface<Change> {
 protected:
  void SetUp() override { Prepare(GetParam()); }
};

Change Deletion() {
  return {"Delete",
          [](LogStore& store) { return store.DeleteTopic("orders"); }};
}

TEST_P(TopicChangeFaultsTest, FailedCallChangesNothingAndTheChangeCanBeMade) {
  int failures = 0;
  for (int64_t i = 0;; ++i) {
    SCOPED_TRACE(absl::StrCat("call ", i));
    CopyStore(before_path_, path_);
    FaultyFileSystem files;
    auto store = Open(path_, &files);
    files.ForgetCalls();
    files.FailCall(i, EIO, FaultyFileSystem::Repeat::kOnce);
    const absl::Status status = GetParam().make(*store);
    files.StopFailing();
    failures += status.ok() ? 0 : 1;
    EXPECT_EQ(SnapshotOf(*store), status.ok() ? after_ : before_) << status;
    CopyStore(path_, path_ + ".crashed");
    EXPECT_EQ(Reopened(path_ + ".crashed"), status.ok() ? after_ : before_);
    if (!status.ok()) {
      EXPECT_THAT(GetParam().make(*store), IsOk());
    }
    EXPECT_EQ(SnapshotOf(*store), after_);
    EXPECT_THAT(store->Close(), IsOk());
    EXPECT_EQ(Reopened(path_), after_);
    if (files.call_count() <= i || testing::Test::HasFailure()) break;
  }
  EXPECT_GE(failures, 5);
}

TEST_P(TopicChangeFaultsTest, CrashLeavesTheChangeWholeOrNotMade) {
  bool was_before = false;
  bool was_after = false;
  for (int64_t i = 0;; ++i) {
    SCOPED_TRACE(absl::StrCat("crash before call ", i));
    CopyStore(before_path_, path_);
    FaultyFileSystem files;
    auto store = Open(path_, &files);
    files.ForgetCalls();
    files.FailCall(i, EIO, FaultyFileSystem::Repeat::kForever);
    const absl::Status status = GetParam().make(*store);
    CopyStore(path_, path_ + ".crashed");
    const bool crashed = files.call_count() > i;
    const std::string found = Reopened(path_ + ".crashed");
    EXPECT_THAT(found, AnyOf(before_, after_));
    if (status.ok()) {
      EXPECT_EQ(found, after_);
    }
    was_before |= found == before_;
    was_after |= found == after_;
    // The change can be made again.
    auto again = Open(path_ + ".crashed");
    if (found == before_) {
      EXPECT_THAT(GetParam().make(*again), IsOk());
    }
    if (!crashed || testing::Test::HasFailure()) break;
  }
  EXPECT_TRUE(was_before && was_after);
}

// A topic is deleted, made again and appended to, with a crash before each
// call: what is there never mixes the old topic with the new one.
TEST_F(TopicFaultsTest, CrashAroundADeletionAndANewTopicMixesNothing) {
  Prepare(Deletion());
  std::set<std::string> found;
  for (int64_t i = 0;; ++i) {
    SCOPED_TRACE(absl::StrCat("crash before call ", i));
    CopyStore(before_path_, path_);
    FaultyFileSystem files;
    auto store = Open(path_, &files);
    files.ForgetCalls();
    files.FailCall(i, EIO, FaultyFileSystem::Repeat::kForever);
    absl::Status status = store->DeleteTopic("orders");
    if (status.ok()) status = store->CreateTopic("orders", {.partitions = 2});
    if (status.ok()) {
      auto partition = store->partition("orders", 1);
      status = partition.ok() ? partition->Append({.value = "new"}).status()
                              : partition.status();
    }
    CopyStore(path_, path_ + ".crashed");
    const std::string now = Reopened(path_ + ".crashed");
    const std::string kept = after_;
    EXPECT_THAT(now, AnyOf(before_, kept, kept + "orders\n  0:\n  1:\n",
                           kept + "orders\n  0:\n  1: 0=new\n"));
    found.insert(now);
    if (files.call_count() <= i || testing::Test::HasFailure()) break;
  }
  EXPECT_THAT(found, testing::SizeIs(4));
}

INSTANTIATE_TEST_SUITE_P(
    All, TopicChangeFaultsTest,
    testing::Values(
        Change{"Create",
               [](LogStore& store) {
                 return store.CreateTopic("payments", {.partitions = 3});
               }},
        Change{"Alter",
               [](LogStore& store) {
                 return store.AlterTopic("orders",
                                         {.set = {{"retention.ms", "86400000"}},
                                          .reset = {"segment.bytes"}});
               }},
        Deletion(),
        Change{
            "AddPartitions",
            [](LogStore& store) { return store.AddPartitions("orders", 4); }},
        Change{"AlterAndAddPartitions",
               [](LogStore& store) {
                 return store.AlterTopic(
                     "orders",
                     {.set = {{"retention.ms", "86400000"}}, .partitions = 4});
               }}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace varve
