// SPDX-License-Identifier: Apache-2.0

#include "varve/api/import/broker_importer.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/api/catalog/store_checkpoint.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/api/groups/committed_offsets.h"
#include "varve/api/groups/offset_log.h"
#include "varve/api/import/broker_offsets.h"
#include "varve/api/import/import_report.h"
#include "varve/api/import/import_source.h"
#include "varve/api/import/topic_comparison.h"
#include "varve/api/import/topic_import.h"
#include "varve/api/offsets/offset_table.h"
#include "varve/api/recovery_report.h"
#include "varve/api/store/store_state.h"
#include "varve/api/store_copy.h"
#include "varve/api/store_options.h"
#include "varve/api/topics/topic_administration.h"
#include "varve/log/import/partition_import.h"
#include "varve/log/metadata/continuity.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/metadata/offset_commit_record.h"
#include "varve/log/system/environment.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

// What an import needs beside its segments: indexes and sidecars, and room for
// the offsets and the store's own files.
constexpr int64_t kIndexShare = 64;  // one byte for so many of segments
constexpr int64_t kOtherBytes = int64_t{16} << 20;

absl::Status CheckRoom(Directory& data, int64_t missing_bytes) {
  const absl::StatusOr<int64_t> free = data.FreeBytes();
  if (!free.ok()) return free.status();
  const int64_t needed =
      missing_bytes == 0
          ? 0
          : missing_bytes + missing_bytes / kIndexShare + kOtherBytes;
  if (*free >= needed) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat(
      data.path(), ": the import needs ", needed, " bytes, and the disk has ",
      *free, ": make room, or import fewer topics at a time"));
}

class BrokerImporter {
 public:
  BrokerImporter(const ImportSource& source, StoreState& store,
                 std::unique_ptr<Directory> data, const ImportOptions& options,
                 const Environment& environment)
      : source_(source),
        store_(store),
        data_(std::move(data)),
        options_(options),
        environment_(environment),
        offsets_(&store) {
    store_.topics().SetForgetOffsets(
        [this](const Topic& deleted) { return offsets_.ForgetTopic(deleted); });
  }

  ~BrokerImporter() { store_.topics().SetForgetOffsets(nullptr); }

  absl::Status Run() {
    // As each open after a crash does, before anything is appended.
    if (!store_.recovery_report().clean) offsets_.CheckAll();
    const absl::StatusOr<std::vector<Topic>> chosen =
        source_.Choose(options_.topics);
    if (!chosen.ok()) return chosen.status();
    report_.notes = source_.notes();
    absl::Status status = FindNew(*chosen);
    if (status.ok() && !new_topics_.empty()) status = Measure();
    if (!status.ok()) return status;
    absl::StatusOr<BrokerOffsets> offsets = BrokerOffsets::Read(
        source_, environment_.clock, options_.codecs, report_.notes);
    if (!offsets.ok()) return offsets.status();
    for (Topic& topic : new_topics_) {
      status = ImportOne(topic, *offsets);
      if (!status.ok()) return status;
    }
    const std::vector<std::string> checked = offsets_.notes();
    report_.notes.insert(report_.notes.end(), checked.begin(), checked.end());
    std::sort(report_.topics.begin(), report_.topics.end(),
              [](const ImportedTopic& a, const ImportedTopic& b) {
                return a.name < b.name;
              });
    return absl::OkStatus();
  }

  // After the store is closed.
  ImportReport Take() { return std::move(report_); }

 private:
  // Sorts out the topics that are there already.
  absl::Status FindNew(const std::vector<Topic>& chosen) {
    for (const Topic& topic : chosen) {
      Topic made = {.name = topic.name, .id = topic.id, .config = topic.config};
      made.config.log = options_.config;
      const absl::StatusOr<Topic> stored =
          store_.topics().FindTopic(topic.name);
      if (!stored.ok()) {
        absl::Status status = store_.topics().PrepareAdoption(made);
        if (!status.ok()) return status;
        new_topics_.push_back(std::move(made));
        continue;
      }
      absl::Status same =
          CheckSameTopic(source_, topic, *stored, store_, environment_.clock);
      if (!same.ok()) return same;
      // The call that imported it may not have come to that.
      absl::Status forgotten = ForgetProgress(topic, *data_);
      if (!forgotten.ok()) return forgotten;
      report_.topics.push_back({.name = topic.name,
                                .id = topic.id,
                                .outcome = ImportOutcome::kWasThere});
    }
    return absl::OkStatus();
  }

  absl::Status Measure() {
    int64_t missing_bytes = 0;
    for (const Topic& topic : new_topics_) {
      const absl::StatusOr<ImportSize> size =
          MeasureTopic(source_, topic, *data_);
      if (!size.ok()) return size.status();
      missing_bytes += size->missing_bytes;
      total_bytes_ += size->all_bytes;
    }
    return CheckRoom(*data_, missing_bytes);
  }

