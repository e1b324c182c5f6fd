// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_TOOLS_THREE_LINES_FIXTURE_H_
#define VARVE_TESTS_TOOLS_THREE_LINES_FIXTURE_H_

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/tools/command_runner.h"

namespace varve {

// A store with a topic "t" of two partitions; its first has the lines a, b, c,
// which no mistake may lose.
class ThreeLinesFixture : public testing::Test {
 protected:
  void SetUp() override {
    runner_.CreateTopic("t", {"--partitions", "2"});
    runner_.Produce("t", "a\nb\nc\n");
  }

  void ExpectNothingLost() {
    const CommandResult result =
        runner_.Varve({"consume", "t", "--partition", "0", "--count", "3"});
    EXPECT_EQ(result.out, "a\nb\nc\n") << result.err;
  }

  // One line that begins with "varve:", and no jargon.
  static void ExpectWellFormed(const std::string& err) {
    EXPECT_THAT(err, testing::AllOf(testing::StartsWith("varve: "),
                                    testing::EndsWith("\n")));
    for (const char* jargon : {"NOT_FOUND", "INVALID_ARGUMENT", "OUT_OF_RANGE",
                               "FAILED_PRECONDITION", "DATA_LOSS", "*** Check",
                               "RESOURCE_EXHAUSTED", "terminate called"}) {
      EXPECT_THAT(err, testing::Not(testing::HasSubstr(jargon)));
    }
  }

  CommandRunner runner_;
};

}  // namespace varve

#endif  // VARVE_TESTS_TOOLS_THREE_LINES_FIXTURE_H_
