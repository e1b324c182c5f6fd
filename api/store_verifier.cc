// SPDX-License-Identifier: Apache-2.0

#include "api/store_verifier.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "api/metrics_file.h"
#include "api/store_checkpoint.h"
#include "api/store_files.h"
#include "api/topic_catalog.h"
#include "log/atomic_file.h"
#include "log/batch_scanner.h"
#include "log/checkpoint_text.h"
#include "log/environment.h"
#include "log/file_system.h"
#include "log/partition_checkpoint.h"
#include "log/partition_recovery.h"
#include "log/partition_verifier.h"
#include "log/segment_name.h"
#include "log/topic_id.h"
#include "log/verify_finding.h"

namespace varve {
namespace {

constexpr int64_t kStoreFileSizeMax = int64_t{256} << 20;

// How often a partition that an open writer changes is looked at.
constexpr int kLooksMax = 3;

size_t CountDamage(const std::vector<VerifyFinding>& findings) {
  size_t count = 0;
  for (const VerifyFinding& finding : findings) {
    if (finding.severity == FindingSeverity::kDamage) ++count;
  }
  return count;
}

// A partition that is there, or should be.
struct KnownPartition {
  std::string directory;
  PartitionVerifyInputs inputs;
};

class StoreVerifier {
 public:
  StoreVerifier(Directory& directory, const StoreVerifyOptions& options)
      : directory_(directory), options_(options) {}

  absl::StatusOr<StoreVerification> Run() {
    result_.path = directory_.path();
    if (absl::Status status = FindLastWriter(); !status.ok()) return status;
    if (absl::Status status = LoadCheckpoint(); !status.ok()) return status;
    CheckKafkaCheckpoint(kRecoveryPointName);
    CheckKafkaCheckpoint(kLogStartName);
    if (absl::Status status = LoadTopics(); !status.ok()) return status;
    if (absl::Status status = CheckNames(); !status.ok()) return status;
    if (options_.progress) MeasureTotal();
    for (const KnownPartition& partition : partitions_) Verify(partition);
    result_.findings = findings_.Take();
    return std::move(result_);
  }

 private:
  std::string PathOf(std::string_view name) const {
    return absl::StrCat(directory_.path(), "/", name);
  }

  absl::Status FindLastWriter() {
    absl::StatusOr<bool> clean = HasCleanShutdownMarker(directory_);
    if (!clean.ok()) return clean.status();
    result_.last_writer = options_.writer == WriterPresence::kOpen
                              ? LastWriter::kStillOpen
                          : *clean ? LastWriter::kClosedCleanly
                                   : LastWriter::kDied;
    return absl::OkStatus();
  }

  // Adds damage of a file; an error if the store is a newer version's.
  absl::Status AddDamage(std::string_view name, const absl::Status& status) {
    if (absl::IsFailedPrecondition(status)) {
      return absl::FailedPreconditionError(
          VerifyFinding::FromStatus(PathOf(name), status).ToString());
    }
    findings_.Add(VerifyFinding::FromStatus(PathOf(name), status));
    return absl::OkStatus();
  }

  absl::Status LoadCheckpoint() {
    absl::StatusOr<std::string> text =
        ReadWholeFile(directory_, kCheckpointName, kStoreFileSizeMax);
    if (absl::IsNotFound(text.status())) {
      // A store that never had a topic has none.
      checkpoint_.emplace();
      checkpoint_origin_ = CheckpointOrigin::kStandIn;
      return absl::OkStatus();
    }
    absl::StatusOr<StoreCheckpoint> checkpoint =
        text.ok() ? ParseStoreCheckpoint(*text)
                  : absl::StatusOr<StoreCheckpoint>(text.status());
    if (!checkpoint.ok())
      return AddDamage(kCheckpointName, checkpoint.status());
    checkpoint_ = *std::move(checkpoint);
    return absl::OkStatus();
  }

  void CheckKafkaCheckpoint(std::string_view name) {
    absl::StatusOr<std::string> text =
        ReadWholeFile(directory_, name, kStoreFileSizeMax);
    if (absl::IsNotFound(text.status())) return;
    absl::Status status =
        text.ok() ? ParseOffsetCheckpoint(*text).status() : text.status();
    if (!status.ok()) {
      findings_.Add(VerifyFinding::FromStatus(PathOf(name), status));
    }
  }

  absl::Status LoadTopics() {
    absl::StatusOr<TopicCatalog> catalog = ReadTopicCatalog(directory_);
    if (!catalog.ok()) {
      catalog_is_known_ = false;
      return AddDamage(kTopicsName, catalog.status());
    }
    for (const Topic& topic : catalog->topics()) {
      for (int32_t i = 0; i < topic.config.partitions; ++i) {
        AddPartition({.topic = topic.name, .partition = i}, topic.continuity(),
                     topic.id);
      }
    }
    return absl::OkStatus();
  }

