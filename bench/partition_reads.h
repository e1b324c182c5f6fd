// SPDX-License-Identifier: Apache-2.0

// How the programs read a partition. A failure ends the program.

#ifndef VARVE_BENCH_PARTITION_READS_H_
#define VARVE_BENCH_PARTITION_READS_H_

#include <cstdint>

#include "varve/api/partition.h"
#include "varve/log/batch/record_batch.h"

namespace varve::bench {

// Decodes every record from `offset` to the visible end; returns how many.
int64_t ScanRecords(const Partition& partition, int64_t offset, CrcCheck crc);

// Reads and decodes the record at `offset`.
void ReadRecord(const Partition& partition, int64_t offset);

}  // namespace varve::bench

#endif  // VARVE_BENCH_PARTITION_READS_H_
