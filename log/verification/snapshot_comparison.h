// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_VERIFICATION_SNAPSHOT_COMPARISON_H_
#define VARVE_LOG_VERIFICATION_SNAPSHOT_COMPARISON_H_

#include <cstdint>
#include <optional>
#include <string>

#include "varve/log/producer/producer_snapshot.h"
#include "varve/log/producer/producer_states.h"

namespace varve {

// What is known of producers from batches that were read one after another.
struct KnownProducers {
  // Where that begins; what a producer did before is not known, unless the
  // states are those of all producers there.
  enum class Origin {
    kWithoutStates,
    kWithStates,  // from a snapshot, or at the beginning of all
  };

  Origin origin = Origin::kWithoutStates;
  int64_t from = 0;
  ProducerStates states = ProducerStates();  // has forgotten none
};

// The first thing that a snapshot says otherwise than the batches.
struct SnapshotDifference {
  std::optional<int64_t> entry = {};  // its number; none: it lacks one
  int64_t producer_id = -1;
  std::string expected = {};
  std::string found = {};
  int64_t count = 0;  // of producers that differ
};

// Compares a snapshot with the batches before its offset. Its writer may have
// known less, and that is no difference: a producer without an open transaction
// expires, and all that is known when it returns is what it did since. Nor may
// it be known here, when it happened before `known.from`.
//
// Of a producer that appended since, all else has to be as in its last batch:
// its epoch, the sequence, place and time of that, its open transaction.
//
// Precondition: `known.states.forgotten_count()` is 0.
std::optional<SnapshotDifference> CompareSnapshot(
    const ProducerSnapshot& snapshot, const KnownProducers& known);

}  // namespace varve

#endif  // VARVE_LOG_VERIFICATION_SNAPSHOT_COMPARISON_H_
