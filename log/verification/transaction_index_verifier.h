// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_VERIFICATION_TRANSACTION_INDEX_VERIFIER_H_
#define VARVE_LOG_VERIFICATION_TRANSACTION_INDEX_VERIFIER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "varve/index/transaction_index.h"
#include "varve/index/transaction_index_damage.h"
#include "varve/log/system/file_system.h"
#include "varve/log/verification/finding_list.h"
#include "varve/log/verification/verify_finding.h"
#include "varve/log/verification/wrong_producer_file.h"

namespace varve {

// An ABORT marker, and what the batches before it say of its transaction.
struct AbortMarker {
  int64_t producer_id = -1;
  int64_t offset = 0;
  // The entry that it has to have; nothing: it has ended no transaction whose
  // first batch is at `known_from` or behind it.
  std::optional<AbortedTransaction> entry = {};
  int64_t known_from = 0;
  // Whether its last stable offset is known: that no transaction from before
  // `known_from` was open.
  bool is_stable_offset_known = true;
};

// Checks the transaction index of one segment against the markers in it, which
// the caller passes one after another (X7 and X8 of index/FORMAT.md). It reads
// the file, if there is one, when it is constructed, and changes nothing.
//
// Adds its findings to a FindingList, which must outlive it: one of each kind,
// of the first entry, with the number of the others.
//
// Thread safety: externally synchronized.
class TransactionIndexVerifier {
 public:
  // Whether entries for the last markers may not be written yet.
  enum class Entries { kWhole, kMayLag };

  struct Options {
    int64_t base_offset = 0;
    Entries entries = Entries::kWhole;
    IndexWriter writer = IndexWriter::kVarve;
    WrongFileFate fate = WrongFileFate::kUsed;
  };

  TransactionIndexVerifier(Directory& directory, const Options& options,
                           FindingList& findings);

  // Checks the next marker, in the order of their offsets.
  void CheckMarker(const AbortMarker& marker);

  // Batches before `offset` are not there, or not whole: entries for them are
  // not judged.
  void SkipTo(int64_t offset);

  // Call it after the last batch. With damage at the end, the entries left are
  // not judged.
  enum class LogEnd { kWhole, kDamaged };
  void Finish(LogEnd log_end);

  int64_t entry_count() const;

 private:
  // The findings of one kind.
  struct Kind {
    VerifyFinding first = {};
    int64_t count = 0;
  };

  void Read(Directory& directory);
  void JudgeBefore(int64_t offset);
  void JudgeEntry(const AbortMarker& marker);
  void JudgeLack(const AbortMarker& marker);
  std::optional<std::string> DefectOf(const AbortedTransaction& found,
                                      const AbortMarker& marker) const;
  void Count(Kind& kind, std::optional<int64_t> entry, int64_t offset,
             std::string what, std::string expected, std::string found);
  void Report(Kind& kind);

  const Options options_;
  FindingList& findings_;
  const std::string path_;
  std::string bytes_;
  std::unique_ptr<TransactionIndex> index_;  // null: it cannot be read
  int64_t next_ = 0;                         // not judged yet
  Kind extra_;                               // entries without a marker
  Kind missing_;                             // markers without an entry
  Kind wrong_;                               // entries that say other things
};

}  // namespace varve

#endif  // VARVE_LOG_VERIFICATION_TRANSACTION_INDEX_VERIFIER_H_
