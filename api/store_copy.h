// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_STORE_COPY_H_
#define VARVE_API_STORE_COPY_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "varve/log/metadata/topic_partition.h"

namespace varve {

class Codecs;

// What to do when the destination holds an earlier backup, or, of a restore, a
// store.
enum class ExistingCopy {
  kRefuse,  // AlreadyExists
  // It becomes the new copy. Segments that are the same in both stay, others
  // are replaced or removed, so a backup costs what is new since the last one.
  // Until it is done there is neither the old copy nor the new one: use two
  // destinations in turn where one of them has to be good at any moment.
  //
  // A source that is not there, cannot be read, or has damaged topics leaves
  // the old copy as it is. After a later error, DataLoss too, the directory is
  // an unfinished copy, to be finished by another call; then no topic's list is
  // left of the old one, but of each partition that the source has, and that
  // was not copied without damage, its segments are: where they were, or, if
  // the new one has another or none in their place, as `displaced-…` with the
  // base offset for a name. A segment that the source has lost can be taken
  // from there. They go when the partition has been copied without damage, and
  // stay in a copy that DamagedSource::kCopy finishes, unless the source has
  // lost the whole partition. What the source has trimmed or deleted goes at
  // once.
  kReplace,
};

// What to do when records of the source are damaged or missing that were
// durable once, or stand after others that are damaged.
enum class DamagedSource {
  kRefuse,  // DataLoss, once everything has been looked at: IsRefusedForDamage
  // The copy is as damaged as the source, and `damage` says where. Batches that
  // an open of the source would cut off its log are in `cut-…` files beside it.
  kCopy,
};

// How a backup is made, or restored.
struct StoreCopyOptions {
  ExistingCopy existing = ExistingCopy::kRefuse;
  DamagedSource damage = DamagedSource::kRefuse;
  // The codecs to verify compressed batches with, as StoreOptions::codecs;
  // borrowed for the call. Where there is none, a batch is copied and verified
  // without a look at its records.
  const Codecs* codecs = nullptr;
  // Called now and then, on the calling thread, with the bytes of segments that
  // are in the copy so far, and about how many there will be. Bytes that have
  // to be copied once more count once. Null is fine.
  std::function<void(int64_t done, int64_t total)> progress = nullptr;
};

// The name of the payload that the next function looks for.
inline constexpr std::string_view kRefusedForDamage =
    "varve.refused_for_damage";

// Whether an error of a backup or a restore is that of DamagedSource::kRefuse:
// the same call with kCopy makes the copy. Other DataLoss is of files without
// which nothing can be copied. It is a payload of the status, which a status
// that is made anew from the message does not have.
//
// Thread safety: thread-safe.
inline bool IsRefusedForDamage(const absl::Status& status) {
  return status.GetPayload(kRefusedForDamage).has_value();
}

// That error: a DataLoss with this message.
inline absl::Status RefusedForDamageError(std::string_view message) {
  absl::Status status = absl::DataLossError(message);
  status.SetPayload(kRefusedForDamage, absl::Cord("damaged"));
  return status;
}

// A partition of a copy.
struct CopiedPartition {
  TopicPartition name = {};
  int64_t log_start = 0;
  // The offset after its last record.
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
  // path, position and what was expected, up to 1000 of a partition. Lines
  // after those of a partition say that its list was cut, and which files are
  // kept beside its segments. Empty but with DamagedSource::kCopy.
  std::vector<std::string> damage = {};
};

}  // namespace varve

#endif  // VARVE_API_STORE_COPY_H_
