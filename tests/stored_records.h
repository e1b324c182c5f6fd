// SPDX-License-Identifier: Apache-2.0

// Reading a whole partition back, for tests of the public interface.

#ifndef VARVE_TESTS_STORED_RECORDS_H_
#define VARVE_TESTS_STORED_RECORDS_H_

#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "api/log_store.h"
#include "gtest/gtest.h"
#include "log/record_batches.h"
#include "log/record_view.h"
#include "tests/random_records.h"

namespace varve {

// Every record from the log start to the visible end, with its offset.
using StoredRecords = std::vector<std::pair<int64_t, OwnedRecord>>;

inline absl::StatusOr<StoredRecords> ReadFrom(const Partition& partition,
                                              int64_t offset,
                                              const ReadOptions& options = {}) {
  StoredRecords records;
  while (offset < partition.visible_end()) {
    absl::StatusOr<RecordBatches> view = partition.Read(offset, options);
    if (!view.ok()) return view.status();
    RecordBatches::Records cursor = view->records();
    while (const RecordView* record = cursor.Next()) {
      records.emplace_back(record->offset(), Owned(*record));
    }
    if (!cursor.status().ok()) return cursor.status();
    offset = view->next_offset();
  }
  return records;
}

inline absl::StatusOr<StoredRecords> ReadAll(const Partition& partition) {
  return ReadFrom(partition, partition.log_start());
}

// What a machine that stops now leaves of a store: its files as they are, with
// what other processes see of the mapped ones.
// Temporary files may vanish while they are copied, as they may in a crash.
inline void CopyStore(const std::string& from, const std::string& to) {
  std::filesystem::remove_all(to);
  std::filesystem::create_directory(to);
  for (const auto& entry : std::filesystem::directory_iterator(from)) {
    const std::string target = to + "/" + entry.path().filename().string();
    std::error_code error;
    if (entry.is_directory(error)) {
      CopyStore(entry.path(), target);
    } else {
      std::filesystem::copy_file(entry.path(), target, error);
    }
    EXPECT_TRUE(!error || entry.path().extension() == ".tmp")
        << entry.path() << ": " << error.message();
  }
}

}  // namespace varve

#endif  // VARVE_TESTS_STORED_RECORDS_H_
