// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_LOG_SEGMENT_SIDECAR_FIXTURE_H_
#define VARVE_TESTS_LOG_SEGMENT_SIDECAR_FIXTURE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/crc/crc32c.h"
#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/damaged_partition_fixture.h"
#include "tests/fixture/file_bytes.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/recovery/partition_recovery.h"
#include "varve/log/segment/segment_sidecar.h"
#include "varve/log/verification/partition_verifier.h"
#include "varve/log/verification/verify_finding.h"

namespace varve {

// A log of equal batches, the sidecars of its segments, and what they should
// say.
class SidecarFixture : public DamagedPartitionFixture {
 protected:
  // Three records in a segment; `count` of them are there, nothing is synced.
  void Fill(int64_t count) {
    Recover();
    AppendMany(1);
    size_ = BatchSize();
    config_.segment_bytes = 3 * size_;
    ASSERT_THAT(log_->SetConfig(config_), absl_testing::IsOk());
    AppendMany(count - 1);
  }
  std::vector<std::string> Sidecars() const { return NamesIn(path_, "sealed"); }
  std::string SidecarPath(int64_t base_offset) const {
    return path_ + "/" + SidecarFileName(base_offset);
  }
  SegmentSidecar Read(int64_t base_offset) {
    auto directory = files_.OpenDirectory(path_);
    auto sidecar = ReadSidecar(**directory, base_offset);
    EXPECT_THAT(sidecar, absl_testing::IsOk());
    return sidecar.value_or(SegmentSidecar());
  }
  static uint32_t Crc(std::string_view bytes) {
    return static_cast<uint32_t>(absl::ComputeCrc32c(bytes));
  }
  std::string FileOf(int64_t base_offset, SegmentFileKind kind) const {
    return ReadBytes(path_ + "/" + SegmentFileName(base_offset, kind));
  }
  // The expected sidecar of a segment of equal batches. Timestamps are the
  // clock's.
  SegmentSidecar Expected(int64_t base_offset) {
    const std::string log = FileOf(base_offset, SegmentFileKind::kLog);
    std::string heads;
    for (size_t at = 0; at < log.size(); at += static_cast<size_t>(size_)) {
      heads += log.substr(at, 21);
    }
    const auto count = static_cast<int64_t>(log.size()) / size_;
    return {.base_offset = base_offset,
            .size_bytes = static_cast<int64_t>(log.size()),
            .next_offset = base_offset + count,
            .max_timestamp_ms = 1700000000000,
            .headers_crc = Crc(heads),
            .index_crc = Crc(FileOf(base_offset, SegmentFileKind::kIndex)),
            .time_index_crc =
                Crc(FileOf(base_offset, SegmentFileKind::kTimeIndex))};
  }
  // The findings of a verification of the closed partition.
  std::vector<VerifyFinding> Findings() {
    auto directory = files_.OpenDirectory(path_);
    auto result = VerifyPartition(
        **directory,
        {.checkpoint = checkpoint_, .continuity = ContinuityOf(config_)});
    EXPECT_THAT(result, absl_testing::IsOk());
    std::vector<VerifyFinding> damage;
    for (const VerifyFinding& finding : result->findings) {
      if (finding.severity == FindingSeverity::kDamage) {
        damage.push_back(finding);
      }
    }
    return damage;
  }
};

}  // namespace varve

#endif  // VARVE_TESTS_LOG_SEGMENT_SIDECAR_FIXTURE_H_
