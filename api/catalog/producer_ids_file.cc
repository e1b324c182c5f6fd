// SPDX-License-Identifier: Apache-2.0

#include "varve/api/catalog/producer_ids_file.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "varve/log/metadata/checksummed_text.h"
#include "varve/log/system/atomic_file.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

constexpr int64_t kSizeMax = 1024;

bool IsBeginOfBlock(int64_t id) {
  return id >= kProducerIdsBegin && id <= kProducerIdsEnd &&
         (id - kProducerIdsBegin) % kProducerIdBlockSize == 0;
}

}  // namespace

std::string FormatProducerIds(int64_t next_block) {
  return FormatChecksummedText(kProducersName, {absl::StrCat(next_block)});
}

absl::StatusOr<int64_t> ParseProducerIds(std::string_view text) {
  absl::StatusOr<std::vector<std::string>> lines =
      ParseChecksummedText(kProducersName, text);
  if (!lines.ok()) return lines.status();
  int64_t next_block = 0;
  if (lines->size() == 1 && absl::SimpleAtoi(lines->front(), &next_block) &&
      IsBeginOfBlock(next_block)) {
    return next_block;
  }
  return absl::DataLossError("not one line \"<first id of the next block>\"");
}

absl::StatusOr<int64_t> ReadProducerIds(Directory& directory) {
  absl::StatusOr<std::string> text =
      ReadWholeFile(directory, kProducersName, kSizeMax);
  if (!text.ok()) return text.status();
  absl::StatusOr<int64_t> next_block = ParseProducerIds(*text);
  if (next_block.ok()) return next_block;
  return absl::Status(next_block.status().code(),
                      absl::StrCat(directory.PathOf(kProducersName), ": ",
                                   next_block.status().message()));
}

absl::Status WriteProducerIds(Directory& directory, int64_t next_block) {
  return ReplaceFile(directory, kProducersName, FormatProducerIds(next_block));
}

}  // namespace varve
