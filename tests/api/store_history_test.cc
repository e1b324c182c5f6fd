// SPDX-License-Identifier: Apache-2.0

// How an open treats bytes that were written under another config, a store that
// has lost its checkpoint, and leftovers of a power loss between segments: it
// judges by what was true then, and always reports.

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/log_severity.h"
#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/scratch_directory.h"
#include "tests/fixture/stored_records.h"
#include "varve/api/log_store.h"
#include "varve/api/store_verifier.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/recovery/set_aside.h"
#include "varve/log/system/log_sink.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

using Offsets = std::vector<int64_t>;

class StoreHistoryTest : public testing::Test {
 protected:
  void Open() {
    StoreOptions options;
    options.background = Background::kNone;
    options.metrics_interval = absl::InfiniteDuration();
    options.log_sink = [this](const LogMessage& message) {
      if (message.severity >= absl::LogSeverity::kWarning)
        told_.emplace_back(message.text);
    };
    told_.clear();
    auto store = LogStore::Open(path_, options);
    ASSERT_THAT(store, IsOk());
    store_ = *std::move(store);
  }
  void Create(const std::string& topic, CleanupPolicy policy,
              int64_t segment_bytes = 3000) {
    TopicConfig config;
    config.log.segment_bytes = segment_bytes;
    config.log.cleanup_policy = policy;
    ASSERT_THAT(store_->CreateTopic(topic, config), IsOk());
  }
  void Alter(const std::string& name, const std::string& value) {
    ASSERT_THAT(store_->AlterTopic("t", {.set = {{name, value}}}), IsOk());
  }
  // Appends records of 1,000 bytes, two in a segment unless said otherwise.
  void Append(const std::string& topic, int count,
              Durability durability = Durability::kMemory) {
    auto partition = store_->partition(topic, 0);
    ASSERT_THAT(partition, IsOk());
    const std::string value(1000, 'v');
    for (int i = 0; i < count; ++i) {
      ASSERT_THAT(partition->Append({.value = value}, durability), IsOk());
    }
  }
  void Close() {
    ASSERT_THAT(store_->Close(), IsOk());
    store_ = nullptr;
  }
  // Continues with the store as a process that is killed here leaves it.
  void Kill() {
    CopyStore(path_, scratch_ / "killed");
    store_ = nullptr;
    std::filesystem::remove_all(path_);
    std::filesystem::rename(scratch_ / "killed", path_);
  }

  std::string LogPath(const std::string& topic, int64_t base_offset) const {
    return absl::StrCat(path_, "/", topic, "-0/",
                        std::string(20 - absl::StrCat(base_offset).size(), '0'),
                        base_offset, ".log");
  }
  void RemoveSegment(const std::string& topic, int64_t base_offset) const {
    const std::filesystem::path log = LogPath(topic, base_offset);
    for (const char* suffix : {".log", ".index", ".timeindex"}) {
      std::filesystem::remove(
          std::filesystem::path(log).replace_extension(suffix));
    }
    std::filesystem::remove(log.parent_path() /
                            ("sealed-" + log.stem().string()));
  }
  void LoseCheckpoints() const {
    std::filesystem::remove(path_ + "/varve.checkpoint");
    std::filesystem::remove(path_ + "/recovery-point-offset-checkpoint");
  }
  void LosePages(const std::string& path) const {
    const auto size = std::filesystem::file_size(path);
    std::filesystem::resize_file(path, 0);
    std::filesystem::resize_file(path, size);
  }
  std::vector<std::string> CutFiles() const {
    std::vector<std::string> names;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(path_)) {
      std::string name = entry.path().filename();
      if (name.starts_with("cut-")) names.push_back(std::move(name));
    }
    return names;
  }
  std::string FirstLine(const std::string& name) const {
    std::ifstream file(path_ + "/" + name);
    std::string line;
    std::getline(file, line);
    return line;
  }

  // The offsets that can be read, one after another.
  Offsets ReadOffsets(const std::string& topic) {
    auto partition = store_->partition(topic, 0);
    EXPECT_THAT(partition, IsOk());
    auto records = ReadAll(*partition);
    EXPECT_THAT(records, IsOk());
    Offsets offsets;
    if (!records.ok()) return offsets;
    for (const auto& [offset, record] : *records) offsets.push_back(offset);
    return offsets;
  }
  size_t DamageCount() const {
    auto verification = VerifyStore(path_, Environment(), {});
    EXPECT_THAT(verification, IsOk());
    return verification.ok() ? verification->damage_count() : 0;
  }

  ScratchDirectory scratch_;
  const std::string path_ = scratch_ / "store";
  std::unique_ptr<LogStore> store_;
  std::vector<std::string> told_;  // warnings and errors
};

