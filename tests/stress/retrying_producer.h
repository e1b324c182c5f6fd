// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_STRESS_RETRYING_PRODUCER_H_
#define VARVE_TESTS_STRESS_RETRYING_PRODUCER_H_

#include <array>
#include <cstdint>
#include <random>
#include <vector>

#include "absl/status/status.h"
#include "tests/stress/retry_ledger.h"
#include "varve/api/log_store.h"
#include "varve/api/partition.h"

namespace varve {

// A producer in a process that may be killed at any moment. When it begins it
// sends its last batches once more, of which it may have lost the answers; then
// new ones, of which up to five are in flight. It ends the process when an
// answer is wrong.
//
// Thread safety: externally synchronized; one thread.
class RetryingProducer {
 public:
  struct Options {
    int number = 0;
    int life = 0;  // of the processes, which one
    uint64_t seed = 0;
    // Whether it deletes the oldest records now and then.
    bool trims = false;
    // Whether the log is compacted: then an open finds the last batch alone.
    bool is_compacted = false;
  };

  // Bytes that it may append to each partition in one life.
  static constexpr int64_t kBytesMax = int64_t{80} << 10;

  RetryingProducer(LogStore& store, RetryLedger& ledger,
                   const Options& options);

  void SendAgain();

  // Sends new batches, of about this many bytes to each partition.
  // Precondition: at most kBytesMax.
  void SendNew(int64_t bytes);

 private:
  // An open finds where a producer's last five batches are while they are in
  // the last MiB of the log: three producers have appended less in these lives.
  static constexpr int kLivesRemembered = 2;

  void SendAgain(int partition);
  void SendAgain(int partition, SentBatch& batch);
  bool MayBeForgotten(int partition, const SentBatch& batch) const;
  // Returns the bytes.
  int64_t SendNew(int partition, SentBatches& sent);
  void AwaitRoom(const SentBatches& sent) const;
  Durability AnyDurability();

  RetryLedger& ledger_;
  const Options options_;
  std::vector<Partition> partitions_;
  // No later than those that the open of the store has found.
  std::vector<int64_t> log_starts_;
  std::mt19937_64 random_;
};

}  // namespace varve

#endif  // VARVE_TESTS_STRESS_RETRYING_PRODUCER_H_
