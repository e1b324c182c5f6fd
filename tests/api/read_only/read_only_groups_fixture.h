// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_API_READ_ONLY_READ_ONLY_GROUPS_FIXTURE_H_
#define VARVE_TESTS_API_READ_ONLY_READ_ONLY_GROUPS_FIXTURE_H_

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/file_bytes.h"
#include "tests/fixture/manual_clock.h"
#include "tests/fixture/memory_directory.h"
#include "varve/api/log_store.h"
#include "varve/api/read_only_store.h"
#include "varve/log/system/clock.h"
#include "varve/log/system/log_sink.h"

namespace varve {

// A store with ten records in each of two partitions of "orders", its writer,
// and a reader of its files.
class ReadOnlyGroupsFixture : public testing::Test {
 protected:
  static constexpr int kRecords = 10;

  void SetUp() override {
    OpenWriter(path_);
    ASSERT_THAT(writer_->CreateTopic("orders", {.partitions = 2}),
                absl_testing::IsOk());
    Append(0, kRecords);
    Append(1, kRecords);
    OpenReader(path_);
  }

  void OpenWriter(const std::string& path, int32_t offsets_partitions = 1) {
    writer_ = nullptr;
    StoreOptions options = {.background = Background::kNone,
                            .offsets_topic_num_partitions = offsets_partitions};
    options.environment.clock = clock_;
    auto store = LogStore::Open(path, options);
    ASSERT_THAT(store, absl_testing::IsOk());
    writer_ = *std::move(store);
  }
  void CloseWriter() {
    ASSERT_THAT(writer_->Close(), absl_testing::IsOk());
    writer_ = nullptr;
  }
  void OpenReader(const std::string& path) {
    ReadOnlyOptions options;
    options.environment.clock = clock_;
    options.environment.log_sink = [this](const LogMessage& message) {
      said_.emplace_back(message.text);
    };
    auto store = LogStore::OpenReadOnly(path, options);
    ASSERT_THAT(store, absl_testing::IsOk());
    reader_ = *std::move(store);
  }

  void Append(int32_t partition, int count) {
    auto orders = writer_->partition("orders", partition);
    ASSERT_THAT(orders, absl_testing::IsOk());
    for (int i = 0; i < count; ++i)
      ASSERT_THAT(orders->Append({.value = "v"}, Durability::kMemory),
                  absl_testing::IsOk());
  }
  void Commit(const std::string& group, int32_t partition, int64_t offset,
              Durability durability = Durability::kSynced) {
    ASSERT_THAT(
        writer_->CommitOffset(group, "orders", partition, offset, durability),
        absl_testing::IsOk());
  }

  // -1 when none is committed.
  int64_t Seen(const std::string& group = "g", int32_t partition = 0) {
    auto found = reader_->CommittedOffset(group, "orders", partition);
    if (absl::IsNotFound(found.status())) return -1;
    EXPECT_THAT(found, absl_testing::IsOk());
    return found.ok() ? found->offset : -2;
  }

  static std::map<std::string, std::string> FilesOf(const std::string& path) {
    std::map<std::string, std::string> files;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(path)) {
      if (entry.is_regular_file())
        files[entry.path()] = ReadBytes(entry.path());
    }
    return files;
  }

  MemoryDirectory scratch_;
  const std::string path_ = scratch_ / "store";
  ManualClock manual_clock_;
  Clock* clock_ = Clock::Real();  // of what is opened from now on
  std::vector<std::string> said_;
  std::unique_ptr<LogStore> writer_;
  std::unique_ptr<ReadOnlyStore> reader_;
};

}  // namespace varve

#endif  // VARVE_TESTS_API_READ_ONLY_READ_ONLY_GROUPS_FIXTURE_H_
