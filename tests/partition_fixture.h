// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_PARTITION_FIXTURE_H_
#define VARVE_TESTS_PARTITION_FIXTURE_H_

#include <stdlib.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "log/clock.h"
#include "log/durability.h"
#include "log/file_system.h"
#include "log/leader_epoch_checkpoint.h"
#include "log/leader_epochs.h"
#include "log/log_config.h"
#include "log/partition_checkpoint.h"
#include "log/partition_log.h"
#include "log/partition_recovery.h"
#include "log/record_batches.h"
#include "log/segment_name.h"
#include "tests/faulty_file_system.h"
#include "tests/file_bytes.h"

namespace varve {

// A scratch directory in memory, where there is such a file system: tests that
// recover a log at every byte would wait minutes for a disk.
class MemoryDirectory {
 public:
  MemoryDirectory()
      : path_(
            (access("/dev/shm", W_OK) == 0 ? "/dev/shm/" : testing::TempDir()) +
            "varve-XXXXXX") {
    CHECK(mkdtemp(path_.data()) != nullptr) << path_;
  }
  MemoryDirectory(const MemoryDirectory&) = delete;
  MemoryDirectory& operator=(const MemoryDirectory&) = delete;
  ~MemoryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// A clock that a test sets.
class ManualClock final : public Clock {
 public:
  absl::Time Now() override { return absl::FromUnixMillis(now_ms_); }
  absl::Time Steady() override {
    ++steady_looks_;
    return absl::FromUnixMillis(steady_ms_);
  }
  int64_t steady_looks() const { return steady_looks_; }

  // Time goes by.
  void Advance(absl::Duration by) {
    now_ms_ += absl::ToInt64Milliseconds(by);
    steady_ms_ += absl::ToInt64Milliseconds(by);
  }
  // Somebody sets the wall clock.
  void SetBack(absl::Duration by) { now_ms_ -= absl::ToInt64Milliseconds(by); }

 private:
  std::atomic<int64_t> now_ms_ = 1700000000000;
  std::atomic<int64_t> steady_ms_ = 5000;
  std::atomic<int64_t> steady_looks_ = 0;
};

// Counts what the log tells its store.
class CountingListener final : public PartitionLogListener {
 public:
  absl::Status BeforeFirstChange() override {
    ++first_changes;
    return before_first_change;
  }
  void SyncWanted() override { ++syncs_wanted; }
  void PreparationWanted() override { ++preparations_wanted; }
  void CheckpointChanged() override {
    ++checkpoint_changes;
    if (auto then = std::exchange(on_checkpoint_change, nullptr)) then();
  }
  void MakeRoom() override { ++rooms_made; }
  void SegmentRolled(PartitionLog& /*log*/) override { ++segments_rolled; }
  absl::Status WriteCheckpoint() override {
    ++checkpoints_written;
    return write_checkpoint;
  }

  absl::Status before_first_change;
  std::function<void()> on_checkpoint_change;  // called once
  std::atomic<int> first_changes = 0;
  std::atomic<int> syncs_wanted = 0;
  std::atomic<int> checkpoint_changes = 0;
  absl::Status write_checkpoint;
  std::atomic<int> checkpoints_written = 0;
  std::atomic<int> rooms_made = 0;
  std::atomic<int> segments_rolled = 0;
  std::atomic<int> preparations_wanted = 0;
};

// A partition's log in a directory of its own, and what may befall it.
class PartitionFixture : public ::testing::Test {
 protected:
  using Contents = std::map<int64_t, std::string>;

  PartitionFixture() {
    std::filesystem::create_directory(path_);
    config_.segment_bytes = 1 << 20;
  }

  // Opens as after a crash, with `checkpoint_`.
  void Recover() {
    ASSERT_THAT(TryRecover(), absl_testing::IsOk());
    Start();
  }
  absl::Status TryRecover() {
    return Take([&](Directory& directory) {
      return RecoverPartition(directory, config_, Outline());
    });
  }
  // Opens as after `CloseCleanly`.
  void OpenClean() {
    ASSERT_THAT(TryOpenClean(), absl_testing::IsOk());
    Start();
  }
  absl::Status TryOpenClean() {
    return Take([&](Directory& directory) {
      return OpenCleanPartition(directory, Outline());
    });
  }

