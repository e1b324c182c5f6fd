// SPDX-License-Identifier: Apache-2.0

// ZeroMQ between two threads. By its documentation:
//
// - the guide, "Signaling Between Threads (PAIR Sockets)": a pair of PAIR
//   sockets over inproc, each used by one thread alone.
// - zmq_inproc(7): no I/O thread takes part, so the context has none.
// - zmq_recv(3): ZMQ_DONTWAIT for the receiver that spins.

#include <zmq.h>

#include <cerrno>
#include <memory>
#include <string>

#include "absl/log/check.h"
#include "absl/strings/str_cat.h"
#include "bench/bare/bare_queues.h"
#include "bench/peers/handoff.h"
#include "bench/peers/handoff_run.h"

namespace varve::bench {
namespace {

constexpr char kAddress[] = "inproc://handoff";

class ZeroMqHandoff final : public Handoff {
 public:
  explicit ZeroMqHandoff(Waiting waiting)
      : flags_(waiting == Waiting::kSpinning ? ZMQ_DONTWAIT : 0),
        context_(zmq_ctx_new()) {
    CHECK(context_ != nullptr);
    CheckOk(zmq_ctx_set(context_, ZMQ_IO_THREADS, 0));
    receiver_ = zmq_socket(context_, ZMQ_PAIR);
    CHECK(receiver_ != nullptr) << zmq_strerror(zmq_errno());
    CheckOk(zmq_bind(receiver_, kAddress));
    sender_ = zmq_socket(context_, ZMQ_PAIR);
    CHECK(sender_ != nullptr) << zmq_strerror(zmq_errno());
    CheckOk(zmq_connect(sender_, kAddress));
  }

  ~ZeroMqHandoff() override {
    CheckOk(zmq_close(sender_));
    CheckOk(zmq_close(receiver_));
    CheckOk(zmq_ctx_term(context_));
  }

  ZeroMqHandoff(const ZeroMqHandoff&) = delete;
  ZeroMqHandoff& operator=(const ZeroMqHandoff&) = delete;

  // The start of the sending thread is the fence after which it may use the
  // socket that another one made.
  void Send(const Message& message) override {
    CHECK_EQ(zmq_send(sender_, message.data(), message.size(), 0),
             static_cast<int>(message.size()))
        << zmq_strerror(zmq_errno());
  }

  void Receive(Message& message) override {
    int got = zmq_recv(receiver_, message.data(), message.size(), flags_);
    while (got < 0 && zmq_errno() == EAGAIN) {
      got = zmq_recv(receiver_, message.data(), message.size(), flags_);
    }
    CHECK_EQ(got, static_cast<int>(message.size()))
        << zmq_strerror(zmq_errno());
  }

 private:
  static void CheckOk(int result) {
    CHECK_EQ(result, 0) << zmq_strerror(zmq_errno());
  }

  const int flags_;
  void* const context_;
  void* receiver_ = nullptr;
  void* sender_ = nullptr;
};

std::unique_ptr<Handoff> Open(Waiting waiting, const std::string&) {
  return std::make_unique<ZeroMqHandoff>(waiting);
}

constexpr HandoffVariant kVariants[] = {
    {"inproc_spinning", Waiting::kSpinning, "nothing", "nothing", Open},
    {"inproc_blocking", Waiting::kBlocking, "nothing", "nothing", Open},
};

}  // namespace
}  // namespace varve::bench

int main(int argc, char** argv) {
  return varve::bench::RunHandoff(
      argc, argv,
      absl::StrCat("ZeroMQ ", ZMQ_VERSION_MAJOR, ".", ZMQ_VERSION_MINOR, ".",
                   ZMQ_VERSION_PATCH),
      varve::bench::kVariants);
}
