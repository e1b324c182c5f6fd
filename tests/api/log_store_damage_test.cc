// SPDX-License-Identifier: Apache-2.0

// Every bit of every file of a small store flipped, and every file cut at every
// length. The promise (log/FORMAT.md, section 7): each damage is detected, by
// the open, the recovery report, a read or a verification, or it is harmless,
// and all records come back equal. Never is a wrong record handed out.

#include <stdlib.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/sanitizer.h"
#include "tests/fixture/scratch_directory.h"
#include "tests/fixture/stored_records.h"
#include "varve/api/log_store.h"
#include "varve/api/metrics/metrics_file.h"
#include "varve/api/store_verifier.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;

// The files of a store, by path below it.
using Files = std::map<std::string, std::string>;

Files ReadFiles(const std::string& path) {
  Files files;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(path)) {
    if (!entry.is_regular_file()) continue;
    // No code reads the contents of the reserve, and nothing depends on the
    // metrics.
    if (entry.path().filename() == "varve.reserve" ||
        entry.path().filename() == kMetricsName)
      continue;
    std::ifstream file(entry.path(), std::ios::binary);
    files[std::filesystem::relative(entry.path(), path)] =
        std::string(std::istreambuf_iterator<char>(file), {});
  }
  return files;
}

void WriteFiles(const std::string& path, const Files& files) {
  std::filesystem::remove_all(path);
  for (const auto& [name, contents] : files) {
    const std::filesystem::path file = path + "/" + name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << contents;
  }
}

// In memory where possible: the test makes thousands of small stores.
std::string FastDirectory(const ScratchDirectory& scratch) {
  std::string shared = "/dev/shm/varve-damage-XXXXXX";
  return mkdtemp(shared.data()) == nullptr ? scratch / "store" : shared;
}

// Thousands of damaged stores would log too much.
StoreOptions Quiet() {
  StoreOptions options;
  options.log_sink = [](const LogMessage&) {};
  return options;
}

class DamageTest : public testing::Test {
 protected:
  void SetUp() override {
    {
      auto store = LogStore::Open(path_, Quiet());
      ASSERT_THAT(store, IsOk());
      TopicConfig config;
      config.log.index_interval_bytes = 50;
      config.log.segment_bytes = 300;
      ASSERT_THAT((*store)->CreateTopic("t", config), IsOk());
      auto partition = (*store)->partition("t", 0);
      ASSERT_THAT(partition, IsOk());
      for (int i = 0; i < 6; ++i) {
        ASSERT_THAT(partition->Append({.key = "k",
                                       .value = absl::StrCat("value ", i),
                                       .timestamp = absl::FromUnixMillis(i)}),
                    IsOk());
      }
    }
    files_ = ReadFiles(path_);
    expected_ = *ReadStore();
  }

  void TearDown() override { std::filesystem::remove_all(path_); }

  // All records that reads give, one at a time so that damage costs only the
  // records it hits. Nothing when the store itself reports the damage.
  std::optional<StoredRecords> ReadStore() {
    detected_ = false;
    auto store = LogStore::Open(path_, Quiet());
    if (!store.ok()) return Detected();
    auto partition = (*store)->partition("t", 0);
    if (!partition.ok()) return Detected();
    const RecoveryReport report = (*store)->recovery_report();
    if (report.has_damage() || !report.notes.empty()) detected_ = true;
    for (const PartitionRecoveryReport& recovery : report.partitions) {
      if (!recovery.findings.empty() || !recovery.notes.empty()) {
        detected_ = true;
      }
    }
    StoredRecords records;
    for (int64_t at = partition->log_start(); at < partition->visible_end();) {
      auto view = partition->Read(at, {.max_bytes = 0});
      if (!view.ok()) detected_ = true;
      if (!view.ok()) ++at;
      if (!view.ok()) continue;
      RecordBatches::Records cursor = view->records();
      while (const RecordView* record = cursor.Next()) {
        records.emplace_back(record->offset(), Owned(*record));
      }
      at = view->next_offset();
    }
    return records;
  }

