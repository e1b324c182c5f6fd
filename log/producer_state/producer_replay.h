// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_PRODUCER_STATE_PRODUCER_REPLAY_H_
#define VARVE_LOG_PRODUCER_STATE_PRODUCER_REPLAY_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "varve/index/transaction_index.h"
#include "varve/log/producer/producer_states.h"
#include "varve/log/system/file_system.h"

namespace varve {

// The segments of a partition, for code that reads its batches.
struct ReplayedLog {
  absl::Span<const int64_t> segment_bases;  // ascending
  // How many bytes of the last segment belong to the log; none: all of them.
  std::optional<int64_t> last_segment_size = {};
};

// Notes the batches of the log that begin in the range, in the order of their
// offsets, and calls `ended` for each transaction that a marker has ended, with
// the base offset of the marker's segment. Most batches cost a look at their
// header; those of producers are summed as well, and passed over when they are
// damaged.
//
// Errors: file errors (log/system/errno_status.h). The states may have changed.
absl::Status ReplayProducers(
    Directory& directory, const ReplayedLog& log, const OffsetRange& range,
    ProducerStates& states,
    absl::FunctionRef<void(int64_t base_offset, const EndedTransaction& ended)>
        ended);

// Makes the transaction index of a segment again, from the newest snapshot at
// or below its base offset and the batches from there on: the entries, as
// ReadTransactionIndex returns them. For an index that is damaged.
//
// Errors: file errors.
absl::StatusOr<std::string> RebuildTransactionIndex(Directory& directory,
                                                    int64_t base_offset);

// The index, from its file; made again when that is damaged; empty when there
// is none.
//
// Errors: file errors.
absl::StatusOr<std::string> LoadTransactionIndex(Directory& directory,
                                                 int64_t base_offset);

// Looks at the last batches before `states_end`, the offset of the snapshot
// that the states were made from, so that of each producer as many are
// remembered as were, if they are within the last kRecentBytes of the log.
//
// Errors: file errors.
inline constexpr int64_t kRecentBytes = int64_t{1} << 20;
absl::Status RememberRecent(Directory& directory, const ReplayedLog& log,
                            int64_t states_end, ProducerStates& states);

}  // namespace varve

#endif  // VARVE_LOG_PRODUCER_STATE_PRODUCER_REPLAY_H_
