// SPDX-License-Identifier: Apache-2.0

#include "varve/log/metadata/topic_name.h"

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/strings/ascii.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::HasSubstr;

TEST(TopicNameTest, LegalNamesAreTaken) {
  for (const std::string& name :
       {std::string("a"), std::string("Orders.v2_eu-west"), std::string("..."),
        std::string("-"), std::string("__consumer_offsets"),
        std::string(249, 'x')}) {
    EXPECT_THAT(ValidateTopicName(name), IsOk()) << name;
  }
}

TEST(TopicNameTest, EveryByteIsLegalOrNamed) {
  for (int c = 0; c < 256; ++c) {
    const std::string name = {'a', 'b', static_cast<char>(c)};
    const bool legal = absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                       c == '.' || c == '_' || c == '-';
    if (legal) {
      EXPECT_THAT(ValidateTopicName(name), IsOk()) << c;
    } else {
      EXPECT_THAT(ValidateTopicName(name),
                  StatusIs(absl::StatusCode::kInvalidArgument,
                           HasSubstr("' at place 3 is not one of")))
          << c;
    }
  }
}

TEST(TopicNameTest, ErrorsShowTheNameAndSayWhy) {
  constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
  EXPECT_THAT(ValidateTopicName(""),
              StatusIs(kInvalid, "topic name \"\": it is empty"));
  EXPECT_THAT(ValidateTopicName("."), StatusIs(kInvalid));
  EXPECT_THAT(ValidateTopicName(".."), StatusIs(kInvalid));
  EXPECT_THAT(
      ValidateTopicName("a\n/b"),
      StatusIs(kInvalid,
               "topic name \"a\\n/b\": the character '\\n' at place 2 is not "
               "one of a-z, A-Z, 0-9, '.', '_', '-'"));
  EXPECT_THAT(ValidateTopicName(std::string(250, 'x')),
              StatusIs(kInvalid, HasSubstr("it has 250 characters, and may "
                                           "have 249 at most")));
}

TEST(TopicNameTest, NamesThatDifferInDotsAndUnderscoresAloneCollide) {
  EXPECT_TRUE(TopicNamesCollide("a.b_c", "a_b.c"));
  EXPECT_TRUE(TopicNamesCollide("a", "a"));
  EXPECT_FALSE(TopicNamesCollide("a.b", "a-b"));
  EXPECT_FALSE(TopicNamesCollide("a.b", "a.bc"));
  EXPECT_FALSE(TopicNamesCollide("a.b", "A.b"));
}

}  // namespace
}  // namespace varve
