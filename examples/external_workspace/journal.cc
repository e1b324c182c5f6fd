// SPDX-License-Identifier: Apache-2.0

// A journal: appends its arguments, and prints all lines there are. It brings
// its own thread for what a store does in the background.

#include <iostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "varve/api/log_store.h"

namespace {

int Fail(const absl::Status& status) {
  std::cerr << status << '\n';
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "journal DIRECTORY [LINE…]\n";
    return 2;
  }
  auto store =
      varve::LogStore::Open(argv[1], {.background = varve::Background::kNone});
  if (!store.ok()) return Fail(store.status());
  absl::Status created = (*store)->CreateTopic("lines");
  if (!created.ok() && !absl::IsAlreadyExists(created)) return Fail(created);
  auto lines = (*store)->partition("lines", 0);
  if (!lines.ok()) return Fail(lines.status());

  for (int i = 2; i < argc; ++i) {
    auto where = lines->Append({.value = argv[i]}, varve::Durability::kMemory);
    if (!where.ok()) return Fail(where.status());
  }
  // One sync for all of them.
  if (absl::Status synced = lines->Sync(); !synced.ok()) return Fail(synced);
  // A program that keeps running would call it again after the time it returns.
  auto next = (*store)->RunMaintenance();
  if (!next.ok()) return Fail(next.status());

  for (int64_t at = lines->log_start(); at < lines->readable_end();) {
    auto view = lines->Read(at);
    if (!view.ok()) return Fail(view.status());
    varve::RecordBatches::Records records = view->records();
    while (const varve::RecordView* record = records.Next()) {
      std::cout << absl::StrCat(record->offset(), " ",
                                record->value().value_or(""), "\n");
    }
    if (!records.status().ok()) return Fail(records.status());
    at = view->next_offset();
  }
  absl::Status closed = (*store)->Close();
  return closed.ok() ? 0 : Fail(closed);
}
