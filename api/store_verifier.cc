// SPDX-License-Identifier: Apache-2.0

#include "varve/api/store_verifier.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/log/log.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "varve/api/catalog/broker_catalog.h"
#include "varve/api/catalog/producer_ids_file.h"
#include "varve/api/catalog/readable_directory.h"
#include "varve/api/catalog/store_files.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/api/metrics/metrics_file.h"
#include "varve/api/read_only/broker_verification.h"
#include "varve/api/read_only/verify_basis.h"
#include "varve/api/retention/retention_state.h"
#include "varve/log/metadata/checkpoint_text.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/metadata/topic_partition.h"
#include "varve/log/recovery/segment_listing.h"
#include "varve/log/system/atomic_file.h"
#include "varve/log/system/environment.h"
#include "varve/log/system/file_system.h"
#include "varve/log/verification/finding_list.h"
#include "varve/log/verification/partition_verifier.h"
#include "varve/log/verification/segment_verifier.h"
#include "varve/log/verification/verify_finding.h"

namespace varve {
namespace {

constexpr int64_t kStoreFileSizeMax = int64_t{256} << 20;

// How often a partition is looked at when something else looks damaged each
// time.
constexpr int kLooksMax = 5;
// The time that an open writer gets to finish its work: this, and twice as long
// each time.
constexpr absl::Duration kFirstPause = absl::Milliseconds(10);

size_t CountDamage(const std::vector<VerifyFinding>& findings) {
  size_t count = 0;
  for (const VerifyFinding& finding : findings) {
    if (finding.severity == FindingSeverity::kDamage) ++count;
  }
  return count;
}

bool IsDamage(const VerifyFinding& finding) {
  return finding.severity == FindingSeverity::kDamage;
}

// Whether two looks came across the same thing. What they expected of it may
// have changed.
bool IsSamePlace(const VerifyFinding& a, const VerifyFinding& b) {
  return a.path == b.path && a.position == b.position && a.offset == b.offset &&
         a.what == b.what;
}

// Damage that was not there the last time becomes a note. Returns how much.
size_t ForgiveWhatIsNew(const std::vector<VerifyFinding>& before,
                        std::vector<VerifyFinding>& findings) {
  size_t count = 0;
  for (VerifyFinding& finding : findings) {
    if (!IsDamage(finding)) continue;
    const bool stays = absl::c_any_of(before, [&](const VerifyFinding& other) {
      return IsDamage(other) && IsSamePlace(other, finding);
    });
    if (stays) continue;
    ++count;
    finding.severity = FindingSeverity::kNote;
    absl::StrAppend(&finding.what, "; it changes while it is looked at");
  }
  return count;
}

class StoreVerifier {
 public:
  StoreVerifier(Directory& directory, ReadableContents contents,
                const StoreVerifyOptions& options)
      : directory_(directory), contents_(contents), options_(options) {}

  absl::StatusOr<StoreVerification> Run() {
    result_.path = directory_.path();
    if (absl::Status status = ReadBasis(); !status.ok()) return status;
    if (absl::Status status = CheckBasis(); !status.ok()) return status;
    CheckKafkaCheckpoint(kRecoveryPointName);
    CheckKafkaCheckpoint(kLogStartName);
    CheckKafkaCheckpoint(kCleanerName);
    CheckProducerIds();
    if (is_broker()) CheckBrokerFiles();
    AddCatalogPartitions();
    if (absl::Status status = CheckNames(); !status.ok()) return status;
    if (options_.progress) MeasureTotal();
    for (const TopicPartition& partition : partitions_) Verify(partition);
    result_.findings = findings_.Take();
    return std::move(result_);
  }

 private:
  absl::Status ReadBasis() {
    absl::StatusOr<VerifyBasis> basis =
        ReadVerifyBasis(directory_, contents_, options_.writer);
    if (!basis.ok()) return basis.status();
    basis_ = *std::move(basis);
    // A writer that opened a closed store while it was looked at counts.
    if (result_.last_writer != LastWriter::kStillOpen)
      result_.last_writer = basis_.last_writer;
    return absl::OkStatus();
  }

  absl::Status CheckBasis() {
    if (!basis_.checkpoint.ok()) {
      absl::Status status =
          AddDamage(kCheckpointName, basis_.checkpoint.status());
      if (!status.ok()) return status;
    }
    return basis_.catalog.ok()
               ? absl::OkStatus()
               : AddDamage(kTopicsName, basis_.catalog.status());
  }

