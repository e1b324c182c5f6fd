// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_BENCH_BARE_BARE_PING_H_
#define VARVE_BENCH_BARE_BARE_PING_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <string_view>
#include <vector>

#include "absl/log/check.h"
#include "bench/bare/bare_batch.h"
#include "bench/bare/bare_queues.h"

namespace varve::bench {

// The hand-off of a log without the log: one thread encodes each message into a
// record batch, with its CRC, and moves the end of the bytes; another one sees
// that, checks the CRC, and decodes the record. Nothing is read twice, and
// nothing is kept for good.
//
// Thread safety: one thread sends, one receives.
class BarePing {
 public:
  // For so many messages at most. The memory is there from the beginning.
  explicit BarePing(int64_t message_count)
      : bytes_(static_cast<size_t>(message_count) * kBatchSizeMax) {}

  // For a receiver that spins.
  void Send(const Message& message) {
    Encode(message);
    sent_.store(send_at_, std::memory_order_release);
  }

  // For a receiver that blocks.
  void SendAndNotify(const Message& message) {
    Encode(message);
    {
      const std::lock_guard<std::mutex> lock(mu_);
      sent_.store(send_at_, std::memory_order_release);
    }
    moved_.notify_one();
  }

  void ReceiveSpinning(Message& message) {
    while (!HasNext()) {
    }
    Decode(message);
  }

  void ReceiveBlocking(Message& message) {
    if (!HasNext()) {
      std::unique_lock<std::mutex> lock(mu_);
      moved_.wait(lock, [this] { return HasNext(); });
    }
    Decode(message);
  }

 private:
  static constexpr size_t kBatchSizeMax =
      kBareHeaderSize + kBareRecordOverheadMax + kMessageSize;
  static constexpr int64_t kTimestampMs = 1700000000000;

  bool HasNext() const {
    return sent_.load(std::memory_order_acquire) != received_;
  }

  void Encode(const Message& message) {
    const std::string_view value(message.data(), message.size());
    char* const begin = bytes_.data() + send_at_;
    send_at_ = static_cast<size_t>(
        EncodeBareBatch(value, 1, next_offset_++, kTimestampMs, begin) -
        bytes_.data());
  }

  void Decode(Message& message) {
    const char* const batch = bytes_.data() + received_;
    const char* const end = BareBatchEnd(batch);
    CHECK(HasRightBareCrc(batch, end));
    std::string_view value;
    DecodeBareRecord(batch + kBareHeaderSize, &value);
    CHECK_EQ(value.size(), message.size());
    std::memcpy(message.data(), value.data(), value.size());
    received_ = static_cast<size_t>(end - bytes_.data());
  }

  std::vector<char> bytes_;

  // The sender's alone.
  size_t send_at_ = 0;
  int64_t next_offset_ = 0;
  // Memory ordering: stored with release after a batch's bytes; a receiver that
  // loads it with acquire finds them.
  alignas(64) std::atomic<size_t> sent_ = 0;
  // The receiver's alone.
  alignas(64) size_t received_ = 0;

  // For a receiver that blocks: `sent_` moves while it is held.
  std::mutex mu_;
  std::condition_variable moved_;
};

}  // namespace varve::bench

#endif  // VARVE_BENCH_BARE_BARE_PING_H_
