// SPDX-License-Identifier: Apache-2.0

// Fan-out. Several groups read all events of one topic, each in a thread of its
// own, as fast as it can: none waits for another, and the producer waits for
// none. Each commits how far it has come, and goes on there in the next run.
//
//   fan_out DIRECTORY [EVENT…]

#include <cstddef>
#include <cstdint>
#include <iostream>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "varve/api/cursor.h"
#include "varve/api/cursor_set.h"
#include "varve/api/log_store.h"
#include "varve/api/partitioner.h"

namespace {

constexpr int32_t kPartitions = 2;

struct Group {
  std::string name;
  int64_t events_per_run;  // its pace
  std::string read = {};   // what it has read in this run
  absl::Status status = {};
};

absl::Status Produce(varve::LogStore& store, absl::Span<char*> events) {
  for (const std::string event : events) {
    auto partition =
        store.partition("events", varve::PartitionForKey(event, kPartitions));
    if (!partition.ok()) return partition.status();
    auto where = partition->Append({.key = event, .value = event});
    if (!where.ok()) return where.status();
  }
  return absl::OkStatus();
}

// Commits all offsets of the group that are still in the log, as one.
absl::Status Commit(varve::LogStore& store, const Group& group,
                    const std::vector<varve::Cursor*>& cursors) {
  std::vector<varve::OffsetCommit> commits;
  commits.reserve(cursors.size());
  for (const varve::Cursor* cursor : cursors) {
    commits.push_back({.topic = cursor->topic(),
                       .partition = cursor->index(),
                       .offset = cursor->position()});
  }
  // An offset is refused when its records were deleted while they were read:
  // the cursor goes on at the log start then, and that is committed next.
  return store
      .TryCommitOffsets(group.name, commits,
                        {.on_refused = varve::OnRefusedOffset::kCommitOthers})
      .status();
}

// After a crash the group reads again what it had read since its last commit.
absl::Status Read(varve::LogStore& store, Group& group) {
  varve::CursorSet set;
  std::vector<varve::Cursor*> cursors;
  for (int32_t i = 0; i < kPartitions; ++i) {
    auto partition = store.partition("events", i);
    if (!partition.ok()) return partition.status();
    auto done = store.CommittedOffset(group.name, "events", i);
    if (!done.ok() && !absl::IsNotFound(done.status())) return done.status();
    cursors.push_back(set.Add(varve::Cursor(
        *partition, done.ok() ? done->offset : partition->log_start(),
        {.reset = varve::OffsetReset::kEarliest})));
  }
  for (int64_t left = group.events_per_run;;) {
    if (absl::Status s = Commit(store, group, cursors); !s.ok()) return s;
    // A program that stays waits until absl::InfiniteFuture().
    varve::Cursor* cursor = left > 0 ? set.Wait() : nullptr;
    if (cursor == nullptr) return absl::OkStatus();
    for (; left > 0; --left) {
      const varve::RecordView* event = cursor->Next();
      if (event == nullptr) break;
      absl::StrAppend(&group.read, " ", event->value().value_or(""));
    }
    if (!cursor->status().ok()) return cursor->status();
  }
}

absl::Status PrintLag(varve::LogStore& store, const Group& group) {
  auto offsets = store.DescribeGroup(group.name);
  if (!offsets.ok()) return offsets.status();
  int64_t lag = 0;
  for (const varve::GroupOffset& offset : *offsets)
    lag += offset.lag().value_or(0);
  std::cout << group.name << " read:" << group.read << "; lag " << lag << '\n';
  return absl::OkStatus();
}

absl::Status Run(const std::string& path, absl::Span<char*> events) {
  auto store = varve::LogStore::Open(path);
  if (!store.ok()) return store.status();
  absl::Status status =
      (*store)->CreateTopic("events", {.partitions = kPartitions});
  if (!status.ok() && !absl::IsAlreadyExists(status)) return status;
  if (status = Produce(**store, events); !status.ok()) return status;

  Group groups[] = {{.name = "billing",
                     .events_per_run = std::numeric_limits<int64_t>::max()},
                    {.name = "search", .events_per_run = 2},
                    {.name = "archive", .events_per_run = 1}};
  std::vector<std::thread> threads;
  for (Group& group : groups)
    threads.emplace_back(
        [&store, &group] { group.status = Read(**store, group); });
  for (std::thread& thread : threads) thread.join();
  for (const Group& group : groups) {
    status.Update(group.status);
    if (status.ok()) status = PrintLag(**store, group);
  }
  status.Update((*store)->Close());
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "fan_out DIRECTORY [EVENT…]\n";
    return 2;
  }
  const absl::Status status =
      Run(argv[1], absl::MakeSpan(argv, static_cast<size_t>(argc)).subspan(2));
  if (!status.ok()) std::cerr << status << '\n';
  return status.ok() ? 0 : 1;
}
