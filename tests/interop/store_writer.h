// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_INTEROP_STORE_WRITER_H_
#define VARVE_TESTS_INTEROP_STORE_WRITER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/interop/described_batch.h"
#include "varve/api/duty/maintenance_pause.h"
#include "varve/api/log_store.h"
#include "varve/log/batch/codec.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/metadata/log_config.h"

namespace varve {

// How the records of a batch are compressed.
struct CodecLevel {
  Compression codec = Compression::kNone;
  int level = Codec::kDefaultLevel;
};

// A batch to append, other than a plain one.
struct BatchPlan {
  BatchOptions options = {};
  // Offsets are deltas here; they need not be consecutive.
  std::vector<DescribedRecord> records = {};
  BatchShape shape = {};  // of a batch that is not compressed
  CodecLevel compressed = {};
};

// Writes to a store, and prints each batch on standard output as it should be
// read: from the plan and the configs of the topic, not from what was stored.
// Nothing is deleted or compacted meanwhile.
//
// Thread safety: externally synchronized.
class StoreWriter {
 public:
  // Opens the store; `leader_epoch` is what its appends are expected to get.
  StoreWriter(const std::string& path, int32_t leader_epoch);

  void CreateTopic(std::string_view name, const TopicConfig& config);

  // Sets the partition of the appends from now on.
  void Use(std::string_view topic, int32_t partition);

  // Syncs the partition in use.
  void Sync();

  // How many segments the partition in use has.
  int64_t segments() const;

  // Appends one record, whose offset is not looked at. A timestamp of -1 asks
  // for the time of the append.
  void Append(const DescribedRecord& record);

  void Append(const BatchPlan& plan);

  void Close();

 private:
  void Print(const BatchPlan& plan, const AppendResult& result);

  const int32_t leader_epoch_;
  const std::unique_ptr<LogStore> store_;
  const MaintenancePause pause_;
  std::string topic_;
  int32_t partition_index_ = 0;
  LogConfig config_;
  std::vector<Partition> partition_;  // one, or none yet
};

}  // namespace varve

#endif  // VARVE_TESTS_INTEROP_STORE_WRITER_H_
