// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_COMPACTION_TOPIC_COMPACTION_H_
#define VARVE_API_COMPACTION_TOPIC_COMPACTION_H_

#include <cstdint>

namespace varve {

// Which partitions LogStore::CompactTopic compacts.
enum class CompactWhen : uint8_t {
  // All of which something can be cleaned: sealed segments that are durable,
  // and
  // that min.compaction.lag.ms does not protect.
  kDirty,
  // Those that the background would compact, too: by min.cleanable.dirty.ratio
  // and max.compaction.lag.ms.
  kDue,
};

// What LogStore::CompactTopic has done to one partition.
//
// Thread safety: a value.
struct PartitionCompacted {
  int32_t partition = 0;
  // Whether anything was to be cleaned. Of the fields below only the ratio is
  // set otherwise.
  bool compacted = false;
  // The part of the log that was dirty before, 0 to 1.
  double dirty_ratio = 0;
  // Bytes of the segments that were written again, before and after.
  int64_t bytes_before = 0;
  int64_t bytes_after = 0;
  // Records that went: those whose key has a later one, tombstones whose time
  // was over, those without a key, and those of aborted transactions.
  int64_t records_removed = 0;
  // Everything below this offset is clean. Below the end of what could be
  // cleaned when there were more keys than StoreOptions::compaction_map_bytes
  // has room for: another call goes on.
  int64_t clean_end = 0;

  friend bool operator==(const PartitionCompacted&,
                         const PartitionCompacted&) = default;
};

}  // namespace varve

#endif  // VARVE_API_COMPACTION_TOPIC_COMPACTION_H_
