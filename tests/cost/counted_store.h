// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_COST_COUNTED_STORE_H_
#define VARVE_TESTS_COST_COUNTED_STORE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "varve/api/log_store.h"
#include "varve/api/partition.h"
#include "varve/log/batch/encoded_batch.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/system/clock.h"

namespace varve::cost {

// The records that are appended and read: what the costs depend on.
inline constexpr size_t kValueBytes = 100;
inline constexpr int kBatchRecords = 64;
// Of the first record; the others follow a millisecond apart.
inline constexpr int64_t kFirstTimestampMs = 1'700'000'000'000;

// Encodes the batch of `records` records that begins at `offset`.
EncodedBatch Encode(RecordBatchBuilder& builder, int64_t offset, int records);

// The bytes of such a batch that its CRC covers.
int64_t CoveredBytes(int records);

// A store with one partition in a directory of its own, where nothing happens
// but on the calling thread. Removed on destruction. A failure ends the
// program.
class CountedStore {
 public:
  // Borrows the clock.
  CountedStore(std::string path, Clock* clock);
  ~CountedStore();

  CountedStore(const CountedStore&) = delete;
  CountedStore& operator=(const CountedStore&) = delete;

  Partition& partition() { return partition_; }

  // Appends `records` records in batches of `batch_records`.
  void Fill(int64_t records, int batch_records);

  // Appends until no file has to grow for some MiB, and has the pages of those
  // provided, as the background of a store would.
  void MakeRoom();

 private:
  const std::string path_;
  const std::unique_ptr<LogStore> store_;
  Partition partition_;
};

}  // namespace varve::cost

#endif  // VARVE_TESTS_COST_COUNTED_STORE_H_
