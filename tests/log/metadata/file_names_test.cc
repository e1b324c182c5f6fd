// SPDX-License-Identifier: Apache-2.0

#include "varve/log/metadata/file_names.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace varve {
namespace {

using ::testing::Optional;

constexpr int64_t kInt64Max = std::numeric_limits<int64_t>::max();
constexpr SegmentFileKind kKinds[] = {
    SegmentFileKind::kLog, SegmentFileKind::kIndex, SegmentFileKind::kTimeIndex,
    SegmentFileKind::kTxnIndex, SegmentFileKind::kSnapshot};

TEST(SegmentNameTest, NamesAreKafkas) {
  EXPECT_EQ(SegmentFileName(0, SegmentFileKind::kLog),
            "00000000000000000000.log");
  EXPECT_EQ(SegmentFileName(57, SegmentFileKind::kIndex),
            "00000000000000000057.index");
  EXPECT_EQ(SegmentFileName(57, SegmentFileKind::kTimeIndex),
            "00000000000000000057.timeindex");
  EXPECT_EQ(SegmentFileName(57, SegmentFileKind::kTxnIndex),
            "00000000000000000057.txnindex");
  EXPECT_EQ(SegmentFileName(kInt64Max, SegmentFileKind::kSnapshot),
            "09223372036854775807.snapshot");
}

TEST(SegmentNameTest, EveryNameIsParsedAgain) {
  for (int64_t base : {int64_t{0}, int64_t{1}, int64_t{1} << 40, kInt64Max}) {
    for (SegmentFileKind kind : kKinds) {
      EXPECT_THAT(ParseSegmentFileName(SegmentFileName(base, kind)),
                  Optional(SegmentFile{base, kind}));
    }
  }
}

TEST(SegmentNameTest, OtherNamesAreNotSegments) {
  const std::string_view kNames[] = {
      "",
      ".log",
      "0.log",
      "00000000000000000000",
      "00000000000000000000.",
      "00000000000000000000.logs",
      "00000000000000000000.log.deleted",
      "00000000000000000000.log.swap",
      "00000000000000000000.LOG",
      "0000000000000000000.log",
      "000000000000000000000.log",
      "09223372036854775808.log",
      "99999999999999999999.log",
      "-0000000000000000001.log",
      "+0000000000000000001.log",
      " 0000000000000000001.log",
      "0000000000000000001 .log",
      "0x000000000000000001.log",
      "0000000000000000000a.log",
      "leader-epoch-checkpoint",
      "partition.metadata",
      std::string_view("00000000000000000000.log\0", 25),
  };
  for (std::string_view name : kNames) {
    EXPECT_EQ(ParseSegmentFileName(name), std::nullopt) << name;
  }
}

TEST(SegmentNameTest, CutFilesHaveSegmentPositionAndSequence) {
  EXPECT_EQ(CutFileName({57, 4096, 0}), "cut-00000000000000000057-4096");
  EXPECT_EQ(CutFileName({57, 0, 2}), "cut-00000000000000000057-0.2");
  for (const CutFile& cut : {CutFile{0, 0, 0}, CutFile{57, 4096, 1},
                             CutFile{kInt64Max, kInt64Max, kCutSequenceMax}}) {
    EXPECT_THAT(ParseCutFileName(CutFileName(cut)), Optional(cut));
  }
}

TEST(SegmentNameTest, OtherNamesAreNotCutFiles) {
  for (std::string_view name :
       {"", "cut-", "cut-00000000000000000057", "cut-00000000000000000057-",
        "cut-00000000000000000057-01", "cut-00000000000000000057--1",
        "cut-00000000000000000057_4096", "cut-57-4096",
        "cut-00000000000000000057-4096.", "cut-00000000000000000057-4096.0",
        "cut-00000000000000000057-4096.01", "cut-00000000000000000057-4096.1.2",
        "cut-00000000000000000057-4096.1000",
        "cut-00000000000000000057-9223372036854775808",
        "cut-99999999999999999999-0", "00000000000000000057.log"}) {
    EXPECT_EQ(ParseCutFileName(name), std::nullopt) << name;
  }
}

TEST(SegmentNameTest, DisplacedFilesAreNamedByTheirBaseOffset) {
  EXPECT_EQ(DisplacedFileName(57), "displaced-00000000000000000057");
  for (const int64_t base : {int64_t{0}, int64_t{57}, kInt64Max})
    EXPECT_THAT(ParseDisplacedFileName(DisplacedFileName(base)),
                Optional(base));
  for (std::string_view name :
       {"", "displaced-", "displaced-57", "sealed-00000000000000000057",
        "displaced-00000000000000000057.log"}) {
    EXPECT_EQ(ParseDisplacedFileName(name), std::nullopt) << name;
  }
}

TEST(SegmentNameTest, FilesOfAPartitionAreKnownByTheirNames) {
  for (std::string_view name :
       {"00000000000000000057.log", "00000000000000000057.snapshot",
        "sealed-00000000000000000057", "cut-00000000000000000057-4096.1",
        "displaced-00000000000000000057", "ready-log", "ready-index",
        "ready-timeindex", "leader-epoch-checkpoint", "partition.metadata",
        "partition.metadata.tmp", "00000000000000000057.log.tmp",
        "00000000000000000057.log.deleted",
        "00000000000000000057.timeindex.cleaned",
        "00000000000000000057.index.swap"}) {
    EXPECT_TRUE(IsPartitionFileName(name)) << name;
  }
  for (std::string_view name :
       {"", ".tmp", "varve.topics", "varve.backup", "varve.topics.tmp", ".lock",
        ".kafka_cleanshutdown", "meta.properties", "letter.txt", "57.log",
        "00000000000000000057.log.tmp.tmp", "orders-0"}) {
    EXPECT_FALSE(IsPartitionFileName(name)) << name;
  }
}

TEST(SegmentNameTest, PartitionDirectoriesAreParsedAgain) {
  EXPECT_EQ(PartitionDirectoryName("orders", 0), "orders-0");
  for (std::string topic : {"a", "a-1", "a-b.c_d", "-", "1"}) {
    for (int32_t partition : {0, 7, std::numeric_limits<int32_t>::max()}) {
      EXPECT_THAT(
          ParsePartitionDirectoryName(PartitionDirectoryName(topic, partition)),
          Optional(TopicPartition{topic, partition}));
    }
  }
}

TEST(SegmentNameTest, OtherNamesAreNotPartitions) {
  for (std::string_view name :
       {"", "-", "-0", "orders", "orders-", "orders-x", "orders-00",
        "orders-+1", "orders- 1", "orders-1 ", "orders-2147483648", ".-0",
        "..-0", "a b-0", "a/b-0", "lost+found",
        "orders-0.0123456789abcdef0123456789abcdef-delete"}) {
    EXPECT_EQ(ParsePartitionDirectoryName(name), std::nullopt) << name;
  }
}

using SegmentNameDeathTest = ::testing::Test;

TEST(SegmentNameDeathTest, InvalidPartsAreAProgrammersError) {
  EXPECT_DEATH(SegmentFileName(-1, SegmentFileKind::kLog), "offset >= 0");
  EXPECT_DEATH(PartitionDirectoryName("a", -1), "partition >= 0");
  EXPECT_DEATH(PartitionDirectoryName("../a", 0), "topic name");
}

TEST(SidecarNameTest, NamesAreParsedAgain) {
  EXPECT_EQ(SidecarFileName(57), "sealed-00000000000000000057");
  for (int64_t base : {int64_t{0}, int64_t{57}, kInt64Max}) {
    EXPECT_THAT(ParseSidecarFileName(SidecarFileName(base)), Optional(base));
    EXPECT_EQ(ParseSegmentFileName(SidecarFileName(base)), std::nullopt);
    EXPECT_EQ(ParseCutFileName(SidecarFileName(base)), std::nullopt);
  }
}

TEST(SidecarNameTest, OtherNamesAreNotSidecars) {
  for (std::string_view name :
       {"", "sealed-", "sealed-57", "sealed-00000000000000000057.tmp",
        "sealed--0000000000000000057", "sealed-+0000000000000000057",
        "sealed-000000000000000000057", "sealed-09223372036854775808",
        "Sealed-00000000000000000057", "00000000000000000057.sealed"}) {
    EXPECT_EQ(ParseSidecarFileName(name), std::nullopt) << name;
  }
}

// Kafka deletes "*.deleted", refuses names with one of its suffixes and no
// number in front, and may delete what begins with a number and a dot.
TEST(SidecarNameTest, KafkaIgnoresThem) {
  for (const std::string& name :
       {SidecarFileName(0), SidecarFileName(kInt64Max) + ".tmp"}) {
    EXPECT_THAT(name, testing::Not(testing::MatchesRegex(
                          ".*\\.(log|index|timeindex|txnindex|snapshot|"
                          "cleaned|swap|deleted)|[0-9].*")));
  }
}

}  // namespace
}  // namespace varve
