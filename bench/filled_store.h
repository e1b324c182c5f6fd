// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_BENCH_FILLED_STORE_H_
#define VARVE_BENCH_FILLED_STORE_H_

#include <cstdint>

#include "bench/scratch_store.h"
#include "varve/api/partition.h"

namespace varve::bench {

// What a FilledStore holds.
struct Filling {
  int64_t record = 100;  // bytes of each value
  int batch = 1;         // records
  int64_t records = 0;   // at least, in whole batches
  int64_t segment_bytes = int64_t{1} << 30;
};

// How many records, in such batches, take `size_bytes`.
int64_t RecordsIn(int64_t size_bytes, const Filling& filling);

// A store with one partition full of records, one ms apart: the record at
// offset n has the time kFirstTimestampMs + n.
//
// Thread safety: as ScratchStore's.
class FilledStore {
 public:
  static constexpr int64_t kFirstTimestampMs = 1700000000000;

  explicit FilledStore(const Filling& filling);

  LogStore& store() { return store_.store(); }
  const Partition& partition() { return store_.partition(); }
  int64_t record_count() { return partition().visible_end(); }

 private:
  ScratchStore store_;
};

}  // namespace varve::bench

#endif  // VARVE_BENCH_FILLED_STORE_H_
