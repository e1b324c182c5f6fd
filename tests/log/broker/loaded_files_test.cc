// SPDX-License-Identifier: Apache-2.0

// Which files count in every state that a broker's replacing of segments passes
// through.

#include "varve/log/broker/loaded_files.h"

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "varve/log/metadata/file_names.h"

namespace varve {
namespace {

using ::absl_testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;

std::string Log(int64_t base_offset, const std::string& suffix = "") {
  return SegmentFileName(base_offset, SegmentFileKind::kLog) + suffix;
}

std::string Index(int64_t base_offset, const std::string& suffix = "") {
  return SegmentFileName(base_offset, SegmentFileKind::kIndex) + suffix;
}

// `ends` are the offsets after the last batches of swapped segments.
LoadedFiles Load(const std::vector<std::string>& names,
                 const std::map<int64_t, int64_t>& ends = {},
                 LoadedFiles::Owner owner = LoadedFiles::Owner::kBroker) {
  absl::StatusOr<LoadedFiles> loaded = LoadedFiles::Of(
      names, owner, [&](int64_t base_offset) -> absl::StatusOr<int64_t> {
        const auto end = ends.find(base_offset);
        if (end == ends.end()) return absl::InternalError("not asked for");
        return end->second;
      });
  CHECK_OK(loaded.status());
  return *std::move(loaded);
}

TEST(LoadedFilesTest, WithoutReplacementEachFileIsItself) {
  const std::vector<std::string> names = {
      Index(0), Log(0), "cut-00000000000000000000-5", "leader-epoch-checkpoint",
      "partition.metadata"};
  const LoadedFiles loaded = Load(names);
  EXPECT_THAT(loaded.names(), ElementsAreArray(names));
  EXPECT_EQ(loaded.StoredName(Log(0)), Log(0));
  EXPECT_FALSE(loaded.IsHidden(Log(100)));
}

TEST(LoadedFilesTest, WhatIsBeingWrittenOrRemovedDoesNotCount) {
  EXPECT_THAT(Load({Log(0), Log(0, ".cleaned"), Index(0, ".cleaned"),
                    Log(5, ".deleted"), Index(5, ".deleted")})
                  .names(),
              ElementsAre(Log(0)));
}

TEST(LoadedFilesTest, FilesOfVarveThatABrokerDoesNotKeepUpAreHidden) {
  const LoadedFiles loaded = Load({Log(0), SidecarFileName(0), "ready-log"});
  EXPECT_THAT(loaded.names(), ElementsAre(Log(0)));
  EXPECT_TRUE(loaded.IsHidden(SidecarFileName(0)));
  EXPECT_TRUE(loaded.IsHidden("ready-index"));
}

TEST(LoadedFilesTest, WholeReplacementTakesThePlaceOfItsRange) {
  const LoadedFiles loaded =
      Load({Index(0), Index(0, ".swap"), Log(0), Log(0, ".swap"), Log(100),
            "00000000000000000100.snapshot", Log(200), Log(300)},
           {{0, 200}});
  EXPECT_THAT(loaded.names(),
              ElementsAre(Index(0), Log(0), Log(200), Log(300)));
  EXPECT_EQ(loaded.StoredName(Log(0)), Log(0, ".swap"));
  EXPECT_EQ(loaded.StoredName(Index(0)), Index(0, ".swap"));
  EXPECT_EQ(loaded.StoredName(Log(200)), Log(200));
  EXPECT_TRUE(loaded.IsHidden(Log(100)));
  EXPECT_TRUE(loaded.IsHidden(Log(199)));
  EXPECT_FALSE(loaded.IsHidden(Log(200)));
}

// Of a segment that was split, the first part ends before the old one did.
TEST(LoadedFilesTest, SeveralReplacementsHaveOneRange) {
  EXPECT_THAT(
      Load({Log(0), Log(0, ".swap"), Log(50), Log(100, ".swap"), Log(150)},
           {{0, 40}, {100, 150}})
          .names(),
      ElementsAre(Log(0), Log(100), Log(150)));
}

TEST(LoadedFilesTest, ReplacementThatWasNotCompleteDoesNotCount) {
  const LoadedFiles loaded =
      Load({Log(0), Log(0, ".cleaned"), Log(100), Log(100, ".swap")});
  EXPECT_THAT(loaded.names(), ElementsAre(Log(0), Log(100)));
  EXPECT_EQ(loaded.StoredName(Log(100)), Log(100));
}

TEST(LoadedFilesTest, ReplacementBelowTheIncompleteOneCounts) {
  const LoadedFiles loaded = Load(
      {Log(0), Log(0, ".swap"), Log(100), Log(100, ".cleaned")}, {{0, 100}});
  EXPECT_THAT(loaded.names(), ElementsAre(Log(0), Log(100)));
  EXPECT_EQ(loaded.StoredName(Log(0)), Log(0, ".swap"));
}

// The old segments are gone, the `.log` has its name, its index has not.
TEST(LoadedFilesTest, IndexOfAReplacementThatIsNearlyDoneCounts) {
  const LoadedFiles loaded =
      Load({Index(0, ".swap"), Log(0), Log(100, ".deleted"), Log(200)});
  EXPECT_THAT(loaded.names(), ElementsAre(Index(0), Log(0), Log(200)));
  EXPECT_EQ(loaded.StoredName(Index(0)), Index(0, ".swap"));
}

// Everything in it was compacted away.
TEST(LoadedFilesTest, EmptyReplacementReplacesItsOwnBaseAlone) {
  const LoadedFiles loaded =
      Load({Log(0), Log(0, ".swap"), Log(100)}, {{0, 0}});
  EXPECT_THAT(loaded.names(), ElementsAre(Log(0), Log(100)));
  EXPECT_EQ(loaded.StoredName(Log(0)), Log(0, ".swap"));
}

// A sidecar that is about to get its name is left out: nothing depends on one.
TEST(LoadedFilesTest, AStoresSidecarsCountUnlessTheirSegmentsAreReplaced) {
  const auto snapshot = [](int64_t base_offset) {
    return SegmentFileName(base_offset, SegmentFileKind::kSnapshot);
  };
  const LoadedFiles loaded =
      Load({Log(0), SidecarFileName(0), snapshot(0), Log(0, ".swap"),
            CleanedSidecarFileName(0), Log(5), SidecarFileName(5), snapshot(5),
            Log(10), SidecarFileName(10), "ready-log"},
           {{0, 10}}, LoadedFiles::Owner::kStore);
  EXPECT_THAT(loaded.names(), ElementsAre(Log(0), snapshot(0), Log(10),
                                          "ready-log", SidecarFileName(10)));
  EXPECT_EQ(loaded.StoredName(Log(0)), Log(0, ".swap"));
}

TEST(LoadedFilesTest, AReplacementWithoutBatchesTakesThePlaceOfItsNamesake) {
  const LoadedFiles loaded =
      Load({Log(0), Index(0), Log(0, ".swap"), Log(5)}, {{0, 0}});
  EXPECT_THAT(loaded.names(), ElementsAre(Log(0), Log(5)));
  EXPECT_TRUE(loaded.IsHidden(Index(0)));
}

TEST(LoadedFilesTest, TheLargestBaseOffsetIsLikeAnyOther) {
  const std::string largest = Log(std::numeric_limits<int64_t>::max());
  EXPECT_THAT(Load({largest}).names(), ElementsAre(largest));
  EXPECT_THAT(Load({Log(0, ".swap"), largest}, {{0, 3}}).names(),
              ElementsAre(Log(0), largest));
}

TEST(LoadedFilesTest, ErrorOfReadingAReplacementIsReturned) {
  const std::vector<std::string> names = {Log(0, ".swap")};
  EXPECT_THAT(LoadedFiles::Of(names, LoadedFiles::Owner::kBroker,
                              [](int64_t) -> absl::StatusOr<int64_t> {
                                return absl::UnknownError("disk");
                              }),
              StatusIs(absl::StatusCode::kUnknown, HasSubstr("disk")));
}

}  // namespace
}  // namespace varve
