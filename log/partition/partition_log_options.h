// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_PARTITION_PARTITION_LOG_OPTIONS_H_
#define VARVE_LOG_PARTITION_PARTITION_LOG_OPTIONS_H_

#include <memory>

#include "absl/time/time.h"
#include "varve/log/batch/decompressor.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/partition/partition_log_listener.h"
#include "varve/log/partition/partition_meters.h"
#include "varve/log/segment/batch_scanner.h"
#include "varve/log/segment/open_segments.h"
#include "varve/log/system/environment.h"

namespace varve {

// What a partition's log needs of its store.
struct PartitionLogOptions {
  LogConfig config;
  // Whether its present records may have gaps, whatever the config is now.
  Continuity continuity = Continuity::kExact;
  Environment environment;
  // A kInterval append is synced before it is older than this.
  absl::Duration sync_interval = absl::Seconds(1);
  // What its reads decompress with.
  Decompressor decompressor = Decompressor();
  std::shared_ptr<PartitionLogListener> listener;
  // Counts what the log holds open.
  std::shared_ptr<OpenSegments> open_segments =
      std::make_shared<OpenSegments>();
  // Counts its appends, reads and syncs.
  std::shared_ptr<PartitionMeters> meters = PartitionMeters::OfNoStore();
};

}  // namespace varve

#endif  // VARVE_LOG_PARTITION_PARTITION_LOG_OPTIONS_H_
