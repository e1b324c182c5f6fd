// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_API_COMPACTION_COMPACTED_STORE_H_
#define VARVE_TESTS_API_COMPACTION_COMPACTED_STORE_H_

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/api/compaction/model_batches.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/memory_directory.h"
#include "tests/fixture/partition_fixture.h"
#include "tests/fixture/stored_records.h"
#include "tests/log/compaction/batch_log.h"
#include "varve/api/duty/maintenance_pause.h"
#include "varve/api/log_store.h"
#include "varve/api/partition.h"
#include "varve/api/store_options.h"
#include "varve/api/topic_config.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/metadata/read_options.h"

namespace varve {

// A store in memory with one topic that is compacted, without threads of its
// own, whose time goes on when the test says so. It can crash, also in the
// midst of a compaction: what a process that is killed then leaves is opened.
class CompactedStore {
 public:
  // Bytes of a segment's files.
  struct SegmentSize {
    int64_t log_bytes = 0;
    int64_t index_bytes = 0;
    int64_t time_index_bytes = 0;
  };
  using Segments = std::map<int64_t, SegmentSize>;  // by base offset

  CompactedStore(const TopicConfig& config, int64_t map_bytes)
      : map_bytes_(map_bytes) {
    // Files, whose times are real, are old.
    clock_.Advance(absl::Now() - clock_.Now() + absl::Hours(240));
    Open();
    CHECK_OK(store_->CreateTopic("t", config));
  }

  LogStore& store() { return *store_; }
  const std::string& path() const { return path_; }
  ManualClock& clock() { return clock_; }
  FaultyFileSystem& files() { return files_; }
  int64_t map_bytes() const { return map_bytes_; }
  int64_t now_ms() { return absl::ToUnixMillis(clock_.Now()); }

  Partition partition() {
    auto partition = store_->partition("t", 0);
    CHECK_OK(partition.status());
    return *partition;
  }

  Segments ListSegments() const {
    Segments segments;
    for (const auto& entry :
         std::filesystem::directory_iterator(path_ + "/t-0")) {
      const auto file = ParseSegmentFileName(entry.path().filename().string());
      if (!file.has_value()) continue;
      const auto size = static_cast<int64_t>(entry.file_size());
      if (file->kind == SegmentFileKind::kLog) {
        segments[file->base_offset].log_bytes = size;
      } else if (file->kind == SegmentFileKind::kIndex) {
        segments[file->base_offset].index_bytes = size;
      } else if (file->kind == SegmentFileKind::kTimeIndex) {
        segments[file->base_offset].time_index_bytes = size;
      }
    }
    return segments;
  }

  // All batches that a read from here on shows, as text. Of a Partition or a
  // ReadOnlyPartition.
  template <typename AnyPartition>
  static std::vector<std::string> ReadTexts(const AnyPartition& partition,
                                            int64_t from, int64_t end) {
    std::vector<std::string> texts;
    for (int64_t at = from; at < end;) {
      const auto view = partition.Read(at, {.level = ReadLevel::kVisible});
      EXPECT_THAT(view, absl_testing::IsOk()) << at;
      if (!view.ok()) break;
      for (const RecordBatch batch : *view) texts.push_back(TextOf(batch));
      EXPECT_GT(view->next_offset(), at);
      if (view->next_offset() <= at) break;
      at = view->next_offset();
    }
    return texts;
  }

  void Reopen() {
    // Only what the test asks for is compacted.
    const MaintenancePause pause = store_->PauseMaintenance();
    ASSERT_THAT(store_->Close(), absl_testing::IsOk());
    Open();
    EXPECT_TRUE(store_->recovery_report().clean);
  }

  // The process is killed, and another one opens the store.
  void Crash() {
    CopyStore(path_, directory_ / "copy");
    OpenCopy();
  }

  // Compacts, and is killed before a call of the compaction to the file system,
  // of which `call` are made before. Returns false when there are fewer.
  bool CrashInCompaction(int64_t call) { return CrashInCompactionBefore(call); }

  // The same, before a rename of the .log of this segment: when the new one
  // comes into its place, or when it is put aside.
  bool CrashAtRename(int64_t base_offset) {
    return CrashInCompactionBefore(
        absl::StrCat("Directory::Rename ", path_, "/t-0/",
                     SegmentFileName(base_offset, SegmentFileKind::kLog)));
  }

