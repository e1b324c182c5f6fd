// SPDX-License-Identifier: Apache-2.0

#include "varve/api/export/broker_exporter.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/api/export/export_destination.h"
#include "varve/api/export/export_report.h"
#include "varve/api/export/export_source.h"
#include "varve/api/export/root_checkpoints.h"
#include "varve/log/backup/partition_copy.h"
#include "varve/log/export/export_comparison.h"
#include "varve/log/export/partition_export.h"
#include "varve/log/metadata/log_bounds.h"
#include "varve/log/metadata/topic_id.h"
#include "varve/log/read_only/read_only_log.h"
#include "varve/log/read_only/read_only_partition_reader.h"
#include "varve/log/system/environment.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

// What an export needs beside its segments: indexes, and the sidecars of the
// store until the partition is done.
constexpr int64_t kIndexShare = 64;  // one byte for so many of segments
constexpr int64_t kOtherBytes = int64_t{16} << 20;

// A topic of which something is to be exported.
struct NewTopic {
  Topic topic;
  std::optional<TopicId> id_at_broker;
  std::vector<int32_t> partitions = {};  // that are not there yet
};

class BrokerExporter {
 public:
  BrokerExporter(const ExportSource& source, ExportDestination& destination,
                 const ExportOptions& options, const Environment& environment)
      : source_(source),
        destination_(destination),
        options_(options),
        environment_(environment) {}

  absl::StatusOr<ExportReport> Run() {
    report_.path = destination_.directory().path();
    report_.kind = destination_.kind();
    const absl::StatusOr<std::vector<Topic>> chosen =
        source_.Choose(options_.topics);
    if (!chosen.ok()) return chosen.status();
    absl::Status status = absl::OkStatus();
    for (const Topic& topic : *chosen) {
      status = FindNew(topic);
      if (!status.ok()) return status;
    }
    status = Measure();
    if (!status.ok()) return status;
    absl::StatusOr<std::vector<ExportedOffset>> offsets =
        source_.ReadOffsets(*chosen, report_.notes);
    if (!offsets.ok()) return offsets.status();
    report_.offsets = *std::move(offsets);
    for (const NewTopic& topic : new_topics_) {
      status = ExportOne(topic);
      if (!status.ok()) return status;
    }
    std::sort(report_.topics.begin(), report_.topics.end(),
              [](const ExportedTopic& a, const ExportedTopic& b) {
                return a.name < b.name;
              });
    return std::move(report_);
  }

 private:
  // Sorts out the partitions that are there already.
  absl::Status FindNew(const Topic& topic) {
    const absl::StatusOr<std::optional<TopicId>> id =
        destination_.Prepare(topic);
    if (!id.ok()) return id.status();
    NewTopic found = {.topic = topic, .id_at_broker = *id};
    for (int32_t i = 0; i < topic.config.partitions; ++i) {
      absl::StatusOr<std::unique_ptr<Directory>> filled =
          destination_.OpenFilled(topic, i);
      if (!filled.ok()) return filled.status();
      if (*filled == nullptr) {
        found.partitions.push_back(i);
        continue;
      }
      absl::Status same = CheckSame(topic, i, *std::move(filled));
      if (!same.ok()) return same;
    }
    absl::Status status = LeaveEmpty(found);
    if (!status.ok()) return status;
    if (found.partitions.empty()) {
      report_.topics.push_back({.name = topic.name,
                                .id = id->value_or(TopicId()),
                                .outcome = ExportOutcome::kWasThere});
    } else {
      new_topics_.push_back(std::move(found));
    }
    return absl::OkStatus();
  }

  // Of a topic that was exported, partitions without records look as they did.
  absl::Status LeaveEmpty(NewTopic& found) {
    const int64_t count = found.topic.config.partitions;
    if (std::ssize(found.partitions) == count) return absl::OkStatus();
    for (auto i = found.partitions.begin(); i != found.partitions.end();) {
      absl::StatusOr<std::shared_ptr<ReadOnlyPartitionReader>> reader =
          source_.OpenReader(found.topic, *i);
      if (!reader.ok()) return reader.status();
      const absl::StatusOr<LogBounds> bounds = (*reader)->Bounds();
      if (!bounds.ok()) return bounds.status();
      const bool is_there = destination_.Has(found.topic, *i);
      i = is_there && bounds->visible_end == 0 ? found.partitions.erase(i)
                                               : std::next(i);
    }
    return absl::OkStatus();
  }

  absl::Status CheckSame(const Topic& topic, int32_t partition,
                         std::unique_ptr<Directory> filled) {
    const std::string path = filled->path();
    const absl::StatusOr<bool> same =
        IsSame(topic, partition, std::move(filled));
    if (!same.ok()) return same.status();
    if (*same) return absl::OkStatus();
    const bool is_broker = destination_.kind() == ExportKind::kBroker;
    return absl::AlreadyExistsError(absl::StrCat(
        path, ": holds ", is_broker ? "" : "an export with ",
        "other records than the store has now, and none are replaced: ",
        is_broker ? "delete the topic at the broker, and create it again"
                  : "remove the directory, or choose another one"));
  }

  absl::StatusOr<bool> IsSame(const Topic& topic, int32_t partition,
                              std::unique_ptr<Directory> exported) {
    absl::StatusOr<std::shared_ptr<ReadOnlyPartitionReader>> reader =
        source_.OpenReader(topic, partition);
    if (!reader.ok()) return reader.status();
    return IsExportOf(std::move(exported), **reader, environment_.clock);
  }