  // Adds damage of a file; an error if the store is a newer version's.
  absl::Status AddDamage(std::string_view name, const absl::Status& status) {
    if (absl::IsFailedPrecondition(status)) {
      return absl::FailedPreconditionError(
          VerifyFinding::FromStatus(directory_.PathOf(name), status)
              .ToString());
    }
    findings_.Add(VerifyFinding::FromStatus(directory_.PathOf(name), status));
    return absl::OkStatus();
  }

  void CheckKafkaCheckpoint(std::string_view name) {
    absl::StatusOr<std::string> text =
        ReadWholeFile(directory_, name, kStoreFileSizeMax);
    if (absl::IsNotFound(text.status())) return;
    absl::Status status =
        text.ok() ? ParseOffsetCheckpoint(*text).status() : text.status();
    if (!status.ok()) {
      findings_.Add(VerifyFinding::FromStatus(directory_.PathOf(name), status));
    }
  }

  // A newer version's is a finding, too: without it the store opens, and all
  // else in it can be looked at.
  void CheckProducerIds() {
    const absl::Status status = ReadProducerIds(directory_).status();
    if (status.ok() || absl::IsNotFound(status)) return;
    findings_.Add(
        VerifyFinding::FromStatus(directory_.PathOf(kProducersName), status));
  }

  bool is_broker() const { return contents_ == ReadableContents::kBroker; }

  void CheckBrokerFiles() {
    CheckKafkaCheckpoint(kReplicationName);
    for (const std::string& note : basis_.notes) {
      // "PATH: WHAT"
      const size_t path = note.find(": ", directory_.path().size());
      findings_.Add({.severity = FindingSeverity::kNote,
                     .path = note.substr(0, path),
                     .what = note.substr(std::min(path + 2, note.size()))});
    }
  }

  void AddCatalogPartitions() {
    if (!basis_.catalog.ok()) return;
    for (const Topic& topic : basis_.catalog->topics()) {
      for (const int32_t i : topic.PartitionNumbers())
        AddPartition({.topic = topic.name, .partition = i});
    }
  }

  void AddPartition(const TopicPartition& name) {
    known_directories_.insert(
        PartitionDirectoryName(name.topic, name.partition));
    partitions_.push_back(name);
  }

  // Without a catalog, the directories' names say what partitions there are;
  // their configs are not known.
  absl::Status CheckNames() {
    absl::StatusOr<std::vector<DirectoryEntry>> entries = directory_.List();
    if (!entries.ok()) return entries.status();
    for (const DirectoryEntry& entry : *entries) {
      const auto partition = ParsePartitionDirectoryName(entry.name);
      // A partition that is of no topic is in the notes of the basis.
      const bool is_partition =
          partition.has_value() && entry.kind == EntryKind::kDirectory;
      if (is_broker() && (IsBrokerEntry(entry) || is_partition)) continue;
      if (is_partition) {
        if (!basis_.catalog.ok()) {
          AddPartition(*partition);
        } else if (!known_directories_.contains(entry.name) &&
                   IsOfNoTopic(*partition)) {
          AddNote(entry.name, "a partition of no topic of this store; ignored");
        }
      } else if (entry.kind == EntryKind::kDirectory &&
                 IsDeletedDirectoryName(entry.name)) {
        AddNote(entry.name, "of a deleted topic; its files are to be removed");
      } else if (absl::EndsWith(entry.name, kTemporarySuffix)) {
        // An open writer may be deleting it.
        if (basis_.last_writer == LastWriter::kStillOpen) continue;
        AddNote(entry.name,
                "left by a write that a crash interrupted; means nothing");
      } else if (!IsStoreFile(entry)) {
        AddNote(entry.name, "not a file of this format; ignored");
      }
    }
    return absl::OkStatus();
  }

  // The topic may have been made, or deleted, since the catalog was read.
  bool IsOfNoTopic(const TopicPartition& name) {
    const std::string directory =
        PartitionDirectoryName(name.topic, name.partition);
    if (absl::IsNotFound(directory_.OpenDirectory(directory).status()))
      return false;
    const absl::StatusOr<TopicCatalog> now = ReadTopicCatalog(directory_);
    if (!now.ok()) return true;
    const Topic* const topic = now->Find(name.topic);
    return topic == nullptr || name.partition >= topic->config.partitions;
  }