  void AddPartition(const TopicPartition& name, Continuity continuity,
                    std::optional<TopicId> id) {
    KnownPartition known = {
        .directory = PartitionDirectoryName(name.topic, name.partition),
        .inputs = {.continuity = continuity,
                   .last_writer = result_.last_writer,
                   .topic_id = id}};
    if (checkpoint_.has_value()) {
      auto entry = checkpoint_->find({name.topic, name.partition});
      known.inputs.checkpoint =
          entry == checkpoint_->end()
              ? PartitionCheckpoint{.origin = checkpoint_origin_}
              : entry->second;
    } else {
      known.inputs.checkpoint = std::nullopt;
    }
    known_directories_.insert(known.directory);
    partitions_.push_back(std::move(known));
  }

  // Without a catalog, the directories' names say what partitions there are;
  // their configs are not known.
  absl::Status CheckNames() {
    absl::StatusOr<std::vector<DirectoryEntry>> entries = directory_.List();
    if (!entries.ok()) return entries.status();
    for (const DirectoryEntry& entry : *entries) {
      const auto partition = ParsePartitionDirectoryName(entry.name);
      if (partition.has_value() && entry.kind == EntryKind::kDirectory) {
        if (!catalog_is_known_) {
          AddPartition(*partition, Continuity::kGapsAllowed, std::nullopt);
        } else if (!known_directories_.contains(entry.name)) {
          AddNote(entry.name, "a partition of no topic of this store; ignored");
        }
      } else if (entry.kind == EntryKind::kDirectory &&
                 IsDeletedDirectoryName(entry.name)) {
        AddNote(entry.name, "of a deleted topic; its files are to be removed");
      } else if (absl::EndsWith(entry.name, kTemporarySuffix)) {
        AddNote(entry.name,
                "left by a write that a crash interrupted; means nothing");
      } else if (!IsStoreFile(entry)) {
        AddNote(entry.name, "not a file of this format; ignored");
      }
    }
    return absl::OkStatus();
  }

  static bool IsStoreFile(const DirectoryEntry& entry) {
    if (entry.kind != EntryKind::kFile) return false;
    for (std::string_view name :
         {kLockName, kCleanShutdownName, kTopicsName, kCheckpointName,
          kRecoveryPointName, kLogStartName, kReserveName, kMetricsName}) {
      if (entry.name == name) return true;
    }
    return false;
  }

  void AddNote(std::string_view name, std::string what) {
    findings_.Add({.severity = FindingSeverity::kNote,
                   .path = PathOf(name),
                   .what = std::move(what)});
  }

  // What cannot be measured is not counted: Verify will say why.
  void MeasureTotal() {
    for (const KnownPartition& partition : partitions_) {
      auto directory = directory_.OpenDirectory(partition.directory);
      if (!directory.ok()) continue;
      auto bases = ListSegments(**directory);
      if (!bases.ok()) continue;
      for (int64_t base : *bases) {
        auto file = (*directory)
                        ->OpenFile(SegmentFileName(base, SegmentFileKind::kLog),
                                   OpenMode::kRead);
        if (file.ok()) total_bytes_ += (*file)->Size().value_or(0);
      }
    }
  }

  void Verify(const KnownPartition& partition) {
    PartitionVerifyInputs inputs = partition.inputs;
    if (options_.progress) {
      inputs.progress = [this](int64_t bytes) {
        done_bytes_ += bytes;
        options_.progress(done_bytes_, total_bytes_);
      };
    }
    const int looks =
        result_.last_writer == LastWriter::kStillOpen ? kLooksMax : 1;
    absl::StatusOr<PartitionVerification> result;
    for (int i = 0; i < looks; ++i) {
      auto directory = directory_.OpenDirectory(partition.directory);
      result = directory.ok()
                   ? VerifyPartition(**directory, inputs)
                   : absl::StatusOr<PartitionVerification>(directory.status());
      if (result.ok() && CountDamage(result->findings) == 0) break;
    }
    if (result.ok()) {
      result_.partitions.push_back(*std::move(result));
    } else {
      findings_.Add(VerifyFinding::FromStatus(PathOf(partition.directory),
                                              result.status()));
    }
  }

  Directory& directory_;
  const StoreVerifyOptions& options_;
  std::optional<StoreCheckpoint> checkpoint_;  // none: damaged
  // Of the partitions that it does not list.
  CheckpointOrigin checkpoint_origin_ = CheckpointOrigin::kOwn;
  bool catalog_is_known_ = true;
  std::vector<KnownPartition> partitions_;
  std::set<std::string> known_directories_;
  int64_t done_bytes_ = 0;
  int64_t total_bytes_ = 0;
  FindingList findings_;
  StoreVerification result_;
};

}  // namespace

size_t StoreVerification::damage_count() const {
  size_t count = CountDamage(findings);
  for (const PartitionVerification& partition : partitions) {
    count += CountDamage(partition.findings);
  }
  return count;
}

absl::StatusOr<StoreVerification> VerifyStore(
    const std::string& path, const Environment& environment,
    const StoreVerifyOptions& options) {
  auto directory = environment.files->OpenDirectory(path);
  if (!directory.ok()) return directory.status();
  absl::StatusOr<DirectoryContents> contents = InspectDirectory(**directory);
  if (!contents.ok()) return contents.status();
  if (*contents == DirectoryContents::kEmpty) {
    return absl::NotFoundError(absl::StrCat(path, ": there is no store in it"));
  }
  return StoreVerifier(**directory, options).Run();
}

}  // namespace varve
