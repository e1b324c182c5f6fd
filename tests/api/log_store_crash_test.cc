// SPDX-License-Identifier: Apache-2.0

// Writers killed with SIGKILL at any moment, over and over on the same store:
// nothing that was acknowledged, at any level, is lost, nothing is there that
// was not appended, and offsets never decrease.

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <iostream>
#include <new>
#include <random>
#include <string>

#include "absl/log/check.h"
#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/scratch_directory.h"
#include "tests/fixture/stored_records.h"
#include "varve/api/log_store.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;

constexpr int kPartitions = 2;

// The child's reports, in memory that outlives it.
struct Acknowledged {
  std::atomic<int64_t> count[kPartitions];  // records, from offset 0 on
};

Acknowledged* ShareAcknowledged() {
  void* memory = mmap(nullptr, sizeof(Acknowledged), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  CHECK(memory != MAP_FAILED);
  return new (memory) Acknowledged();
}

// A record's value contains its partition and offset, and varies in length.
std::string ValueOf(int partition, int64_t offset) {
  return absl::StrCat(partition, ":", offset, ":",
                      std::string(static_cast<size_t>(offset % 97), 'v'));
}

[[noreturn]] void AppendUntilKilled(const std::string& path, uint64_t seed,
                                    Acknowledged& acknowledged) {
  std::mt19937_64 random(seed);
  auto store = LogStore::Open(path);
  CHECK_OK(store.status());
  for (;;) {
    const int p = static_cast<int>(random() % kPartitions);
    auto partition = (*store)->partition("t", p);
    CHECK_OK(partition.status());
    const int64_t next = partition->visible_end();
    RecordBatchBuilder builder;
    const int64_t count = 1 + static_cast<int64_t>(random() % 3);
    for (int64_t i = 0; i < count; ++i) {
      const std::string value = ValueOf(p, next + i);
      CHECK_OK(builder.Append({.value = value}, 1000 + next + i));
    }
    const auto durability = static_cast<Durability>(random() % 50 / 24);
    CHECK_OK(partition->Append(builder.Finish(), durability).status());
    acknowledged.count[p].store(next + count, std::memory_order_release);
  }
}

void KillOneWriter(const std::string& path, std::mt19937_64& random,
                   Acknowledged& acknowledged) {
  const uint64_t seed = random();
  const pid_t child = fork();
  CHECK_GE(child, 0);
  if (child == 0) AppendUntilKilled(path, seed, acknowledged);
  absl::SleepFor(absl::Microseconds(random() % 20'000));
  CHECK_EQ(kill(child, SIGKILL), 0);
  int status = 0;
  CHECK_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
      << "the writer ended by itself";
}

void CheckPartition(const Partition& partition, int64_t acknowledged) {
  ASSERT_GE(partition.visible_end(), acknowledged);
  EXPECT_EQ(partition.durable_end(), partition.visible_end());
  auto records = ReadAll(partition);
  ASSERT_THAT(records, IsOk());
  int64_t next = 0;
  for (const auto& [offset, record] : *records) {
    ASSERT_EQ(offset, next++);
    ASSERT_EQ(record.value, ValueOf(partition.index(), offset));
  }
  EXPECT_EQ(next, partition.visible_end());
}

TEST(LogStoreCrashTest, KilledWritersLoseNothingThatWasAcknowledged) {
  const uint64_t seed = std::random_device()();
  std::cout << "seed " << seed << std::endl;
  std::mt19937_64 random(seed);
  ScratchDirectory scratch;
  const std::string path = scratch / "store";
  {
    auto store = LogStore::Open(path);
    ASSERT_THAT(store, IsOk());
    TopicConfig config = {.partitions = kPartitions};
    config.log.segment_bytes = 16384;
    config.log.index_interval_bytes = 500;
    ASSERT_THAT((*store)->CreateTopic("t", config), IsOk());
  }
  Acknowledged& acknowledged = *ShareAcknowledged();
  for (int round = 0; round < 60 && !testing::Test::HasFailure(); ++round) {
    SCOPED_TRACE(absl::StrCat("seed ", seed, ", round ", round));
    KillOneWriter(path, random, acknowledged);
    // Every other time the next writer recovers, and may be killed meanwhile.
    if (round % 2 == 0) continue;
    auto store = LogStore::Open(path);
    ASSERT_THAT(store, IsOk());
    EXPECT_FALSE((*store)->recovery_report().has_damage())
        << (*store)->recovery_report().ToString();
    for (int p = 0; p < kPartitions; ++p) {
      auto partition = (*store)->partition("t", p);
      ASSERT_THAT(partition, IsOk());
      CheckPartition(*partition, acknowledged.count[p].load());
    }
  }
}

}  // namespace
}  // namespace varve