  absl::Status ImportOne(Topic& topic, const BrokerOffsets& offsets) {
    absl::StatusOr<TopicFiles> files =
        ImportTopicFiles(source_, topic, *data_, [&](int64_t bytes) {
          done_bytes_ += bytes;
          if (!options_.progress) return;
          options_.progress(
              {.topic = topic.name,
               .done_bytes = done_bytes_,
               .total_bytes = std::max(total_bytes_, done_bytes_)});
        });
    if (!files.ok()) return files.status();
    absl::Status status = CheckDamage(*files);
    // Nobody has changed what was copied.
    if (status.ok()) status = source_.CheckStopped();
    if (!status.ok()) return status;
    topic.history = files->continuity;
    ImportedTopic imported = {.name = topic.name,
                              .id = topic.id,
                              .partitions = std::move(files->partitions)};
    status = Appear(topic, files->bounds, offsets, imported);
    if (!status.ok()) return status;
    NoteConfigs(topic);
    report_.topics.push_back(std::move(imported));
    return ForgetProgress(topic, *data_);
  }

  absl::Status CheckDamage(TopicFiles& files) {
    if (files.damage.empty()) return absl::OkStatus();
    if (options_.damage == DamagedSource::kRefuse) {
      return RefusedForDamageError(absl::StrCat(
          files.damage.front(),
          files.damage.size() == 1
              ? ""
              : absl::StrCat(" (and ", files.damage.size() - 1, " more)"),
          ": it is so in ", source_.directory()->path(),
          ", too; import other topics, or have it imported as it is"));
    }
    for (std::string& line : files.damage)
      report_.damage.push_back(std::move(line));
    return absl::OkStatus();
  }

  // Has the topic appear in the store, with the offsets of its groups.
  absl::Status Appear(const Topic& topic, const StoreCheckpoint& bounds,
                      const BrokerOffsets& offsets, ImportedTopic& imported) {
    const std::map<std::string, BrokerOffsets::OfGroup> groups =
        offsets.For(topic, report_.notes);
    TopicAdministration& topics = store_.topics();
    if (groups.empty()) return topics.Adopt(topic, bounds);
    absl::Status status = offsets_.MakeTopic();
    if (status.ok()) status = topics.BeginAdoption(topic);
    if (!status.ok()) return status;
    status = Commit(topic, groups, imported);
    if (status.ok()) status = topics.Adopt(topic, bounds);
    if (!status.ok()) topics.FailAdoption(topic);
    return status;
  }

  absl::Status Commit(const Topic& topic,
                      const std::map<std::string, BrokerOffsets::OfGroup>& all,
                      ImportedTopic& imported) {
    for (const auto& [group, offsets] : all) {
      std::vector<OffsetLog::Change> changes;
      for (const auto& [partition, entry] : offsets) {
        absl::StatusOr<OffsetCommitValue> value =
            ParseOffsetCommitValue(entry.value);
        if (!value.ok()) return value.status();
        value->topic_id = topic.id;
        changes.push_back({.key = {.group = group,
                                   .topic = partition.topic,
                                   .partition = partition.partition},
                           .value = *value,
                           .checked = OffsetTable::Checked::kNo});
      }
      absl::Status status = offsets_.Transfer(group, changes);
      if (!status.ok()) return status;
      ++imported.groups;
      imported.committed_offsets += std::ssize(changes);
    }
    return absl::OkStatus();
  }

  // Its configs are not in the broker's directory; what it looks like is said.
  void NoteConfigs(const Topic& topic) {
    const bool has_gaps = topic.history == Continuity::kGapsAllowed;
    if (topic.config.log.cleanup_policy != CleanupPolicy::kDelete ||
        !(has_gaps || source_.WasCleaned(topic))) {
      return;
    }
    report_.notes.push_back(absl::StrCat(
        "topic \"", topic.name, "\": ",
        has_gaps ? "offsets are missing in it" : "the log cleaner looked at it",
        ", so the broker has probably compacted it; its cleanup.policy is "
        "delete here, unless you alter it"));
  }

  const ImportSource& source_;
  StoreState& store_;
  const std::unique_ptr<Directory> data_;  // the store's
  const ImportOptions& options_;
  const Environment& environment_;
  CommittedOffsets offsets_;
  std::vector<Topic> new_topics_;
  int64_t done_bytes_ = 0;
  int64_t total_bytes_ = 0;
  ImportReport report_;
};

void AddNotes(const RecoveryReport& found, std::vector<std::string>& notes) {
  for (const PartitionRecoveryReport& partition : found.partitions) {
    for (const RecoveryFinding& finding : partition.findings)
      notes.push_back(finding.ToString());
    notes.insert(notes.end(), partition.notes.begin(), partition.notes.end());
  }
  notes.insert(notes.end(), found.notes.begin(), found.notes.end());
}

}  // namespace

absl::StatusOr<ImportReport> ImportTopics(const ImportSource& source,
                                          const std::string& store,
                                          const ImportOptions& options,
                                          const Environment& environment) {
  StoreOptions store_options = {.background = Background::kNone,
                                .codecs = options.codecs};
  store_options.environment = environment;
  absl::StatusOr<std::unique_ptr<StoreState>> state =
      StoreState::Open(store, store_options);
  if (!state.ok()) return state.status();
  absl::StatusOr<std::unique_ptr<Directory>> data =
      environment.files->OpenDirectory(store);
  if (!data.ok()) return data.status();
  ImportReport report;
  {
    BrokerImporter importer(source, **state, *std::move(data), options,
                            environment);
    absl::Status status = importer.Run();
    const absl::Status closed = (*state)->Close();
    if (!status.ok()) return status;
    if (!closed.ok()) return closed;
    report = importer.Take();
  }
  AddNotes((*state)->recovery_report(), report.notes);
  report.store = store;
  return report;
}

}  // namespace varve
