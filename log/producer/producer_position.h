// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_PRODUCER_PRODUCER_POSITION_H_
#define VARVE_LOG_PRODUCER_PRODUCER_POSITION_H_

#include <cstdint>
#include <optional>

namespace varve {

// How far a producer has come in a partition.
//
// Thread safety: a value.
struct ProducerPosition {
  int64_t producer_id = -1;
  // The one it appends with; a lower one is refused from now on.
  int16_t epoch = -1;
  // That of the last record that it has appended in this epoch, and the offset
  // of that; -1 and -1 when it has appended none.
  int32_t last_sequence = -1;
  int64_t last_offset = -1;
  // The sequence that its next batch in this epoch has to begin with. (That of
  // a higher epoch begins with 0.)
  int32_t next_sequence = 0;
  // Of the first record of the transaction that it has open, if it has.
  std::optional<int64_t> transaction_first_offset = std::nullopt;

  friend bool operator==(const ProducerPosition&,
                         const ProducerPosition&) = default;
};

}  // namespace varve

#endif  // VARVE_LOG_PRODUCER_PRODUCER_POSITION_H_