TEST_F(StoreHistoryTest, GapsOfACompactedTopicOutliveItsPolicy) {
  Open();
  Create("t", CleanupPolicy::kCompact);
  Append("t", 8);
  Close();
  EXPECT_EQ(FirstLine("varve.topics"), "varve.topics 1");
  RemoveSegment("t", 2);
  Open();
  Alter("cleanup.policy", "delete");
  const Offsets rest = {0, 1, 4, 5, 6, 7};
  EXPECT_EQ(ReadOffsets("t"), rest);
  Close();
  EXPECT_EQ(FirstLine("varve.topics"), "varve.topics 2");
  EXPECT_EQ(DamageCount(), 0);
  Open();
  EXPECT_EQ(ReadOffsets("t"), rest);
  EXPECT_FALSE(store_->recovery_report().has_damage());
  Alter("retention.ms", "1000000");
  Close();
  auto reader = LogStore::OpenReadOnly(path_);
  ASSERT_THAT(reader, IsOk());
  auto partition = (*reader)->partition("t", 0);
  ASSERT_THAT(partition, IsOk());
  auto view = partition->Read(2);
  ASSERT_THAT(view, IsOk());
  EXPECT_EQ(view->records().Next()->offset(), 4);
}

TEST_F(StoreHistoryTest, PolicyChangedWhileTheLogIsOpenChangesNoGap) {
  Open();
  Create("t", CleanupPolicy::kCompact);
  Append("t", 8);
  Close();
  RemoveSegment("t", 2);
  Open();
  const Offsets rest = ReadOffsets("t");
  EXPECT_THAT(rest, SizeIs(6));
  Alter("cleanup.policy", "delete");
  EXPECT_EQ(ReadOffsets("t"), rest);
  Alter("cleanup.policy", "compact");
  EXPECT_EQ(ReadOffsets("t"), rest);
  Close();
  EXPECT_EQ(FirstLine("varve.topics"), "varve.topics 1");
}

TEST_F(StoreHistoryTest, GapsOutliveThePolicyAndTheCheckpoints) {
  Open();
  Create("t", CleanupPolicy::kCompact);
  Append("t", 8);
  Close();
  RemoveSegment("t", 2);
  Open();
  Alter("cleanup.policy", "delete");
  Close();
  LoseCheckpoints();
  std::filesystem::remove(path_ + "/.kafka_cleanshutdown");
  Open();
  EXPECT_EQ(ReadOffsets("t"), (Offsets{0, 1, 4, 5, 6, 7}));
  EXPECT_FALSE(store_->recovery_report().has_damage());
  EXPECT_THAT(CutFiles(), IsEmpty());
}

