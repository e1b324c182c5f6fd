// SPDX-License-Identifier: Apache-2.0

#include "varve/log/segment/segment_sidecar.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/crc/crc32c.h"
#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/metadata/checksummed_text.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/system/atomic_file.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

constexpr std::string_view kKind = "varve.sealed";
constexpr int64_t kFileSizeMax = 1024;  // a sound one has below 256 bytes
constexpr int kFirstFieldLine = 2;
constexpr size_t kCrcDigits = 8;
static_assert(kCrcDigits == 2 * sizeof(uint32_t));
constexpr std::string_view kNoFile = "-";
constexpr int64_t kOffsetMax = std::numeric_limits<int64_t>::max();
constexpr int64_t kSizeMax = std::numeric_limits<int32_t>::max();

// The fields, in the order of the lines. The last one is there in version 2,
// which is written only where it has to be.
constexpr std::array<std::string_view, 8> kFields = {
    "base_offset", "size",  "next_offset", "largest_timestamp",
    "headers",     "index", "timeindex",   "cleaned_to"};
constexpr int kNewestVersion = 2;

absl::Status Damage(size_t field, std::string_view what) {
  return absl::DataLossError(
      absl::StrCat("line ", kFirstFieldLine + static_cast<int>(field), ": ",
                   kFields.at(field), ": ", what));
}

// Takes the fields one after another; remembers the first error.
class FieldReader {
 public:
  explicit FieldReader(const std::vector<std::string>& lines) : lines_(lines) {}

  int64_t Number(int64_t min, int64_t max) {
    const std::string_view text = Next();
    int64_t value = 0;
    // Strict: only the text that printing the number gives again.
    if (!absl::SimpleAtoi(text, &value) || absl::StrCat(value) != text ||
        value < min || value > max) {
      Fail(absl::StrCat("no number from ", min, " to ", max));
    }
    return value;
  }

  std::optional<uint32_t> Crc() {
    const std::string_view text = Next();
    if (text == kNoFile) return std::nullopt;
    uint32_t crc = 0;
    if (text.size() != kCrcDigits || !absl::SimpleHexAtoi(text, &crc) ||
        SidecarCrcText(crc) != text) {
      Fail("not eight hexadecimal digits");
    }
    return crc;
  }

  void Fail(std::string_view what) { status_.Update(Damage(field_ - 1, what)); }
  const absl::Status& status() const { return status_; }

 private:
  std::string_view Next() {
    std::string_view line = lines_[field_];
    const std::string_view name = kFields.at(field_++);
    if (!absl::ConsumePrefix(&line, name) || !absl::ConsumePrefix(&line, " ")) {
      Fail("the line does not begin with it");
    }
    return line;
  }

  const std::vector<std::string>& lines_;
  size_t field_ = 0;
  absl::Status status_;
};

absl::StatusOr<SegmentSidecar> ReadNamed(Directory& directory,
                                         const std::string& name,
                                         int64_t base_offset) {
  absl::StatusOr<std::string> text =
      ReadWholeFile(directory, name, kFileSizeMax);
  if (!text.ok()) return text.status();
  absl::StatusOr<SegmentSidecar> sidecar = SegmentSidecar::FromText(*text);
  if (!sidecar.ok()) {
    return absl::Status(
        sidecar.status().code(),
        absl::StrCat(directory.PathOf(name), ": ", sidecar.status().message()));
  }
  if (sidecar->base_offset != base_offset) {
    return absl::DataLossError(absl::StrCat(directory.PathOf(name),
                                            ": it is that of segment ",
                                            sidecar->base_offset));
  }
  return sidecar;
}

}  // namespace

void SegmentSidecar::Add(const RecordBatch& batch) {
  size_bytes += batch.size();
  next_offset = batch.next_offset();
  max_timestamp_ms = std::max(max_timestamp_ms, batch.max_timestamp_ms());
  headers_crc = static_cast<uint32_t>(
      absl::ExtendCrc32c(absl::crc32c_t{headers_crc},
                         batch.bytes().substr(0, batch_layout::kAttributes)));
}

void SegmentSidecar::AddBatchesOf(std::string_view bytes) {
  CHECK_LE(size_bytes, static_cast<int64_t>(bytes.size()));
  // Sums many at a time: a call of the checksum costs more than 21 bytes do.
  std::array<char, size_t{64} * batch_layout::kAttributes> heads;
  size_t used = 0;
  const auto sum_heads = [&] {
    headers_crc = static_cast<uint32_t>(absl::ExtendCrc32c(
        absl::crc32c_t{headers_crc}, std::string_view(heads.data(), used)));
    used = 0;
  };
  while (true) {
    const std::string_view rest = bytes.substr(static_cast<size_t>(size_bytes));
    int64_t size = 0;
    if (RecordBatch::Check(rest, CrcCheck::kSkip, kBatchSizeMax, &size) !=
        BatchDefect::kNone) {
      break;
    }
    const RecordBatch batch(rest.substr(0, static_cast<size_t>(size)));
    if (batch.base_offset() < next_offset) break;
    std::memcpy(heads.data() + used, rest.data(), batch_layout::kAttributes);
    used += batch_layout::kAttributes;
    if (used == heads.size()) sum_heads();
    size_bytes += size;
    next_offset = batch.next_offset();
    max_timestamp_ms = std::max(max_timestamp_ms, batch.max_timestamp_ms());
  }
  sum_heads();
}

