// SPDX-License-Identifier: Apache-2.0

// The names of partitions' directories and of the files in them; no other code
// prints or parses them. (Names in the data directory itself are in
// api/catalog/store_files.h.) Parsing is strict: a name is accepted only when
// printing what it means gives the same name again.

#ifndef VARVE_LOG_METADATA_FILE_NAMES_H_
#define VARVE_LOG_METADATA_FILE_NAMES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "varve/log/metadata/topic_partition.h"

namespace varve {

// Files in a partition's directory, beside its segments.
inline constexpr std::string_view kLeaderEpochCheckpointName =
    "leader-epoch-checkpoint";
inline constexpr std::string_view kPartitionMetadataName = "partition.metadata";

// The files of a partition's next segment while its base offset is not known.
// Kafka ignores files with such names.
inline constexpr std::string_view kReadyLogName = "ready-log";
inline constexpr std::string_view kReadyIndexName = "ready-index";
inline constexpr std::string_view kReadyTimeIndexName = "ready-timeindex";

// The segments that an import of the partition is done with
// (log/import/import_progress.h). Kafka ignores a file with such a name.
inline constexpr std::string_view kImportProgressName = "import-progress";

// The files of one segment, Kafka's.
enum class SegmentFileKind {
  kLog,        // .log: the batches
  kIndex,      // .index: positions by offset
  kTimeIndex,  // .timeindex: offsets by time
  kTxnIndex,   // .txnindex: aborted transactions
  kSnapshot,   // .snapshot: producers
};

struct SegmentFile {
  int64_t base_offset = 0;
  SegmentFileKind kind = SegmentFileKind::kLog;

  friend bool operator==(const SegmentFile&, const SegmentFile&) = default;
};

// "00000000000000000057.log" for base offset 57.
// Precondition: `base_offset` is 0 or more.
std::string SegmentFileName(int64_t base_offset, SegmentFileKind kind);

// Nothing when `name` is not the name of a segment's file.
std::optional<SegmentFile> ParseSegmentFileName(std::string_view name);

// The stage of a file while compaction puts segments in the place of others
// (log/FORMAT.md, "Compaction"). Kafka's suffixes.
enum class SwapStage {
  kCleaned,  // .cleaned: it is being written, and does not count
  kSwap,     // .swap: it is whole, and is about to get its own name
  kDeleted,  // .deleted: it was replaced, and is about to be removed
};

struct SwapFile {
  SegmentFile file;  // what it will be, or has been
  SwapStage stage = SwapStage::kCleaned;

  friend bool operator==(const SwapFile&, const SwapFile&) = default;
};

// "00000000000000000057.log.cleaned". Precondition: that of SegmentFileName.
std::string SwapFileName(const SwapFile& swap);

// Nothing when `name` is not such a name.
std::optional<SwapFile> ParseSwapFileName(std::string_view name);

// "cleaned-00000000000000000057", the sidecar of a segment as long as its files
// have names of kCleaned or kSwap. Kafka ignores files with such names.
// Precondition: `base_offset` is 0 or more.
std::string CleanedSidecarFileName(int64_t base_offset);

// The base offset; nothing when `name` is not such a name.
std::optional<int64_t> ParseCleanedSidecarFileName(std::string_view name);

// A file with the bytes that recovery cut from a segment and set aside.
struct CutFile {
  int64_t base_offset = 0;  // of the segment
  int64_t position = 0;     // in its .log, where the cut bytes began
  int sequence = 0;         // 0, or 1 and up when that name was taken

  friend bool operator==(const CutFile&, const CutFile&) = default;
};

// How often the same position of the same segment can be cut.
inline constexpr int kCutSequenceMax = 999;

// "cut-00000000000000000057-4096", with ".1", ".2" ... appended for sequences
// above 0. Kafka ignores files with such names.
// Precondition: no field is negative.
std::string CutFileName(const CutFile& cut);

// Nothing when `name` is not such a name.
std::optional<CutFile> ParseCutFileName(std::string_view name);

// "sealed-00000000000000000057", the sidecar of a sealed segment
// (log/segment/segment_sidecar.h). Kafka ignores files with such names: they
// have none of the suffixes it knows, and no number in front of a dot.
// Precondition: `base_offset` is 0 or more.
std::string SidecarFileName(int64_t base_offset);

// The base offset; nothing when `name` is not such a name.
std::optional<int64_t> ParseSidecarFileName(std::string_view name);

// "displaced-00000000000000000057", the .log of a segment that a backup or a
// restore has put aside, because it copies another one in its place or has none
// there (log/backup/earlier_segments.h). Kafka ignores files with such names.
// Precondition: `base_offset` is 0 or more.
std::string DisplacedFileName(int64_t base_offset);

// The base offset; nothing when `name` is not such a name.
std::optional<int64_t> ParseDisplacedFileName(std::string_view name);

// Whether a file in a partition's directory may have this name: one of those
// above, also while it is written or deleted, by varve or by Kafka.
bool IsPartitionFileName(std::string_view name);

// "orders-0", the directory of partition 0 of topic "orders".
// Precondition: the topic's name is valid, the partition 0 or more.
std::string PartitionDirectoryName(std::string_view topic, int32_t partition);

// Nothing when `name` is not the name of a partition's directory: the topic's
// name is invalid, or no number without leading zeros follows the last '-'.
std::optional<TopicPartition> ParsePartitionDirectoryName(
    std::string_view name);

// "orders-0.", 32 hexadecimal digits, "-delete": the name of a deleted
// partition's directory until its files are removed, in Kafka too. Names end
// after 255 bytes, so the end of a long topic's name is left out. The digits
// are those of any unique 128 bits.
// Precondition: the topic's name is valid, the partition 0 or more.
std::string DeletedDirectoryName(std::string_view topic, int32_t partition,
                                 uint64_t unique_high, uint64_t unique_low);

// Whether `name` may be the name of such a directory.
bool IsDeletedDirectoryName(std::string_view name);

}  // namespace varve

#endif  // VARVE_LOG_METADATA_FILE_NAMES_H_
