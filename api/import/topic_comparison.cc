// SPDX-License-Identifier: Apache-2.0

#include "varve/api/import/topic_comparison.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/api/import/import_source.h"
#include "varve/api/store/store_state.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/metadata/log_bounds.h"
#include "varve/log/metadata/partition_checkpoint.h"
#include "varve/log/metadata/read_options.h"
#include "varve/log/metadata/sealed_access.h"
#include "varve/log/partition/partition_log.h"
#include "varve/log/read_only/read_only_log.h"
#include "varve/log/read_only/read_only_partition_reader.h"
#include "varve/log/system/clock.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

constexpr ReadOptions kLastBatch = {.max_bytes = 0,
                                    .level = ReadLevel::kVisible,
                                    .decompression = Decompression::kLeave};

absl::Status IsOther(const Topic& topic, std::string_view how) {
  return absl::AlreadyExistsError(
      absl::StrCat("topic \"", topic.name, "\" is in the store already, ", how,
                   ": delete it there to have the broker's in its place"));
}

class TopicComparison {
 public:
  TopicComparison(const ImportSource& source, const Topic& topic,
                  StoreState& store, Clock* clock)
      : source_(source), topic_(topic), store_(store), clock_(clock) {}

  absl::Status Compare(int32_t partition) {
    absl::StatusOr<std::unique_ptr<Directory>> directory =
        source_.OpenPartition(topic_, partition);
    if (!directory.ok()) return directory.status();
    const PartitionFacts facts = {
        .checkpoint = source_.CheckpointOf(topic_, partition),
        .continuity = Continuity::kGapsAllowed};
    ReadOnlyPartitionReader reader(
        *std::move(directory), {.outline = [facts](FactsAge) { return facts; },
                                .clock = clock_,
                                .sealed = SealedAccess::kRead});
    const absl::StatusOr<LogBounds> bounds = reader.Bounds();
    if (!bounds.ok()) return bounds.status();
    const absl::StatusOr<std::shared_ptr<PartitionLog>> log =
        store_.OpenPartition(topic_.name, partition);
    if (!log.ok()) return log.status();
    const int64_t end = (*log)->visible_end();
    if (end != bounds->visible_end) {
      return IsOther(topic_, absl::StrCat("where its partition ", partition,
                                          " ends at offset ", end,
                                          ", while the broker's ends at ",
                                          bounds->visible_end));
    }
    if (bounds->log_start > (*log)->log_start() ||
        !EndsAlike(reader, *bounds, **log)) {
      return IsOther(
          topic_, absl::StrCat("with other records in partition ", partition));
    }
    return absl::OkStatus();
  }

 private:
  // Whether the last batch is the same one, by all of its bytes, if the store
  // still has it.
  static bool EndsAlike(ReadOnlyPartitionReader& reader,
                        const LogBounds& bounds, PartitionLog& log) {
    const int64_t last = bounds.visible_end - 1;
    if (last < bounds.log_start || last < log.log_start()) return true;
    const absl::StatusOr<RecordBatches> theirs = reader.Read(last, kLastBatch);
    const absl::StatusOr<RecordBatches> ours = log.Read(last, kLastBatch);
    // What is damaged, or compacted away, in both.
    if (!theirs.ok() || !ours.ok()) return theirs.ok() == ours.ok();
    return theirs->bytes() == ours->bytes();
  }

  const ImportSource& source_;
  const Topic& topic_;
  StoreState& store_;
  Clock* const clock_;
};

}  // namespace

absl::Status CheckSameTopic(const ImportSource& source, const Topic& topic,
                            const Topic& stored, StoreState& store,
                            Clock* clock) {
  if (stored.id != topic.id) return IsOther(topic, "and is another one");
  if (stored.config.partitions != topic.config.partitions) {
    return IsOther(topic, absl::StrCat("with ", stored.config.partitions,
                                       " partitions, while the broker's has ",
                                       topic.config.partitions));
  }
  TopicComparison comparison(source, topic, store, clock);
  for (int32_t i = 0; i < topic.config.partitions; ++i) {
    absl::Status status = comparison.Compare(i);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace varve
