// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_DAMAGED_PARTITION_FIXTURE_H_
#define VARVE_TESTS_DAMAGED_PARTITION_FIXTURE_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "log/recovery_report.h"
#include "log/tail_recovery.h"
#include "tests/file_bytes.h"
#include "tests/partition_fixture.h"

namespace varve {

// A log of equal batches, what may be done to its files, and what recovery
// makes of them.
class DamagedPartitionFixture : public PartitionFixture {
 protected:
  // Writes a log of `count` records, `in_segment` of them in each segment, and
  // crashes.
  void WriteAndCrash(int64_t count, int64_t in_segment = 1000) {
    Recover();
    AppendMany(1);
    size_ = BatchSize();
    Restart(in_segment * size_);
    AppendMany(count - 1);
    Crash();
  }
  void Restart(int64_t segment_bytes) {
    CloseCleanly();
    config_.segment_bytes = segment_bytes;
    OpenClean();
    checkpoint_ = {};
  }

  // The batches of a segment, without the allocated zeros behind them.
  std::string Batches(int64_t base_offset, int64_t count) const {
    return ReadBytes(LogPath(base_offset))
        .substr(0, static_cast<size_t>(count * size_));
  }
  void CutAt(int64_t base_offset, size_t size) {
    std::filesystem::resize_file(LogPath(base_offset), size);
  }
  // Damages the records of the batch at `offset`.
  void Damage(int64_t base_offset, int64_t offset) {
    FlipBit(base_offset,
            static_cast<size_t>(((offset - base_offset) * size_ + 70) * 8));
  }
  void FlipBit(int64_t base_offset, size_t bit) {
    const std::string path = LogPath(base_offset);
    WriteBytes(path, WithBitFlipped(ReadBytes(path), bit));
  }

  std::vector<RecoveryAction> Actions() const {
    std::vector<RecoveryAction> actions;
    for (const RecoveryFinding& finding : recovered_.report.findings) {
      actions.push_back(finding.action);
    }
    return actions;
  }
  const RecoveryFinding& Finding() const {
    return recovered_.report.findings.at(0);
  }
  std::vector<std::string> CutFiles() const { return NamesIn(path_, "cut-"); }
  std::string CutBytes(const std::string& name) const {
    return ReadBytes(path_ + "/" + name);
  }
  void RemoveCutFiles() {
    for (const std::string& name : CutFiles()) {
      std::filesystem::remove(path_ + "/" + name);
    }
  }
  // What is there is `contents`, and a second recovery changes nothing.
  void ExpectRecovered(const Contents& contents, int64_t next_offset) {
    Recover();
    EXPECT_EQ(ReadAll(), contents);
    EXPECT_EQ(log_->visible_end(), next_offset);
    const std::vector<std::string> names = NamesIn(path_);
    Recover();
    EXPECT_EQ(ReadAll(), contents);
    EXPECT_EQ(log_->visible_end(), next_offset);
    EXPECT_EQ(NamesIn(path_), names);
  }

  int64_t size_ = 0;  // of every batch
};

}  // namespace varve

#endif  // VARVE_TESTS_DAMAGED_PARTITION_FIXTURE_H_
