// SPDX-License-Identifier: Apache-2.0

// Follows the 50 partitions of a topic with one thread and one wait, while
// another thread appends to all of them. What was there before is left out.

#include <cstdint>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "varve/api/cursor.h"
#include "varve/api/cursor_set.h"
#include "varve/api/log_store.h"

namespace {

constexpr int32_t kPartitions = 50;
constexpr int kRounds = 3;
constexpr absl::Duration kPatience = absl::Seconds(30);

// Appends one record to each partition, several times.
void AppendToAll(std::vector<varve::Partition> partitions) {
  for (int round = 0; round < kRounds; ++round) {
    for (varve::Partition& partition : partitions) {
      const std::string value = absl::StrCat("reading ", round);
      auto where =
          partition.Append({.value = value}, varve::Durability::kMemory);
      if (!where.ok()) std::cerr << where.status() << '\n';
    }
  }
}

// Prints what comes, until all that will be appended has come.
absl::Status Tail(varve::CursorSet& tail) {
  for (int left = kPartitions * kRounds; left > 0;) {
    varve::Cursor* cursor = tail.Wait(absl::Now() + kPatience);
    if (cursor == nullptr) return absl::DeadlineExceededError("nothing came");
    while (const varve::RecordView* record = cursor->Next()) {
      std::cout << cursor->topic() << '-' << cursor->index() << ' '
                << record->offset() << ' ' << record->value().value_or("")
                << '\n';
      --left;
    }
    if (!cursor->status().ok()) return cursor->status();
  }
  return absl::OkStatus();
}

absl::Status Run(const std::string& path) {
  auto store = varve::LogStore::Open(path);
  if (!store.ok()) return store.status();
  absl::Status created =
      (*store)->CreateTopic("sensors", {.partitions = kPartitions});
  if (!created.ok() && !absl::IsAlreadyExists(created)) return created;

  varve::CursorSet tail;
  std::vector<varve::Partition> partitions(kPartitions);
  for (int32_t i = 0; i < kPartitions; ++i) {
    auto partition = (*store)->partition("sensors", i);
    if (!partition.ok()) return partition.status();
    partitions[static_cast<size_t>(i)] = *partition;
    tail.Add(varve::Cursor(*partition, partition->readable_end()));
  }
  std::thread appender(AppendToAll, partitions);
  absl::Status status = Tail(tail);
  appender.join();
  status.Update((*store)->Close());
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  const absl::Status status = Run(argc > 1 ? argv[1] : "sensors-log");
  if (!status.ok()) std::cerr << status << '\n';
  return status.ok() ? 0 : 1;
}
