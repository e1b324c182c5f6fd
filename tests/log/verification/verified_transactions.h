// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_LOG_VERIFICATION_VERIFIED_TRANSACTIONS_H_
#define VARVE_TESTS_LOG_VERIFICATION_VERIFIED_TRANSACTIONS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/transactions_fixture.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/metadata/partition_checkpoint.h"
#include "varve/log/producer/producer_snapshot.h"
#include "varve/log/system/file_system.h"
#include "varve/log/verification/partition_verifier.h"
#include "varve/log/verification/verify_finding.h"

namespace varve {

// The partition of a TransactionsFixture, and what a verification finds in it.
class VerifiedTransactions : public TransactionsFixture {
 protected:
  void SetUp() override {
    WriteAndClose();
    snapshots_ = OffsetsOf(SegmentFileKind::kSnapshot);
    indexes_ = OffsetsOf(SegmentFileKind::kTxnIndex);
    ASSERT_GT(snapshots_.size(), size_t{5});
    ASSERT_EQ(snapshots_.back(), end_);
    ASSERT_GT(indexes_.size(), size_t{3});
    inputs_.checkpoint =
        PartitionCheckpoint{.log_start = 0, .recovery_point = end_};
  }
  std::vector<VerifyFinding> Verify() {
    const auto directory =
        FileSystem::Posix()->OpenDirectory(path_ + "/orders-0");
    auto result = VerifyPartition(**directory, inputs_);
    EXPECT_THAT(result, absl_testing::IsOk());
    return result->findings;
  }
  std::vector<VerifyFinding> Damage() {
    std::vector<VerifyFinding> findings = Verify();
    std::erase_if(findings, [](const VerifyFinding& finding) {
      return finding.severity != FindingSeverity::kDamage;
    });
    return findings;
  }
  // The one finding, as text.
  std::string Only() {
    const std::vector<VerifyFinding> findings = Damage();
    EXPECT_EQ(findings.size(), size_t{1});
    return findings.empty() ? "" : findings.front().ToString();
  }
  // A snapshot in the middle, of several producers.
  ProducerSnapshot Middle() { return SnapshotAt(snapshots_[3]); }
  // The index of a segment in the middle, with several transactions.
  std::string IndexPath() {
    return PathTo(indexes_[1], SegmentFileKind::kTxnIndex);
  }

  std::vector<int64_t> snapshots_;
  std::vector<int64_t> indexes_;
  PartitionVerifyInputs inputs_;
};

}  // namespace varve

#endif  // VARVE_TESTS_LOG_VERIFICATION_VERIFIED_TRANSACTIONS_H_
