// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/input/json_lines.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
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

class JsonLinesTest : public testing::Test {
 protected:
  // The record of a line, which has to have one.
  InputRecord Parse(std::string_view line) {
    const absl::StatusOr<InputRecord> parsed = lines_.Parse(line);
    EXPECT_THAT(parsed, IsOk()) << line;
    return parsed.value_or(InputRecord());
  }

  void ExpectRefused(std::string_view line, const std::string& why) {
    EXPECT_THAT(lines_.Parse(line),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(why)))
        << line;
  }

  JsonLines lines_;
};

TEST_F(JsonLinesTest, EveryFieldIsRead) {
  const InputRecord parsed = Parse(
      R"({"topic":"t","partition":3,"offset":41,"timestamp":1700000000123,)"
      R"("key":"k","value":"v","headers":[{"name":"a","value":"1"}]})");
  EXPECT_THAT(parsed.record.key, Optional(std::string_view("k")));
  EXPECT_THAT(parsed.record.value, Optional(std::string_view("v")));
  EXPECT_THAT(parsed.record.headers,
              ElementsAre(Header{.key = "a", .value = "1"}));
  EXPECT_EQ(parsed.record.timestamp, std::nullopt);
  EXPECT_THAT(parsed.timestamp_ms, Optional(1700000000123));
  EXPECT_THAT(parsed.partition, Optional(3));
}

TEST_F(JsonLinesTest, FieldsComeInAnyOrderAndMostMayBeMissing) {
  EXPECT_THAT(Parse(R"({"value":"v","key":"k"})").record.key,
              Optional(std::string_view("k")));
  const InputRecord least = Parse(R"( { "value" : "" } )");
  EXPECT_EQ(least.record.key, std::nullopt);
  EXPECT_THAT(least.record.value, Optional(std::string_view("")));
  EXPECT_THAT(least.record.headers, IsEmpty());
  EXPECT_EQ(least.timestamp_ms, std::nullopt);
  EXPECT_EQ(least.partition, std::nullopt);
}

TEST_F(JsonLinesTest, NullDiffersFromEmptyAndFromMissing) {
  const InputRecord parsed =
      Parse(R"({"key":null,"value":null,"timestamp":null})");
  EXPECT_EQ(parsed.record.key, std::nullopt);
  EXPECT_EQ(parsed.record.value, std::nullopt);
  EXPECT_THAT(parsed.timestamp_ms, Optional(-1));
  EXPECT_THAT(Parse(R"({"key":"","value":""})").record.key,
              Optional(std::string_view("")));
}

TEST_F(JsonLinesTest, Base64IsDecoded) {
  const InputRecord parsed =
      Parse(R"({"key_base64":"/wA=","value_base64":"/w==",)"
            R"("headers":[{"name_base64":"/g==","value_base64":"/Q=="}]})");
  EXPECT_THAT(parsed.record.key, Optional(std::string_view("\xff\0", 2)));
  EXPECT_THAT(parsed.record.value, Optional(std::string_view("\xff")));
  EXPECT_THAT(parsed.record.headers,
              ElementsAre(Header{.key = "\xfe", .value = "\xfd"}));
}

TEST_F(JsonLinesTest, HeadersKeepTheirOrderDuplicatesAndNulls) {
  const InputRecord parsed =
      Parse(R"({"value":"","headers":[{"value":"2","name":"b"},)"
            R"({"name":"a","value":null},{"name":"b","value":""},)"
            R"({"name":"","value":"x"}]})");
  EXPECT_THAT(parsed.record.headers,
              ElementsAre(Header{.key = "b", .value = "2"},
                          Header{.key = "a", .value = std::nullopt},
                          Header{.key = "b", .value = ""},
                          Header{.key = "", .value = "x"}));
}

TEST_F(JsonLinesTest, EscapesAndEveryCharacterAreDecoded) {
  EXPECT_THAT(Parse(R"({"value":"a\u0000\n\"\ud83d\ude00ü"})").record.value,
              Optional(std::string_view("a\0\n\"😀ü", 10)));
}

TEST_F(JsonLinesTest, LineBeforeLeavesNothing) {
  Parse(R"({"key":"k","value":"v","headers":[{"name":"a","value":"1"}],)"
        R"("timestamp":5,"partition":1})");
  const InputRecord parsed = Parse(R"({"value":"w"})");
  EXPECT_EQ(parsed.record.key, std::nullopt);
  EXPECT_THAT(parsed.record.headers, IsEmpty());
  EXPECT_EQ(parsed.timestamp_ms, std::nullopt);
}