  static bool IsStoreFile(const DirectoryEntry& entry) {
    if (entry.kind != EntryKind::kFile) return false;
    for (std::string_view name :
         {kLockName, kCleanShutdownName, kTopicsName, kCheckpointName,
          kRecoveryPointName, kLogStartName, kCleanerName, kReserveName,
          kMetricsName, kRetentionStateName, kProducersName, kBackupName}) {
      if (entry.name == name) return true;
    }
    return false;
  }

  void AddNote(std::string_view name, std::string what) {
    findings_.Add({.severity = FindingSeverity::kNote,
                   .path = directory_.PathOf(name),
                   .what = std::move(what)});
  }

  // A partition that cannot be measured is not counted: Verify will say why.
  void MeasureTotal() {
    for (const TopicPartition& partition : partitions_) {
      auto directory = directory_.OpenDirectory(
          PartitionDirectoryName(partition.topic, partition.partition));
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

  struct Look {
    bool is_there = false;  // its directory could be listed
    PartitionVerification result = {};
  };

  // Looks at a partition until nothing looks damaged, or nothing that did not
  // the last time.
  void Verify(const TopicPartition& name) {
    Look look;
    std::vector<VerifyFinding> before;
    for (int looks = 1; looks <= kLooksMax; ++looks) {
      if (looks > 1) WaitForNewBasis(looks);
      const std::optional<PartitionVerifyInputs> inputs = basis_.InputsOf(name);
      if (!inputs.has_value()) return;  // deleted meanwhile
      look = LookAt(name, *inputs);
      std::vector<VerifyFinding> found = look.result.findings;
      if (ForgiveWhatIsNew(before, look.result.findings) == 0) break;
      before = std::move(found);
      total_bytes_ += look.result.counts.bytes;
    }
    if (look.is_there) {
      result_.partitions.push_back(std::move(look.result));
      return;
    }
    for (VerifyFinding& finding : look.result.findings)
      findings_.Add(std::move(finding));
  }

  Look LookAt(const TopicPartition& name, PartitionVerifyInputs inputs) {
    inputs.codecs = options_.codecs;
    if (options_.progress) {
      inputs.progress = [this](int64_t bytes) {
        done_bytes_ += bytes;
        options_.progress(done_bytes_, total_bytes_);
      };
    }
    const std::string directory_name =
        PartitionDirectoryName(name.topic, name.partition);
    absl::StatusOr<PartitionVerification> result =
        VerifyDirectory(directory_name, std::move(inputs));
    if (result.ok()) return {.is_there = true, .result = *std::move(result)};
    Look look;
    look.result.findings = {VerifyFinding::FromStatus(
        directory_.PathOf(directory_name), result.status())};
    return look;
  }

  absl::StatusOr<PartitionVerification> VerifyDirectory(
      const std::string& name, PartitionVerifyInputs inputs) {
    absl::StatusOr<std::unique_ptr<Directory>> directory =
        directory_.OpenDirectory(name);
    if (!directory.ok()) return directory.status();
    if (is_broker())
      return VerifyBrokerPartition(*std::move(directory), std::move(inputs));
    if (inputs.continuity == Continuity::kExact)
      return VerifyPartition(**directory, inputs);
    return VerifyCompactedPartition(*std::move(directory), inputs);
  }

  void WaitForNewBasis(int looks) {
    if (basis_.last_writer == LastWriter::kStillOpen)
      absl::SleepFor(kFirstPause * (1 << looks));
    // When it cannot be read, what it said before is the best there is.
    absl::Status status = ReadBasis();
    if (!status.ok()) VLOG(1) << status;
  }

  Directory& directory_;
  const ReadableContents contents_;
  const StoreVerifyOptions& options_;
  VerifyBasis basis_;  // the last one read
  std::vector<TopicPartition> partitions_;
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
  absl::StatusOr<ReadableContents> contents = InspectForReading(**directory);
  if (!contents.ok()) return contents.status();
  if (*contents == ReadableContents::kNothing) {
    return absl::NotFoundError(absl::StrCat(path, ": there is no store in it"));
  }
  return StoreVerifier(**directory, *contents, options).Run();
}

}  // namespace varve