 private:
  // `call`: as of FaultyFileSystem::RunBefore.
  template <typename Call>
  bool CrashInCompactionBefore(const Call& call) {
    files_.ForgetCalls();
    bool is_copied = false;
    files_.RunBefore(call, [&] {
      CopyStore(path_, directory_ / "copy");
      is_copied = true;
    });
    const auto compacted = store_->CompactTopic("t");
    EXPECT_THAT(compacted, absl_testing::IsOk());
    files_.RunBefore(-2, nullptr);
    if (is_copied) OpenCopy();
    return is_copied;
  }

  void Open() {
    StoreOptions options = {.compaction_check_interval = absl::Hours(168),
                            .compaction_map_bytes = map_bytes_,
                            .producer_id_expiration = absl::Hours(24 * 36500),
                            .background = Background::kNone,
                            .metrics_interval = absl::InfiniteDuration(),
                            .codecs = BatchLog::codecs()};
    options.retention_check_interval = absl::Milliseconds(1);
    options.environment.files = &files_;
    options.environment.clock = &clock_;
    auto store = LogStore::Open(path_, options);
    CHECK_OK(store.status());
    store_ = *std::move(store);
    EXPECT_FALSE(store_->recovery_report().has_damage());
  }

  void OpenCopy() {
    // It is not there any more.
    const MaintenancePause pause = store_->PauseMaintenance();
    store_->Close().IgnoreError();
    store_ = nullptr;
    std::filesystem::remove_all(path_);
    std::filesystem::rename(directory_ / "copy", path_);
    Open();
  }

  const int64_t map_bytes_;
  MemoryDirectory directory_;
  const std::string path_ = directory_ / "store";
  ManualClock clock_;
  FaultyFileSystem files_;
  std::unique_ptr<LogStore> store_;
};

// For messages: the bytes of each segment.
inline std::string TextOf(const CompactedStore::Segments& segments) {
  std::string text;
  for (const auto& [base_offset, size] : segments) {
    absl::StrAppend(&text, base_offset, ":", size.log_bytes, "+",
                    size.index_bytes, "+", size.time_index_bytes, " ");
  }
  return text;
}

// Neighbours are merged as long as they fit. The base offsets of those that are
// not merged into the one before them.
inline std::vector<int64_t> GroupStarts(
    const CompactedStore::Segments& segments, const LogConfig& config) {
  std::vector<int64_t> starts;
  CompactedStore::SegmentSize group;
  for (const auto& [base_offset, size] : segments) {
    group.log_bytes += size.log_bytes;
    group.index_bytes += size.index_bytes;
    group.time_index_bytes += size.time_index_bytes;
    const bool fits = group.log_bytes <= config.segment_bytes &&
                      group.index_bytes <= config.segment_index_bytes &&
                      group.time_index_bytes <= config.segment_index_bytes;
    if (fits && !starts.empty()) continue;
    starts.push_back(base_offset);
    group = size;
  }
  return starts;
}

// They were merged so, and nothing has become larger than it may be. Returns
// how many have gone into the one before.
inline int64_t CheckMerged(const CompactedStore::Segments& before,
                           const CompactedStore::Segments& after,
                           int64_t clean_end, const LogConfig& config) {
  SCOPED_TRACE(
      absl::StrCat("before: ", TextOf(before), "\nafter: ", TextOf(after)));
  const std::vector<int64_t> starts = GroupStarts(before, config);
  std::map<int64_t, int64_t> group_bytes;  // by the base offset of its first
  for (const auto& [base_offset, size] : before) {
    group_bytes[*std::prev(std::upper_bound(starts.begin(), starts.end(),
                                            base_offset))] += size.log_bytes;
  }
  int64_t merged = 0;
  for (const auto& [base_offset, size] : before) {
    if (base_offset >= clean_end) break;
    const auto it = after.find(base_offset);
    if (!std::binary_search(starts.begin(), starts.end(), base_offset)) {
      // A group that has become larger may be split just here.
      merged += it == after.end() ? 1 : 0;
      continue;
    }
    EXPECT_NE(it, after.end()) << base_offset;
    if (it == after.end()) continue;
    // Delete horizons make it larger.
    EXPECT_LE(it->second.log_bytes,
              std::max(2 * group_bytes.at(base_offset), config.segment_bytes));
    EXPECT_LE(it->second.index_bytes,
              std::max(size.index_bytes, config.segment_index_bytes));
  }
  return merged;
}

}  // namespace varve

#endif  // VARVE_TESTS_API_COMPACTION_COMPACTED_STORE_H_
