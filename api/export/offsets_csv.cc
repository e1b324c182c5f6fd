// SPDX-License-Identifier: Apache-2.0

#include "varve/api/export/offsets_csv.h"

#include <string>
#include <string_view>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/types/span.h"
#include "varve/api/export/export_report.h"

namespace varve {
namespace {

std::string Field(const std::string& text) {
  // The tool would cut blanks off at either end.
  const bool is_plain = text.find_first_of(",\"' \t") == text.npos;
  if (is_plain) return text;
  return absl::StrCat("\"", absl::StrReplaceAll(text, {{"\"", "\"\""}}), "\"");
}

}  // namespace

std::string OffsetsCsv(absl::Span<const ExportedOffset> offsets) {
  const bool is_of_one =
      absl::c_all_of(offsets, [&](const ExportedOffset& offset) {
        return offset.group == offsets.front().group;
      });
  std::string csv;
  for (const ExportedOffset& offset : offsets) {
    if (!is_of_one) absl::StrAppend(&csv, Field(offset.group), ",");
    absl::StrAppend(&csv, offset.partition.topic, ",",
                    offset.partition.partition, ",", offset.offset, "\n");
  }
  return csv;
}

}  // namespace varve
