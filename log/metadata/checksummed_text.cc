// SPDX-License-Identifier: Apache-2.0

#include "varve/log/metadata/checksummed_text.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/crc/crc32c.h"
#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/types/span.h"

namespace varve {
namespace {

std::string ChecksumLine(std::string_view body) {
  // StrFormat would end the process when there is no memory.
  return absl::StrCat(
      "crc32c ",
      absl::Hex(static_cast<uint32_t>(absl::ComputeCrc32c(body)),
                absl::kZeroPad8),
      "\n");
}

// The version in the first line, which is read before anything else, because a
// newer version may guard its text in another way.
absl::StatusOr<int> ParseVersion(std::string_view kind, std::string_view text) {
  std::string_view line = text.substr(0, text.find('\n'));
  int version = 0;
  if (!absl::ConsumePrefix(&line, absl::StrCat(kind, " ")) ||
      !absl::SimpleAtoi(line, &version) || version < 1 ||
      absl::StrCat(version) != line) {
    return absl::DataLossError(
        absl::StrCat("the first line is not \"", kind, " <version>\""));
  }
  return version;
}

}  // namespace

std::string FormatChecksummedText(std::string_view kind,
                                  absl::Span<const std::string> lines,
                                  int version) {
  CHECK_GE(version, 1);
  std::string text = absl::StrCat(kind, " ", version, "\n");
  for (const std::string& line : lines) {
    CHECK(!absl::StrContains(line, '\n')) << kind;
    absl::StrAppend(&text, line, "\n");
  }
  text += ChecksumLine(text);
  DCHECK(EndsWithChecksum(text)) << kind;
  return text;
}

bool EndsWithChecksum(std::string_view text) {
  const size_t checksum_size = ChecksumLine("").size();
  return text.size() > checksum_size &&
         text.substr(text.size() - checksum_size) ==
             ChecksumLine(text.substr(0, text.size() - checksum_size));
}

absl::StatusOr<std::vector<std::string>> ParseChecksummedText(
    std::string_view kind, std::string_view text, int newest) {
  if (text.empty()) return absl::DataLossError("the file is empty");
  absl::StatusOr<int> version = ParseVersion(kind, text);
  if (!version.ok()) return version.status();
  if (*version > newest) {
    return absl::FailedPreconditionError(
        absl::StrCat("written by a newer varve (format version ", *version,
                     "; this one reads up to ", newest, "): use that one"));
  }
  if (!EndsWithChecksum(text)) {
    return absl::DataLossError("the checksum in the last line does not match");
  }
  text.remove_suffix(ChecksumLine("").size());
  std::vector<std::string> lines = absl::StrSplit(text, '\n');
  CHECK_GE(lines.size(), size_t{2});  // the version's line has its end
  lines.pop_back();            // what follows the last line feed: nothing
  lines.erase(lines.begin());  // the version
  return lines;
}

}  // namespace varve
