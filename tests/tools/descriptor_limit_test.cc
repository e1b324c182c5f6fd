// SPDX-License-Identifier: Apache-2.0

// Topics of more partitions than the process may have descriptors: every
// command reads and writes them.

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/tools/command_runner.h"

namespace varve {
namespace {

using ::testing::IsEmpty;

constexpr int kPartitions = 150;
constexpr int kRecords = 600;

class DescriptorLimitTest : public testing::Test {
 protected:
  static void LimitDescriptors() {
    const rlimit limit = {.rlim_cur = 80, .rlim_max = 80};
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) _exit(126);
  }
  CommandResult Varve(const std::vector<std::string>& arguments,
                      const std::string& input = "") {
    return runner_.VarveAfter(LimitDescriptors, arguments, input);
  }
  void SetUp() override {
    ASSERT_EQ(Varve({"topics", "create", "t", "--partitions",
                     absl::StrCat(kPartitions)})
                  .exit_status,
              0);
    std::string lines;
    for (int i = 0; i < kRecords; ++i) absl::StrAppend(&lines, i, ":", i, "\n");
    const CommandResult produced = Varve(
        {"produce", "t", "--durability", "memory", "--key-separator", ":"},
        lines);
    ASSERT_EQ(produced.exit_status, 0) << produced.err;
  }
  void ExpectAllRecords(const CommandResult& result) {
    EXPECT_EQ(result.exit_status, 0);
    EXPECT_THAT(result.err, IsEmpty());
    EXPECT_EQ(std::count(result.out.begin(), result.out.end(), '\n'), kRecords);
  }

  CommandRunner runner_;
};

TEST_F(DescriptorLimitTest, ConsumeReadsAll) {
  ExpectAllRecords(Varve({"consume", "t"}));
  ExpectAllRecords(Varve({"consume", "t", "--offset", "-1000"}));
  ExpectAllRecords(Varve({"consume", "t", "--group", "g"}));
}

TEST_F(DescriptorLimitTest, ConsumeFollowsAll) {
  ExpectAllRecords(
      Varve({"consume", "t", "--follow", "--count", absl::StrCat(kRecords)}));
}

TEST_F(DescriptorLimitTest, WhatLooksAtAllPartitionsSucceeds) {
  for (const std::vector<std::string>& line :
       {std::vector<std::string>{"topics", "describe", "t"},
        {"stat"},
        {"verify"},
        {"metrics"},
        {"groups", "reset", "g", "--topic", "t", "--to", "latest"},
        {"groups", "describe", "g"},
        {"groups", "list"},
        {"topics", "alter", "t", "--config", "retention.ms=1000000000000"},
        {"topics", "delete", "t", "--yes"}}) {
    const CommandResult result = Varve(line);
    EXPECT_EQ(result.exit_status, 0) << testing::PrintToString(line);
    EXPECT_THAT(result.err, IsEmpty()) << testing::PrintToString(line);
  }
}

}  // namespace
}  // namespace varve