  absl::Status Measure() {
    int64_t missing_bytes = 0;
    for (const NewTopic& topic : new_topics_) {
      for (const int32_t i : topic.partitions) {
        absl::StatusOr<std::unique_ptr<Directory>> from =
            source_.files().OpenPartition(topic.topic, i);
        if (!from.ok()) return from.status();
        absl::StatusOr<std::unique_ptr<Directory>> staged =
            destination_.OpenStaged(topic.topic, i);
        if (!staged.ok()) return staged.status();
        const absl::StatusOr<ExportSize> size =
            MeasureExport(**from, staged->get());
        if (!size.ok()) return size.status();
        total_bytes_ += size->all_bytes;
        missing_bytes += size->missing_bytes;
      }
    }
    return CheckRoom(missing_bytes);
  }

  absl::Status CheckRoom(int64_t missing_bytes) const {
    if (missing_bytes == 0) return absl::OkStatus();
    Directory& directory = destination_.directory();
    const absl::StatusOr<int64_t> free = directory.FreeBytes();
    if (!free.ok()) return free.status();
    const int64_t needed =
        missing_bytes + missing_bytes / kIndexShare + kOtherBytes;
    if (*free >= needed) return absl::OkStatus();
    return absl::ResourceExhaustedError(
        absl::StrCat(directory.path(), ": the export needs ", needed,
                     " bytes, and the disk has ", *free,
                     ": make room, or export fewer topics at a time"));
  }

  absl::Status ExportOne(const NewTopic& topic) {
    ExportedTopic exported = {.name = topic.topic.name,
                              .id = topic.id_at_broker.value_or(TopicId())};
    std::vector<ExportedStart> starts;
    for (const int32_t i : topic.partitions) {
      const absl::StatusOr<PartitionExport> made = Make(topic.topic, i);
      if (!made.ok()) return made.status();
      starts.push_back({.partition = i,
                        .log_start = made->log_start,
                        .first_segment = made->first_segment});
      exported.partitions.push_back({.partition = i,
                                     .log_start = made->log_start,
                                     .end_offset = made->end_offset,
                                     .segments = made->segments,
                                     .records = made->records,
                                     .copied_bytes = made->copied_bytes,
                                     .kept_bytes = made->kept_bytes});
      NoteOpenTransaction(topic.topic, i, *made);
    }
    absl::Status status = Settle(topic);
    if (status.ok()) status = destination_.Publish(topic.topic, starts);
    if (!status.ok()) return status;
    report_.topics.push_back(std::move(exported));
    return absl::OkStatus();
  }

  // Makes the partition where nobody looks for it, unless it is made.
  absl::StatusOr<PartitionExport> Make(const Topic& topic, int32_t partition) {
    absl::StatusOr<std::unique_ptr<Directory>> staged =
        destination_.MakeStaged(topic, partition);
    if (!staged.ok()) return staged.status();
    if (const auto made = ReadExported(**staged); made.has_value()) {
      absl::StatusOr<std::unique_ptr<Directory>> again =
          destination_.OpenStaged(topic, partition);
      if (!again.ok()) return again.status();
      const absl::StatusOr<bool> same =
          IsSame(topic, partition, *std::move(again));
      if (!same.ok()) return same.status();
      if (*same) {
        Report(topic, made->kept_bytes);
        return *made;
      }
    }
    absl::StatusOr<std::unique_ptr<Directory>> from =
        source_.files().OpenPartition(topic, partition);
    if (!from.ok()) return from.status();
    return ExportPartition(
        **from, **staged,
        {.topic_id = topic.id,
         .config = topic.config.log,
         .codecs = options_.codecs,
         .facts =
             [&](FactsAge age) {
               return source_.files().FactsOf(topic, partition, age);
             },
         .progress = [&](int64_t bytes) { Report(topic, bytes); }});
  }

  absl::Status Settle(const NewTopic& topic) {
    for (const int32_t i : topic.partitions) {
      absl::StatusOr<std::unique_ptr<Directory>> staged =
          destination_.MakeStaged(topic.topic, i);
      if (!staged.ok()) return staged.status();
      absl::Status status = SettleExport(**staged, topic.id_at_broker);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  void NoteOpenTransaction(const Topic& topic, int32_t partition,
                           const PartitionExport& made) {
    if (!made.open_transaction.has_value()) return;
    report_.notes.push_back(absl::StrCat(
        "topic \"", topic.name, "\", partition ", partition,
        ": a transaction that begins at offset ", *made.open_transaction,
        " is open: consumers with read_committed stop there, until it is "
        "aborted at the broker (kafka-transactions.sh abort)"));
  }

  void Report(const Topic& topic, int64_t bytes) {
    done_bytes_ += bytes;
    if (!options_.progress) return;
    options_.progress({.topic = topic.name,
                       .done_bytes = done_bytes_,
                       .total_bytes = std::max(total_bytes_, done_bytes_)});
  }

  const ExportSource& source_;
  ExportDestination& destination_;
  const ExportOptions& options_;
  const Environment& environment_;
  std::vector<NewTopic> new_topics_;
  int64_t done_bytes_ = 0;
  int64_t total_bytes_ = 0;
  ExportReport report_;
};

}  // namespace

absl::StatusOr<ExportReport> ExportTopics(const ExportSource& source,
                                          ExportDestination& destination,
                                          const ExportOptions& options,
                                          const Environment& environment) {
  return BrokerExporter(source, destination, options, environment).Run();
}

}  // namespace varve
