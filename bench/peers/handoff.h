// SPDX-License-Identifier: Apache-2.0

// What every peer is behind that passes messages from one thread to another.

#ifndef VARVE_BENCH_PEERS_HANDOFF_H_
#define VARVE_BENCH_PEERS_HANDOFF_H_

#include <memory>
#include <string>
#include <string_view>

#include "absl/types/span.h"
#include "bench/bare/bare_queues.h"

namespace varve::bench {

// How the receiver waits: it looks all the time, or sleeps until it is woken.
enum class Waiting { kSpinning, kBlocking };

// The two ends. A failure stops the program.
//
// Thread safety: one thread sends, one receives; the receiving one also made
// it and destroys it.
class Handoff {
 public:
  virtual ~Handoff() = default;

  virtual void Send(const Message& message) = 0;

  // Waits for the next message.
  virtual void Receive(Message& message) = 0;
};

// One way to pass messages.
struct HandoffVariant {
  std::string_view name;  // of --variant
  Waiting waiting;
  // What survives after Send has returned, of messages not received.
  std::string_view survives_kill;
  std::string_view survives_power_loss;
  // `directory` is empty, and for files if it needs some.
  std::unique_ptr<Handoff> (*open)(Waiting waiting,
                                   const std::string& directory);
};

}  // namespace varve::bench

#endif  // VARVE_BENCH_PEERS_HANDOFF_H_
