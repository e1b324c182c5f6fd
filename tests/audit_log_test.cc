// SPDX-License-Identifier: Apache-2.0

// The program examples/audit_log keeps entries, prints those of a span of time,
// and finds damage.

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/file_bytes.h"
#include "tests/fixture/program_output.h"
#include "tests/fixture/scratch_directory.h"

namespace varve {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// The last one is late.
constexpr std::string_view kEntries =
    "2020-03-01T08:00:00Z alice login\n"
    "2020-03-01T09:30:00Z bob delete order 42\n"
    "2020-03-01T11:00:00Z alice logout\n"
    "2020-03-01T09:00:00Z carol export orders\n";

class AuditLogTest : public testing::Test {
 protected:
  // What a run prints for 9 to 10 o'clock, with its errors; its exit status is
  // in `status_`.
  std::string Run(std::string_view entries) {
    const std::string input = scratch_ / "entries";
    WriteBytes(input, entries);
    return OutputOf(absl::StrCat("examples/audit_log ", path_,
                                 " 2020-03-01T09:00:00Z 2020-03-01T10:00:00Z <",
                                 input, " 2>&1"),
                    &status_);
  }

  ScratchDirectory scratch_;
  const std::string path_ = scratch_ / "store";
  int status_ = -1;
};

TEST_F(AuditLogTest, SpanOfTimeHasLateEntriesToo) {
  const std::string span =
      "verified: 4 entries\n"
      "2020-03-01T09:30:00+00:00 bob: delete order 42\n"
      "2020-03-01T09:00:00+00:00 carol: export orders\n";
  EXPECT_EQ(Run(kEntries), span);
  EXPECT_EQ(status_, 0);
  EXPECT_EQ(Run(""), span);
  EXPECT_EQ(status_, 0);
}

TEST_F(AuditLogTest, EntriesOfANextRunFollow) {
  Run(kEntries);
  EXPECT_EQ(Run("2020-03-01T09:59:59.999Z dave login\n"
                "2020-03-01T10:00:00Z dave logout\n"),
            "verified: 6 entries\n"
            "2020-03-01T09:30:00+00:00 bob: delete order 42\n"
            "2020-03-01T09:00:00+00:00 carol: export orders\n"
            "2020-03-01T09:59:59+00:00 dave: login\n");
}

TEST_F(AuditLogTest, EntryThatIsNoneOrOfTheFutureIsRefused) {
  EXPECT_THAT(Run("yesterday alice login\n"), HasSubstr("\"yesterday\""));
  EXPECT_EQ(status_, 1);
  EXPECT_THAT(Run("2020-03-01T08:00:00Z alice\n"),
              HasSubstr("an entry is: TIME WHO ACTION"));
  EXPECT_EQ(status_, 1);
  EXPECT_THAT(Run("9999-03-01T08:00:00Z alice login\n"),
              HasSubstr("message.timestamp.after.max.ms"));
  EXPECT_EQ(status_, 1);
  EXPECT_EQ(Run(""), "verified: 0 entries\n");
  EXPECT_EQ(status_, 0);
}

TEST_F(AuditLogTest, ChangedByteIsFound) {
  Run(kEntries);
  const std::string log = path_ + "/audit-0/00000000000000000000.log";
  const std::string bytes = ReadBytes(log);
  const size_t at = bytes.find("order 42");
  ASSERT_NE(at, std::string::npos);
  WriteBytes(log, WithBitFlipped(bytes, at * 8));
  EXPECT_THAT(Run(""), AllOf(HasSubstr(log), HasSubstr("there is damage"),
                             Not(HasSubstr("verified"))));
  EXPECT_EQ(status_, 1);
}

}  // namespace
}  // namespace varve
