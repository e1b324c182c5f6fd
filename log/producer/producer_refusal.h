// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_PRODUCER_PRODUCER_REFUSAL_H_
#define VARVE_LOG_PRODUCER_PRODUCER_REFUSAL_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/status/status.h"

namespace varve {

// Why a batch of a producer is refused, as a value beside the words and the
// code of the error, for a caller that has to answer with a code of Kafka's. It
// is a payload of the status, which copies keep, and which a status that is
// made anew from the message does not have.
//
// Thread safety: thread-safe.
enum class ProducerRefusal : uint8_t {
  // InvalidArgument: the producer's fields contradict each other, or a client's
  // batch has no sequence. Kafka: INVALID_RECORD (87).
  kInvalidFields = 1,
  // FailedPrecondition: a later epoch of this producer has appended, so this
  // one is fenced: it must not go on. Kafka: INVALID_PRODUCER_EPOCH (47).
  kOldEpoch,
  // OutOfRange: the sequence leaves a gap, so a batch before this one is
  // missing; or a new epoch does not begin with 0. The producer has to append
  // what is missing first. Kafka: OUT_OF_ORDER_SEQUENCE_NUMBER (45).
  kSequenceGap,
  // AlreadyExists: the sequence lies before the expected one, and the batch is
  // none of those that are remembered: its records were appended before, where,
  // is forgotten. Kafka's broker answers 45 here as well; to a client, 46
  // (DUPLICATE_SEQUENCE_NUMBER) says that the records are in the log.
  kOldSequence,
  // FailedPrecondition: the producer has a transaction open, and the batch is
  // not part of it. Kafka: INVALID_TXN_STATE (48).
  kOpenTransaction,
  // FailedPrecondition: a marker of a transaction coordinator that a later one
  // has replaced. Kafka: TRANSACTION_COORDINATOR_FENCED (52).
  kOldCoordinator,
  // ResourceExhausted: so many producers have transactions open that there is
  // no room for another one; there is, as soon as one ends. Not Kafka's.
  kTooManyTransactions,
};

// The reason; nothing when `status` does not have it.
std::optional<ProducerRefusal> ProducerRefusalOf(const absl::Status& status);

// An error with the code of `reason`, the reason, and this message.
absl::Status ProducerRefusalError(ProducerRefusal reason,
                                  std::string_view message);

}  // namespace varve

#endif  // VARVE_LOG_PRODUCER_PRODUCER_REFUSAL_H_