TEST_F(JsonLinesTest, WhatIsNoRecordIsRefusedWithTheReason) {
  const std::pair<std::string_view, std::string> bad[] = {
      {"", "not JSON in UTF-8: byte 1"},
      {"{", "not JSON in UTF-8: byte 2"},
      {R"({"value":"a"} x)", "not JSON in UTF-8: byte 15"},
      {"{\"value\":\"\xff\"}", "not JSON in UTF-8: byte 11"},
      {R"({"value":"\ud800"})", "not JSON in UTF-8"},
      {R"({"value":1e999})", "a number in it is too large"},
      {"null", "not a JSON object"},
      {R"(["value"])", "not a JSON object"},
      {R"({})", "no \"value\""},
      {R"({"key":"k"})", "no \"value\""},
      {R"({"vaule":"v"})", "\"vaule\" is no field; there are topic, partition"},
      {R"({"value":"v","Key":"k"})", "\"Key\" is no field"},
      {R"({"value":5})", "\"value\" is neither a string nor null"},
      {R"({"value":"v","key":["k"]})", "\"key\" is neither a string nor null"},
      {R"({"value":"v","value_base64":"dg=="})",
       "both \"value\" and \"value_base64\""},
      {R"({"value":"v","value":"w"})", "a field stands in it twice"},
      {R"({"topic":{"a":1,"a":2},"value":"v"})", "a field stands in it twice"},
      {R"({"value_base64":"not base64!"})", "\"value_base64\" is not base64"},
      {R"({"value_base64":null})", "\"value_base64\" is not base64"},
      {R"({"value":"v","timestamp":1.5})", "\"timestamp\" is neither"},
      {R"({"value":"v","timestamp":"1"})", "\"timestamp\" is neither"},
      {R"({"value":"v","timestamp":9223372036854775807})",
       "\"timestamp\" is neither"},
      {R"({"value":"v","partition":-1})", "\"partition\" is not the number"},
      {R"({"value":"v","partition":null})", "\"partition\" is not the number"},
      {R"({"value":"v","partition":2147483648})",
       "\"partition\" is not the number"}};
  for (const auto& [line, why] : bad) ExpectRefused(line, why);
}

TEST_F(JsonLinesTest, WhatIsNoHeaderIsRefusedWithTheReason) {
  const std::pair<std::string_view, std::string> bad[] = {
      {R"({"a":"1"})", "\"headers\" is not an array"},
      {"null", "\"headers\" is not an array"},
      {R"(["a"])", "a header is not an object"},
      {R"([{"name":"a"}])", "a header has no \"value\""},
      {R"([{"value":"1"}])", "a header has no \"name\""},
      {R"([{"name":null,"value":"1"}])", "a header has no \"name\""},
      {R"([{"name":"a","value":1}])", "\"value\" is neither"},
      {R"([{"name":"a","value":"1","x":2}])", "\"x\" is no field"},
      {R"([{"name":"a","name":"b","value":"1"}])",
       "a field stands in it twice"}};
  for (const auto& [headers, why] : bad) {
    ExpectRefused(absl::StrCat(R"({"value":"","headers":)", headers, "}"), why);
  }
}

TEST_F(JsonLinesTest, NegativeTimestampIsNone) {
  for (const std::string_view number : {"-1", "-5", "-9223372036854775808"}) {
    EXPECT_THAT(Parse(absl::StrCat(R"({"value":"v","timestamp":)", number, "}"))
                    .timestamp_ms,
                Optional(-1));
  }
}

TEST_F(JsonLinesTest, LineOfManyHeadersIsRead) {
  constexpr int kCount = 200'000;
  std::string line = R"({"value":"v","headers":[)";
  for (int i = 0; i < kCount; ++i) {
    absl::StrAppend(&line, i == 0 ? "" : ",", R"({"name":")", i,
                    R"(","value":null})");
  }
  const InputRecord parsed = Parse(line + "]}");
  ASSERT_EQ(parsed.record.headers.size(), kCount);
  EXPECT_EQ(parsed.record.headers[kCount - 1].key, "199999");
  ExpectRefused(line + R"(,{"name":"a","value":"1","value":"2"}]})",
                "a field stands in it twice");
}

TEST_F(JsonLinesTest, DeepNestingIsRefusedAndEndsNoProcess) {
  const std::string deep =
      std::string(100'000, '[') + std::string(100'000, ']');
  ExpectRefused(deep, "not a JSON object");
  ExpectRefused(absl::StrCat(R"({"value":)", deep, "}"), "\"value\" is");
  EXPECT_THAT(lines_.Parse(std::string(100'000, '{')),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace varve
