// SPDX-License-Identifier: Apache-2.0

// `varve trim`: which records go, what that frees, and what a dry run says.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/tools/command_runner.h"

namespace varve {
namespace {

using ::nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

// A topic "t" of two partitions. The first has the records 0 to 5, a segment
// each, at 1000 ms to 6000 ms; the second is empty.
class TrimTest : public testing::Test {
 protected:
  void SetUp() override {
    runner_.CreateTopic("t",
                        {"--partitions", "2", "--config", "segment.bytes=200"});
    for (int i = 0; i < 6; ++i) {
      const CommandResult result = runner_.Varve(
          {"produce", "t", "--timestamp", absl::StrCat(1000 * (i + 1))},
          absl::StrCat(i, std::string(120, '.'), "\n"));
      ASSERT_EQ(result.exit_status, 0) << result.err;
    }
  }

  CommandResult Run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "trim");
    return runner_.Varve(arguments);
  }

  json Trim(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--json", "--yes"});
    const CommandResult result = Run(arguments);
    EXPECT_EQ(result.exit_status, 0) << result.err;
    return result.exit_status == 0 ? json::parse(result.out) : json();
  }

  // The offsets that can be read.
  std::string Offsets() {
    const CommandResult result =
        runner_.Varve({"consume", "t", "--format", "%o"});
    EXPECT_EQ(result.exit_status, 0) << result.err;
    return result.out;
  }

  // Bytes of the files of the first partition's segments.
  int64_t FileBytes() const {
    int64_t bytes = 0;
    for (const auto& entry :
         std::filesystem::directory_iterator(runner_.data() + "/t-0")) {
      const std::string name = entry.path().filename().string();
      if (name.starts_with("0") || name.starts_with("sealed-"))
        bytes += static_cast<int64_t>(entry.file_size());
    }
    return bytes;
  }

  CommandRunner runner_;
};

TEST_F(TrimTest, RecordsBeforeGoAndItSaysHowManyAndHowManyBytes) {
  const int64_t before = FileBytes();
  const json trimmed = Trim({"t:0", "--before", "4"});
  EXPECT_EQ(Offsets(), "45");
  EXPECT_EQ(trimmed["topic"], "t");
  EXPECT_EQ(trimmed["dry_run"], false);
  EXPECT_EQ(trimmed["records"], 4);
  EXPECT_EQ(trimmed["freed_bytes"], before - FileBytes());
  EXPECT_GT(trimmed["freed_bytes"], 4 * 120);
  EXPECT_EQ(trimmed["partitions"].size(), 1);
  EXPECT_EQ(trimmed["partitions"][0]["partition"], 0);
  EXPECT_EQ(trimmed["partitions"][0]["log_start"], 0);
  EXPECT_EQ(trimmed["partitions"][0]["new_log_start"], 4);
  EXPECT_EQ(trimmed["partitions"][0]["log_end"], 6);
  EXPECT_EQ(runner_.Varve({"verify"}).exit_status, 0);
}

TEST_F(TrimTest, DryRunSaysTheSameAndChangesNothing) {
  const int64_t before = FileBytes();
  json dry = Trim({"t:0", "--before", "4", "--dry-run"});
  EXPECT_EQ(dry["dry_run"], true);
  EXPECT_EQ(Offsets(), "012345");
  EXPECT_EQ(FileBytes(), before);
  json done = Trim({"t:0", "--before", "4"});
  dry.erase("dry_run");
  done.erase("dry_run");
  EXPECT_EQ(dry, done);
}

TEST_F(TrimTest, TextIsATableAndASentence) {
  const CommandResult dry = Run({"t", "--before", "@3000", "--dry-run"});
  EXPECT_EQ(dry.exit_status, 0) << dry.err;
  EXPECT_THAT(
      dry.out,
      AllOf(HasSubstr("TOPIC  PARTITION  START  NEW START  END  RECORDS"),
            HasSubstr("t              0      0          2    6        2"),
            HasSubstr("t              1      0          0    0        0"),
            HasSubstr("would trim 2 records, and free ")));
  const CommandResult done = Run({"t", "--before", "@3000", "--yes"});
  EXPECT_EQ(done.exit_status, 0) << done.err;
  EXPECT_THAT(done.out, HasSubstr("trimmed 2 records, and freed "));
  EXPECT_EQ(Offsets(), "2345");
}

TEST_F(TrimTest, PlacesAreThoseOfConsume) {
  EXPECT_EQ(Trim({"t", "--before", "earliest"})["records"], 0);
  EXPECT_EQ(Trim({"t", "--before", "@1970-01-01T00:00:02Z"})["records"], 1);
  EXPECT_EQ(Trim({"t", "--before", "-2"})["records"], 3);
  EXPECT_EQ(Offsets(), "45");
  EXPECT_EQ(Trim({"t", "--before", "latest"})["records"], 2);
  EXPECT_EQ(Offsets(), "");
  runner_.Produce("t", "next\n");
  EXPECT_EQ(Offsets(), "6");
}

TEST_F(TrimTest, WhatIsGoneAlreadyIsNoError) {
  Trim({"t:0", "--before", "4"});
  const json again = Trim({"t:0", "--before", "2"});
  EXPECT_EQ(again["records"], 0);
  EXPECT_EQ(again["freed_bytes"], 0);
  EXPECT_EQ(again["partitions"][0]["new_log_start"], 4);
}

TEST_F(TrimTest, DryRunWorksBesideAWriterAndATrimSaysWhyItDoesNot) {
  runner_.StartProducer("t");
  EXPECT_EQ(Trim({"t:0", "--before", "4", "--dry-run"})["records"], 4);
  const CommandResult result = Run({"t:0", "--before", "4", "--yes"});
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_THAT(result.err, AllOf(HasSubstr("another writer has it open"),
                                HasSubstr("Partition::TrimBefore"),
                                HasSubstr("end the other program")));
  EXPECT_EQ(runner_.EndProducer(), 0);
  EXPECT_EQ(Offsets(), "012345");
}

TEST_F(TrimTest, MistakesAreExplainedAndTrimNothing) {
  ASSERT_EQ(runner_.Varve({"consume", "t", "--group", "g"}).exit_status, 0);
  struct Mistake {
    std::vector<std::string> line;
    int exit_status;
    std::string message;
  };
  const Mistake mistakes[] = {
      {{"t"}, 2, "--before is required"},
      {{"--before", "4"}, 2, "TARGET is required"},
      {{"t", "--before", "4"}, 2, "2 partitions"},
      {{"t:0", "--before", "7"}, 1, "offset 7 is past the end, 6"},
      {{"t:2", "--before", "4"}, 1, "partition 2"},
      {{"t:x", "--before", "4"}, 2, "TOPIC:PARTITION"},
      {{"u", "--before", "latest"}, 1, "there is no topic \"u\""},
      {{"t", "--before", "soon"}, 2, "--before soon: neither"},
      {{"__consumer_offsets", "--before", "latest"}, 2, "the store's own"}};
  for (const Mistake& mistake : mistakes) {
    for (const bool dry : {true, false}) {
      std::vector<std::string> line = mistake.line;
      line.push_back(dry ? "--dry-run" : "--yes");
      const CommandResult result = Run(line);
      EXPECT_EQ(result.exit_status, mistake.exit_status) << mistake.message;
      EXPECT_THAT(result.err, HasSubstr(mistake.message));
    }
  }
  EXPECT_EQ(Offsets(), "012345");
}

}  // namespace
}  // namespace varve
