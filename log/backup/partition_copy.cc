// SPDX-License-Identifier: Apache-2.0

#include "varve/log/backup/partition_copy.h"

#include <cstdint>
#include <iterator>
#include <limits>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/log/backup/earlier_segments.h"
#include "varve/log/backup/partition_files_copy.h"
#include "varve/log/backup/source_look.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/metadata/leader_epoch_checkpoint.h"
#include "varve/log/metadata/leader_epochs.h"
#include "varve/log/metadata/partition_checkpoint.h"
#include "varve/log/metadata/topic_id.h"
#include "varve/log/read_only/read_only_log.h"
#include "varve/log/recovery/partition_recovery.h"
#include "varve/log/recovery/partition_recovery_report.h"
#include "varve/log/recovery/recovery_action.h"
#include "varve/log/system/atomic_file.h"
#include "varve/log/system/file_system.h"
#include "varve/log/verification/partition_verification.h"
#include "varve/log/verification/partition_verifier.h"
#include "varve/log/verification/verify_finding.h"

namespace varve {
namespace {

// How often it begins anew when the source has changed meanwhile.
constexpr int kTriesMax = 10;

bool IsDamage(const VerifyFinding& finding) {
  return finding.severity == FindingSeverity::kDamage;
}

// The base offset of the segment that has the file; nothing when none has it.
std::optional<int64_t> SegmentOf(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  if (const auto file = ParseSegmentFileName(name); file.has_value())
    return file->base_offset;
  return ParseSidecarFileName(name);
}

VerifyFinding DamageOf(const RecoveryFinding& cut) {
  VerifyFinding finding = {
      .path = cut.path,
      .position = cut.position,
      .what = absl::StrCat(
          RecoveryActionText(cut.action), " (", cut.detail, "), ", cut.bytes,
          " bytes", cut.set_aside.empty() ? "" : "; kept in ", cut.set_aside)};
  if (cut.offset != RecoveryFinding::kNoOffset) finding.offset = cut.offset;
  return finding;
}

class PartitionCopier {
 public:
  PartitionCopier(Directory& source, Directory& destination,
                  const PartitionCopyInputs& inputs)
      : source_(source),
        destination_(destination),
        inputs_(inputs),
        files_(source, destination, inputs.facts, inputs.progress) {}

  absl::StatusOr<PartitionCopy> Run() {
    FactsAge age = FactsAge::kRecent;
    for (int tries = 0; tries < kTriesMax;) {
      const absl::StatusOr<bool> is_whole = files_.Run(age, again_);
      if (!is_whole.ok()) return is_whole.status();
      age = FactsAge::kNow;
      std::optional<PartitionCopy> copy;
      if (*is_whole) {
        absl::Status status = Settle(copy);
        if (!status.ok()) return status;
      }
      if (!copy.has_value()) {
        ++tries;
      } else if (!absl::c_any_of(copy->verification.findings, IsDamage)) {
        absl::Status status = RemoveDisplaced(destination_);
        if (!status.ok()) return status;
        return *std::move(copy);
      } else if (!IsToBeCopiedAgain(copy->verification)) {
        return *std::move(copy);
      }
    }
    return absl::UnavailableError(absl::StrCat(
        source_.path(), ": it changes faster than it can be copied"));
  }

 private:
  // Notes which segments are to be copied again. Returns false when that was
  // done before: the damage is the source's.
  bool IsToBeCopiedAgain(const PartitionVerification& verification) {
    bool is_news = !std::exchange(was_damaged_, true);
    for (const VerifyFinding& finding : verification.findings) {
      if (!IsDamage(finding)) continue;
      const std::optional<int64_t> segment = SegmentOf(finding.path);
      if (segment.has_value() && again_.insert(*segment).second) is_news = true;
    }
    return is_news;
  }

