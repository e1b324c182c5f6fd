// SPDX-License-Identifier: Apache-2.0

#include "varve/log/import/import_progress.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "varve/log/metadata/checksummed_text.h"
#include "varve/log/metadata/continuity.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/system/atomic_file.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

constexpr std::string_view kKind = "varve.import";
// Whether offsets are missing in the segment.
constexpr std::string_view kExactWord = "exact";
constexpr std::string_view kGapsWord = "gaps";
// That of a partition with 2^20 segments is smaller.
constexpr int64_t kSizeMax = int64_t{128} << 20;

absl::Status ParseLine(std::string_view line,
                       std::map<int64_t, ImportedSegment>& segments) {
  const std::vector<std::string_view> fields = absl::StrSplit(line, ' ');
  int64_t base_offset = 0;
  ImportedSegment segment;
  if (fields.size() != 5 || !absl::SimpleAtoi(fields[0], &base_offset) ||
      !absl::SimpleAtoi(fields[1], &segment.source_bytes) ||
      !absl::SimpleAtoi(fields[2], &segment.source_modified_ns) ||
      !absl::SimpleAtoi(fields[3], &segment.records) ||
      (fields[4] != kExactWord && fields[4] != kGapsWord)) {
    return absl::DataLossError(
        "not \"<segment> <bytes> <time> <records> exact|gaps\"");
  }
  if (fields[4] == kGapsWord) segment.continuity = Continuity::kGapsAllowed;
  segments.insert_or_assign(base_offset, segment);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ImportProgress> ImportProgress::Read(Directory& directory) {
  const absl::StatusOr<std::string> text =
      ReadWholeFile(directory, kImportProgressName, kSizeMax);
  if (absl::IsNotFound(text.status()) || absl::IsDataLoss(text.status()))
    return ImportProgress();
  if (!text.ok()) return text.status();
  absl::StatusOr<ImportProgress> progress = FromText(*text);
  return progress.ok() ? *std::move(progress) : ImportProgress();
}

std::optional<ImportedSegment> ImportProgress::Find(int64_t base_offset) const {
  const auto segment = segments_.find(base_offset);
  if (segment == segments_.end()) return std::nullopt;
  return segment->second;
}

void ImportProgress::Put(int64_t base_offset, const ImportedSegment& segment) {
  segments_.insert_or_assign(base_offset, segment);
}

absl::Status ImportProgress::Write(Directory& directory) const {
  return ReplaceFile(directory, kImportProgressName, ToText());
}

std::string ImportProgress::ToText() const {
  std::vector<std::string> lines;
  lines.reserve(segments_.size());
  for (const auto& [base_offset, segment] : segments_) {
    lines.push_back(absl::StrCat(
        base_offset, " ", segment.source_bytes, " ", segment.source_modified_ns,
        " ", segment.records, " ",
        segment.continuity == Continuity::kExact ? kExactWord : kGapsWord));
  }
  return FormatChecksummedText(kKind, lines);
}

absl::StatusOr<ImportProgress> ImportProgress::FromText(std::string_view text) {
  const absl::StatusOr<std::vector<std::string>> lines =
      ParseChecksummedText(kKind, text);
  if (!lines.ok()) return lines.status();
  ImportProgress progress;
  for (const std::string& line : *lines) {
    absl::Status status = ParseLine(line, progress.segments_);
    if (!status.ok()) return status;
  }
  return progress;
}

}  // namespace varve
