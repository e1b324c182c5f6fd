// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_STRESS_RETRY_LEDGER_H_
#define VARVE_TESTS_STRESS_RETRY_LEDGER_H_

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <new>
#include <string>

#include "absl/log/check.h"
#include "tests/fixture/producer_client.h"
#include "varve/log/batch/record_batch_builder.h"

namespace varve {

// A batch that a producer has sent, at least once.
struct SentBatch {
  // Nothing has been said of it: it may be in the log or not.
  static constexpr int64_t kUnknown = -1;
  // It was appended, and where is forgotten.
  static constexpr int64_t kForgotten = -2;

  // Where it was acknowledged. Memory ordering: relaxed would do; another
  // process reads it when this one has ended, and another thread reads nothing
  // that depends on it.
  std::atomic<int64_t> offset = kUnknown;
  int32_t first_sequence = 0;
  int32_t records = 0;

  int32_t next_sequence() const { return first_sequence + records; }
};

// All batches of one producer for one partition, in their order.
struct SentBatches {
  static constexpr int32_t kMax = 1 << 19;
  // As many as a log remembers, so as many as may be in flight.
  static constexpr int32_t kInFlightMax = 5;

  // Memory ordering: released when the batch before it is described; relaxed
  // would do for the second.
  std::atomic<int32_t> count = 0;
  std::atomic<int32_t> last_life = 0;  // the last one that has sent a new one
  std::array<SentBatch, kMax> batches;

  int32_t first_retried() const {
    return std::max(0, count.load(std::memory_order_acquire) - kInFlightMax);
  }
  int32_t next_sequence() const {
    const int32_t sent = count.load(std::memory_order_acquire);
    return sent == 0 ? 0
                     : batches[static_cast<size_t>(sent - 1)].next_sequence();
  }
  // From the first one of which nothing is known.
  int32_t in_flight() const {
    const int32_t sent = count.load(std::memory_order_acquire);
    for (int32_t i = first_retried(); i < sent; ++i) {
      if (batches[static_cast<size_t>(i)].offset == SentBatch::kUnknown)
        return sent - i;
    }
    return 0;
  }
};

// What the producers of a store have sent and were told, in memory that
// outlives the processes that write it. One thread of one process at a time
// writes what is of one producer.
class RetryLedger {
 public:
  static constexpr int kProducers = 3;
  static constexpr int kPartitions = 2;
  static constexpr int32_t kKeys = 13;  // of each producer

  // How retries were answered.
  struct Counts {
    std::atomic<int64_t> known = 0;   // a duplicate, where it was said to be
    std::atomic<int64_t> stored = 0;  // a duplicate, of which nothing was said
    std::atomic<int64_t> appended = 0;  // it had not come into the log
    std::atomic<int64_t> forgotten =
        0;  // appended before, no longer known where
  };

  // For this process and those that it forks from now on.
  static RetryLedger& Share() {
    void* memory = mmap(nullptr, sizeof(RetryLedger), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(memory != MAP_FAILED);
    return *new (memory) RetryLedger();
  }
  static void Drop(RetryLedger& ledger) { munmap(&ledger, sizeof(ledger)); }

  static int64_t IdOf(int producer) { return 4000 + producer; }

  // The batch, each time with the same bytes.
  static RecordBatchBuilder Encode(int producer, const SentBatch& batch) {
    return ProducerClient{.id = IdOf(producer), .keys = kKeys}.Batch(
        batch.first_sequence, batch.records, TextOf(batch));
  }
  static std::string TextOf(const SentBatch& batch) {
    return std::string(static_cast<size_t>(batch.first_sequence % 191), 'v');
  }

  SentBatches& sent(int producer, int partition) {
    return sent_[static_cast<size_t>(producer)][static_cast<size_t>(partition)];
  }
  Counts& counts() { return counts_; }

 private:
  RetryLedger() = default;

  std::array<std::array<SentBatches, kPartitions>, kProducers> sent_;
  Counts counts_;
};

}  // namespace varve

#endif  // VARVE_TESTS_STRESS_RETRY_LEDGER_H_
