// SPDX-License-Identifier: Apache-2.0

// Idempotent producers in processes that are killed with SIGKILL, over and over
// on the same store: each sends again what it was not told of, and a little of
// what it was, and every record is in the log once, where it was acknowledged.
// Where the log is compacted meanwhile, the last one of each key is.
//
// VARVE_STRESS_KILLS is the number of processes. `./dev stress` says 1500.

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <iostream>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/status/status_matchers.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/scratch_directory.h"
#include "tests/stress/compacted_log_check.h"
#include "tests/stress/retry_ledger.h"
#include "tests/stress/retry_log_check.h"
#include "tests/stress/retrying_producer.h"
#include "varve/api/log_store.h"
#include "varve/log/metadata/log_config.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;

// A process that opens the store, sends again, and sends new batches.
struct Life {
  int number = 0;
  uint64_t seed = 0;
  bool trims = false;
  bool compacts = false;
  // How it ends: at this call of the file system, after this time, or else
  // when it has sent all, by a kill or by a clean close.
  std::optional<int64_t> killed_at_call = std::nullopt;
  std::optional<absl::Duration> killed_after = std::nullopt;
  bool closes = false;

  static Life Any(int number, std::mt19937_64& random) {
    Life life = {.number = number, .seed = random()};
    switch (random() % 8) {
      case 0:
        life.closes = true;
        break;
      case 1:
        break;
      case 2:
      case 3:
      case 4:
        life.killed_at_call = static_cast<int64_t>(random() % 300);
        break;
      default:
        life.killed_after = absl::Microseconds(random() % 30'000);
    }
    return life;
  }
};

class IdempotentRetryStress : public testing::Test {
 protected:
  IdempotentRetryStress() {
    if (const char* text = getenv("VARVE_TEST_SEED"); text != nullptr)
      CHECK(absl::SimpleAtoi(text, &seed_));
    if (const char* text = getenv("VARVE_STRESS_KILLS"); text != nullptr)
      CHECK(absl::SimpleAtoi(text, &lives_));
    std::cout << "VARVE_TEST_SEED=" << seed_ << std::endl;
  }
  ~IdempotentRetryStress() override { RetryLedger::Drop(ledger_); }

  static StoreOptions Options() {
    // What each open finds is no news here.
    return {.retention_check_interval = absl::Milliseconds(5),
            .compaction_check_interval = absl::Milliseconds(5),
            .producer_id_expiration = absl::Hours(24) * 36500,
            .log_sink = [](const LogMessage&) {}};
  }

  void CreateStore(const LogConfig& log) {
    auto store = LogStore::Open(path_, Options());
    ASSERT_THAT(store, IsOk());
    TopicConfig config = {.partitions = RetryLedger::kPartitions, .log = log};
    config.log.segment_bytes = 16384;
    config.log.index_interval_bytes = 500;
    ASSERT_THAT((*store)->CreateTopic("t", config), IsOk());
  }

  RetryingProducer::Options ProducerOptions(const Life& life, int number) {
    return {.number = number,
            .life = life.number,
            .seed = life.seed + static_cast<uint64_t>(number),
            .trims = life.trims,
            .is_compacted = life.compacts};
  }

  [[noreturn]] void Live(const Life& life) {
    CHECK_EQ(prctl(PR_SET_PDEATHSIG, SIGKILL), 0);
    FaultyFileSystem files;
    if (life.killed_at_call.has_value()) files.KillAt(*life.killed_at_call);
    StoreOptions options = Options();
    options.environment.files = &files;
    auto store = LogStore::Open(path_, options);
    CHECK_OK(store.status());
    std::vector<std::thread> threads;
    for (int i = 0; i < RetryLedger::kProducers; ++i) {
      threads.emplace_back([&, i] {
        std::mt19937_64 random(life.seed ^ static_cast<uint64_t>(i));
        RetryingProducer producer(**store, ledger_, ProducerOptions(life, i));
        producer.SendAgain();
        if (random() % 2 == 0) return;  // idle
        producer.SendNew(static_cast<int64_t>(RetryingProducer::kBytesMax /
                                              (1 + random() % 20)));
      });
    }
    for (std::thread& thread : threads) thread.join();
    if (!life.closes) raise(SIGKILL);
    CHECK_OK((*store)->Close());
    _exit(0);
  }

