// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/shell/record_format.h"

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "varve/log/batch/encoded_batch.h"
#include "varve/log/batch/record.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/batch/record_cursor.h"
#include "varve/log/batch/record_view.h"

namespace varve {
namespace {

using ::absl_testing::StatusIs;
using ::testing::HasSubstr;

std::string Print(std::string_view format, const Record& record) {
  absl::StatusOr<RecordFormat> parsed = RecordFormat::Parse(format);
  if (!parsed.ok()) return std::string(parsed.status().message());
  RecordBatchBuilder builder;
  EXPECT_TRUE(builder.Append(record, int64_t{1700000000005}).ok());
  RecordCursor cursor(builder.Finish().batch());
  std::string out;
  parsed->Append({.topic = "orders", .partition = 3}, *cursor.Next(), out);
  return out;
}

struct FormatCase {
  const char* format;
  const char* printed;
};

class EveryFormatTest : public testing::TestWithParam<FormatCase> {};

TEST_P(EveryFormatTest, PrintsAsKcatDoes) {
  const Header headers[] = {{.key = "h", .value = "1"}, {.key = "n"}};
  const Record record = {.key = "k", .value = "value", .headers = headers};
  EXPECT_EQ(Print(GetParam().format, record), GetParam().printed);
}

INSTANTIATE_TEST_SUITE_P(
    Tokens, EveryFormatTest,
    testing::Values(FormatCase{"", ""}, FormatCase{"%s", "value"},
                    FormatCase{"%S", "5"}, FormatCase{"%k", "k"},
                    FormatCase{"%K", "1"}, FormatCase{"%o", "0"},
                    FormatCase{"%t", "orders"}, FormatCase{"%p", "3"},
                    FormatCase{"%T", "1700000000005"},
                    FormatCase{"%h", "h=1,n=NULL"}, FormatCase{"%%", "%"},
                    FormatCase{"%%s", "%s"}, FormatCase{"\\n", "\n"},
                    FormatCase{"\\t", "\t"}, FormatCase{"\\r", "\r"},
                    FormatCase{"\\\\", "\\"}, FormatCase{"\\\\n", "\\n"},
                    FormatCase{"\\x41\\x7a", "Az"}, FormatCase{"\\xfF", "\xff"},
                    FormatCase{"[%k=%s]\\n", "[k=value]\n"}));

TEST(RecordFormatTest, NullsPrintAsNothingAndHaveSizeMinusOne) {
  EXPECT_EQ(Print("<%k|%s|%K|%S|%h>", {}), "<||-1|-1|>");
}

TEST(RecordFormatTest, EmptyBytesHaveSizeZero) {
  EXPECT_EQ(Print("<%k|%s|%K|%S>", {.key = "", .value = ""}), "<||0|0>");
}

TEST(RecordFormatTest, BinaryValuesAreKept) {
  const std::string_view bytes("\0\xff%s\\n", 6);
  EXPECT_EQ(Print("%s", {.value = bytes}), bytes);
}

class BadFormatTest : public testing::TestWithParam<FormatCase> {};

TEST_P(BadFormatTest, IsRefusedWithThePlace) {
  EXPECT_THAT(RecordFormat::Parse(GetParam().format),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr(GetParam().printed)));
}

INSTANTIATE_TEST_SUITE_P(Mistakes, BadFormatTest,
                         testing::Values(FormatCase{"%q", "at place 1"},
                                         FormatCase{"ab%", "at place 3"},
                                         FormatCase{"\\q", "at place 1"},
                                         FormatCase{"a\\", "at place 2"},
                                         FormatCase{"\\x4", "at place 1"},
                                         FormatCase{"%s\\x4g", "at place 3"}));

}  // namespace
}  // namespace varve
