// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_SEGMENT_SEGMENT_SIDECAR_H_
#define VARVE_LOG_SEGMENT_SEGMENT_SIDECAR_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/system/file_system.h"

namespace varve {

// What is known of a sealed segment, written beside it when it is sealed
// (log/FORMAT.md, "Sidecars"). It guards what no CRC of Kafka's covers: the
// length of the files, the first 21 bytes of every batch, and the indexes.
//
// Nothing depends on it: a segment without one is as good, and what a sidecar
// says is believed only where it agrees with the size of the segment's file.
//
// Thread safety: a value.
struct SegmentSidecar {
  int64_t base_offset = 0;
  int64_t size_bytes = 0;   // of the .log
  int64_t next_offset = 0;  // after the last batch
  // The largest timestamp of the batches, -1 when none has one.
  int64_t max_timestamp_ms = kNoTimestamp;
  // CRC-32C of the first 21 bytes of every batch, one after another.
  uint32_t headers_crc = 0;
  // CRC-32C of the whole files; nothing for one that is not there.
  std::optional<uint32_t> index_crc = {};
  std::optional<uint32_t> time_index_crc = {};
  // Of a segment that compaction has written: where the next segment begins.
  // What is missing between the batches, and behind them up to here, was left
  // out on purpose. At least `next_offset`.
  std::optional<int64_t> cleaned_to = {};

  // The sidecar of a segment without batches.
  static SegmentSidecar OfEmpty(int64_t base_offset) {
    return {.base_offset = base_offset, .next_offset = base_offset};
  }

  // Adds the batch at position `size_bytes`. The checksums of the indexes stay.
  void Add(const RecordBatch& batch);

  // Adds the batches of a segment's `bytes` from `size_bytes` on, as far as
  // they are whole and each leads to the next. Reads only their headers.
  // Precondition: `size_bytes` is at most the size of `bytes`.
  void AddBatchesOf(std::string_view bytes);

  // The contents of the file.
  std::string ToText() const;

  // Errors: DataLoss with the line that is wrong; FailedPrecondition when it is
  // of a newer format version.
  static absl::StatusOr<SegmentSidecar> FromText(std::string_view text);

  friend bool operator==(const SegmentSidecar&,
                         const SegmentSidecar&) = default;
};

// A checksum as it is written in the file: eight hexadecimal digits, or "-" for
// none.
std::string SidecarCrcText(std::optional<uint32_t> crc);

// The sidecar of the segment with that base offset.
//
// Errors: NotFound; DataLoss when it is damaged, or another segment's;
// FailedPrecondition when a newer varve wrote it; other file errors
// (log/system/errno_status.h). All with the path.
absl::StatusOr<SegmentSidecar> ReadSidecar(Directory& directory,
                                           int64_t base_offset);

// The sidecar of a segment that is to take the place of others
// (CleanedSidecarFileName). Errors: as above.
absl::StatusOr<SegmentSidecar> ReadCleanedSidecar(Directory& directory,
                                                  int64_t base_offset);

// The same as ReadSidecar, if it describes the present segment: one with a .log
// of `size_bytes`. Nothing otherwise, whatever the reason.
std::optional<SegmentSidecar> ReadSidecarOf(Directory& directory,
                                            int64_t base_offset,
                                            int64_t size_bytes);

// Writes it, in place of an earlier one if there is one. Its bytes are synced;
// its name is durable after a sync of the directory.
//
// Errors: file errors; an earlier one is still there then.
absl::Status WriteSidecar(Directory& directory, const SegmentSidecar& sidecar);
absl::Status WriteCleanedSidecar(Directory& directory,
                                 const SegmentSidecar& sidecar);

// Removes it; does nothing when there is none. Errors: file errors.
absl::Status RemoveSidecar(Directory& directory, int64_t base_offset);

}  // namespace varve

#endif  // VARVE_LOG_SEGMENT_SEGMENT_SIDECAR_H_
