// SPDX-License-Identifier: Apache-2.0

// Every import with each of its system calls failing in turn, and with all
// after it failing too, as a kill leaves it: each topic is there as a whole,
// with its offsets, or not at all, and the next call completes it.

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/import_fixture.h"
#include "varve/api/import/broker_import.h"
#include "varve/api/log_store.h"
#include "varve/api/read_only_store.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::testing::AnyOf;
using ::testing::Eq;
using ::testing::IsEmpty;

using Repeat = FaultyFileSystem::Repeat;

class BrokerImportFaultsTest : public ImportFixture {
 protected:
  // Those of the contents that are of a topic, its offsets too.
  static std::vector<std::string> Of(const std::string& topic,
                                     const std::vector<std::string>& contents) {
    std::vector<std::string> lines;
    for (const std::string& line : contents) {
      if (absl::StrContains(line, topic)) lines.push_back(line);
    }
    return lines;
  }

  // Each topic is whole, or not there.
  void ExpectWholeTopics() {
    if (!ReadOnlyStore::Open(store_path_).ok()) return;
    const std::vector<std::string> contents = Contents();
    for (const std::string topic : {"orders", "keys"}) {
      EXPECT_THAT(Of(topic, contents),
                  AnyOf(IsEmpty(), Eq(Of(topic, expected_))));
    }
  }

  // What a program that opens the store next sees, and leaves.
  void ExpectWholeTopicsAfterAnOpen() {
    ASSERT_THAT(OpenStore()->Close(), IsOk());
    ExpectWholeTopics();
    const auto groups = ReadOnlyStore::Open(store_path_);
    ASSERT_THAT(groups, IsOk());
    const auto described = (*groups)->DescribeGroups();
    ASSERT_THAT(described, IsOk());
    for (const auto& [group, offsets] : *described) {
      for (const GroupOffset& offset : offsets) {
        EXPECT_TRUE(offset.log_end.has_value())
            << group << ": an offset of no topic";
      }
    }
  }

  // What happens between the import that fails and the one that is repeated.
  enum class Between { kNothing, kAnOpen };

  // The number of calls of an import that failed.
  int FailEachCall(Repeat repeat, Between between) {
    int failures = 0;
    for (int64_t i = 0;; ++i) {
      SCOPED_TRACE(absl::StrCat("call ", i));
      std::filesystem::remove_all(store_path_);
      FaultyFileSystem files;
      files.FailCall(i, EIO, repeat);
      if (!Import({}, &files).ok()) ++failures;
      ExpectWholeTopics();
      if (between == Between::kAnOpen) ExpectWholeTopicsAfterAnOpen();
      EXPECT_THAT(Import(), IsOk());
      EXPECT_EQ(Contents(), expected_);
      EXPECT_THAT(Findings(), IsEmpty());
      if (files.call_count() <= i || HasFailure()) return failures;
    }
  }

  const std::vector<std::string> expected_ = ContentsOf(broker_.path());
};

TEST_F(BrokerImportFaultsTest, CallThatFailsIsMadeGoodByTheNextImport) {
  EXPECT_GT(FailEachCall(Repeat::kOnce, Between::kNothing), 50);
}

TEST_F(BrokerImportFaultsTest, InterruptedImportGoesOn) {
  EXPECT_GT(FailEachCall(Repeat::kForever, Between::kNothing), 50);
}

TEST_F(BrokerImportFaultsTest, StoreIsSoundAfterAnInterruptedImport) {
  EXPECT_GT(FailEachCall(Repeat::kForever, Between::kAnOpen), 50);
}

TEST_F(BrokerImportFaultsTest, InterruptedImportKeepsTheSegmentsThatAreDone) {
  FaultyFileSystem files;
  files.FailCallsNamed(absl::StrCat("File::Sync ", store_path_, "/orders-1"),
                       EIO, Repeat::kForever);
  EXPECT_FALSE(Import({}, &files).ok());
  const auto report = Import();
  ASSERT_THAT(report, IsOk());
  ASSERT_EQ(report->topics.size(), 2);
  EXPECT_EQ(report->topics[1].partitions[0].copied_bytes, 0);
  EXPECT_GT(report->topics[1].partitions[0].kept_bytes, 0);
  EXPECT_GT(report->topics[1].partitions[1].copied_bytes, 0);
  EXPECT_EQ(Contents(), expected_);
}

}  // namespace
}  // namespace varve
