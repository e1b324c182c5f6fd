// SPDX-License-Identifier: Apache-2.0

#include <iostream>
#include <string>

#include "varve/api/log_store.h"
#include "varve/api/store_backup.h"

int Fail(const absl::Status& status) { return std::cerr << status << '\n', 1; }

// Goes on where the group was when the backup was made.
int ReadOn(const varve::BackupPaths& paths) {
  auto restored = varve::RestoreStore(paths);
  if (!restored.ok()) return Fail(restored.status());
  auto store = varve::LogStore::Open(paths.store);
  if (!store.ok()) return Fail(store.status());
  auto orders = (*store)->partition("orders", 0);
  if (!orders.ok()) return Fail(orders.status());
  auto done = (*store)->CommittedOffset("billing", "orders", 0);
  if (!done.ok()) return Fail(done.status());
  auto view = orders->Read(done->offset);
  if (!view.ok()) return Fail(view.status());
  varve::RecordBatches::Records records = view->records();
  while (const varve::RecordView* record = records.Next()) {
    std::cout << "restored: " << record->offset() << ' '
              << record->value().value_or("") << '\n';
  }
  return records.status().ok() ? 0 : Fail(records.status());
}

int main(int argc, char** argv) {
  const std::string directory = argc > 1 ? argv[1] : ".";
  const std::string backup = directory + "/backup";
  auto store = varve::LogStore::Open(directory + "/store");
  if (!store.ok()) return Fail(store.status());
  absl::Status status = (*store)->CreateTopic("orders");
  if (!status.ok()) return Fail(status);
  auto orders = (*store)->partition("orders", 0);
  if (!orders.ok()) return Fail(orders.status());
  for (const char* value : {"paid", "packed", "sent"}) {
    auto where = orders->Append({.value = value});
    if (!where.ok()) return Fail(where.status());
  }
  status = (*store)->CommitOffset("billing", "orders", 0, 1);
  if (!status.ok()) return Fail(status);

  // The store stays open, and other threads may go on with it.
  auto copy = varve::BackUpStore({.store = (*store)->path(), .backup = backup},
                                 {.existing = varve::ExistingCopy::kReplace});
  if (!copy.ok()) return Fail(copy.status());
  for (const varve::CopiedPartition& partition : copy->partitions) {
    if (partition.name.topic != "orders") continue;
    std::cout << "backed up: offsets " << partition.log_start << " to "
              << partition.end_offset - 1 << '\n';
  }
  // From here on the backup survives a power loss, and is verified.

  return ReadOn({.store = directory + "/restored", .backup = backup});
}
