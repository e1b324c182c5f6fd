// SPDX-License-Identifier: Apache-2.0

#include "tests/linkage/varve_copy.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/api/log_store.h"
#include "varve/api/partition.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

constexpr char kTopic[] = "plug-in";

void* OpenStore(const char* path, char* error, size_t error_size) {
  absl::StatusOr<std::unique_ptr<LogStore>> store = LogStore::Open(path);
  absl::Status status = store.status();
  if (status.ok()) {
    status = (*store)->CreateTopic(kTopic);
    if (status.ok() || absl::IsAlreadyExists(status)) return store->release();
  }
  const std::string text = status.ToString();
  const size_t size = std::min(text.size(), error_size - 1);
  std::copy_n(text.data(), size, error);
  error[size] = '\0';
  return nullptr;
}

LogStore& StoreAt(void* store) { return *static_cast<LogStore*>(store); }

int64_t AppendRecord(void* store, const char* value) {
  absl::StatusOr<Partition> partition = StoreAt(store).partition(kTopic, 0);
  if (!partition.ok()) return -1;
  absl::StatusOr<AppendResult> result =
      partition->Append({.value = value}, Durability::kMemory);
  return result.ok() ? result->offset : -1;
}

int64_t CountRecords(void* store) {
  absl::StatusOr<Partition> partition = StoreAt(store).partition(kTopic, 0);
  if (!partition.ok()) return -1;
  int64_t count = 0;
  int64_t next = partition->log_start();
  while (next < partition->visible_end()) {
    absl::StatusOr<RecordBatches> view =
        partition->Read(next, {.level = ReadLevel::kVisible});
    if (!view.ok()) return -1;
    RecordBatches::Records records = view->records();
    while (records.Next() != nullptr) ++count;
    if (!records.status().ok()) return -1;
    next = view->next_offset();
  }
  return count;
}

bool CloseStore(void* store) { return StoreAt(store).Close().ok(); }

void DestroyStore(void* store) {
  const std::unique_ptr<LogStore> owned(static_cast<LogStore*>(store));
}

const void* SomeVariable() { return FileSystem::Posix(); }

}  // namespace
}  // namespace varve

// The one exported name: tests/linkage/BUILD.bazel gives each copy another.
extern "C" const VarveCopy* VarveCopyTable();

const VarveCopy* VarveCopyTable() {
  static constexpr VarveCopy kTable = {.open = varve::OpenStore,
                                       .append = varve::AppendRecord,
                                       .count = varve::CountRecords,
                                       .close = varve::CloseStore,
                                       .destroy = varve::DestroyStore,
                                       .variable = varve::SomeVariable};
  return &kTable;
}
