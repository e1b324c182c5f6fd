// SPDX-License-Identifier: Apache-2.0

#include "varve/log/backup/partition_files_copy.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
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
#include "varve/log/backup/earlier_segments.h"
#include "varve/log/backup/file_copy.h"
#include "varve/log/backup/segment_copy.h"
#include "varve/log/backup/source_look.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/metadata/leader_epoch_checkpoint.h"
#include "varve/log/metadata/partition_checkpoint.h"
#include "varve/log/read_only/read_only_log.h"
#include "varve/log/recovery/segment_listing.h"
#include "varve/log/system/atomic_file.h"
#include "varve/log/system/file_system.h"

namespace varve {

// The functions that return a bool return whether what was wanted is still
// there: if not, the source has changed, and all begins anew.

absl::StatusOr<bool> PartitionFilesCopy::Run(FactsAge age,
                                             const std::set<int64_t>& again) {
  placed_.clear();
  ready_is_placed_ = false;
  copied_bytes_ = 0;
  kept_bytes_ = 0;
  done_bytes_ = 0;
  // It is read before every segment, so it is true of each of them.
  absl::StatusOr<PartitionFacts> facts = read_facts_(age);
  if (!facts.ok()) return facts.status();
  facts_ = *facts;
  const absl::StatusOr<std::optional<std::string>> epochs = ReadEpochs();
  if (!epochs.ok()) return epochs.status();
  const absl::StatusOr<std::vector<int64_t>> listed = ListSegments(source_);
  if (absl::IsNotFound(listed.status())) return false;
  if (!listed.ok()) return listed.status();
  absl::Status status = RemoveTrimmed(*listed);
  if (!status.ok()) return status;
  absl::StatusOr<bool> there = CopyListed(*listed, again);
  if (there.ok() && *there) there = CopyLate(*listed);
  if (!there.ok() || !*there) return there;
  const absl::StatusOr<std::optional<std::string>> after = ReadEpochs();
  if (!after.ok()) return after.status();
  if (*epochs != *after) return false;
  status = PutEpochs(*epochs);
  if (status.ok()) status = NoteTrims();
  if (!status.ok()) return status;
  return true;
}

// Gives the room of what retention has deleted since the last copy back before
// more is needed. A segment is known to be trimmed when a later one holds the
// log start.
absl::Status PartitionFilesCopy::RemoveTrimmed(
    const std::vector<int64_t>& bases) {
  const auto behind = absl::c_upper_bound(bases, facts_.checkpoint.log_start);
  return behind == bases.begin()
             ? absl::OkStatus()
             : RemoveSegmentsBefore(destination_, *std::prev(behind));
}

// Nothing when they are lost: recovery reads them from the batches then.
absl::StatusOr<std::optional<std::string>> PartitionFilesCopy::ReadEpochs() {
  absl::StatusOr<std::string> text = ReadWholeFile(
      source_, kLeaderEpochCheckpointName, kLeaderEpochCheckpointSizeMax);
  if (absl::IsNotFound(text.status()) || absl::IsDataLoss(text.status()))
    return std::nullopt;
  if (!text.ok()) return text.status();
  return *std::move(text);
}

absl::Status PartitionFilesCopy::PutEpochs(
    const std::optional<std::string>& text) {
  return text.has_value()
             ? ReplaceFile(destination_, kLeaderEpochCheckpointName, *text)
             : destination_.RemoveFileIfThere(kLeaderEpochCheckpointName);
}

absl::StatusOr<bool> PartitionFilesCopy::CopyListed(
    const std::vector<int64_t>& bases, const std::set<int64_t>& again) {
  for (size_t i = 0; i < bases.size(); ++i) {
    const int64_t next = i + 1 < bases.size() ? bases[i + 1] : bases[i] + 1;
    // Recovery scans the others, and may cut what is in them.
    const bool is_final =
        i + 1 < bases.size() && next < facts_.checkpoint.recovery_point;
    const absl::StatusOr<Copied> copied = CopyOne(
        bases[i], is_final ? SegmentState::kFinal : SegmentState::kMayChange,
        again.contains(bases[i]) ? SameSegments::kCopyAgain
                                 : SameSegments::kKeep);
    if (!copied.ok()) return copied.status();
    if (*copied == Copied::kWhole) continue;
    // It was deleted if the log starts after it by now: that is written down
    // before. Else a new writer's recovery has set it aside; or it has lost an
    // index.
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

absl::StatusOr<PartitionFilesCopy::Copied> PartitionFilesCopy::CopyOne(
    int64_t base_offset, SegmentState state, SameSegments same) {
  const bool is_ours = written_.contains(base_offset);
  const absl::StatusOr<SegmentCopy> copy = CopySegment(
      source_, destination_, base_offset,
      {.state = state,
       .same = same,
       .replaced = is_ours ? ReplacedLog::kDrop : ReplacedLog::kDisplace,
       .progress = [this](int64_t bytes) { Report(bytes); }});
  if (absl::IsNotFound(copy.status())) return Copied::kNotThere;
  if (!copy.ok()) return copy.status();
  if (!copy->is_kept) written_.insert(base_offset);
  const bool is_kept = copy->is_kept && !is_ours;
  (is_kept ? kept_bytes_ : copied_bytes_) += copy->bytes;
  placed_.insert(base_offset);
  return copy->lacks_index ? Copied::kWithoutIndex : Copied::kWhole;
}

absl::StatusOr<int64_t> PartitionFilesCopy::LogStartNow() {
  const absl::StatusOr<PartitionFacts> now = read_facts_(FactsAge::kNow);
  if (!now.ok()) return now.status();
  return now->checkpoint.log_start;
}

// Copies what was visible when the segments were listed and was not in the
// list: a ready segment in use, which is there under its ready name, or has got
// its own by now. It is opened before the list is made again, so it is found in
// one of the two ways. Of the segments that are newer than the list, one is
// enough: the copy must not run after its writer for ever.
absl::StatusOr<bool> PartitionFilesCopy::CopyLate(
    const std::vector<int64_t>& before) {
  absl::StatusOr<std::unique_ptr<File>> ready =
      source_.OpenFile(kReadyLogName, OpenMode::kRead);
  if (!ready.ok() && !absl::IsNotFound(ready.status())) return ready.status();
  const absl::StatusOr<std::vector<int64_t>> now = ListSegments(source_);
  if (absl::IsNotFound(now.status())) return false;
  if (!now.ok()) return now.status();
  for (const int64_t base_offset : *now) {
    if (absl::c_binary_search(before, base_offset)) continue;
    const absl::StatusOr<Copied> copied =
        CopyOne(base_offset, SegmentState::kMayChange, SameSegments::kKeep);
    if (!copied.ok()) return copied.status();
    if (*copied == Copied::kNotThere) return false;
    if (before.empty() || base_offset > before.back()) break;
  }
  if (!ready.ok()) return true;
  absl::Status status = CopyReady(**ready, *now);
  if (!status.ok()) return status;
  return true;
}

// One that begins with what is no batch, and has batches after that, is damaged
// or was just being written: recovery finds it in the copy.
absl::Status PartitionFilesCopy::CopyReady(File& ready,
                                           const std::vector<int64_t>& bases) {
  const absl::StatusOr<SegmentFront> front = LookAtFront(ready);
  if (!front.ok()) return front.status();
  if (front->first_offset.has_value()
          ? absl::c_binary_search(bases, *front->first_offset)
          : !front->has_batch_behind) {
    return absl::OkStatus();
  }
  const absl::StatusOr<int64_t> bytes =
      CopyBytes(ready, destination_, kReadyLogName,
                [this](int64_t more) { Report(more); });
  if (!bytes.ok()) return bytes.status();
  copied_bytes_ += *bytes;
  ready_is_placed_ = true;
  return absl::OkStatus();
}

// Moves the log start up to the first segment that was still there. It stays
// where it is, and the gap is damage, unless the source has it there by now: it
// is written down before a segment is deleted.
absl::Status PartitionFilesCopy::NoteTrims() {
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

absl::Status PartitionFilesCopy::ClearRest() {
  const absl::StatusOr<std::vector<DirectoryEntry>> entries =
      destination_.List();
  if (!entries.ok()) return entries.status();
  for (const DirectoryEntry& entry : *entries) {
    if (entry.kind != EntryKind::kFile || IsPlaced(entry.name)) continue;
    const std::optional<SegmentFile> file = ParseSegmentFileName(entry.name);
    const bool is_log = file.has_value() && file->kind == SegmentFileKind::kLog;
    absl::Status status = is_log
                              ? DisplaceSegment(destination_, file->base_offset)
                              : destination_.RemoveFileIfThere(entry.name);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

// Whether the file is part of the copy, or was put aside for it.
bool PartitionFilesCopy::IsPlaced(std::string_view name) const {
  if (const auto file = ParseSegmentFileName(name); file.has_value())
    return placed_.contains(file->base_offset);
  if (const auto sealed = ParseSidecarFileName(name); sealed.has_value())
    return placed_.contains(*sealed);
  if (name == kReadyLogName) return ready_is_placed_;
  return name == kLeaderEpochCheckpointName || name == kPartitionMetadataName ||
         ParseDisplacedFileName(name).has_value();
}

// What one run has copied is not reported again by the next.
void PartitionFilesCopy::Report(int64_t bytes) {
  done_bytes_ += bytes;
  if (!progress_ || done_bytes_ <= reported_bytes_) return;
  progress_(done_bytes_ - std::exchange(reported_bytes_, done_bytes_));
}

}  // namespace varve
