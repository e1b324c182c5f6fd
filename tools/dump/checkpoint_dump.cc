// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/dump/checkpoint_dump.h"

#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "varve/log/metadata/checkpoint_text.h"
#include "varve/log/metadata/leader_epochs.h"
#include "varve/log/metadata/topic_id.h"
#include "varve/log/segment/segment_sidecar.h"
#include "varve/tools/dump/dump_sink.h"

namespace varve {
void DumpLeaderEpochs(std::string_view text, DumpSink& sink) {
  absl::StatusOr<LeaderEpochs> epochs = LeaderEpochs::FromText(text);
  if (!epochs.ok()) {
    sink.AddDamage(epochs.status().message());
    return;
  }
  for (const LeaderEpoch& entry : epochs->entries()) {
    sink.Add("epoch",
             {{"epoch", entry.epoch}, {"start_offset", entry.start_offset}});
  }
  sink.Add("end", {{"entries", epochs->entries().size()}});
}

void DumpPartitionMetadata(std::string_view text, DumpSink& sink) {
  absl::StatusOr<TopicId> id = ParsePartitionMetadata(text);
  if (!id.ok()) {
    sink.AddDamage(id.status().message());
    return;
  }
  sink.Add("metadata", {{"topic_id", id->ToText()}});
}

void DumpOffsetCheckpoint(std::string_view text, DumpSink& sink) {
  absl::StatusOr<std::vector<PartitionOffset>> entries =
      ParseOffsetCheckpoint(text);
  if (!entries.ok()) {
    sink.AddDamage(entries.status().message());
    return;
  }
  for (const PartitionOffset& entry : *entries) {
    sink.Add("checkpoint", {{"topic", entry.topic},
                            {"partition", entry.partition},
                            {"offset", entry.offset}});
  }
  sink.Add("end", {{"entries", entries->size()}});
}

void DumpSidecar(std::string_view text, DumpSink& sink) {
  absl::StatusOr<SegmentSidecar> sidecar = SegmentSidecar::FromText(text);
  if (!sidecar.ok()) {
    sink.AddDamage(sidecar.status().message());
    return;
  }
  sink.Add("sealed", {{"base_offset", sidecar->base_offset},
                      {"size", sidecar->size_bytes},
                      {"next_offset", sidecar->next_offset},
                      {"largest_timestamp", sidecar->max_timestamp_ms},
                      {"headers", SidecarCrcText(sidecar->headers_crc)},
                      {"index", SidecarCrcText(sidecar->index_crc)},
                      {"timeindex", SidecarCrcText(sidecar->time_index_crc)}});
  if (sidecar->cleaned_to.has_value())
    sink.Add("compacted", {{"cleaned_to", *sidecar->cleaned_to}});
}

}  // namespace varve