  void RunAProcess(const Life& life) {
    const pid_t child = fork();
    CHECK_GE(child, 0);
    if (child == 0) Live(life);
    if (life.killed_after.has_value()) {
      absl::SleepFor(*life.killed_after);
      CHECK_EQ(kill(child, SIGKILL), 0);
    }
    int how = 0;
    CHECK_EQ(waitpid(child, &how, 0), child);
    const bool ended_well =
        WIFSIGNALED(how) ? WTERMSIG(how) == SIGKILL : WEXITSTATUS(how) == 0;
    ASSERT_TRUE(ended_well) << "see what the process has said";
  }

  // Reads what the processes have left, after a recovery of its own.
  void CheckLog() {
    StoreOptions options = Options();
    options.background = Background::kNone;
    auto store = LogStore::Open(path_, options);
    ASSERT_THAT(store, IsOk());
    EXPECT_FALSE((*store)->recovery_report().has_damage())
        << (*store)->recovery_report().ToString();
    for (int i = 0; i < RetryLedger::kPartitions; ++i) {
      const Partition partition = *(*store)->partition("t", i);
      if (is_compacted_) {
        CompactedLogCheck check(ledger_, i);
        check.Read(partition);
        gone_ += check.gone();
      } else {
        checks_[static_cast<size_t>(i)].ReadOn(partition);
      }
    }
    ASSERT_THAT((*store)->Close(), IsOk());
  }

  void CheckAtTheEnd() {
    auto store = LogStore::Open(path_, Options());
    ASSERT_THAT(store, IsOk());
    for (int i = 0; i < RetryLedger::kProducers; ++i) {
      RetryingProducer(
          **store, ledger_,
          ProducerOptions(
              {.number = lives_, .seed = seed_, .compacts = is_compacted_}, i))
          .SendAgain();
    }
    for (int i = 0; !is_compacted_ && i < RetryLedger::kPartitions; ++i) {
      checks_[static_cast<size_t>(i)].CheckComplete(
          *(*store)->partition("t", i));
    }
    ASSERT_THAT((*store)->Close(), IsOk());
  }

  void KillOverAndOver(bool trims) {
    std::mt19937_64 random(seed_);
    for (int i = 0; i < lives_ && !HasFailure(); ++i) {
      SCOPED_TRACE(absl::StrCat("VARVE_TEST_SEED=", seed_, ", life ", i));
      Life life = Life::Any(i, random);
      life.trims = trims;
      life.compacts = is_compacted_;
      RunAProcess(life);
      if (i % 4 == 3 && !HasFailure()) CheckLog();
    }
    if (HasFailure()) return;
    CheckAtTheEnd();
    CheckLog();
    const RetryLedger::Counts& counts = ledger_.counts();
    std::cout << "sent again: " << counts.known << " known, " << counts.stored
              << " stored without an answer, " << counts.appended
              << " not stored, " << counts.forgotten << " forgotten, " << gone_
              << " compacted away" << std::endl;
    EXPECT_GT(counts.known, 0);
    EXPECT_EQ(gone_ > 0, is_compacted_);
  }

  uint64_t seed_ = std::random_device()();
  int lives_ = 40;
  bool is_compacted_ = false;
  int64_t gone_ = 0;  // records that checks have not found any more
  ScratchDirectory scratch_;
  const std::string path_ = scratch_ / "store";
  RetryLedger& ledger_ = RetryLedger::Share();
  std::vector<RetryLogCheck> checks_ = {RetryLogCheck(ledger_, 0),
                                        RetryLogCheck(ledger_, 1)};
};

TEST_F(IdempotentRetryStress, KilledProducersAppendEveryRecordOnce) {
  CreateStore({});
  KillOverAndOver(false);
}

TEST_F(IdempotentRetryStress,
       KilledProducersAppendEveryRecordOnceWhileTrimmed) {
  CreateStore({.retention_bytes = 65536});
  KillOverAndOver(true);
}

TEST_F(IdempotentRetryStress,
       KilledProducersKeepTheLatestOfEachKeyWhileCompacted) {
  is_compacted_ = true;
  CreateStore({.cleanup_policy = CleanupPolicy::kCompact,
               .min_cleanable_dirty_ratio = 0.01});
  KillOverAndOver(false);
}

}  // namespace
}  // namespace varve