  std::optional<StoredRecords> Detected() {
    detected_ = true;
    return std::nullopt;
  }

  bool VerifyFindsDamage() {
    auto verification = VerifyStore(path_, Environment(), {});
    return !verification.ok() || verification->damage_count() > 0;
  }

  // Nothing wrong is ever read, and a loss is never silent.
  void CheckDamaged(const std::string& what) {
    const bool verified = VerifyFindsDamage();
    std::optional<StoredRecords> records = ReadStore();
    if (records.has_value()) {
      for (const auto& record : *records) {
        ASSERT_THAT(expected_, testing::Contains(record)) << what;
      }
    }
    const bool complete = records.has_value() && *records == expected_;
    ASSERT_TRUE(complete || detected_) << what << ": records lost silently";
    if (!verified && !detected_) ++harmless_;
    if (!verified && detected_) ++only_open_;
    if (verified || detected_) ++found_;
  }

  ScratchDirectory scratch_;
  const std::string path_ = FastDirectory(scratch_);
  Files files_;
  StoredRecords expected_;
  bool detected_ = false;
  int64_t found_ = 0;
  int64_t harmless_ = 0;
  int64_t only_open_ = 0;
};

TEST_F(DamageTest, EveryBitFlipIsDetectedOrHarmless) {
  for (const auto& [name, contents] : files_) {
    const int64_t harmless_before = harmless_;
    for (size_t bit = 0; bit < contents.size() * 8; bit += kInputStep) {
      Files damaged = files_;
      damaged[name][bit / 8] ^= static_cast<char>(1 << (bit % 8));
      WriteFiles(path_, damaged);
      CheckDamaged(absl::StrCat(name, ": bit ", bit));
      if (HasFatalFailure()) return;
    }
    // Only bits that no code reads may be flipped unnoticed.
    if (name.ends_with(".log") || name.ends_with("index") ||
        name.starts_with("varve.") || name.ends_with("epoch-checkpoint") ||
        name.find("/sealed-") != name.npos) {
      EXPECT_EQ(harmless_, harmless_before) << name;
    }
  }
  std::cout << found_ << " flips found, " << harmless_ << " harmless"
            << std::endl;
}

TEST_F(DamageTest, EveryTruncationIsDetectedOrHarmless) {
  for (const auto& [name, contents] : files_) {
    for (size_t size = 0; size < contents.size(); size += kInputStep) {
      Files damaged = files_;
      damaged[name].resize(size);
      WriteFiles(path_, damaged);
      CheckDamaged(absl::StrCat(name, ": cut to ", size));
      if (HasFatalFailure()) return;
    }
  }
  std::cout << found_ << " cuts found, " << harmless_ << " harmless"
            << std::endl;
}

TEST_F(DamageTest, EveryMissingFileIsDetectedOrHarmless) {
  for (const auto& [name, contents] : files_) {
    Files damaged = files_;
    damaged.erase(name);
    WriteFiles(path_, damaged);
    CheckDamaged(absl::StrCat(name, ": removed"));
  }
}

TEST_F(DamageTest, EveryPairOfSwappedFilesIsDetectedOrHarmless) {
  for (const auto& [name, contents] : files_) {
    for (const auto& [other, other_contents] : files_) {
      if (other <= name) continue;
      Files damaged = files_;
      std::swap(damaged[name], damaged[other]);
      WriteFiles(path_, damaged);
      CheckDamaged(absl::StrCat(name, " and ", other, " swapped"));
    }
  }
}

TEST_F(DamageTest, GarbageBehindEveryFileIsDetectedOrHarmless) {
  for (const auto& [name, contents] : files_) {
    for (const std::string& tail :
         {std::string(1, '\0'), std::string(100, '\0'), std::string("x"),
          std::string(100, '\2'), contents}) {
      Files damaged = files_;
      damaged[name] += tail;
      WriteFiles(path_, damaged);
      CheckDamaged(absl::StrCat(name, " and ", tail.size(), " bytes behind"));
    }
  }
}

}  // namespace
}  // namespace varve
