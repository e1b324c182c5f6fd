// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_STORE_COPY_H_
#define VARVE_API_STORE_COPY_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "varve/log/metadata/topic_partition.h"

namespace varve {

// What to do when the destination holds an earlier backup, or, of a restore, a
// store.
enum class ExistingCopy {
  kRefuse,  // AlreadyExists
  // It becomes the new copy. Segments that are the same in both stay, others
  // are replaced or removed, so a backup costs what is new since the last one.
  // Until it is done there is neither the old copy nor the new one: use two
  // destinations in turn where one of them has to be good at any moment.
  kReplace,
};

// What to do when records of the source are damaged or missing that were
// durable once.
enum class DamagedSource {
  kRefuse,  // DataLoss, once everything has been looked at
  kCopy,    // the copy is as damaged as the source, and `damage` says where
};

// How a backup is made, or restored.
struct StoreCopyOptions {
  ExistingCopy existing = ExistingCopy::kRefuse;
  DamagedSource damage = DamagedSource::kRefuse;
  // Called now and then, on the calling thread, with the bytes of segments that
  // are in the copy so far, and about how many there will be; null is fine.
  std::function<void(int64_t done, int64_t total)> progress = nullptr;
};

// A partition of a copy.
struct CopiedPartition {
  TopicPartition name = {};
  int64_t log_start = 0;
  // The offset after its last record: every offset committed for it in the copy
  // is this or a lower one.
  int64_t end_offset = 0;
  int64_t segments = 0;
  int64_t records = 0;
  int64_t copied_bytes = 0;  // of its segments' .log files
  int64_t kept_bytes = 0;    // of those that the destination had already
};

// A finished backup, or a restored store.
struct StoreCopy {
  std::string path = {};
  std::vector<CopiedPartition> partitions = {};  // by topic and number
  // What is damaged in it, as it is in the source: a line for each place, with
  // path, position and what was expected. Empty but with DamagedSource::kCopy.
  std::vector<std::string> damage = {};
};

}  // namespace varve

#endif  // VARVE_API_STORE_COPY_H_