TEST_F(StoreHistoryTest, GapOfATopicThatWasNeverCompactedIsALoss) {
  Open();
  Create("t", CleanupPolicy::kDelete);
  Append("t", 8);
  Close();
  RemoveSegment("t", 2);
  EXPECT_GT(DamageCount(), 0);
  Open();
  EXPECT_THAT(store_->partition("t", 0)->Read(2),
              StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(StoreHistoryTest, LoweredSegmentBytesLoseNoAdoptedSegment) {
  Open();
  Create("t", CleanupPolicy::kDelete, /*segment_bytes=*/1 << 20);
  Append("t", 700, Durability::kMemory);
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  Append("t", 270, Durability::kMemory);
  auto partition = store_->partition("t", 0);
  const std::string large(700'000, 'b');
  ASSERT_THAT(partition->Append({.value = large}, Durability::kMemory), IsOk());
  ASSERT_TRUE(std::filesystem::exists(path_ + "/t-0/ready-log"));
  ASSERT_EQ(partition->segment_count(), 2);
  Alter("segment.bytes", "65536");
  Kill();
  Open();
  EXPECT_THAT(ReadOffsets("t"), SizeIs(971));
  EXPECT_THAT(CutFiles(), IsEmpty());
  EXPECT_THAT(store_->recovery_report().partitions.at(0).findings, IsEmpty());
}

TEST_F(StoreHistoryTest, PagesLostBetweenSegmentsEndTheLogAndAreReported) {
  for (CleanupPolicy policy :
       {CleanupPolicy::kDelete, CleanupPolicy::kCompact}) {
    const std::string topic =
        policy == CleanupPolicy::kDelete ? "deleting" : "compacting";
    Open();
    Create(topic, policy);
    Append(topic, 3, Durability::kSynced);
    Append(topic, 9);
    Kill();
    LosePages(LogPath(topic, 4));
    Open();
    auto partition = store_->partition(topic, 0);
    ASSERT_THAT(partition, IsOk());
    EXPECT_EQ(ReadOffsets(topic), (Offsets{0, 1, 2, 3}));
    EXPECT_EQ(partition->durable_end(), 4);
    EXPECT_TRUE(store_->recovery_report().has_damage());
    EXPECT_THAT(told_, Contains(HasSubstr("ambiguous")));
    EXPECT_THAT(CutFiles(), Not(IsEmpty()));
    EXPECT_EQ(partition->Append({.value = "new"})->offset, 4);
    Close();
    EXPECT_EQ(DamageCount(), 0);
  }
}

TEST_F(StoreHistoryTest, CheckpointIsThereBeforeTheFirstTopic) {
  Open();
  Create("t", CleanupPolicy::kDelete);
  EXPECT_EQ(FirstLine("varve.checkpoint"), "varve.checkpoint 1");
}

// The checkpoint that is written next must not seem to cover partitions that
// were not looked at.
TEST_F(StoreHistoryTest, LostCheckpointIsNotReplacedByOneThatKnowsLess) {
  Open();
  Create("t", CleanupPolicy::kDelete);
  Create("other", CleanupPolicy::kDelete);
  Append("t", 8);
  Append("other", 2);
  Close();
  LoseCheckpoints();
  RemoveSegment("t", 2);
  Open();
  EXPECT_TRUE(store_->recovery_report().has_damage());
  Append("other", 1, Durability::kSynced);
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  Kill();
  Open();
  auto partition = store_->partition("t", 0);
  ASSERT_THAT(partition, IsOk());
  EXPECT_EQ(partition->visible_end(), 8);
  EXPECT_THAT(partition->Read(4), IsOk());
  EXPECT_THAT(CutFiles(), IsEmpty());
}

TEST_F(StoreHistoryTest, DamageInACleanlyClosedStoreIsReported) {
  Open();
  Create("t", CleanupPolicy::kDelete, /*segment_bytes=*/1 << 20);
  Append("t", 3);
  Close();
  {
    std::fstream log(LogPath("t", 0));
    log.seekp(1500);
    log << "damage";
  }
  Open();
  ASSERT_THAT(store_->partition("t", 0), IsOk());
  const RecoveryReport report = store_->recovery_report();
  EXPECT_TRUE(report.clean);
  EXPECT_TRUE(report.has_damage());
  EXPECT_THAT(report.ToString(), HasSubstr("corruption"));
  EXPECT_THAT(told_, Contains(HasSubstr("corruption")));
}

TEST_F(StoreHistoryTest, WhatIsWrongWithTheStoresFilesIsToldToTheSink) {
  Open();
  Create("t", CleanupPolicy::kDelete);
  Append("t", 2);
  Close();
  std::ofstream(path_ + "/varve.checkpoint") << "garbage";
  Open();
  EXPECT_THAT(store_->recovery_report().notes, SizeIs(1));
  EXPECT_THAT(told_, Contains(HasSubstr("varve.checkpoint")));
}

TEST_F(StoreHistoryTest, TornReadySegmentWithoutRoomLeavesItReadOnly) {
  Open();
  Create("t", CleanupPolicy::kDelete);
  Append("t", 2);
  Kill();
  const std::string cut = path_ + "/t-0/cut-00000000000000000000-7";
  std::ofstream(cut) << "x";
  std::filesystem::resize_file(cut, kSetAsideBytesMax);
  std::ofstream(path_ + "/t-0/ready-log") << std::string(100, 'y');
  Open();
  auto partition = store_->partition("t", 0);
  ASSERT_THAT(partition, IsOk());
  EXPECT_EQ(ReadOffsets("t"), (Offsets{0, 1}));
  EXPECT_THAT(partition->Append({.value = "b"}),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("read-only since its recovery")));
  EXPECT_THAT(told_, Contains(HasSubstr("not set aside")));
  EXPECT_THAT(store_->Close(), Not(IsOk()));
  store_ = nullptr;
  std::filesystem::remove(cut);
  Open();
  Append("t", 1);
  EXPECT_EQ(ReadOffsets("t"), (Offsets{0, 1, 2}));
}

}  // namespace
}  // namespace varve
