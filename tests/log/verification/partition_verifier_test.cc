// SPDX-License-Identifier: Apache-2.0

#include "varve/log/verification/partition_verifier.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/scratch_directory.h"
#include "varve/api/log_store.h"
#include "varve/log/recovery/partition_recovery.h"
#include "varve/log/segment/batch_scanner.h"
#include "varve/log/segment/file_batch_scanner.h"
#include "varve/log/system/file_system.h"
#include "varve/log/verification/finding_list.h"
#include "varve/log/verification/segment_verifier.h"
#include "varve/log/verification/verify_finding.h"

namespace varve {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Field;
using ::testing::HasSubstr;

constexpr int kBatches = 12;

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file),
          std::istreambuf_iterator<char>()};
}

// A new file: ext4 syncs one that is cut to nothing and written again.
void WriteFile(const std::string& path, std::string_view bytes) {
  std::filesystem::remove(path);
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

// One partition with one small segment, closed cleanly.
class PartitionVerifierTest : public testing::Test {
 protected:
  void SetUp() override {
    auto store = LogStore::Open(scratch_.path());
    ASSERT_TRUE(store.ok());
    TopicConfig config;
    config.log.index_interval_bytes = 100;
    ASSERT_TRUE((*store)->CreateTopic("t", config).ok());
    auto partition = (*store)->partition("t", 0);
    for (int i = 0; i < kBatches; ++i) {
      const std::string value = absl::StrCat("value ", i);
      ASSERT_TRUE(partition
                      ->Append({.value = value,
                                .timestamp = absl::FromUnixMillis(1000 + i)},
                               Durability::kMemory)
                      .ok());
    }
    inputs_.topic_id = (*store)->DescribeTopic("t")->id;
    ASSERT_TRUE((*store)->Close().ok());
    inputs_.checkpoint =
        PartitionCheckpoint{.log_start = 0, .recovery_point = kBatches};
  }

  std::string PathTo(const std::string& name) const {
    return scratch_ / ("t-0/" + name);
  }

  PartitionVerification Verify() {
    auto directory = FileSystem::Posix()->OpenDirectory(scratch_ / "t-0");
    auto result = VerifyPartition(**directory, inputs_);
    EXPECT_TRUE(result.ok());
    return *std::move(result);
  }

  size_t DamageCount() {
    size_t count = 0;
    for (const VerifyFinding& finding : Verify().findings) {
      if (finding.severity == FindingSeverity::kDamage) ++count;
    }
    return count;
  }

  // Whether each flip of one bit of the file is found.
  void ExpectEveryFlipIsFound(const std::string& name) {
    const std::string sound = ReadFile(PathTo(name));
    ASSERT_FALSE(sound.empty());
    for (size_t i = 0; i < sound.size() * 8; ++i) {
      std::string flipped = sound;
      flipped[i / 8] = static_cast<char>(flipped[i / 8] ^ (1 << i % 8));
      WriteFile(PathTo(name), flipped);
      EXPECT_GT(DamageCount(), 0) << name << " bit " << i;
    }
    WriteFile(PathTo(name), sound);
    EXPECT_EQ(DamageCount(), 0);
  }

  ScratchDirectory scratch_;
  PartitionVerifyInputs inputs_;
  const std::string log_ = "00000000000000000000.log";
  const std::string index_ = "00000000000000000000.index";
  const std::string time_index_ = "00000000000000000000.timeindex";
};

TEST_F(PartitionVerifierTest, CleanPartitionHasNoFindingsAndIsCounted) {
  const PartitionVerification result = Verify();
  EXPECT_THAT(result.findings, testing::IsEmpty());
  EXPECT_EQ(result.next_offset, kBatches);
  EXPECT_EQ(result.counts.records, kBatches);
  EXPECT_EQ(result.counts.batches, kBatches);
  EXPECT_GT(result.counts.index_entries, 4);
}

TEST_F(PartitionVerifierTest, EveryBitOfTheLogCounts) {
  ExpectEveryFlipIsFound(log_);
}

TEST_F(PartitionVerifierTest, EveryBitOfTheOffsetIndexCounts) {
  ExpectEveryFlipIsFound(index_);
}

TEST_F(PartitionVerifierTest, EveryBitOfTheTimeIndexCounts) {
  ExpectEveryFlipIsFound(time_index_);
}

TEST_F(PartitionVerifierTest, EveryBitOfTheLeaderEpochsCounts) {
  ExpectEveryFlipIsFound("leader-epoch-checkpoint");
}

TEST_F(PartitionVerifierTest, EveryTruncationOfACleanLogIsDamage) {
  const std::string sound = ReadFile(PathTo(log_));
  for (size_t size = 0; size < sound.size(); ++size) {
    WriteFile(PathTo(log_), sound.substr(0, size));
    EXPECT_GT(DamageCount(), 0) << size;
  }
}

TEST_F(PartitionVerifierTest, EveryTruncationAboveTheRecoveryPointIsANote) {
  inputs_.last_writer = LastWriter::kDied;
  inputs_.checkpoint = PartitionCheckpoint();
  const std::string sound = ReadFile(PathTo(log_));
  for (size_t size = 0; size < sound.size(); ++size) {
    WriteFile(PathTo(log_), sound.substr(0, size));
    EXPECT_EQ(DamageCount(), 0) << size;
    WriteFile(PathTo(log_), sound.substr(0, size) + std::string(500, '\0'));
    EXPECT_EQ(DamageCount(), 0) << size << " and zeros";
  }
}

TEST_F(PartitionVerifierTest, TruncationBelowTheRecoveryPointIsDamage) {
  inputs_.last_writer = LastWriter::kDied;
  const std::string sound = ReadFile(PathTo(log_));
  WriteFile(PathTo(log_), sound.substr(0, sound.size() - 1));
  EXPECT_GT(DamageCount(), 0);
}

TEST_F(PartitionVerifierTest, TornTailBesideAnOpenWriterIsANote) {
  inputs_.last_writer = LastWriter::kStillOpen;
  inputs_.checkpoint = PartitionCheckpoint();
  const std::string sound = ReadFile(PathTo(log_));
  WriteFile(PathTo(log_), sound.substr(0, sound.size() - 1));
  EXPECT_EQ(DamageCount(), 0);
  EXPECT_THAT(
      Verify().findings,
      Contains(Field(&VerifyFinding::what, HasSubstr("about to finish it"))));
}

TEST_F(PartitionVerifierTest, DamageBeforeWholeBatchesIsDamageAnyway) {
  const std::string sound = ReadFile(PathTo(log_));
  std::string flipped = sound;
  flipped[sound.size() / 2] ^= 1;
  WriteFile(PathTo(log_), flipped);
  for (LastWriter last_writer : {LastWriter::kClosedCleanly, LastWriter::kDied,
                                 LastWriter::kStillOpen}) {
    inputs_.last_writer = last_writer;
    inputs_.checkpoint = PartitionCheckpoint();
    if (last_writer == LastWriter::kClosedCleanly) {
      inputs_.checkpoint->recovery_point = kBatches;
    }
    EXPECT_EQ(DamageCount(), 1);
  }
}

TEST_F(PartitionVerifierTest, ZerosAllocatedAheadAreFineUnlessClosed) {
  for (const std::string& name : {log_, index_, time_index_}) {
    WriteFile(PathTo(name), ReadFile(PathTo(name)) + std::string(1000, '\0'));
  }
  inputs_.last_writer = LastWriter::kDied;
  EXPECT_EQ(DamageCount(), 0);
  inputs_.last_writer = LastWriter::kStillOpen;
  EXPECT_EQ(DamageCount(), 0);
  inputs_.last_writer = LastWriter::kClosedCleanly;
  EXPECT_GE(DamageCount(), 3);
}

TEST_F(PartitionVerifierTest, MissingFinalTimeEntryIsFound) {
  const std::string sound = ReadFile(PathTo(time_index_));
  WriteFile(PathTo(time_index_), sound.substr(0, sound.size() - 12));
  EXPECT_THAT(Verify().findings,
              Contains(Field(&VerifyFinding::what,
                             HasSubstr("final entry is missing"))));
}

TEST_F(PartitionVerifierTest, OtherTopicsMetadataIsFound) {
  inputs_.topic_id = TopicId(1, 2);
  EXPECT_THAT(
      Verify().findings,
      Contains(
          AllOf(Field(&VerifyFinding::what, HasSubstr("another topic's")),
                Field(&VerifyFinding::path, HasSubstr("partition.metadata")))));
}

TEST_F(PartitionVerifierTest, WindowSizeChangesNothing) {
  auto directory = FileSystem::Posix()->OpenDirectory(scratch_ / "t-0");
  auto file = (*directory)->OpenFile(log_, OpenMode::kRead);
  const int64_t size = (*file)->Size().value();
  for (int64_t window = 1; window < 2 * size; ++window) {
    FileBatchScanner scanner(**file, size, {}, {}, window);
    int count = 0;
    while (scanner.Peek() != nullptr) {
      ++count;
      scanner.Advance();
    }
    EXPECT_EQ(count, kBatches) << window;
    EXPECT_EQ(scanner.stop(), ScanStop::kEnd) << window;
    EXPECT_EQ(scanner.position(), size) << window;
  }
}

TEST(FindingListTest, EndsWithANoteWhenItIsFull) {
  FindingList list;
  for (size_t i = 0; i < 2 * FindingList::kDamageMax; ++i) {
    list.Add({.path = "p", .what = "w"});
  }
  EXPECT_TRUE(list.is_full());
  EXPECT_EQ(list.findings().size(), FindingList::kDamageMax + 1);
  EXPECT_EQ(list.findings().back().severity, FindingSeverity::kNote);
}

TEST(VerifyFindingTest, TextHasWhatThereIs) {
  EXPECT_EQ((VerifyFinding{.path = "p", .what = "w"}).ToString(), "p: w");
  EXPECT_EQ((VerifyFinding{.path = "p",
                           .position = 1,
                           .offset = 2,
                           .what = "w",
                           .expected = "e",
                           .found = "f"})
                .ToString(),
            "p: position 1: offset 2: w: expected e, found f");
}

}  // namespace
}  // namespace varve
