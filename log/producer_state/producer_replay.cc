// SPDX-License-Identifier: Apache-2.0

#include "varve/log/producer_state/producer_replay.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "varve/index/transaction_index.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/metadata/continuity.h"
#include "varve/log/producer/producer_batch.h"
#include "varve/log/producer/producer_snapshot.h"
#include "varve/log/producer/producer_state.h"
#include "varve/log/producer/producer_states.h"
#include "varve/log/producer_state/producer_files.h"
#include "varve/log/producer_state/segment_transactions.h"
#include "varve/log/segment/batch_scanner.h"
#include "varve/log/segment/segment.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

using Ended = absl::FunctionRef<void(int64_t, const EndedTransaction&)>;

// Notes what the batch says of its producer, if its bytes are sound.
void NoteBatch(BatchScanner& scanner, const RecordBatch& batch,
               int64_t segment_base, ProducerStates& states, Ended ended) {
  if (batch.producer_id() == kNoProducer && !batch.is_transactional()) return;
  if (!scanner.VerifyCrc()) return;
  const absl::StatusOr<ProducerBatch> read = ProducerBatch::Read(batch);
  if (!read.ok()) return;  // no marker that anyone could have meant
  const auto transaction =
      states.Note(*read, {.base_offset = batch.base_offset(),
                          .timestamp_ms = batch.max_timestamp_ms()});
  if (transaction.has_value()) ended(segment_base, *transaction);
}

void ReplaySegment(const Segment& segment, const BatchPlace& start,
                   const OffsetRange& range, ProducerStates& states,
                   Ended ended) {
  BatchScanner scanner(
      segment.visible_bytes(), start,
      {.crc = CrcCheck::kSkip, .continuity = Continuity::kGapsAllowed});
  while (true) {
    while (const RecordBatch* batch = scanner.Peek()) {
      if (batch->base_offset() >= range.to) return;
      if (batch->base_offset() >= range.from)
        NoteBatch(scanner, *batch, segment.base_offset(), states, ended);
      scanner.Peek();  // again, if its CRC was wrong
      scanner.Advance();
    }
    const std::optional<BatchPlace> behind = scanner.FindBatchBehind();
    if (!behind.has_value()) return;
    scanner.Resume(*behind);
  }
}

absl::StatusOr<std::shared_ptr<Segment>> OpenSegment(Directory& directory,
                                                     const ReplayedLog& log,
                                                     size_t i) {
  constexpr int64_t kWhole = std::numeric_limits<int64_t>::max();
  const bool is_last = i + 1 == log.segment_bases.size();
  return Segment::OpenReadOnly(
      directory, log.segment_bases[i],
      is_last ? log.last_segment_size.value_or(kWhole) : kWhole);
}

// The last segment that begins at or below the offset, or the first one.
size_t SegmentOf(const ReplayedLog& log, int64_t offset) {
  const auto above = std::upper_bound(log.segment_bases.begin(),
                                      log.segment_bases.end(), offset);
  return above == log.segment_bases.begin()
             ? 0
             : static_cast<size_t>(above - log.segment_bases.begin()) - 1;
}

// A batch of the segment from which on it has at most about `bytes` bytes, by
// its offset index.
BatchPlace PlaceNearEnd(const Segment& segment, int64_t end_offset,
                        int64_t bytes) {
  const int64_t position = std::ssize(segment.visible_bytes()) - bytes;
  if (position <= 0) return segment.ScanStart(segment.base_offset());
  int64_t below = segment.base_offset();
  int64_t above = end_offset;
  while (below < above) {
    const int64_t middle = below + (above - below) / 2;
    if (segment.ScanStart(middle, CrcCheck::kSkip).position < position) {
      below = middle + 1;
    } else {
      above = middle;
    }
  }
  return segment.ScanStart(below, CrcCheck::kSkip);
}

}  // namespace

absl::Status ReplayProducers(Directory& directory, const ReplayedLog& log,
                             const OffsetRange& range, ProducerStates& states,
                             Ended ended) {
  if (range.from >= range.to) return absl::OkStatus();
  for (size_t i = SegmentOf(log, range.from);
       i < log.segment_bases.size() && log.segment_bases[i] < range.to; ++i) {
    const auto segment = OpenSegment(directory, log, i);
    if (!segment.ok()) return segment.status();
    ReplaySegment(**segment, (*segment)->ScanStart(range.from), range, states,
                  ended);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> RebuildTransactionIndex(Directory& directory,
                                                    int64_t base_offset) {
  const absl::StatusOr<ProducerFiles> files = ListProducerFiles(directory);
  if (!files.ok()) return files.status();
  ProducerStates states;
  int64_t from = 0;
  for (auto at = files->snapshots.rbegin(); at != files->snapshots.rend();
       ++at) {
    if (*at > base_offset) continue;
    const auto snapshot = ReadProducerSnapshot(directory, *at);
    if (!snapshot.ok()) continue;
    states = ProducerStates(*snapshot);
    from = *at;
    break;
  }
  const std::vector<int64_t>& bases = files->segments;
  const auto next = std::upper_bound(bases.begin(), bases.end(), base_offset);
  const int64_t to =
      next == bases.end() ? std::numeric_limits<int64_t>::max() : *next;
  SegmentTransactions transactions(base_offset);
  absl::Status status = ReplayProducers(
      directory, {.segment_bases = bases}, {.from = from, .to = to}, states,
      [&](int64_t segment_base, const EndedTransaction& ended) {
        if (ended.aborted && segment_base == base_offset)
          transactions.Add(ended.index_entry());
      });
  if (!status.ok()) return status;
  return std::string(transactions.entries());
}

absl::StatusOr<std::string> LoadTransactionIndex(Directory& directory,
                                                 int64_t base_offset) {
  absl::StatusOr<std::string> entries =
      ReadTransactionIndex(directory, base_offset);
  if (absl::IsNotFound(entries.status())) return std::string();
  return absl::IsDataLoss(entries.status())
             ? RebuildTransactionIndex(directory, base_offset)
             : entries;
}

absl::Status RememberRecent(Directory& directory, const ReplayedLog& log,
                            int64_t states_end, ProducerStates& states) {
  if (states.empty() || log.segment_bases.empty()) return absl::OkStatus();
  std::vector<std::shared_ptr<Segment>> recent;  // the last one first
  int64_t bytes = 0;
  for (size_t i = SegmentOf(log, states_end - 1) + 1;
       i > 0 && bytes < kRecentBytes; --i) {
    auto segment = OpenSegment(directory, log, i - 1);
    if (!segment.ok()) return segment.status();
    bytes += std::ssize((*segment)->visible_bytes());
    recent.push_back(*std::move(segment));
  }
  ProducerStates known;
  const OffsetRange range = {.from = 0, .to = states_end};
  for (auto segment = recent.rbegin(); segment != recent.rend(); ++segment) {
    const int64_t wanted = bytes - kRecentBytes;
    const int64_t size = std::ssize((*segment)->visible_bytes());
    const BatchPlace start =
        PlaceNearEnd(**segment, states_end, wanted > 0 ? size - wanted : size);
    bytes = std::min(bytes, kRecentBytes);
    ReplaySegment(**segment, start, range, known,
                  [](int64_t, const EndedTransaction&) {});
  }
  states.RememberKept(known);
  return absl::OkStatus();
}

}  // namespace varve
