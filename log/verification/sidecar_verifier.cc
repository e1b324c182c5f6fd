// SPDX-License-Identifier: Apache-2.0

#include "varve/log/verification/sidecar_verifier.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/segment/segment_sidecar.h"
#include "varve/log/system/file_system.h"
#include "varve/log/verification/finding_list.h"
#include "varve/log/verification/verify_finding.h"

namespace varve {
namespace {

std::string CrcText(uint32_t crc) {
  return absl::StrFormat("checksum %08x", crc);
}

}  // namespace

SidecarVerifier::SidecarVerifier(Directory& directory, int64_t base_offset,
                                 FindingList& findings)
    : directory_(directory),
      findings_(findings),
      found_(SegmentSidecar::OfEmpty(base_offset)) {
  absl::StatusOr<SegmentSidecar> sidecar = ReadSidecar(directory, base_offset);
  if (sidecar.ok()) {
    sidecar_ = *sidecar;
    return;
  }
  // Kafka writes none, nor did older versions.
  if (absl::IsNotFound(sidecar.status())) return;
  VerifyFinding finding = VerifyFinding::FromStatus(
      directory.PathOf(SidecarFileName(base_offset)), sidecar.status());
  if (absl::IsFailedPrecondition(sidecar.status())) {
    finding.severity = FindingSeverity::kNote;
  }
  findings_.Add(std::move(finding));
}

void SidecarVerifier::Judge(const std::string& path, std::string_view what,
                            std::string_view expected, std::string_view found) {
  if (expected == found) return;
  findings_.Add({.path = path,
                 .what = absl::StrCat(what, " when it was sealed (",
                                      SidecarFileName(found_.base_offset), ")"),
                 .expected = std::string(expected),
                 .found = std::string(found)});
}

void SidecarVerifier::Finish(const Files& files) {
  if (!sidecar_.has_value()) return;
  CHECK_EQ(sidecar_->base_offset, found_.base_offset);
  const auto path_of = [&](SegmentFileKind kind) {
    return directory_.PathOf(SegmentFileName(found_.base_offset, kind));
  };
  Judge(path_of(SegmentFileKind::kLog), "the file had another size",
        absl::StrCat(sidecar_->size_bytes, " bytes"),
        absl::StrCat(files.size_bytes, " bytes"));
  if (!damage_skipped_ && found_.size_bytes == files.size_bytes) {
    JudgeBatches();
  }
  JudgeIndex(path_of(SegmentFileKind::kIndex), sidecar_->index_crc,
             files.index_crc);
  JudgeIndex(path_of(SegmentFileKind::kTimeIndex), sidecar_->time_index_crc,
             files.time_index_crc);
  if (files.next_base_offset.has_value())
    JudgeSuccessor(*files.next_base_offset);
}

// Where offsets may be missing, nothing else shows that a segment is.
void SidecarVerifier::JudgeSuccessor(int64_t next_base_offset) {
  CHECK(sidecar_.has_value());
  if (!sidecar_->cleaned_to.has_value() ||
      *sidecar_->cleaned_to == next_base_offset) {
    return;
  }
  findings_.Add(
      {.path = directory_.PathOf(
           SegmentFileName(found_.base_offset, SegmentFileKind::kLog)),
       .offset = *sidecar_->cleaned_to,
       .what = "the segment after it is missing",
       .expected = absl::StrCat("base offset ", *sidecar_->cleaned_to),
       .found = absl::StrCat("base offset ", next_base_offset)});
}

void SidecarVerifier::JudgeBatches() {
  CHECK(sidecar_.has_value());
  const std::string path = directory_.PathOf(
      SegmentFileName(found_.base_offset, SegmentFileKind::kLog));
  Judge(path, "the batches led to another offset",
        absl::StrCat("next offset ", sidecar_->next_offset),
        absl::StrCat("next offset ", found_.next_offset));
  Judge(path, "the largest timestamp of the batches was another",
        absl::StrCat(sidecar_->max_timestamp_ms, " ms"),
        absl::StrCat(found_.max_timestamp_ms, " ms"));
  // The headers of other batches differ anyway.
  if (sidecar_->size_bytes != found_.size_bytes) return;
  Judge(path, "the headers of the batches were others",
        CrcText(sidecar_->headers_crc), CrcText(found_.headers_crc));
}

// Without the file there is nothing to judge, because an index may be deleted.
void SidecarVerifier::JudgeIndex(const std::string& path,
                                 std::optional<uint32_t> expected,
                                 std::optional<uint32_t> found) {
  if (!expected.has_value() || !found.has_value()) return;
  Judge(path, "the index was another", CrcText(*expected), CrcText(*found));
}

}  // namespace varve
