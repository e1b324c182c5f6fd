// SPDX-License-Identifier: Apache-2.0

#include "varve/log/metadata/next_readable_offset.h"

#include <cstdint>
#include <limits>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace varve {
namespace {

using ::testing::HasSubstr;
using ::testing::Optional;

TEST(NextReadableOffsetTest, IsReadFromTheStatusAndItsCopies) {
  for (const int64_t offset :
       {int64_t{0}, int64_t{42}, std::numeric_limits<int64_t>::max()}) {
    absl::Status status = absl::DataLossError("damaged");
    SetNextReadableOffset(offset, status);
    const absl::Status copy = status;
    EXPECT_THAT(NextReadableOffset(copy), Optional(offset));
    EXPECT_EQ(copy.message(), "damaged");
  }
}

TEST(NextReadableOffsetTest, IsPrintedWithTheStatus) {
  absl::Status status = absl::DataLossError("damaged");
  SetNextReadableOffset(42, status);
  EXPECT_THAT(status.ToString(), HasSubstr("next_readable_offset='42'"));
}

TEST(NextReadableOffsetTest, IsNothingWhereNobodySetIt) {
  EXPECT_EQ(NextReadableOffset(absl::OkStatus()), std::nullopt);
  EXPECT_EQ(NextReadableOffset(absl::DataLossError("damaged")), std::nullopt);
}

TEST(NextReadableOffsetTest, PayloadThatIsNoNumberIsNothing) {
  absl::Status status = absl::DataLossError("damaged");
  status.SetPayload("varve.next_readable_offset", absl::Cord("far"));
  EXPECT_EQ(NextReadableOffset(status), std::nullopt);
}

TEST(NextReadableOffsetTest, OkStatusCannotHaveOne) {
  absl::Status status;
  EXPECT_DEATH(SetNextReadableOffset(42, status), "");
}

}  // namespace
}  // namespace varve