  // As kill -9: nothing is closed, trimmed or synced.
  void Crash() { log_ = nullptr; }
  void CloseCleanly() {
    ASSERT_THAT(log_->Close(), absl_testing::IsOk());
    checkpoint_ = log_->checkpoint();
    log_ = nullptr;
  }

  absl::StatusOr<AppendResult> TryAppend(
      std::string_view value, Durability durability = Durability::kMemory) {
    return log_->Append(Record{.value = value}, durability);
  }
  // The offset; -1 after a failure.
  int64_t Append(std::string_view value,
                 Durability durability = Durability::kMemory) {
    const auto result = TryAppend(value, durability);
    EXPECT_THAT(result, absl_testing::IsOk());
    return result.ok() ? result->offset : -1;
  }
  // Values "value-00", "value-01" … by their offsets, of one size.
  static std::string Value(int64_t offset) {
    return "value-" + std::to_string(10 + offset);
  }
  void AppendMany(int64_t count) {
    for (; count > 0; --count) {
      const int64_t offset = log_->visible_end();
      ASSERT_EQ(Append(Value(offset)), offset);
    }
  }
  static Contents Values(int64_t begin, int64_t end) {
    Contents contents;
    for (int64_t i = begin; i < end; ++i) contents[i] = Value(i);
    return contents;
  }
  // Every record that can be read, by its offset.
  Contents ReadAll() {
    Contents contents;
    for (int64_t at = log_->log_start(); at < log_->visible_end();) {
      const auto view = log_->Read(at, {});
      if (!view.ok()) {
        EXPECT_THAT(view, absl_testing::StatusIs(absl::StatusCode::kDataLoss));
        ++at;
        continue;
      }
      RecordBatches::Records records = view->records();
      while (const RecordView* record = records.Next()) {
        contents[record->offset()] = std::string(record->value().value_or(""));
      }
      EXPECT_GT(view->next_offset(), at);
      at = view->next_offset();
    }
    return contents;
  }

  std::string LogPath(int64_t base_offset) const {
    return path_ + "/" + SegmentFileName(base_offset, SegmentFileKind::kLog);
  }
  LeaderEpochs EpochsOnDisk() {
    auto directory = files_.OpenDirectory(path_);
    return ReadLeaderEpochCheckpoint(**directory).value_or(LeaderEpochs());
  }
  int64_t BatchSize() {
    return log_->Read(log_->log_start(), {.max_bytes = 0})->size_bytes();
  }

  // As of a topic that always had this config.
  PartitionOutline Outline() const {
    return {.checkpoint = checkpoint_, .continuity = ContinuityOf(config_)};
  }

  // Keeps a copy of the directory, and puts it back.
  void Save() {
    std::filesystem::copy(path_, saved_,
                          std::filesystem::copy_options::recursive);
  }
  void Restore() {
    Crash();
    std::filesystem::remove_all(path_);
    std::filesystem::copy(saved_, path_,
                          std::filesystem::copy_options::recursive);
  }

  MemoryDirectory scratch_;
  const std::string path_ = scratch_.path() + "/p-0";
  const std::string saved_ = scratch_.path() + "/saved";
  FaultyFileSystem files_;
  ManualClock clock_;
  std::shared_ptr<CountingListener> listener_ =
      std::make_shared<CountingListener>();
  LogConfig config_;
  absl::Duration sync_interval_ = absl::Seconds(1);
  PartitionCheckpoint checkpoint_;
  RecoveredLog recovered_;
  std::unique_ptr<PartitionLog> log_;

 private:
  template <typename Opener>
  absl::Status Take(Opener open) {
    log_ = nullptr;
    auto directory = files_.OpenDirectory(path_);
    if (!directory.ok()) return directory.status();
    absl::StatusOr<RecoveredLog> recovered = open(**directory);
    if (!recovered.ok()) return recovered.status();
    recovered_ = *std::move(recovered);
    directory_ = *std::move(directory);
    return absl::OkStatus();
  }
  void Start() {
    const PartitionLog::Options options = {
        .config = config_,
        .continuity = ContinuityOf(config_),
        .environment = {.files = &files_,
                        .clock = &clock_,
                        .random = [] { return uint64_t{7}; }},
        .sync_interval = sync_interval_,
        .listener = listener_};
    log_ = std::make_unique<PartitionLog>(std::move(directory_), options,
                                          recovered_);
  }

  std::unique_ptr<Directory> directory_;
};

}  // namespace varve

#endif  // VARVE_TESTS_PARTITION_FIXTURE_H_
