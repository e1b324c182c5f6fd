// SPDX-License-Identifier: Apache-2.0

// Damage that opening a partition of a cleanly closed store finds is reported
// by every command that opens it, and stops none of them.

#include <filesystem>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/tools/command_runner.h"

namespace varve {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class FoundDamageTest : public testing::Test {
 protected:
  void SetUp() override {
    runner_.CreateTopic("t");
    for (int i = 0; i < 10; ++i) runner_.Produce("t", "a\nb\nc\nd\n");
    ASSERT_EQ(runner_.Varve({"consume", "t", "--group", "g"}).exit_status, 0);
    ASSERT_TRUE(
        std::filesystem::exists(runner_.data() + "/.kafka_cleanshutdown"));
    sound_ = runner_.PathTo("sound");
    std::filesystem::copy(runner_.data(), sound_,
                          std::filesystem::copy_options::recursive);
  }

  // A copy of the store for each command: some cut what they find.
  CommandResult RunOnDamaged(const std::string& file,
                             const std::vector<std::string>& arguments) {
    std::filesystem::remove_all(runner_.data());
    std::filesystem::copy(sound_, runner_.data(),
                          std::filesystem::copy_options::recursive);
    const std::string path = runner_.data() + "/" + file;
    FlipBit(path, ReadFileOrDie(path).size() - 3, 0);
    return runner_.Varve(arguments, "x\n");
  }

  CommandRunner runner_;
  std::string sound_;
};

TEST_F(FoundDamageTest, OfATopicIsToldByAllThatOpenIt) {
  const std::string log = "t-0/00000000000000000000.log";
  for (const std::vector<std::string>& line :
       {std::vector<std::string>{"produce", "t"},
        {"consume", "t", "--group", "h", "--reset", "latest"},
        {"groups", "reset", "g", "--topic", "t", "--to", "latest"}}) {
    const CommandResult result = RunOnDamaged(log, line);
    EXPECT_THAT(result.err, AllOf(HasSubstr(log), HasSubstr("position")))
        << testing::PrintToString(line);
  }
}

TEST_F(FoundDamageTest, OfCommittedOffsetsIsToldByAllThatOpenThem) {
  const std::string log = "__consumer_offsets-0/00000000000000000000.log";
  for (const std::vector<std::string>& line :
       {std::vector<std::string>{"groups", "list"},
        {"groups", "describe", "g"},
        {"consume", "t", "--group", "g"}}) {
    EXPECT_THAT(RunOnDamaged(log, line).err, HasSubstr(log))
        << testing::PrintToString(line);
  }
}

// What groups describe asks a topic for, its bounds, it reads without opening
// it for writing: verify and consume tell of damage in it.
TEST_F(FoundDamageTest, OfATopicKeepsNoGroupFromBeingDescribed) {
  const CommandResult result =
      RunOnDamaged("t-0/00000000000000000000.log", {"groups", "describe", "g"});
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_THAT(result.out, HasSubstr("40"));
}

TEST_F(FoundDamageTest, IsToldOnce) {
  const std::string log = "t-0/00000000000000000000.log";
  const std::string err = RunOnDamaged(log, {"produce", "t"}).err;
  const size_t first = err.find("corruption, kept");
  ASSERT_NE(first, err.npos);
  EXPECT_EQ(err.find("corruption, kept", first + 1), err.npos) << err;
}

TEST_F(FoundDamageTest, SoundStoreHasNothingToTell) {
  EXPECT_THAT(runner_.Varve({"groups", "list"}).err, IsEmpty());
  EXPECT_THAT(runner_.Varve({"produce", "t"}, "x\n").err,
              Not(HasSubstr("recovered")));
}

}  // namespace
}  // namespace varve
