// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_PRODUCER_PRODUCER_LIST_H_
#define VARVE_LOG_PRODUCER_PRODUCER_LIST_H_

#include "varve/log/producer/producer_state.h"

namespace varve {

// A producer's state and its place in the one list that it is in.
struct ListedProducer {
  explicit ListedProducer(const ProducerState& known) : state(known) {}

  ProducerState state;
  ListedProducer* before = nullptr;
  ListedProducer* after = nullptr;
};

// Producers in the order in which they were added to the end. Every operation
// takes constant time and allocates nothing. It owns none of them.
//
// Thread safety: externally synchronized.
class ProducerList {
 public:
  // Null when the list is empty; on from there by `after`.
  ListedProducer* front() const { return front_; }
  bool empty() const { return front_ == nullptr; }

  // Precondition: it is in no list.
  void PushBack(ListedProducer* producer) {
    producer->before = back_;
    producer->after = nullptr;
    (back_ == nullptr ? front_ : back_->after) = producer;
    back_ = producer;
  }

  // Precondition: it is in this list.
  void Remove(ListedProducer* producer) {
    (producer->before == nullptr ? front_ : producer->before->after) =
        producer->after;
    (producer->after == nullptr ? back_ : producer->after->before) =
        producer->before;
  }

  // Precondition: it is in this list.
  void MoveToBack(ListedProducer* producer) {
    if (producer == back_) return;
    Remove(producer);
    PushBack(producer);
  }

 private:
  ListedProducer* front_ = nullptr;
  ListedProducer* back_ = nullptr;
};

}  // namespace varve

#endif  // VARVE_LOG_PRODUCER_PRODUCER_LIST_H_
