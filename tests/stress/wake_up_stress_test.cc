// SPDX-License-Identifier: Apache-2.0

// Two threads that each wait for the other's record: a wake-up that is lost
// stops both. Waits have no deadline, and a watchdog looks after them.

#include <cstdint>
#include <thread>

#include "absl/status/status_matchers.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/sanitizer.h"
#include "tests/fixture/store_fixture.h"
#include "tests/fixture/watchdog.h"
#include "varve/api/log_store.h"
#include "varve/api/partition.h"
#include "varve/api/store_options.h"
#include "varve/log/metadata/durability.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;

constexpr int64_t kExchanges = kSanitizer == Sanitizer::kNone ? 10000 : 1000;

class WakeUpStressTest : public StoreFixture {
 protected:
  StoreOptions Options() override {
    return {.sync_interval = absl::Milliseconds(20)};
  }

  const Watchdog watchdog_{absl::Minutes(4), "the threads stand still"};
};

TEST_F(WakeUpStressTest, NoWakeUpIsLostBetweenTwoThatWaitForEachOther) {
  Open();
  ASSERT_THAT(store_->CreateTopic("orders", {.partitions = 2}), IsOk());
  const auto play = [this](int own, int other) {
    Partition mine = Orders(own);
    const Partition theirs = Orders(other);
    for (int64_t i = 0; i < kExchanges; ++i) {
      // The one that begins does not wait for the first.
      const int64_t due = own == 1 ? i : i - 1;
      ASSERT_THAT(theirs.WaitFor(due), IsOk());
      ASSERT_THAT(mine.Append({.value = "ping"}, Durability::kMemory), IsOk());
    }
  };
  std::thread first([&] { play(0, 1); });
  std::thread second([&] { play(1, 0); });
  first.join();
  second.join();
  EXPECT_EQ(Orders(0).visible_end(), kExchanges);
  EXPECT_EQ(Orders(1).visible_end(), kExchanges);
  EXPECT_THAT(store_->Close(), IsOk());
}

}  // namespace
}  // namespace varve
