// SPDX-License-Identifier: Apache-2.0

// retention.bytes while every core appends as fast as it can: how much the disk
// holds beyond it is printed, and has a bound.
//
// VARVE_STRESS_RETENTION_MIB is retention.bytes of each partition,
// VARVE_STRESS_SECONDS how long the threads append. `./dev stress` says 256 and
// 45.

#include <stdlib.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/strings/numbers.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/scratch_directory.h"
#include "varve/api/log_store.h"
#include "varve/api/partition.h"
#include "varve/api/store_metrics.h"
#include "varve/api/topic_config.h"
#include "varve/log/batch/encoded_batch.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/metadata/durability.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;

constexpr int kPartitions = 4;  // a thread each
constexpr int64_t kSegmentsInLimit = 16;
// What a partition may have beyond its limit: the segment that retention.bytes
// cuts through, the two that appends do not wait for, the active one, the one
// that is made ready, and the one that is filled while the deletion runs.
constexpr int64_t kSegmentsBeyond = 6;
constexpr int kRecordsInBatch = 64;
constexpr int kValueBytes = 1000;

int64_t NumberOf(const char* variable, int64_t otherwise) {
  const char* text = getenv(variable);
  int64_t number = otherwise;
  return text == nullptr || absl::SimpleAtoi(text, &number) ? number : 0;
}

// Bytes of the blocks of every file below the directory. Files that are deleted
// meanwhile do not count.
int64_t AllocatedBytes(const std::string& path) {
  int64_t bytes = 0;
  std::error_code ignored;
  for (std::filesystem::recursive_directory_iterator it(path, ignored), end;
       it != end; it.increment(ignored)) {
    struct stat facts = {};
    if (stat(it->path().c_str(), &facts) == 0 && S_ISREG(facts.st_mode))
      bytes += int64_t{facts.st_blocks} * 512;
  }
  return bytes;
}

// One batch again and again, until the store is closed.
void AppendAll(Partition partition, std::atomic<int64_t>& appended) {
  const std::string value(kValueBytes, 'v');
  RecordBatchBuilder builder;
  for (int i = 0; i < kRecordsInBatch; ++i)
    ASSERT_THAT(builder.Append({.value = value}, absl::Now()), IsOk());
  const EncodedBatch batch = builder.Finish();
  while (true) {
    const auto result = partition.Append(batch, Durability::kMemory);
    if (absl::IsFailedPrecondition(result.status())) return;
    if (!result.ok()) {
      ASSERT_THAT(result, IsOk());
    }
    appended += batch.size_bytes();
  }
}

TEST(RetentionStress, DiskHoldsLittleMoreThanRetentionBytes) {
  const int64_t limit = NumberOf("VARVE_STRESS_RETENTION_MIB", 4) << 20;
  const absl::Duration time =
      absl::Seconds(NumberOf("VARVE_STRESS_SECONDS", 2));
  const int64_t segment_bytes = limit / kSegmentsInLimit;
  ScratchDirectory scratch;
  auto store = LogStore::Open(
      scratch.path(), {.retention_check_interval = absl::Milliseconds(500)});
  ASSERT_THAT(store, IsOk());
  TopicConfig config = {.partitions = kPartitions};
  config.log.segment_bytes = segment_bytes;
  config.log.retention_bytes = limit;
  ASSERT_THAT((*store)->CreateTopic("busy", config), IsOk());

  std::atomic<int64_t> appended = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kPartitions; ++i) {
    auto partition = (*store)->partition("busy", i);
    ASSERT_THAT(partition, IsOk());
    threads.emplace_back(
        [&appended, p = *std::move(partition)] { AppendAll(p, appended); });
  }
  int64_t most = 0;
  int64_t last = 0;
  const absl::Time end = absl::Now() + time;
  while (absl::Now() < end) {
    absl::SleepFor(absl::Milliseconds(50));
    last = AllocatedBytes(scratch.path());
    most = std::max(most, last);
  }
  const StoreMetrics metrics = (*store)->Metrics();
  ASSERT_THAT((*store)->Close(), IsOk());
  for (std::thread& thread : threads) thread.join();

  const auto in_limits = [&](int64_t bytes) {
    return static_cast<double>(bytes) /
           static_cast<double>(kPartitions * limit);
  };
  std::cout << "disk over retention.bytes: at most " << in_limits(most)
            << ", at last " << in_limits(last) << "; "
            << (appended.load() >> 20) << " MiB appended in " << time << ", "
            << metrics.retention_wait_ns.count() << " appends waited, "
            << absl::Nanoseconds(metrics.retention_wait_ns.sum()) << " in all, "
            << metrics.checkpoints << " checkpoints, "
            << metrics.deleted_segments << " segments deleted" << std::endl;
  EXPECT_LE(most, kPartitions * (limit + kSegmentsBeyond * segment_bytes));
}

}  // namespace
}  // namespace varve
