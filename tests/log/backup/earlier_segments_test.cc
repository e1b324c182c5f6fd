// SPDX-License-Identifier: Apache-2.0

#include "varve/log/backup/earlier_segments.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/file_bytes.h"
#include "tests/fixture/scratch_directory.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class EarlierSegmentsTest : public testing::Test {
 protected:
  void Write(const std::string& name, const std::string& bytes = "x") {
    WriteBytes(scratch_ / name, bytes);
  }
  std::vector<std::string> Names() const { return NamesIn(scratch_.path()); }

  ScratchDirectory scratch_;
  const std::unique_ptr<Directory> directory_ =
      FileSystem::Posix()->OpenDirectory(scratch_.path()).value();
};

TEST_F(EarlierSegmentsTest, LogIsPutAsideAndWhatIsBesideItRemoved) {
  Write("00000000000000000005.log", "batches");
  Write("00000000000000000005.index");
  Write("00000000000000000005.timeindex");
  Write("00000000000000000005.snapshot");
  Write("sealed-00000000000000000005");
  Write("00000000000000000010.log");
  ASSERT_THAT(DisplaceSegment(*directory_, 5), IsOk());
  EXPECT_THAT(Names(), ElementsAre("00000000000000000010.log",
                                   "displaced-00000000000000000005"));
  EXPECT_EQ(ReadBytes(scratch_ / "displaced-00000000000000000005"), "batches");
}

TEST_F(EarlierSegmentsTest, TheFirstThatWasPutAsideStays) {
  Write("00000000000000000005.log", "of the last whole copy");
  ASSERT_THAT(DisplaceSegment(*directory_, 5), IsOk());
  Write("00000000000000000005.log", "of one that was not finished");
  ASSERT_THAT(DisplaceSegment(*directory_, 5), IsOk());
  EXPECT_THAT(Names(), ElementsAre("displaced-00000000000000000005"));
  EXPECT_EQ(ReadBytes(scratch_ / "displaced-00000000000000000005"),
            "of the last whole copy");
  ASSERT_THAT(DisplaceSegment(*directory_, 5), IsOk());
  EXPECT_THAT(Names(), ElementsAre("displaced-00000000000000000005"));
}

TEST_F(EarlierSegmentsTest, SegmentThatIsNotThereIsNotPutAside) {
  ASSERT_THAT(DisplaceSegment(*directory_, 5), IsOk());
  EXPECT_THAT(Names(), IsEmpty());
}

TEST_F(EarlierSegmentsTest, TrimmedSegmentsAreRemovedAndNoOthers) {
  Write("00000000000000000000.log");
  Write("00000000000000000005.log");
  Write("00000000000000000005.index");
  Write("sealed-00000000000000000005");
  Write("00000000000000000010.log");
  Write("00000000000000000010.index");
  Write("displaced-00000000000000000005");
  ASSERT_THAT(RemoveSegmentsBefore(*directory_, 10), IsOk());
  EXPECT_THAT(Names(), ElementsAre("00000000000000000010.index",
                                   "00000000000000000010.log",
                                   "displaced-00000000000000000005"));
}

TEST_F(EarlierSegmentsTest, WhatWasPutAsideIsRemovedAtTheEnd) {
  Write("00000000000000000005.log");
  Write("displaced-00000000000000000005");
  Write("displaced-00000000000000000010");
  ASSERT_THAT(RemoveDisplaced(*directory_), IsOk());
  EXPECT_THAT(Names(), ElementsAre("00000000000000000005.log"));
  ASSERT_THAT(RemoveDisplaced(*directory_), IsOk());
}

}  // namespace
}  // namespace varve
