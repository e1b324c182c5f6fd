// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/input/line_reader.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/scratch_directory.h"
#include "tests/tools/command_runner.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A reader of a file with these bytes.
class Input {
 public:
  explicit Input(std::string_view bytes, int64_t line_size_max = 100) {
    WriteFileOrDie(scratch_ / "input", bytes);
    descriptor_ = open((scratch_ / "input").c_str(), O_RDONLY | O_CLOEXEC);
    reader_.emplace(descriptor_, "input", line_size_max);
  }
  ~Input() { close(descriptor_); }

  LineReader& reader() { return *reader_; }
  std::vector<std::string> All() {
    std::vector<std::string> lines;
    while (auto line = reader_->Next()) lines.emplace_back(*line);
    return lines;
  }

 private:
  ScratchDirectory scratch_;
  int descriptor_ = -1;
  std::optional<LineReader> reader_;
};

TEST(LineReaderTest, EmptyInputHasNoLines) {
  Input input("");
  EXPECT_THAT(input.All(), IsEmpty());
  EXPECT_THAT(input.reader().status(), IsOk());
}

TEST(LineReaderTest, LastLineMayLackItsLineFeed) {
  EXPECT_THAT(Input("a\nb").All(), ElementsAre("a", "b"));
  EXPECT_THAT(Input("a\nb\n").All(), ElementsAre("a", "b"));
}

TEST(LineReaderTest, EmptyLinesAreLines) {
  EXPECT_THAT(Input("\n\na\n\n").All(), ElementsAre("", "", "a", ""));
}

TEST(LineReaderTest, EveryOtherByteIsData) {
  const std::string bytes("a\0b\r\n\xff\xfe", 7);
  EXPECT_THAT(Input(bytes).All(),
              ElementsAre(std::string("a\0b\r", 4), "\xff\xfe"));
}

TEST(LineReaderTest, LinesLongerThanABlockAreWhole) {
  const std::string a(3'000'000, 'a');
  const std::string b(2'500'000, 'b');
  EXPECT_THAT(Input(a + "\n" + b, 4'000'000).All(), ElementsAre(a, b));
}

TEST(LineReaderTest, LinesOfTheLimitPassAndLongerOnesFailWithTheirNumber) {
  Input fits("12345\n12345", 5);
  EXPECT_THAT(fits.All(), ElementsAre("12345", "12345"));
  Input too_long("123\n123456\n1\n", 5);
  EXPECT_THAT(too_long.All(), ElementsAre("123"));
  EXPECT_THAT(
      too_long.reader().status(),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("input: line 2")));
}

TEST(LineReaderTest, EndlessLineFailsWithoutBeingKept) {
  const int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
  LineReader reader(zero, "zeros", 10'000'000);
  EXPECT_EQ(reader.Next(), std::nullopt);
  EXPECT_THAT(reader.status(), StatusIs(absl::StatusCode::kInvalidArgument));
  close(zero);
}

TEST(LineReaderTest, CountsLinesAndBytes) {
  Input input("a\nbc\nd");
  input.All();
  EXPECT_EQ(input.reader().line_number(), 3);
  EXPECT_EQ(input.reader().bytes_read(), 6);
}

TEST(LineReaderTest, SaysWhenItWouldWaitForInput) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  LineReader reader(ends[0], "pipe", 100);
  EXPECT_TRUE(reader.NextMayWait());
  ASSERT_EQ(write(ends[1], "a\nb\nhalf", 8), 8);
  EXPECT_FALSE(reader.NextMayWait());
  EXPECT_EQ(reader.Next(), "a");
  EXPECT_FALSE(reader.NextMayWait());
  EXPECT_EQ(reader.Next(), "b");
  EXPECT_TRUE(reader.NextMayWait());
  close(ends[1]);
  EXPECT_FALSE(reader.NextMayWait());
  EXPECT_EQ(reader.Next(), "half");
  close(ends[0]);
}

TEST(LineReaderTest, DirectoryIsAnErrorThatNamesIt) {
  const int directory = open("/", O_RDONLY | O_CLOEXEC);
  LineReader reader(directory, "/", 100);
  EXPECT_EQ(reader.Next(), std::nullopt);
  EXPECT_THAT(reader.status().message(), HasSubstr("/: read: Is a directory"));
  close(directory);
}

}  // namespace
}  // namespace varve
