// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_IMPORT_BROKER_OFFSETS_H_
#define VARVE_API_IMPORT_BROKER_OFFSETS_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/api/committed_offset.h"
#include "varve/api/import/import_source.h"
#include "varve/api/offsets/offset_table.h"
#include "varve/log/batch/codecs.h"
#include "varve/log/system/clock.h"

namespace varve {

// The offsets that groups have committed at a broker, by the partitions of
// __consumer_offsets that it hosts.
//
// Thread safety: externally synchronized.
class BrokerOffsets {
 public:
  // Of one group: by partition, what was committed last.
  using OfGroup = std::map<TopicPartition, OffsetTable::Entry>;

  // Reads all of them. `codecs` may be null. What is damaged is passed over, as
  // a store does, and is a line in `notes`.
  //
  // Errors: file errors (log/system/errno_status.h); DataLoss as of
  // OffsetReplay::Run.
  static absl::StatusOr<BrokerOffsets> Read(const ImportSource& source,
                                            Clock* clock, const Codecs* codecs,
                                            std::vector<std::string>& notes);

  // Those for a topic of the broker, by group. None that was committed for an
  // earlier topic of its name, as far as it says so. One that cannot be read is
  // left out, which is a line in `notes`.
  std::map<std::string, OfGroup> For(const Topic& topic,
                                     std::vector<std::string>& notes) const;

 private:
  std::map<std::string, OfGroup> groups_;
};

}  // namespace varve

#endif  // VARVE_API_IMPORT_BROKER_OFFSETS_H_
