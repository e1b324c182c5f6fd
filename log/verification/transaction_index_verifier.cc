// SPDX-License-Identifier: Apache-2.0

#include "varve/log/verification/transaction_index_verifier.h"

#include <cstdint>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "varve/index/transaction_index.h"
#include "varve/index/transaction_index_damage.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/system/atomic_file.h"
#include "varve/log/system/file_system.h"
#include "varve/log/verification/finding_list.h"
#include "varve/log/verification/verify_finding.h"
#include "varve/log/verification/wrong_producer_file.h"

namespace varve {
namespace {

// A marker has more bytes than its entry, and a segment fewer than this.
constexpr int64_t kSizeMax = std::numeric_limits<int32_t>::max();

std::string TextOf(const AbortedTransaction& entry) {
  return absl::StrCat("producer ", entry.producer_id, ", offsets ",
                      entry.first_offset, " to ", entry.last_offset,
                      ", last stable offset ", entry.last_stable_offset);
}

// As index/transaction_index_damage.h says of the brokers that copy a log.
bool IsStableOffset(int64_t found, const AbortedTransaction& due,
                    IndexWriter writer) {
  if (found == due.last_stable_offset) return true;
  return writer == IndexWriter::kKafka &&
         due.last_stable_offset == due.last_offset + 1 &&
         found > due.last_stable_offset;
}

}  // namespace

TransactionIndexVerifier::TransactionIndexVerifier(Directory& directory,
                                                   const Options& options,
                                                   FindingList& findings)
    : options_(options),
      findings_(findings),
      path_(directory.PathOf(
          SegmentFileName(options.base_offset, SegmentFileKind::kTxnIndex))) {
  Read(directory);
}

void TransactionIndexVerifier::Read(Directory& directory) {
  absl::StatusOr<std::string> bytes = ReadWholeFile(
      directory,
      SegmentFileName(options_.base_offset, SegmentFileKind::kTxnIndex),
      kSizeMax);
  if (!bytes.ok() && !absl::IsNotFound(bytes.status())) {
    findings_.Add(VerifyFinding::FromStatus(path_, bytes.status()));
    return;
  }
  if (bytes.ok()) bytes_ = *std::move(bytes);
  const auto damage =
      FindTransactionIndexDamage(options_.base_offset, bytes_, options_.writer);
  if (damage.has_value()) {
    AddUnreadable(
        {.path = path_, .position = damage->position, .what = damage->what},
        options_.fate, findings_);
    return;
  }
  index_ = std::make_unique<TransactionIndex>(
      options_.base_offset, absl::MakeSpan(bytes_),
      std::ssize(bytes_) / TransactionIndex::kEntrySize);
}

int64_t TransactionIndexVerifier::entry_count() const {
  return index_ == nullptr ? 0 : index_->entry_count();
}

void TransactionIndexVerifier::CheckMarker(const AbortMarker& marker) {
  if (index_ == nullptr) return;
  JudgeBefore(marker.offset);
  if (next_ < entry_count() &&
      index_->entry(next_).last_offset == marker.offset) {
    JudgeEntry(marker);
    ++next_;
  } else {
    JudgeLack(marker);
  }
}

// Entries before `offset` that no marker was passed for have none.
void TransactionIndexVerifier::JudgeBefore(int64_t offset) {
  for (; next_ < entry_count(); ++next_) {
    const AbortedTransaction entry = index_->entry(next_);
    if (entry.last_offset >= offset) return;
    Count(extra_, next_, entry.last_offset,
          "an entry for which there is no ABORT marker", "", TextOf(entry));
  }
}

void TransactionIndexVerifier::JudgeEntry(const AbortMarker& marker) {
  const AbortedTransaction found = index_->entry(next_);
  std::optional<std::string> expected = DefectOf(found, marker);
  if (!expected.has_value()) return;
  Count(wrong_, next_, marker.offset,
        "an entry that is not what the batches say", *std::move(expected),
        TextOf(found));
}

// What an entry should be, if it is not.
std::optional<std::string> TransactionIndexVerifier::DefectOf(
    const AbortedTransaction& found, const AbortMarker& marker) const {
  if (found.producer_id != marker.producer_id)
    return absl::StrCat("producer ", marker.producer_id);
  if (!marker.entry.has_value()) {
    if (found.first_offset < marker.known_from) return std::nullopt;
    return "none: the marker has ended no transaction";
  }
  // Of a transaction that was open before, more batches may have been seen.
  const bool is_first = found.first_offset == marker.entry->first_offset;
  if (is_first && (!marker.is_stable_offset_known ||
                   IsStableOffset(found.last_stable_offset, *marker.entry,
                                  options_.writer))) {
    return std::nullopt;
  }
  if (!marker.is_stable_offset_known && found.first_offset < marker.known_from)
    return std::nullopt;
  return TextOf(*marker.entry);
}

void TransactionIndexVerifier::JudgeLack(const AbortMarker& marker) {
  if (!marker.entry.has_value()) return;
  if (options_.entries == Entries::kMayLag && next_ == entry_count()) return;
  Count(missing_, std::nullopt, marker.offset,
        "the transaction that the ABORT marker there ends has no entry",
        TextOf(*marker.entry), "none");
}

void TransactionIndexVerifier::SkipTo(int64_t offset) {
  while (next_ < entry_count() && index_->entry(next_).last_offset < offset)
    ++next_;
}

void TransactionIndexVerifier::Finish(LogEnd log_end) {
  if (log_end == LogEnd::kWhole)
    JudgeBefore(std::numeric_limits<int64_t>::max());
  for (Kind* kind : {&extra_, &missing_, &wrong_}) Report(*kind);
}

void TransactionIndexVerifier::Count(Kind& kind, std::optional<int64_t> entry,
                                     int64_t offset, std::string what,
                                     std::string expected, std::string found) {
  if (kind.count++ > 0) return;
  kind.first = {.path = path_,
                .offset = offset,
                .what = std::move(what),
                .expected = std::move(expected),
                .found = std::move(found)};
  if (entry.has_value())
    kind.first.position = *entry * TransactionIndex::kEntrySize;
}

void TransactionIndexVerifier::Report(Kind& kind) {
  if (kind.count == 0) return;
  if (kind.count > 1)
    absl::StrAppend(&kind.first.what, ", and ", kind.count - 1, " more");
  AddUntrue(std::move(kind.first), options_.fate, findings_);
}

}  // namespace varve
