// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_VERIFICATION_SIDECAR_VERIFIER_H_
#define VARVE_LOG_VERIFICATION_SIDECAR_VERIFIER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "varve/log/batch/record_batch.h"
#include "varve/log/segment/segment_sidecar.h"
#include "varve/log/system/file_system.h"
#include "varve/log/verification/finding_list.h"
#include "varve/log/verification/verify_finding.h"

namespace varve {

// Checks a sealed segment against its sidecar, if it has one. It reads the
// sidecar when it is constructed, is passed the batches one after another, and
// changes nothing.
//
// Borrows the directory and the list that it adds its findings to, which must
// outlive it. A damaged sidecar is a finding of its own, and nothing is judged
// by it.
//
// Thread safety: externally synchronized.
class SidecarVerifier {
 public:
  SidecarVerifier(Directory& directory, int64_t base_offset,
                  FindingList& findings);

  // Adds the next batch, in the order of their positions.
  void CheckBatch(const RecordBatch& batch) { found_.Add(batch); }

  // Notes that bytes that are no batch were skipped, and reported: without all
  // batches, they are not judged.
  void SkipDamage() { damage_skipped_ = true; }

  // The present files of the segment.
  struct Files {
    int64_t size_bytes = 0;  // of the .log
    std::optional<uint32_t> index_crc = {};
    std::optional<uint32_t> time_index_crc = {};
    // Where the next segment begins; nothing when this is the last one, or that
    // may be changing.
    std::optional<int64_t> next_base_offset = {};
  };
  void Finish(const Files& files);

 private:
  void Judge(const std::string& path, std::string_view what,
             std::string_view expected, std::string_view found);
  void JudgeBatches();
  void JudgeSuccessor(int64_t next_base_offset);
  void JudgeIndex(const std::string& path, std::optional<uint32_t> expected,
                  std::optional<uint32_t> found);

  const Directory& directory_;
  FindingList& findings_;
  std::optional<SegmentSidecar> sidecar_;  // nothing: there is no sound one
  SegmentSidecar found_;
  bool damage_skipped_ = false;
};

}  // namespace varve

#endif  // VARVE_LOG_VERIFICATION_SIDECAR_VERIFIER_H_