  // Makes a cleanly closed log of the files, and says what is in it; nothing
  // when the source has changed.
  absl::Status Settle(std::optional<PartitionCopy>& copy) {
    absl::Status status = files_.ClearRest();
    if (!status.ok()) return status;
    status = ReplaceFile(destination_, kPartitionMetadataName,
                         FormatPartitionMetadata(inputs_.topic_id));
    if (!status.ok()) return status;
    const absl::StatusOr<RecoveredLog> log =
        RecoverPartition(destination_, inputs_.config, files_.facts());
    if (!log.ok()) return log.status();
    if (!log->read_only.ok()) return log->read_only;
    std::vector<VerifyFinding> damage;
    const absl::StatusOr<bool> is_judged = JudgeCuts(*log, damage);
    if (!is_judged.ok()) return is_judged.status();
    if (!*is_judged) return absl::OkStatus();
    if (damage.empty() && log->report.more_findings == 0)
      status = RemoveCutFiles();
    if (status.ok()) status = BeginEpoch(*log);
    if (status.ok()) status = destination_.Sync();
    if (!status.ok()) return status;
    return Verify(*log, std::move(damage), copy);
  }

  // Tells what recovery cut because it was just being written from damage, of
  // which it adds a line each. Returns false when the source has changed.
  absl::StatusOr<bool> JudgeCuts(const RecoveredLog& log,
                                 std::vector<VerifyFinding>& damage) {
    for (const RecoveryFinding& finding : log.report.findings) {
      // A torn tail is what the next open of the source cuts, too; damage that
      // is kept is found by the verification.
      if (finding.action != RecoveryAction::kCutAmbiguous) continue;
      const absl::StatusOr<CutCause> cause =
          FindCutCause(source_, finding, log.epochs);
      if (!cause.ok()) return cause.status();
      if (*cause == CutCause::kDamage) damage.push_back(DamageOf(finding));
      if (*cause != CutCause::kSourceChanged) continue;
      // What was cut may be trimmed by now, and is not missed then.
      const absl::StatusOr<PartitionFacts> now = inputs_.facts(FactsAge::kNow);
      if (!now.ok()) return now.status();
      if (finding.offset == RecoveryFinding::kNoOffset ||
          now->checkpoint.log_start <= finding.offset) {
        return false;
      }
    }
    return true;
  }

  absl::Status RemoveCutFiles() {
    const absl::StatusOr<std::vector<DirectoryEntry>> entries =
        destination_.List();
    if (!entries.ok()) return entries.status();
    for (const DirectoryEntry& entry : *entries) {
      if (!ParseCutFileName(entry.name).has_value()) continue;
      absl::Status status = destination_.RemoveFile(entry.name);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  // Writes down the epoch of the first append to the copy: from here on it is
  // not the log that it was copied from.
  absl::Status BeginEpoch(const RecoveredLog& log) {
    // When they are used up, the copy takes no appends, as its source.
    if (log.highest_epoch == std::numeric_limits<int32_t>::max())
      return absl::OkStatus();
    LeaderEpochs epochs = log.epochs;
    epochs.Assign(log.highest_epoch + 1, log.next_offset);
    return WriteLeaderEpochCheckpoint(destination_, epochs);
  }

  absl::Status Verify(const RecoveredLog& log,
                      std::vector<VerifyFinding> damage,
                      std::optional<PartitionCopy>& copy) {
    PartitionCopy made = {.checkpoint = {.log_start = log.log_start,
                                         .recovery_point = log.next_offset},
                          .copied_bytes = files_.copied_bytes(),
                          .kept_bytes = files_.kept_bytes()};
    absl::StatusOr<PartitionVerification> verification =
        VerifyPartition(destination_, {.checkpoint = made.checkpoint,
                                       .continuity = files_.facts().continuity,
                                       .topic_id = inputs_.topic_id,
                                       .codecs = inputs_.codecs});
    if (!verification.ok()) return verification.status();
    made.verification = *std::move(verification);
    absl::c_move(damage, std::back_inserter(made.verification.findings));
    copy = std::move(made);
    return absl::OkStatus();
  }

  Directory& source_;
  Directory& destination_;
  const PartitionCopyInputs& inputs_;
  PartitionFilesCopy files_;
  bool was_damaged_ = false;
  std::set<int64_t> again_;  // segments in which there was damage
};

}  // namespace

absl::StatusOr<PartitionCopy> CopyPartition(Directory& source,
                                            Directory& destination,
                                            const PartitionCopyInputs& inputs) {
  return PartitionCopier(source, destination, inputs).Run();
}

}  // namespace varve
