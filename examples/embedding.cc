// SPDX-License-Identifier: Apache-2.0

#include <iostream>

#include "varve/api/log_store.h"

int main(int argc, char** argv) {
  auto store = varve::LogStore::Open(argc > 1 ? argv[1] : "orders-log");
  if (!store.ok()) return std::cerr << store.status() << '\n', 1;
  absl::Status created = (*store)->CreateTopic("orders", {.partitions = 4});
  if (!created.ok() && !absl::IsAlreadyExists(created)) return 1;

  auto orders = (*store)->partition("orders", 0);
  if (!orders.ok()) return std::cerr << orders.status() << '\n', 1;
  auto where = orders->Append({.key = "order-42", .value = "paid"});
  if (!where.ok()) return std::cerr << where.status() << '\n', 1;
  // From here on the record survives a power loss.

  auto view = orders->Read(orders->log_start());
  if (!view.ok()) return std::cerr << view.status() << '\n', 1;
  // The records are read in place, without a copy; `view` keeps them there.
  varve::RecordBatches::Records records = view->records();
  while (const varve::RecordView* record = records.Next()) {
    std::cout << record->offset() << ' ' << record->value().value_or("")
              << '\n';
  }
  return records.status().ok() && (*store)->Close().ok() ? 0 : 1;
}
