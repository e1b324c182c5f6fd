// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/input/plain_lines.h"

#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "varve/log/batch/record.h"
#include "varve/tools/input/line_parser.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Optional;

TEST(PlainLinesTest, LineIsAValueWithoutAKey) {
  PlainLines lines({});
  const absl::StatusOr<InputRecord> parsed = lines.Parse("a:b");
  ASSERT_THAT(parsed, IsOk());
  EXPECT_EQ(parsed->record.key, std::nullopt);
  EXPECT_THAT(parsed->record.value, Optional(std::string_view("a:b")));
  EXPECT_THAT(parsed->record.headers, IsEmpty());
  EXPECT_EQ(parsed->timestamp_ms, std::nullopt);
}

TEST(PlainLinesTest, FirstSeparatorEndsTheKey) {
  PlainLines lines({.key_separator = "::"});
  const absl::StatusOr<InputRecord> parsed = lines.Parse("k::v::w");
  ASSERT_THAT(parsed, IsOk());
  EXPECT_THAT(parsed->record.key, Optional(std::string_view("k")));
  EXPECT_THAT(parsed->record.value, Optional(std::string_view("v::w")));
  EXPECT_THAT(lines.Parse("k:v"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("the key separator \"::\" is not in it")));
}

TEST(PlainLinesTest, NullTextIsNullAsAWholeAlone) {
  PlainLines lines({.key_separator = ":", .null_text = "NULL"});
  const absl::StatusOr<InputRecord> value = lines.Parse("k:NULL");
  ASSERT_THAT(value, IsOk());
  EXPECT_THAT(value->record.key, Optional(std::string_view("k")));
  EXPECT_EQ(value->record.value, std::nullopt);
  const absl::StatusOr<InputRecord> key = lines.Parse("NULL:NULLs");
  ASSERT_THAT(key, IsOk());
  EXPECT_EQ(key->record.key, std::nullopt);
  EXPECT_THAT(key->record.value, Optional(std::string_view("NULLs")));
}

TEST(PlainLinesTest, EmptyNullTextMakesEmptyOnesNull) {
  PlainLines lines({.null_text = ""});
  const absl::StatusOr<InputRecord> parsed = lines.Parse("");
  ASSERT_THAT(parsed, IsOk());
  EXPECT_EQ(parsed->record.value, std::nullopt);
}

TEST(PlainLinesTest, EveryRecordGetsTheHeadersAndTheTime) {
  PlainLines lines({.null_text = "-",
                    .headers = {{.name = "a", .value = "1"},
                                {.name = "a", .value = "-"},
                                {.name = "b", .value = ""}},
                    .timestamp_ms = 7});
  for (const std::string_view line : {"v", "w"}) {
    const absl::StatusOr<InputRecord> parsed = lines.Parse(line);
    ASSERT_THAT(parsed, IsOk());
    EXPECT_THAT(parsed->record.value, Optional(line));
    EXPECT_THAT(parsed->record.headers,
                ElementsAre(Header{.key = "a", .value = "1"},
                            Header{.key = "a", .value = std::nullopt},
                            Header{.key = "b", .value = ""}));
    EXPECT_THAT(parsed->timestamp_ms, Optional(7));
  }
}

}  // namespace
}  // namespace varve
