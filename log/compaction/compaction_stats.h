// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_COMPACTION_COMPACTION_STATS_H_
#define VARVE_LOG_COMPACTION_COMPACTION_STATS_H_

#include <cstdint>

namespace varve {

// What building the map of keys has read.
struct DirtyKeysStats {
  int64_t bytes_read = 0;
  int64_t batches_read = 0;
  int64_t records_mapped = 0;       // their keys are in the map
  int64_t records_without_key = 0;  // they will go
  int64_t batches_aborted = 0;      // their records will go

  friend bool operator==(const DirtyKeysStats&,
                         const DirtyKeysStats&) = default;
};

// What cleaning has read, what it has written, and why the rest has gone.
struct CleaningStats {
  int64_t bytes_read = 0;
  int64_t bytes_written = 0;

  int64_t batches_read = 0;
  int64_t batches_copied = 0;     // byte for byte
  int64_t batches_rewritten = 0;  // with fewer records, or a delete horizon
  int64_t batches_emptied = 0;    // only the header is left, now or before
  int64_t batches_dropped = 0;

  // Of data batches. The records of aborted batches are in none of the others:
  // they are not looked at, so these are what the headers claim.
  int64_t records_kept = 0;
  int64_t records_superseded = 0;  // their key has a later one
  int64_t tombstones_expired = 0;
  int64_t records_without_key = 0;
  int64_t records_aborted = 0;

  int64_t horizons_set = 0;
  int64_t markers_dropped = 0;

  int64_t records_removed() const {
    return records_superseded + tombstones_expired + records_without_key +
           records_aborted;
  }

  // Whether what was written is what was read.
  bool is_unchanged() const { return batches_copied == batches_read; }

  friend bool operator==(const CleaningStats&, const CleaningStats&) = default;
};

// One compaction of one log, for a report.
//
// Thread safety: a value.
struct CompactionStats {
  DirtyKeysStats map;
  CleaningStats cleaning;
  int64_t map_keys = 0;      // in the map, at its end
  int64_t map_capacity = 0;  // how many it would have taken

  friend bool operator==(const CompactionStats&,
                         const CompactionStats&) = default;
};

}  // namespace varve

#endif  // VARVE_LOG_COMPACTION_COMPACTION_STATS_H_
