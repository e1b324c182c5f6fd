// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_RETENTION_FIXTURE_H_
#define VARVE_TESTS_RETENTION_FIXTURE_H_

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "api/log_store.h"
#include "api/partition.h"
#include "api/store_options.h"
#include "api/topic_config.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "log/durability.h"
#include "tests/faulty_file_system.h"
#include "tests/partition_fixture.h"

namespace varve {

inline constexpr absl::Duration kDay = absl::Hours(24);

// A store with a topic "orders" that has retention, on the program's own thread
// and clock.
class RetentionFixture : public testing::Test {
 protected:
  // Real files have real times, so the clock starts there.
  RetentionFixture() {
    clock_.Advance(absl::Now() - clock_.Now());
    config_.log.segment_bytes = 200;  // two records
    config_.log.retention_ms = absl::ToInt64Milliseconds(kDay);
  }

  void Open() {
    auto opened = LogStore::Open(
        path_, {.background = Background::kNone,
                .environment = {.files = &files_, .clock = &clock_}});
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
  // One record, of the present time.
  int64_t Append(int32_t partition = 0) {
    return AppendAt(clock_.Now(), partition);
  }
  int64_t AppendAt(absl::Time timestamp, int32_t partition = 0,
                   Durability durability = Durability::kSynced) {
    auto result = Orders(partition).Append(
        {.value = "twenty bytes of text", .timestamp = timestamp}, durability);
    EXPECT_THAT(result, absl_testing::IsOk());
    return result.ok() ? result->offset : -1;
  }
  // Time goes by, and the program lends its thread.
  void Pass(absl::Duration by) {
    clock_.Advance(by);
    Maintain();
  }
  void Maintain() {
    clock_.Advance(absl::Minutes(5));
    ASSERT_THAT(store_->RunMaintenance(), absl_testing::IsOk());
  }
  int64_t LogFiles(int32_t partition = 0) {
    int64_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(
             absl::StrCat(path_, "/orders-", partition))) {
      if (entry.path().extension() == ".log") ++count;
    }
    return count;
  }

  MemoryDirectory scratch_;
  const std::string path_ = scratch_.path() + "/store";
  FaultyFileSystem files_;
  ManualClock clock_;
  TopicConfig config_;
  std::unique_ptr<LogStore> store_;
};

}  // namespace varve

#endif  // VARVE_TESTS_RETENTION_FIXTURE_H_
