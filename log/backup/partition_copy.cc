// SPDX-License-Identifier: Apache-2.0

#include "varve/log/backup/partition_copy.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/log/backup/file_copy.h"
#include "varve/log/backup/segment_copy.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/metadata/continuity.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/metadata/leader_epoch_checkpoint.h"
#include "varve/log/metadata/leader_epochs.h"
#include "varve/log/metadata/partition_checkpoint.h"
#include "varve/log/metadata/topic_id.h"
#include "varve/log/read_only/read_only_log.h"
#include "varve/log/recovery/partition_recovery.h"
#include "varve/log/segment/file_batch_scanner.h"
#include "varve/log/system/atomic_file.h"
#include "varve/log/system/file_system.h"
#include "varve/log/verification/partition_verification.h"
#include "varve/log/verification/partition_verifier.h"
#include "varve/log/verification/verify_finding.h"

namespace varve {
namespace {

// How often it begins anew when the source has changed meanwhile.
constexpr int kTriesMax = 10;

// As in log/metadata/leader_epoch_checkpoint.cc.
constexpr int64_t kEpochsSizeMax = int64_t{64} << 20;

bool HasDamage(const PartitionVerification& verification) {
  return absl::c_any_of(verification.findings, [](const VerifyFinding& f) {
    return f.severity == FindingSeverity::kDamage;
  });
}

// The base offset of the first batch; nothing when there is no whole one.
absl::StatusOr<std::optional<int64_t>> FirstOffset(File& log) {
  const absl::StatusOr<int64_t> size = log.Size();
  if (!size.ok()) return size.status();
  FileBatchScanner scanner(log, *size, {.position = 0, .base_offset = 0},
                           {.continuity = Continuity::kGapsAllowed});
  const RecordBatch* const batch = scanner.Peek();
  if (!scanner.status().ok()) return scanner.status();
  return batch == nullptr ? std::nullopt : std::optional(batch->base_offset());
}

class PartitionCopier {
 public:
  PartitionCopier(Directory& source, Directory& destination,
                  const PartitionCopyInputs& inputs)
      : source_(source), destination_(destination), inputs_(inputs) {}

  absl::StatusOr<PartitionCopy> Run() {
    for (int tries = 0; tries < kTriesMax; ++tries) {
      absl::StatusOr<bool> whole =
          CopyFiles(tries == 0 ? FactsAge::kRecent : FactsAge::kNow);
      if (!whole.ok()) return whole.status();
      if (!*whole) continue;
      absl::StatusOr<PartitionCopy> copy = Settle();
      if (!copy.ok()) return copy;
      if (!HasDamage(copy->verification) || same_ == SameSegments::kCopyAgain)
        return copy;
      same_ = SameSegments::kCopyAgain;
    }
    return absl::UnavailableError(absl::StrCat(
        source_.path(), ": it changes faster than it can be copied"));
  }

 private:
  // The functions that return a bool return whether what was wanted is still
  // there: if not, the source has changed, and all begins anew.

  absl::StatusOr<bool> CopyFiles(FactsAge age) {
    placed_.clear();
    ready_is_placed_ = false;
    copied_bytes_ = 0;
    kept_bytes_ = 0;
    // It is read before every segment, so it is true of each of them.
    absl::StatusOr<PartitionFacts> facts = inputs_.facts(age);
    if (!facts.ok()) return facts.status();
    facts_ = *facts;
    const absl::StatusOr<std::optional<std::string>> epochs = ReadEpochs();
    if (!epochs.ok()) return epochs.status();
    const absl::StatusOr<std::vector<int64_t>> listed = ListSegments(source_);
    if (absl::IsNotFound(listed.status())) return false;
    if (!listed.ok()) return listed.status();
    absl::StatusOr<bool> there = CopyListed(*listed);
    if (there.ok() && *there) there = CopyLate(*listed);
    if (!there.ok() || !*there) return there;
    const absl::StatusOr<std::optional<std::string>> after = ReadEpochs();
    if (!after.ok()) return after.status();
    if (*epochs != *after) return false;
    absl::Status status = PutEpochs(*epochs);
    if (status.ok()) status = NoteTrims();
    if (!status.ok()) return status;
    return true;
  }

