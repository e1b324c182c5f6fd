// SPDX-License-Identifier: Apache-2.0

#include "varve/log/system/call_gate.h"

#include <atomic>
#include <optional>
#include <thread>
#include <utility>

#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace varve {
namespace {

TEST(CallGateTest, OpenGateLetsCallsInAndAClosedOneNone) {
  CallGate gate;
  EXPECT_TRUE(gate.Enter().entered());
  gate.CloseAndWait();
  EXPECT_FALSE(gate.Enter().entered());
  gate.CloseAndWait();
}

TEST(CallGateTest, CallWithinACallIsOneMore) {
  CallGate gate;
  {
    const CallGate::Call outer = gate.Enter();
    const CallGate::Call inner = gate.Enter();
    EXPECT_TRUE(outer.entered());
    EXPECT_TRUE(inner.entered());
  }
  gate.CloseAndWait();
}

TEST(CallGateTest, CallThatWasMovedEndsOnce) {
  CallGate gate;
  {
    CallGate::Call call = gate.Enter();
    const CallGate::Call moved = std::move(call);
    EXPECT_TRUE(moved.entered());
  }
  gate.CloseAndWait();
}

TEST(CallGateTest, CloseWaitsForTheCallsUnderWay) {
  CallGate gate;
  std::optional<CallGate::Call> call = gate.Enter();
  std::atomic<bool> is_over = false;
  absl::Notification closed;
  std::thread closer([&] {
    gate.CloseAndWait();
    EXPECT_TRUE(is_over.load());
    closed.Notify();
  });
  // Waiting cannot be observed; this is time enough for a call that does not
  // wait.
  EXPECT_FALSE(closed.WaitForNotificationWithTimeout(absl::Milliseconds(20)));
  is_over = true;
  call.reset();
  closer.join();
}

}  // namespace
}  // namespace varve
