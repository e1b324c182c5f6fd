// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_METADATA_CHECKSUMMED_TEXT_H_
#define VARVE_LOG_METADATA_CHECKSUMMED_TEXT_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace varve {

// The form of varve's own text files (log/FORMAT.md, "Store files"): lines
// that a person can read, guarded by a checksum.
//
//   varve.topics 1
//   topic orders 4 Sx4sag89TleaixEiM0RVZg retention.ms=1000
//   crc32c 8a9136aa
//
// Every line ends with a line feed. The first is the kind of the file and its
// format version, the last the CRC-32C, as eight hexadecimal digits, of all
// bytes before it.

// The format version of a kind of file that has only one.
inline constexpr int kStoreFormatVersion = 1;

std::string FormatChecksummedText(std::string_view kind,
                                  absl::Span<const std::string> lines,
                                  int version = kStoreFormatVersion);

// The lines between the first and the last.
//
// Errors: DataLoss when the text is not whole; FailedPrecondition when it is
// of a format version above `newest`, whatever else is in it.
absl::StatusOr<std::vector<std::string>> ParseChecksummedText(
    std::string_view kind, std::string_view text,
    int newest = kStoreFormatVersion);

// Whether the last line is the checksum of all before it.
bool EndsWithChecksum(std::string_view text);

}  // namespace varve

#endif  // VARVE_LOG_METADATA_CHECKSUMMED_TEXT_H_