  // Nothing when they are lost: recovery reads them from the batches then.
  absl::StatusOr<std::optional<std::string>> ReadEpochs() {
    absl::StatusOr<std::string> text =
        ReadWholeFile(source_, kLeaderEpochCheckpointName, kEpochsSizeMax);
    if (absl::IsNotFound(text.status()) || absl::IsDataLoss(text.status()))
      return std::nullopt;
    if (!text.ok()) return text.status();
    return *std::move(text);
  }

  absl::Status PutEpochs(const std::optional<std::string>& text) {
    if (text.has_value())
      return ReplaceFile(destination_, kLeaderEpochCheckpointName, *text);
    absl::Status removed = destination_.RemoveFile(kLeaderEpochCheckpointName);
    return absl::IsNotFound(removed) ? absl::OkStatus() : removed;
  }

  absl::StatusOr<bool> CopyListed(const std::vector<int64_t>& bases) {
    for (size_t i = 0; i < bases.size(); ++i) {
      const int64_t next = i + 1 < bases.size() ? bases[i + 1] : bases[i] + 1;
      // Recovery scans the others, and may cut what is in them.
      const bool is_final =
          i + 1 < bases.size() && next < facts_.checkpoint.recovery_point;
      const absl::StatusOr<Copied> copied = CopyOne(
          bases[i], is_final ? SegmentState::kFinal : SegmentState::kMayChange);
      if (!copied.ok()) return copied.status();
      if (*copied == Copied::kWhole) continue;
      // It was deleted if the log starts after it by now: that is written down
      // before. Else a new writer's recovery has set it aside; or it has lost
      // an index.
      const absl::StatusOr<int64_t> start = LogStartNow();
      if (!start.ok()) return start.status();
      if (*start >= next) {
        placed_.clear();  // it, and those before it
      } else if (*copied == Copied::kNotThere) {
        return false;
      }
    }
    return bases.empty() || !placed_.empty();
  }

  enum class Copied { kWhole, kWithoutIndex, kNotThere };

  absl::StatusOr<Copied> CopyOne(int64_t base_offset, SegmentState state) {
    const absl::StatusOr<SegmentCopy> copy = CopySegment(
        source_, destination_, base_offset,
        {.state = state, .same = same_, .progress = inputs_.progress});
    if (absl::IsNotFound(copy.status())) return Copied::kNotThere;
    if (!copy.ok()) return copy.status();
    (copy->is_kept ? kept_bytes_ : copied_bytes_) += copy->bytes;
    placed_.insert(base_offset);
    return copy->lacks_index ? Copied::kWithoutIndex : Copied::kWhole;
  }

  absl::StatusOr<int64_t> LogStartNow() {
    const absl::StatusOr<PartitionFacts> now = inputs_.facts(FactsAge::kNow);
    if (!now.ok()) return now.status();
    return now->checkpoint.log_start;
  }

  // Copies what was visible when the segments were listed and was not in the
  // list: a ready segment in use, which is there under its ready name, or has
  // got its own by now. It is opened before the list is made again, so it is
  // found in one of the two ways. Of the segments that are newer than the list,
  // one is enough: the copy must not run after its writer for ever.
  absl::StatusOr<bool> CopyLate(const std::vector<int64_t>& before) {
    absl::StatusOr<std::unique_ptr<File>> ready =
        source_.OpenFile(kReadyLogName, OpenMode::kRead);
    if (!ready.ok() && !absl::IsNotFound(ready.status())) return ready.status();
    const absl::StatusOr<std::vector<int64_t>> now = ListSegments(source_);
    if (absl::IsNotFound(now.status())) return false;
    if (!now.ok()) return now.status();
    for (const int64_t base_offset : *now) {
      if (absl::c_binary_search(before, base_offset)) continue;
      const absl::StatusOr<Copied> copied =
          CopyOne(base_offset, SegmentState::kMayChange);
      if (!copied.ok()) return copied.status();
      if (*copied == Copied::kNotThere) return false;
      if (before.empty() || base_offset > before.back()) break;
    }
    if (!ready.ok()) return true;
    const absl::StatusOr<std::optional<int64_t>> first = FirstOffset(**ready);
    if (!first.ok()) return first.status();
    if (!first->has_value() || absl::c_binary_search(*now, **first))
      return true;
    const absl::StatusOr<int64_t> bytes =
        CopyBytes(**ready, destination_, kReadyLogName, inputs_.progress);
    if (!bytes.ok()) return bytes.status();
    copied_bytes_ += *bytes;
    ready_is_placed_ = true;
    return true;
  }

