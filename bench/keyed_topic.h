// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_BENCH_KEYED_TOPIC_H_
#define VARVE_BENCH_KEYED_TOPIC_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bench/scratch_directory.h"
#include "varve/api/log_store.h"
#include "varve/api/partition.h"

namespace varve::bench {

// How many of the records are the last of their key, and stay.
enum class Stays { kOnePercent, kHalf, kAll };

// "one_percent", "half", "all".
std::string_view NameOf(Stays stays);

// What a KeyedTopic holds.
struct Keying {
  Stays stays = Stays::kHalf;
  int64_t value_bytes = 100;
  int batch = 1;        // records
  int64_t records = 0;  // at least, in whole batches
  int segments = 4;     // about so many
};

// Bytes of such a batch.
int64_t BatchBytes(const Keying& keying);
// How many records take `size_bytes`.
int64_t RecordsIn(int64_t size_bytes, const Keying& keying);

// A topic of one partition that is compacted when it is told to, full of
// records with keys of 16 bytes, all of them durable. With kHalf every other
// record has a key of its own, and the others one of a hundredth as many;
// with kOnePercent all have one of these. A failure stops the program.
//
// Borrows the store, which must outlive it and must not compact by itself.
//
// Thread safety: externally synchronized.
class KeyedTopic {
 public:
  KeyedTopic(LogStore* store, const std::string& name, const Keying& keying);

  struct Compacted {
    int64_t compactions = 0;  // until all was clean
    int64_t bytes_read = 0;   // of its segments, once
    int64_t bytes_written = 0;
  };
  // Compacts it, until all that is sealed is clean.
  Compacted Compact();

  // The sealed segments as they are now, under names of their own, which
  // compaction does not remove.
  std::vector<std::string> KeepSegments();

 private:
  void Append(const Keying& keying);
  std::vector<std::string> SealedSegments() const;
  int64_t SealedBytes() const;

  LogStore* const store_;
  const std::string name_;
  Partition partition_;
  const ScratchDirectory kept_;
};

}  // namespace varve::bench

#endif  // VARVE_BENCH_KEYED_TOPIC_H_
