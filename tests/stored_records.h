// SPDX-License-Identifier: Apache-2.0

// Reading a whole partition back, for tests of the public interface.

#ifndef VARVE_TESTS_STORED_RECORDS_H_
#define VARVE_TESTS_STORED_RECORDS_H_

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "api/log_store.h"
#include "gtest/gtest.h"
#include "log/record_batches.h"
#include "log/record_view.h"
#include "tests/faulty_file_system.h"
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

// The path of every file below a directory, from there, and its size; -1 for
// what is no file, or gone just now.
inline std::map<std::string, uintmax_t> FileSizesIn(
    const std::string& directory) {
  std::map<std::string, uintmax_t> sizes;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(directory)) {
    std::error_code error;
    sizes[entry.path().string().substr(directory.size())] =
        std::filesystem::file_size(entry.path(), error);
  }
  return sizes;
}

// Copies a store that nobody changes meanwhile: one that is closed, or that has
// no threads of its own (Background::kNone) and no call under way. Its mapped
// files are copied as other processes see them, so this is what a process that
// is killed now leaves. Anything that changes under the copy fails the test.
inline void CopyStore(const std::string& from, const std::string& to) {
  const std::map<std::string, uintmax_t> before = FileSizesIn(from);
  std::filesystem::remove_all(to);
  std::error_code error;
  std::filesystem::copy(from, to, std::filesystem::copy_options::recursive,
                        error);
  EXPECT_FALSE(error) << from << ": " << error.message();
  EXPECT_EQ(FileSizesIn(from), before);
}

// The same of a store that was opened with `files` and has threads that work on
// it: they stand still between two of their calls while the copy is made, as a
// kill would find them.
inline void CopyStore(FaultyFileSystem& files, const std::string& from,
                      const std::string& to) {
  const absl::MutexLock alone(&files.calls_under_way());
  CopyStore(from, to);
}

}  // namespace varve

#endif  // VARVE_TESTS_STORED_RECORDS_H_