  // Moves the log start up to the first segment that was still there. It stays
  // where it is, and the gap is damage, unless the source has it there by now:
  // it is written down before a segment is deleted.
  absl::Status NoteTrims() {
    PartitionCheckpoint& checkpoint = facts_.checkpoint;
    if (placed_.empty() || *placed_.begin() <= checkpoint.log_start)
      return absl::OkStatus();
    const absl::StatusOr<int64_t> start = LogStartNow();
    if (!start.ok()) return start.status();
    if (*start < *placed_.begin()) return absl::OkStatus();
    checkpoint.log_start = *placed_.begin();
    checkpoint.recovery_point =
        std::max(checkpoint.recovery_point, checkpoint.log_start);
    return absl::OkStatus();
  }

  // Makes a cleanly closed log of the files.
  absl::StatusOr<PartitionCopy> Settle() {
    absl::Status status =
        RemoveFiles([this](std::string_view name) { return !IsPlaced(name); });
    if (!status.ok()) return status;
    status = ReplaceFile(destination_, kPartitionMetadataName,
                         FormatPartitionMetadata(inputs_.topic_id));
    if (!status.ok()) return status;
    const absl::StatusOr<RecoveredLog> log =
        RecoverPartition(destination_, inputs_.config, facts_);
    if (!log.ok()) return log.status();
    if (!log->read_only.ok()) return log->read_only;
    status = RemoveFiles([](std::string_view name) {
      return ParseCutFileName(name).has_value();
    });
    if (status.ok()) status = BeginEpoch(*log);
    if (status.ok()) status = destination_.Sync();
    if (!status.ok()) return status;
    PartitionCopy copy = {.checkpoint = {.log_start = log->log_start,
                                         .recovery_point = log->next_offset},
                          .copied_bytes = copied_bytes_,
                          .kept_bytes = kept_bytes_};
    absl::StatusOr<PartitionVerification> verification =
        VerifyPartition(destination_, {.checkpoint = copy.checkpoint,
                                       .continuity = facts_.continuity,
                                       .topic_id = inputs_.topic_id});
    if (!verification.ok()) return verification.status();
    copy.verification = *std::move(verification);
    return copy;
  }

  bool IsPlaced(std::string_view name) const {
    if (const auto file = ParseSegmentFileName(name); file.has_value())
      return placed_.contains(file->base_offset);
    if (const auto sealed = ParseSidecarFileName(name); sealed.has_value())
      return placed_.contains(*sealed);
    if (name == kReadyLogName) return ready_is_placed_;
    return name == kLeaderEpochCheckpointName || name == kPartitionMetadataName;
  }

  template <typename Predicate>
  absl::Status RemoveFiles(Predicate is_to_go) {
    absl::StatusOr<std::vector<DirectoryEntry>> entries = destination_.List();
    if (!entries.ok()) return entries.status();
    for (const DirectoryEntry& entry : *entries) {
      if (entry.kind != EntryKind::kFile || !is_to_go(entry.name)) continue;
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

  Directory& source_;
  Directory& destination_;
  const PartitionCopyInputs& inputs_;
  SameSegments same_ = SameSegments::kKeep;

  // Of the present try.
  PartitionFacts facts_;
  std::set<int64_t> placed_;  // segments that the destination has
  bool ready_is_placed_ = false;
  int64_t copied_bytes_ = 0;
  int64_t kept_bytes_ = 0;
};

}  // namespace

absl::StatusOr<PartitionCopy> CopyPartition(Directory& source,
                                            Directory& destination,
                                            const PartitionCopyInputs& inputs) {
  return PartitionCopier(source, destination, inputs).Run();
}

}  // namespace varve
