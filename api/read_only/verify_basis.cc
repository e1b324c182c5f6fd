// SPDX-License-Identifier: Apache-2.0

#include "varve/api/read_only/verify_basis.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/api/catalog/broker_catalog.h"
#include "varve/api/catalog/readable_directory.h"
#include "varve/api/catalog/store_checkpoint.h"
#include "varve/api/catalog/store_files.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/api/writer_presence.h"
#include "varve/log/metadata/partition_checkpoint.h"
#include "varve/log/metadata/topic_partition.h"
#include "varve/log/segment/batch_scanner.h"
#include "varve/log/system/atomic_file.h"
#include "varve/log/system/file_system.h"
#include "varve/log/verification/partition_verifier.h"
#include "varve/log/verification/segment_verifier.h"

namespace varve {
namespace {

constexpr int64_t kStoreFileSizeMax = int64_t{256} << 20;

bool IsOpen(const WriterProbe& probe) {
  return probe != nullptr && probe() == WriterPresence::kOpen;
}

absl::StatusOr<LastWriter> FindLastWriter(Directory& directory,
                                          const WriterProbe& probe) {
  if (IsOpen(probe)) return LastWriter::kStillOpen;
  absl::StatusOr<bool> clean = HasCleanShutdownMarker(directory);
  if (!clean.ok()) return clean.status();
  if (*clean) return LastWriter::kClosedCleanly;
  // A writer that has just opened the store removes the mark, too.
  return IsOpen(probe) ? LastWriter::kStillOpen : LastWriter::kDied;
}

absl::StatusOr<FoundCheckpoint> ReadCheckpoint(Directory& directory) {
  absl::StatusOr<std::string> text =
      ReadWholeFile(directory, kCheckpointName, kStoreFileSizeMax);
  // A store that never had a topic has none.
  if (absl::IsNotFound(text.status()))
    return FoundCheckpoint{.origin = CheckpointOrigin::kStandIn};
  if (!text.ok()) return text.status();
  absl::StatusOr<StoreCheckpoint> partitions = ParseStoreCheckpoint(*text);
  if (!partitions.ok()) return partitions.status();
  return FoundCheckpoint{.partitions = *std::move(partitions)};
}

}  // namespace

std::optional<PartitionVerifyInputs> VerifyBasis::InputsOf(
    const TopicPartition& name) const {
  PartitionVerifyInputs inputs = {.continuity = Continuity::kGapsAllowed,
                                  .last_writer = last_writer};
  if (catalog.ok()) {
    const Topic* const topic = catalog->Find(name.topic);
    if (topic == nullptr || !topic->Has(name.partition)) return std::nullopt;
    inputs.continuity = topic->continuity();
    inputs.topic_id = topic->id;
  }
  inputs.checkpoint = std::nullopt;
  if (checkpoint.ok()) {
    const auto entry =
        checkpoint->partitions.find({name.topic, name.partition});
    inputs.checkpoint = entry == checkpoint->partitions.end()
                            ? PartitionCheckpoint{.origin = checkpoint->origin}
                            : entry->second;
  }
  return inputs;
}

absl::StatusOr<VerifyBasis> ReadVerifyBasis(Directory& directory,
                                            ReadableContents contents,
                                            const WriterProbe& probe) {
  VerifyBasis basis;
  absl::StatusOr<LastWriter> last_writer = FindLastWriter(directory, probe);
  if (!last_writer.ok()) return last_writer.status();
  basis.last_writer = *last_writer;
  if (contents == ReadableContents::kBroker) {
    // A verification says itself what is wrong with these files.
    std::vector<std::string> notes;
    basis.checkpoint = ReadBrokerCheckpoint(directory, notes);
    basis.catalog = ReadBrokerTopics(directory, basis.notes);
    return basis;
  }
  basis.checkpoint = ReadCheckpoint(directory);
  basis.catalog = ReadTopicCatalog(directory);
  return basis;
}

}  // namespace varve
