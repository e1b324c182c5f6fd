// SPDX-License-Identifier: Apache-2.0

#include "tests/stress/stress_readers.h"

#include <poll.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/stress_history.h"
#include "tests/stress/stress_run.h"
#include "varve/api/partition.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/partition/append_event.h"

namespace varve {

using ::absl_testing::IsOk;

StressReaders::StressReaders(const StressRun& run,
                             std::vector<Partition> partitions)
    : run_(run),
      partitions_(std::move(partitions)),
      followed_to_(partitions_.size()) {
  for (size_t i = 0; i < partitions_.size(); ++i) {
    const int64_t first = partitions_[i].log_start();
    for (std::atomic<int64_t>& follower : followed_to_[i]) follower = first;
  }
}

void StressReaders::Follow(size_t index, int follower) {
  const Partition& partition = partitions_[index];
  std::atomic<int64_t>& read_to =
      followed_to_[index][static_cast<size_t>(follower)];
  History history(read_to);
  std::mt19937_64 random =
      run_.RandomOf(-1 - static_cast<int>(index) * 8 - follower);
  while (!testing::Test::HasFatalFailure()) {
    const absl::StatusOr<RecordBatches> view =
        partition.Read(history.next_offset(),
                       {.max_bytes = static_cast<int64_t>(random() % 5000),
                        .level = ReadLevel::kVisible});
    if (!run_.Succeeded(view.status())) return;
    RecordBatches::Records records = view->records();
    while (const RecordView* record = records.Next()) history.See(*record);
    ASSERT_THAT(records.status(), IsOk());
    ASSERT_EQ(history.next_offset(), view->next_offset());
    read_to = history.next_offset();
    if (!view->empty()) continue;
    const absl::Status waited = partition.WaitFor(history.next_offset());
    if (!run_.Succeeded(waited)) return;
    ASSERT_GT(partition.visible_end(), history.next_offset());
  }
}

void StressReaders::Wait(int waiter) const {
  std::mt19937_64 random = run_.RandomOf(-100 - waiter);
  while (true) {
    const Partition& partition = partitions_[random() % partitions_.size()];
    const int64_t offset =
        partition.visible_end() + static_cast<int64_t>(random() % 4);
    const bool durable = random() % 4 == 0;
    const absl::Status waited =
        durable ? partition.WaitDurable(offset) : partition.WaitFor(offset);
    if (!run_.Succeeded(waited)) return;
    ASSERT_GT(durable ? partition.durable_end() : partition.visible_end(),
              offset);
  }
}

void StressReaders::Poll() const {
  std::vector<std::shared_ptr<AppendEvent>> events;
  std::vector<pollfd> polled;
  std::vector<History> histories;
  for (const Partition& partition : partitions_) {
    auto event = partition.NewAppendEvent();
    if (!run_.Succeeded(event.status())) return;
    polled.push_back(
        {.fd = (*event)->descriptor(), .events = POLLIN, .revents = 0});
    events.push_back(*std::move(event));
    histories.emplace_back(partition.log_start());
  }
  while (!testing::Test::HasFatalFailure()) {
    for (size_t i = 0; i < events.size(); ++i) {
      // Read the records from before the event was made, or the loop began to
      // wait.
      events[i]->Clear();
      if (!ReadToEnd(partitions_[i], histories[i])) return;
    }
    ASSERT_GT(poll(polled.data(), polled.size(), /*timeout=*/-1), 0);
  }
}

bool StressReaders::ReadToEnd(const Partition& partition,
                              History& history) const {
  while (!testing::Test::HasFatalFailure()) {
    const absl::StatusOr<RecordBatches> view =
        partition.Read(history.next_offset(), {.level = ReadLevel::kVisible});
    if (absl::IsOutOfRange(view.status())) {
      EXPECT_LT(history.next_offset(), partition.log_start());
      history = History(partition.log_start());
      continue;
    }
    if (!run_.Succeeded(view.status())) return false;
    if (view->empty()) return true;
    RecordBatches::Records records = view->records();
    while (const RecordView* record = records.Next()) history.See(*record);
    EXPECT_THAT(records.status(), IsOk());
  }
  return false;
}

int64_t StressReaders::FollowedTo(size_t index) const {
  int64_t least = INT64_MAX;
  for (const std::atomic<int64_t>& follower : followed_to_[index]) {
    least = std::min(least, follower.load());
  }
  return least;
}

}  // namespace varve
