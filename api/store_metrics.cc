// SPDX-License-Identifier: Apache-2.0

#include "varve/api/store_metrics.h"

namespace varve {

void TrafficMetrics::Add(const TrafficMetrics& other) {
  appends += other.appends;
  appended_records += other.appended_records;
  appended_bytes += other.appended_bytes;
  reads += other.reads;
  read_bytes += other.read_bytes;
}

void PartitionHoldings::Add(const PartitionHoldings& other) {
  unsynced_bytes += other.unsynced_bytes;
  pins.Add(other.pins);
}

}  // namespace varve
