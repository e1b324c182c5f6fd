// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_API_SPACE_SPACE_FIXTURE_H_
#define VARVE_TESTS_API_SPACE_SPACE_FIXTURE_H_

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/memory_directory.h"
#include "tests/fixture/partition_fixture.h"
#include "tests/fixture/stored_records.h"
#include "varve/api/log_store.h"
#include "varve/api/partition.h"
#include "varve/api/space/free_space_guard.h"
#include "varve/api/store_options.h"
#include "varve/api/topic_config.h"
#include "varve/log/metadata/durability.h"

namespace varve {

// A store with a floor of free space, on a disk that has as much as the test
// says. It works on the test's thread and clock.
class SpaceFixture : public testing::Test {
 protected:
  static constexpr int64_t kFloor = int64_t{1} << 20;
  static constexpr int64_t kResume = int64_t{2} << 20;
  static constexpr int64_t kPlenty = int64_t{64} << 20;

  // Real files have real times, so the clock starts there.
  SpaceFixture() {
    clock_.Advance(absl::Now() - clock_.Now());
    config_.log.segment_bytes = 64 << 10;
    SetFree(kPlenty);
  }
  // The options point at members.
  void TearDown() override { store_ = nullptr; }

  virtual StoreOptions Options() {
    return {.background = Background::kNone,
            .free_space_floor_bytes = kFloor,
            .free_space_resume_bytes = kResume,
            .on_free_space_change =
                [this](const FreeSpaceChange& change) {
                  changes_.push_back(change);
                },
            .environment = {.files = &files_, .clock = &clock_}};
  }
  void Open() {
    auto opened = LogStore::Open(path_, Options());
    ASSERT_THAT(opened, absl_testing::IsOk());
    store_ = *std::move(opened);
  }
  void OpenWithTopic() {
    Open();
    ASSERT_THAT(store_->CreateTopic("orders", config_), absl_testing::IsOk());
  }
  void Reopen() {
    ASSERT_THAT(store_->Close(), absl_testing::IsOk());
    Open();
  }
  Partition Orders(int32_t index = 0) {
    return *store_->partition("orders", index);
  }

  // What the disk has free from now on.
  void SetFree(int64_t bytes) { files_.LimitSpace(bytes); }
  int64_t Free() const { return *files_.space_left(); }
  // Lets so much time pass that a refused append looks again.
  void PassLookAgain() { clock_.Advance(FreeSpaceGuard::kLookAgain); }

  absl::Status Append(std::string_view value,
                      Durability durability = Durability::kMemory) {
    return Orders()
        .Append({.value = value, .timestamp = clock_.Now()}, durability)
        .status();
  }
  absl::Status AppendBig() { return Append(std::string(3000, 'b')); }
  // Appends until the floor; returns the refusal.
  absl::Status AppendToTheFloor() {
    absl::Status status;
    for (int i = 0; i < 100'000 && status.ok(); ++i) status = AppendBig();
    return status;
  }
  std::vector<FreeSpaceChange::Kind> Kinds() const {
    std::vector<FreeSpaceChange::Kind> kinds;
    for (const FreeSpaceChange& change : changes_) kinds.push_back(change.kind);
    return kinds;
  }
  // Every record that was acknowledged is there, from offset 0 on.
  void ExpectWhole(int64_t end) {
    EXPECT_EQ(Orders().log_start(), 0);
    EXPECT_EQ(Orders().visible_end(), end);
    const auto records = ReadAll(Orders());
    ASSERT_THAT(records, absl_testing::IsOk());
    EXPECT_EQ(static_cast<int64_t>(records->size()), end);
  }
  bool HasFile(const std::string& name) const {
    return std::filesystem::exists(absl::StrCat(path_, "/orders-0/", name));
  }

  MemoryDirectory scratch_;
  const std::string path_ = scratch_.path() + "/store";
  FaultyFileSystem files_;
  ManualClock clock_;
  TopicConfig config_;
  std::vector<FreeSpaceChange> changes_;
  std::unique_ptr<LogStore> store_;
};

}  // namespace varve

#endif  // VARVE_TESTS_API_SPACE_SPACE_FIXTURE_H_
