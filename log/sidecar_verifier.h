// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_SIDECAR_VERIFIER_H_
#define VARVE_LOG_SIDECAR_VERIFIER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "log/file_system.h"
#include "log/record_batch.h"
#include "log/segment_sidecar.h"
#include "log/verify_finding.h"

namespace varve {

// Checks a sealed segment against its sidecar, if it has one. It reads the
// sidecar when it is made, is told of the batches one after another, and
// changes nothing.
//
// What it finds goes to a FindingList, which must outlive it. A sidecar that is
// damaged is a finding of its own, and judges nothing.
//
// Thread safety: externally synchronized.
class SidecarVerifier {
 public:
  SidecarVerifier(Directory& directory, int64_t base_offset,
                  FindingList& findings);

  // The batches, in the order of their positions.
  void CheckBatch(const RecordBatch& batch) { found_.Add(batch); }

  // Bytes that are no batch have been passed over, and reported: the batches
  // are not all there to be judged.
  void SkipDamage() { damage_skipped_ = true; }

  // The files of the segment as they are.
  struct Files {
    int64_t size_bytes = 0;  // of the .log
    std::optional<uint32_t> index_crc = {};
    std::optional<uint32_t> time_index_crc = {};
  };
  void Finish(const Files& files);

 private:
  void Judge(const std::string& path, std::string_view what,
             std::string_view expected, std::string_view found);
  void JudgeBatches();
  void JudgeIndex(const std::string& path, std::optional<uint32_t> expected,
                  std::optional<uint32_t> found);

  FindingList& findings_;
  const std::string directory_path_;
  std::optional<SegmentSidecar> sidecar_;  // nothing: there is none to go by
  SegmentSidecar found_;
  bool damage_skipped_ = false;
};

}  // namespace varve

#endif  // VARVE_LOG_SIDECAR_VERIFIER_H_