std::string SidecarCrcText(std::optional<uint32_t> crc) {
  return crc.has_value() ? absl::StrCat(absl::Hex(*crc, absl::kZeroPad8))
                         : std::string(kNoFile);
}

std::string SegmentSidecar::ToText() const {
  std::vector<std::string> values = {
      absl::StrCat(base_offset),     absl::StrCat(size_bytes),
      absl::StrCat(next_offset),     absl::StrCat(max_timestamp_ms),
      SidecarCrcText(headers_crc),   SidecarCrcText(index_crc),
      SidecarCrcText(time_index_crc)};
  if (cleaned_to.has_value()) values.push_back(absl::StrCat(*cleaned_to));
  std::vector<std::string> lines;
  lines.reserve(values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    lines.push_back(absl::StrCat(kFields.at(i), " ", values[i]));
  }
  std::string text = FormatChecksummedText(
      kKind, lines,
      cleaned_to.has_value() ? kNewestVersion : kStoreFormatVersion);
  CHECK_LE(static_cast<int64_t>(text.size()), kFileSizeMax);
  return text;
}

absl::StatusOr<SegmentSidecar> SegmentSidecar::FromText(std::string_view text) {
  absl::StatusOr<std::vector<std::string>> lines =
      ParseChecksummedText(kKind, text, kNewestVersion);
  // Later versions end with this checksum, too. Without this test a flipped bit
  // in the first line would look like a later version.
  if (absl::IsFailedPrecondition(lines.status()) && !EndsWithChecksum(text)) {
    return absl::DataLossError("the checksum in the last line does not match");
  }
  if (!lines.ok()) return lines.status();
  const bool is_cleaned = lines->size() == kFields.size();
  if (!is_cleaned && lines->size() + 1 != kFields.size()) {
    return absl::DataLossError(
        absl::StrCat(lines->size(), " fields are there, not ",
                     kFields.size() - 1, " or ", kFields.size()));
  }
  SegmentSidecar sidecar;
  FieldReader fields(*lines);
  sidecar.base_offset = fields.Number(0, kOffsetMax);
  sidecar.size_bytes = fields.Number(0, kSizeMax);
  sidecar.next_offset = fields.Number(sidecar.base_offset, kOffsetMax);
  sidecar.max_timestamp_ms = fields.Number(kNoTimestamp, kOffsetMax);
  const std::optional<uint32_t> headers_crc = fields.Crc();
  if (!headers_crc.has_value()) fields.Fail("there is none");
  sidecar.headers_crc = headers_crc.value_or(0);
  sidecar.index_crc = fields.Crc();
  sidecar.time_index_crc = fields.Crc();
  if (is_cleaned)
    sidecar.cleaned_to = fields.Number(sidecar.next_offset, kOffsetMax);
  if (!fields.status().ok()) return fields.status();
  // The version goes with the fields.
  if (sidecar.ToText() != text) {
    return absl::DataLossError(
        absl::StrCat(lines->size(), " fields are not those of its version"));
  }
  return sidecar;
}

absl::StatusOr<SegmentSidecar> ReadSidecar(Directory& directory,
                                           int64_t base_offset) {
  return ReadNamed(directory, SidecarFileName(base_offset), base_offset);
}

absl::StatusOr<SegmentSidecar> ReadCleanedSidecar(Directory& directory,
                                                  int64_t base_offset) {
  return ReadNamed(directory, CleanedSidecarFileName(base_offset), base_offset);
}

std::optional<SegmentSidecar> ReadSidecarOf(Directory& directory,
                                            int64_t base_offset,
                                            int64_t size_bytes) {
  const absl::StatusOr<SegmentSidecar> sidecar =
      ReadSidecar(directory, base_offset);
  if (!sidecar.ok() || sidecar->size_bytes != size_bytes) return std::nullopt;
  return *sidecar;
}

absl::Status WriteSidecar(Directory& directory, const SegmentSidecar& sidecar) {
  return ReplaceFileNameUnsynced(
      directory, SidecarFileName(sidecar.base_offset), sidecar.ToText());
}

absl::Status WriteCleanedSidecar(Directory& directory,
                                 const SegmentSidecar& sidecar) {
  return ReplaceFileNameUnsynced(
      directory, CleanedSidecarFileName(sidecar.base_offset), sidecar.ToText());
}

absl::Status RemoveSidecar(Directory& directory, int64_t base_offset) {
  return directory.RemoveFileIfThere(SidecarFileName(base_offset));
}

}  // namespace varve
