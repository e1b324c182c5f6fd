// SPDX-License-Identifier: Apache-2.0

#include <cstddef>
#include <cstdint>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/api/cursor.h"
#include "varve/api/log_store.h"

constexpr int kPartitions = 2;

// Two orders for each partition.
absl::Status Append(varve::LogStore& store) {
  for (int i = 0; i < 2 * kPartitions; ++i) {
    auto orders = store.partition("orders", i % kPartitions);
    if (!orders.ok()) return orders.status();
    const std::string value = absl::StrCat("order ", i);
    auto where = orders->Append({.value = value});
    if (!where.ok()) return where.status();
  }
  return absl::OkStatus();
}

// Reads what the group has not read of a partition, and commits that it has.
// Returns how many records that were.
absl::StatusOr<int64_t> ReadOn(varve::LogStore& store, const std::string& group,
                               int32_t partition) {
  auto orders = store.partition("orders", partition);
  if (!orders.ok()) return orders.status();
  auto done = store.CommittedOffset(group, "orders", partition);
  if (!done.ok() && !absl::IsNotFound(done.status())) return done.status();
  // If records were deleted before the group has read them, it goes on with the
  // first that is there.
  varve::Cursor cursor(*orders, done.ok() ? done->offset : orders->log_start(),
                       {.reset = varve::OffsetReset::kEarliest});
  int64_t records = 0;
  while (cursor.Next() != nullptr) ++records;
  if (!cursor.status().ok()) return cursor.status();
  absl::Status status =
      store.CommitOffset(group, "orders", partition, cursor.position());
  if (!status.ok()) return status;
  return records;
}

// A thread for each partition, with a cursor of its own.
absl::Status ReadAll(varve::LogStore& store, const std::string& group) {
  std::vector<absl::StatusOr<int64_t>> read(kPartitions);
  std::vector<std::thread> threads;
  for (int i = 0; i < kPartitions; ++i) {
    absl::StatusOr<int64_t>& result = read[static_cast<size_t>(i)];
    threads.emplace_back([&, i] { result = ReadOn(store, group, i); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const absl::StatusOr<int64_t>& records : read) {
    if (!records.ok()) return records.status();
    std::cout << group << " has read " << *records << '\n';
  }
  return absl::OkStatus();
}

// What another process sees, without the store's lock and beside its writer.
absl::Status ShowLag(const std::string& path) {
  auto store = varve::LogStore::OpenReadOnly(path);
  if (!store.ok()) return store.status();
  for (const char* group : {"audit", "billing"}) {
    auto offsets = (*store)->DescribeGroup(group);
    if (!offsets.ok()) return offsets.status();
    for (const varve::GroupOffset& offset : *offsets) {
      std::cout << "lag of " << group << " in partition "
                << offset.partition.partition << ": "
                << offset.lag().value_or(0) << '\n';
    }
  }
  return absl::OkStatus();
}

absl::Status Run(const std::string& path) {
  auto store = varve::LogStore::Open(path);
  if (!store.ok()) return store.status();
  absl::Status status =
      (*store)->CreateTopic("orders", {.partitions = kPartitions});
  if (absl::IsAlreadyExists(status)) status = absl::OkStatus();
  if (status.ok()) status = Append(**store);
  if (status.ok()) status = ReadAll(**store, "billing");
  if (status.ok()) status = Append(**store);
  if (status.ok()) status = ReadAll(**store, "audit");
  if (status.ok()) status = ShowLag(path);
  status.Update((*store)->Close());
  return status;
}

// several_readers DIRECTORY [lag]
int main(int argc, char** argv) {
  const std::string path = argc > 1 ? argv[1] : "orders-log";
  const absl::Status status = argc > 2 ? ShowLag(path) : Run(path);
  if (!status.ok()) std::cerr << status << '\n';
  return status.ok() ? 0 : 1;
}
