// SPDX-License-Identifier: Apache-2.0

// A million lines, or a tenth of it under a sanitizer, through the
// real program, and back.

#include <cstddef>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "tests/fixture/sanitizer.h"
#include "tests/tools/command_runner.h"

namespace varve {
namespace {

constexpr bool kFewer = kSanitizer != Sanitizer::kNone;
constexpr int kLines = kFewer ? 100'000 : 1'000'000;
constexpr int kPicks = kFewer ? 100 : 1'000;

// Lines of many sizes, with empty ones and ones with odd bytes among them.
const std::vector<std::string>& Lines() {
  static const auto& lines =
      *new std::vector<std::string>([] {  // lint: owned by the process
        std::mt19937 random(20240607);
        std::vector<std::string> lines;
        for (int i = 0; i < kLines; ++i) {
          std::string line = absl::StrCat("line ", i, ":");
          line.append(random() % 40, static_cast<char>(random() % 256));
          for (char& c : line) {
            if (c == '\n') c = '\0';
          }
          lines.push_back(i % 1000 == 7 ? "" : line);
        }
        return lines;
      }());
  return lines;
}

class RoundTripTest : public testing::Test {
 protected:
  void SetUp() override {
    text_.reserve(size_t{64} << 20);
    for (const std::string& line : Lines()) absl::StrAppend(&text_, line, "\n");
    runner_.CreateTopic("lines", {"--config", "segment.bytes=10000000"});
    runner_.Produce("lines", text_);
  }

  std::string text_;
  CommandRunner runner_;
};

TEST_F(RoundTripTest, ManyLinesComeBackByteForByteAndByOffset) {
  const CommandResult all = runner_.Varve({"consume", "lines"});
  EXPECT_EQ(all.exit_status, 0) << all.err;
  ASSERT_EQ(all.out.size(), text_.size());
  EXPECT_TRUE(all.out == text_);

  std::mt19937 random(7);
  for (int i = 0; i < kPicks; ++i) {
    const int n = static_cast<int>(random() % kLines);
    const CommandResult one = runner_.Varve(
        {"consume", "lines", "--offset", absl::StrCat(n), "--count", "1"});
    ASSERT_EQ(one.out, Lines()[static_cast<size_t>(n)] + "\n")
        << "offset " << n << ": " << one.err;
  }

  const CommandResult verified = runner_.Varve({"verify"});
  EXPECT_EQ(verified.exit_status, 0) << verified.out;
}

}  // namespace
}  // namespace varve
