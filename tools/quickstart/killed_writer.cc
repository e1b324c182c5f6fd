// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/quickstart/killed_writer.h"

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "varve/api/log_store.h"
#include "varve/api/partitioner.h"
#include "varve/log/metadata/durability.h"
#include "varve/tools/quickstart/killed_process.h"
#include "varve/tools/quickstart/quickstart_text.h"

namespace varve {
namespace {

// The writer's life. Returns only when something is wrong.
absl::Status Write(const QuickstartText& text,
                   const KilledWriter::Options& options, int pipe) {
  auto store = LogStore::Open(options.data);
  if (!store.ok()) return store.status();
  std::vector<Partition> partitions;
  for (int32_t i = 0; i < options.partition_count; ++i) {
    absl::StatusOr<Partition> partition = (*store)->partition(options.topic, i);
    if (!partition.ok()) return partition.status();
    partitions.push_back(*std::move(partition));
  }
  while (true) {
    for (const QuickstartText::Line& line : text.lines()) {
      const int32_t where = PartitionForKey(line.key, options.partition_count);
      absl::StatusOr<AppendResult> result =
          partitions[static_cast<size_t>(where)].Append(
              {.key = line.key, .value = line.value}, Durability::kMemory);
      if (!result.ok()) return result.status();
      absl::Status status =
          Report(pipe, {.partition = where, .offset = result->offset});
      if (!status.ok()) return status;
    }
  }
}

}  // namespace

absl::StatusOr<std::vector<Acknowledgement>> KilledWriter::RunAndKill(
    const QuickstartText& text, const Options& options) {
  const absl::Time begin = absl::Now();
  return varve::RunAndKill([&](int pipe) { return Write(text, options, pipe); },
                           [&](const std::vector<Acknowledgement>& all) {
                             return absl::Now() - begin >= options.time &&
                                    static_cast<int64_t>(all.size()) >=
                                        options.records;
                           });
}

}  // namespace varve
