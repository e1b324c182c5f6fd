// SPDX-License-Identifier: Apache-2.0

#include "varve/log/metadata/file_names.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "absl/log/absl_check.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "varve/log/metadata/topic_name.h"
#include "varve/log/system/atomic_file.h"

namespace varve {
namespace {

constexpr size_t kOffsetDigits = 20;
static_assert(kOffsetDigits > std::numeric_limits<int64_t>::digits10);
constexpr std::string_view kCutPrefix = "cut-";
constexpr std::string_view kSidecarPrefix = "sealed-";
constexpr std::string_view kCleanedPrefix = "cleaned-";
constexpr std::string_view kDisplacedPrefix = "displaced-";
// In the order of SwapStage.
constexpr std::array<std::string_view, 3> kSwapSuffixes = {".cleaned", ".swap",
                                                           ".deleted"};
// What is appended to the name of a file while it is written, or on its way
// out: by varve (log/system/atomic_file.h), and by Kafka.
constexpr std::array<std::string_view, 4> kPassingSuffixes = {
    kTemporarySuffix, kSwapSuffixes[0], kSwapSuffixes[1], kSwapSuffixes[2]};
constexpr std::string_view kDeletedSuffix = "-delete";
constexpr size_t kUniqueDigits = 32;
static_assert(kUniqueDigits == 2 * 2 * sizeof(uint64_t));
constexpr size_t kFileNameSizeMax = 255;

struct Suffix {
  SegmentFileKind kind;
  std::string_view text;
};

constexpr std::array<Suffix, 5> kSuffixes = {{
    {SegmentFileKind::kLog, ".log"},
    {SegmentFileKind::kIndex, ".index"},
    {SegmentFileKind::kTimeIndex, ".timeindex"},
    {SegmentFileKind::kTxnIndex, ".txnindex"},
    {SegmentFileKind::kSnapshot, ".snapshot"},
}};

constexpr bool SuffixesAreInOrder() {
  for (size_t i = 0; i < kSuffixes.size(); ++i) {
    if (kSuffixes.at(i).kind != static_cast<SegmentFileKind>(i)) return false;
  }
  return true;
}
static_assert(SuffixesAreInOrder(), "the kind of a file is its place");

std::string_view SuffixOf(SegmentFileKind kind) {
  return kSuffixes[static_cast<size_t>(kind)].text;
}

// Parsers of numbers take signs, blanks and leading zeros, so the callers print
// the value again and compare.
template <typename Int>
bool ParseUnsigned(std::string_view text, Int& value) {
  return absl::SimpleAtoi(text, &value) && value >= 0;
}

std::string PaddedOffset(int64_t offset) {
  ABSL_CHECK_GE(offset, 0);
  return absl::StrCat(absl::Dec(offset, absl::kZeroPad20));
}

// The offset in a name of that prefix and an offset; nothing in another name.
std::optional<int64_t> ParsePrefixed(std::string_view name,
                                     std::string_view prefix) {
  std::string_view digits = name;
  int64_t base_offset = 0;
  if (!absl::ConsumePrefix(&digits, prefix) ||
      !ParseUnsigned(digits, base_offset) ||
      absl::StrCat(prefix, PaddedOffset(base_offset)) != name) {
    return std::nullopt;
  }
  return base_offset;
}

}  // namespace

std::string SegmentFileName(int64_t base_offset, SegmentFileKind kind) {
  return absl::StrCat(PaddedOffset(base_offset), SuffixOf(kind));
}

std::optional<SegmentFile> ParseSegmentFileName(std::string_view name) {
  SegmentFile file;
  if (!ParseUnsigned(name.substr(0, kOffsetDigits), file.base_offset)) {
    return std::nullopt;
  }
  for (const Suffix& suffix : kSuffixes) {
    if (name != SegmentFileName(file.base_offset, suffix.kind)) continue;
    file.kind = suffix.kind;
    return file;
  }
  return std::nullopt;
}

std::string SwapFileName(const SwapFile& swap) {
  return absl::StrCat(SegmentFileName(swap.file.base_offset, swap.file.kind),
                      kSwapSuffixes[static_cast<size_t>(swap.stage)]);
}

std::optional<SwapFile> ParseSwapFileName(std::string_view name) {
  for (size_t i = 0; i < kSwapSuffixes.size(); ++i) {
    std::string_view rest = name;
    if (!absl::ConsumeSuffix(&rest, kSwapSuffixes.at(i))) continue;
    const std::optional<SegmentFile> file = ParseSegmentFileName(rest);
    if (!file.has_value()) return std::nullopt;
    return SwapFile{.file = *file, .stage = static_cast<SwapStage>(i)};
  }
  return std::nullopt;
}

std::string CleanedSidecarFileName(int64_t base_offset) {
  return absl::StrCat(kCleanedPrefix, PaddedOffset(base_offset));
}

std::optional<int64_t> ParseCleanedSidecarFileName(std::string_view name) {
  return ParsePrefixed(name, kCleanedPrefix);
}

std::string CutFileName(const CutFile& cut) {
  ABSL_CHECK_GE(cut.position, 0);
  ABSL_CHECK(cut.sequence >= 0 && cut.sequence <= kCutSequenceMax)
      << cut.sequence;
  std::string name = absl::StrCat(kCutPrefix, PaddedOffset(cut.base_offset),
                                  "-", cut.position);
  if (cut.sequence > 0) absl::StrAppend(&name, ".", cut.sequence);
  return name;
}

std::optional<CutFile> ParseCutFileName(std::string_view name) {
  std::string_view rest = name;
  if (!absl::ConsumePrefix(&rest, kCutPrefix) ||
      rest.size() < kOffsetDigits + 1) {
    return std::nullopt;
  }
  CutFile cut;
  if (!ParseUnsigned(rest.substr(0, kOffsetDigits), cut.base_offset)) {
    return std::nullopt;
  }
  rest.remove_prefix(kOffsetDigits + 1);
  const size_t dot = rest.find('.');
  if (!ParseUnsigned(rest.substr(0, dot), cut.position)) return std::nullopt;
  if (dot != rest.npos && (!ParseUnsigned(rest.substr(dot + 1), cut.sequence) ||
                           cut.sequence > kCutSequenceMax)) {
    return std::nullopt;
  }
  if (CutFileName(cut) != name) return std::nullopt;
  return cut;
}

std::string SidecarFileName(int64_t base_offset) {
  return absl::StrCat(kSidecarPrefix, PaddedOffset(base_offset));
}

std::optional<int64_t> ParseSidecarFileName(std::string_view name) {
  return ParsePrefixed(name, kSidecarPrefix);
}

std::string DisplacedFileName(int64_t base_offset) {
  return absl::StrCat(kDisplacedPrefix, PaddedOffset(base_offset));
}

std::optional<int64_t> ParseDisplacedFileName(std::string_view name) {
  return ParsePrefixed(name, kDisplacedPrefix);
}

bool IsPartitionFileName(std::string_view name) {
  for (const std::string_view suffix : kPassingSuffixes) {
    if (absl::ConsumeSuffix(&name, suffix)) break;
  }
  return ParseSegmentFileName(name).has_value() ||
         ParseCutFileName(name).has_value() ||
         ParseSidecarFileName(name).has_value() ||
         ParseCleanedSidecarFileName(name).has_value() ||
         ParseDisplacedFileName(name).has_value() || name == kReadyLogName ||
         name == kReadyIndexName || name == kReadyTimeIndexName ||
         name == kLeaderEpochCheckpointName || name == kPartitionMetadataName ||
         name == kImportProgressName;
}

std::string PartitionDirectoryName(std::string_view topic, int32_t partition) {
  ABSL_CHECK_GE(partition, 0);
  ABSL_CHECK_OK(ValidateTopicName(topic));
  return absl::StrCat(topic, "-", partition);
}

std::optional<TopicPartition> ParsePartitionDirectoryName(
    std::string_view name) {
  const size_t dash = name.rfind('-');
  if (dash == name.npos) return std::nullopt;
  const std::string_view topic = name.substr(0, dash);
  int32_t partition = 0;
  if (!ValidateTopicName(topic).ok() ||
      !ParseUnsigned(name.substr(dash + 1), partition) ||
      PartitionDirectoryName(topic, partition) != name) {
    return std::nullopt;
  }
  return TopicPartition{.topic = std::string(topic), .partition = partition};
}

std::string DeletedDirectoryName(std::string_view topic, int32_t partition,
                                 uint64_t unique_high, uint64_t unique_low) {
  ABSL_CHECK_GE(partition, 0);
  ABSL_CHECK_OK(ValidateTopicName(topic));
  const std::string rest = absl::StrFormat(
      "-%d.%016x%016x%s", partition, unique_high, unique_low, kDeletedSuffix);
  ABSL_CHECK_LT(rest.size(), kFileNameSizeMax);
  return absl::StrCat(topic.substr(0, kFileNameSizeMax - rest.size()), rest);
}

bool IsDeletedDirectoryName(std::string_view name) {
  if (!absl::ConsumeSuffix(&name, kDeletedSuffix)) return false;
  const size_t dot = name.rfind('.');
  if (dot == name.npos || name.size() - dot - 1 != kUniqueDigits) return false;
  for (const char c : name.substr(dot + 1)) {
    if (!absl::ascii_isxdigit(static_cast<unsigned char>(c))) return false;
  }
  return ParsePartitionDirectoryName(name.substr(0, dot)).has_value();
}

}  // namespace varve
