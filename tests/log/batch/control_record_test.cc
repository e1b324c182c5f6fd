// SPDX-License-Identifier: Apache-2.0

#include "varve/log/batch/control_record.h"

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace varve {
namespace {

using absl_testing::IsOkAndHolds;
using absl_testing::StatusIs;
using std::string_literals::operator""s;
using testing::HasSubstr;

constexpr auto kDataLoss = absl::StatusCode::kDataLoss;

TEST(ControlRecordTest, EveryTypeReturns) {
  for (const auto type :
       {ControlRecordType::kAbort, ControlRecordType::kCommit,
        ControlRecordType::kLeaderChange, ControlRecordType::kSnapshotHeader,
        ControlRecordType::kSnapshotFooter, ControlRecordType::kKRaftVersion,
        ControlRecordType::kKRaftVoters}) {
    EXPECT_THAT(ParseControlRecordType(ControlRecordKey(type).bytes()),
                IsOkAndHolds(type));
  }
}

TEST(ControlRecordTest, BytesAreKafkas) {
  EXPECT_EQ(ControlRecordKey(ControlRecordType::kCommit).bytes(), "\0\0\0\1"s);
  EXPECT_EQ(EndTransactionValue(0x01020304).bytes(), "\0\0\1\2\3\4"s);
  EXPECT_THAT(ParseCoordinatorEpoch("\0\0\1\2\3\4"s), IsOkAndHolds(0x01020304));
}

TEST(ControlRecordTest, UnknownTypeIsUnknown) {
  EXPECT_THAT(ParseControlRecordType("\0\0\0\7"s),
              IsOkAndHolds(ControlRecordType::kUnknown));
  EXPECT_THAT(ParseControlRecordType("\0\0\xff\xff"s),
              IsOkAndHolds(ControlRecordType::kUnknown));
}

TEST(ControlRecordTest, LaterVersionWithMoreBytesReadsAsTheFirst) {
  EXPECT_THAT(ParseControlRecordType("\0\5\0\1extra"s),
              IsOkAndHolds(ControlRecordType::kCommit));
  EXPECT_THAT(ParseCoordinatorEpoch("\0\5\0\0\0\1extra"s), IsOkAndHolds(1));
}

TEST(ControlRecordTest, NullShortAndNegativeVersionAreDataLoss) {
  EXPECT_THAT(ParseControlRecordType(std::nullopt),
              StatusIs(kDataLoss, HasSubstr("key is null")));
  EXPECT_THAT(ParseControlRecordType("\0\0\0"s),
              StatusIs(kDataLoss, HasSubstr("3 bytes")));
  EXPECT_THAT(ParseControlRecordType("\xff\xff\0\1"s),
              StatusIs(kDataLoss, HasSubstr("version -1")));
  EXPECT_THAT(ParseCoordinatorEpoch("\0\0\0\0\0"s),
              StatusIs(kDataLoss, HasSubstr("value has 5 bytes")));
}

}  // namespace
}  // namespace varve
