// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_VERIFICATION_PRODUCER_VERIFIER_H_
#define VARVE_LOG_VERIFICATION_PRODUCER_VERIFIER_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "varve/log/batch/record_batch.h"
#include "varve/log/producer/producer_batch.h"
#include "varve/log/producer/producer_snapshot.h"
#include "varve/log/system/file_system.h"
#include "varve/log/verification/finding_list.h"
#include "varve/log/verification/partition_verification.h"
#include "varve/log/verification/snapshot_comparison.h"
#include "varve/log/verification/transaction_index_verifier.h"
#include "varve/log/verification/verify_finding.h"
#include "varve/log/verification/wrong_producer_file.h"

namespace varve {

// Checks what a partition's files say of its producers, its `.snapshot` and
// `.txnindex` files, against its batches, which the caller passes one after
// another. It changes nothing.
//
// From a snapshot on, or from offset 0, the states of all producers are known;
// so at the next snapshot it is known what that should say, and at each ABORT
// marker what its entry should be. A gap, or damage, ends that: what then
// depends on batches that are not there is not judged until the next snapshot.
//
// Memory: up to kProducersMax producers, one snapshot of
// ProducerSnapshot::kSizeMax bytes, and the transaction index of one segment.
//
// Borrows the directory and the list that it adds its findings to, which must
// outlive it.
//
// Thread safety: externally synchronized.
class ProducerVerifier {
 public:
  // With one more it is as after a gap. A varve knows fewer, a broker does not
  // forget them for a day.
  static constexpr int64_t kProducersMax = 100'000;

  struct Options {
    // The offsets of the snapshots, ascending.
    std::vector<int64_t> snapshots = {};
    int64_t front_offset = 0;  // of the first segment
    LastWriter last_writer = LastWriter::kClosedCleanly;
    // The base offset of the first segment that the next open scans, or that
    // the open writer may still change; kNone when there is none.
    static constexpr int64_t kNone = std::numeric_limits<int64_t>::max();
    int64_t changing_from = kNone;
    // kNote: another program's files.
    FindingSeverity severity = FindingSeverity::kDamage;
  };

  ProducerVerifier(Directory& directory, Options options,
                   FindingList& findings);

  // Reads the segment's transaction index: call it before its batches are
  // looked at, which an open writer stores first.
  void BeginSegment(int64_t base_offset);

  // Checks the next batch, in the order of their offsets.
  void CheckBatch(const RecordBatch& batch);

  // What follows the last batch is damaged up to `offset`.
  void SkipDamage(int64_t offset) { LoseTrack(offset); }

  // Returns the number of entries in the transaction index.
  using LogEnd = TransactionIndexVerifier::LogEnd;
  int64_t EndSegment(LogEnd log_end);

  // After the last segment.
  void Finish();

 private:
  void PassSnapshots(int64_t up_to);
  void PassSnapshot(int64_t offset);
  std::optional<ProducerSnapshot> ReadSnapshot(int64_t offset);
  void JudgeSnapshot(const ProducerSnapshot& snapshot);
  void JudgeBeyondEnd(int64_t offset);
  void LoseTrack(int64_t offset);
  bool KnowsTooMany() const {
    return known_.states.forgotten_count() > 0 ||
           known_.states.size() > kProducersMax;
  }
  void Note(const RecordBatch& batch, const ProducerBatch& producer);
  WrongFileFate FateOf(int64_t offset) const;
  std::string PathOf(int64_t snapshot_offset) const;

  Directory& directory_;
  const Options options_;
  FindingList& findings_;
  KnownProducers known_;
  int64_t next_offset_;       // after the last batch
  size_t next_snapshot_ = 0;  // not passed yet
  std::optional<TransactionIndexVerifier> transactions_;
  bool is_end_damaged_ = false;
};

}  // namespace varve

#endif  // VARVE_LOG_VERIFICATION_PRODUCER_VERIFIER_H_
