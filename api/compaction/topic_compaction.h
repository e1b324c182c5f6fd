// SPDX-License-Identifier: Apache-2.0

// What LogStore::CompactTopic takes and returns.

#ifndef VARVE_API_COMPACTION_TOPIC_COMPACTION_H_
#define VARVE_API_COMPACTION_TOPIC_COMPACTION_H_

#include <cstdint>
#include <functional>

namespace varve {

// Which partitions LogStore::CompactTopic compacts.
enum class CompactWhen : uint8_t {
  // All of which something can be cleaned: sealed segments that are durable,
  // and that min.compaction.lag.ms does not protect.
  kDirty,
  // Those that the background would compact, too: by min.cleanable.dirty.ratio
  // and max.compaction.lag.ms.
  kDue,
};

// How far the compaction of a partition has come. It reads what is dirty twice.
struct CompactProgress {
  int32_t partition = 0;
  int64_t bytes_read = 0;
  int64_t bytes_to_read = 0;  // at most, in all
};

struct CompactOptions {
  CompactWhen when = CompactWhen::kDirty;
  // Only says what would go: it reads as much, and changes nothing.
  bool dry_run = false;
  // Called on the calling thread, after each MiB or so; null: not called.
  std::function<void(const CompactProgress&)> progress = nullptr;
};

// What LogStore::CompactTopic has done to one partition, or would do.
//
// Thread safety: a value.
struct PartitionCompacted {
  int32_t partition = 0;
  // The part of the log that was dirty before, 0 to 1: of the bytes of the
  // segments that could be compacted, those that were not yet.
  double dirty_ratio = 0;
  // Whether the background would have compacted it, too.
  bool was_due = false;
  // Whether anything was to be cleaned. The fields below are 0 otherwise.
  bool compacted = false;
  // Bytes of the segments that were written again, before and after.
  int64_t bytes_before = 0;
  int64_t bytes_after = 0;
  // Records that went: those whose key has a later one, tombstones whose time
  // was over, those without a key, and those of aborted transactions.
  int64_t records_removed = 0;
  // Everything below this offset is clean.
  int64_t clean_end = 0;
  // There were more keys than StoreOptions::compaction_map_bytes has room for:
  // another call goes on at `clean_end`.
  bool has_more = false;

  friend bool operator==(const PartitionCompacted&,
                         const PartitionCompacted&) = default;
};

}  // namespace varve

#endif  // VARVE_API_COMPACTION_TOPIC_COMPACTION_H_
