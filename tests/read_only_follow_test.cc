// SPDX-License-Identifier: Apache-2.0

// A reader follows a store from another process through a thousand rolls, trims
// and many writers, some of which are killed: it sees everything that any of
// them appended, in order and once.

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <iostream>
#include <limits>
#include <memory>
#include <new>
#include <random>
#include <string>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "api/log_store.h"
#include "api/read_only_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "log/record_batches.h"
#include "log/record_view.h"
#include "tests/partition_fixture.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;

// What the two processes tell each other, beside the store.
struct Shared {
  // Memory ordering: relaxed; they order nothing, what they say may be late.
  std::atomic<int64_t> rolls = 0;
  std::atomic<int64_t> trims = 0;
  std::atomic<int64_t> reader_at = 0;
};

Shared* MakeShared() {
  void* memory = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  CHECK(memory != MAP_FAILED);
  return new (memory) Shared();
}

// Every byte of a record follows from its offset.
std::string ValueOf(int64_t offset) {
  std::mt19937_64 random(static_cast<uint64_t>(offset));
  std::string value(random() % 150, '\0');
  for (char& byte : value) byte = static_cast<char>(random());
  return absl::StrCat(offset, ":", value);
}

// How a writer trims.
enum class Trims {
  kNone,
  kBehindTheReader,  // never what it has not read
  kAnywhere,
};

void AppendOne(Partition& partition, std::mt19937_64& random) {
  const int64_t next = partition.visible_end();
  RecordBatchBuilder builder;
  for (int64_t i = random() % 3; i >= 0; --i) {
    const int64_t offset = next + builder.record_count();
    const std::string value = ValueOf(offset);
    CHECK_OK(builder.Append({.value = value}, 1000 + offset));
  }
  const Durability durability =
      random() % 50 == 0 ? Durability::kSynced : Durability::kMemory;
  CHECK_OK(partition.Append(builder.Finish(), durability).status());
}

// A writer's whole life, unless it is killed before.
[[noreturn]] void Write(const std::string& path, uint64_t seed, Trims trims,
                        Shared& shared) {
  std::mt19937_64 random(seed);
  auto store = LogStore::Open(path);
  CHECK_OK(store.status());
  auto partition = (*store)->partition("t", 0);
  CHECK_OK(partition.status());
  for (int i = 0; i < 600; ++i) {
    const int64_t segments = partition->segment_count();
    AppendOne(*partition, random);
    if (partition->segment_count() > segments) ++shared.rolls;
    if (trims != Trims::kNone && random() % 100 == 0) {
      const int64_t end = trims == Trims::kAnywhere ? partition->visible_end()
                                                    : shared.reader_at.load();
      CHECK_OK(partition->TrimBefore(end - random() % 50 % (end + 1)));
      ++shared.trims;
    }
  }
  CHECK_OK((*store)->Close());
  _exit(0);
}

class ReadOnlyFollowTest : public testing::TestWithParam<SealedAccess> {
 protected:
  ReadOnlyFollowTest() {
    std::cout << "seed " << seed_ << std::endl;
    auto store = LogStore::Open(path_);
    CHECK_OK(store.status());
    TopicConfig config;
    config.log.segment_bytes = 1000;
    config.log.index_interval_bytes = 300;
    CHECK_OK((*store)->CreateTopic("t", config));
    CHECK_OK((*store)->Close());
    auto reader = LogStore::OpenReadOnly(path_, {.sealed = GetParam()});
    CHECK_OK(reader.status());
    reader_ = *std::move(reader);
    auto partition = reader_->partition("t", 0);
    CHECK_OK(partition.status());
    partition_ = std::make_unique<ReadOnlyPartition>(*std::move(partition));
  }

  void StartWriter(Trims trims) {
    const uint64_t seed = random_();
    writer_ = fork();
    CHECK_GE(writer_, 0);
    if (writer_ == 0) Write(path_, seed, trims, shared_);
  }
  // Whether it has ended, by itself and well or by our signal.
  bool WriterHasEnded() {
    int how = 0;
    const pid_t ended = waitpid(writer_, &how, WNOHANG);
    if (ended == 0) return false;
    const bool killed = WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL;
    EXPECT_TRUE(killed || (WIFEXITED(how) && WEXITSTATUS(how) == 0)) << how;
    return true;
  }

  // Reads what there is. Returns whether there was something.
  bool ReadSome() {
    const auto view = partition_->Read(next_, {.max_bytes = max_bytes_});
    if (absl::IsOutOfRange(view.status()) && falls_behind_) {
      const int64_t start = *partition_->log_start();
      EXPECT_GT(start, next_) << view.status();
      skipped_ += start - next_;
      next_ = start;
      return true;
    }
    EXPECT_THAT(view, IsOk()) << "at offset " << next_;
    if (!view.ok() || view->empty()) return false;
    RecordBatches::Records records = view->records();
    while (const RecordView* record = records.Next()) {
      EXPECT_EQ(record->offset(), next_);
      EXPECT_EQ(record->value(), ValueOf(record->offset()));
      ++next_;
    }
    EXPECT_THAT(records.status(), IsOk());
    EXPECT_EQ(view->next_offset(), next_);
    shared_.reader_at = next_;
    return true;
  }

  // Follows one writer to its end, which comes when it is done or when it has
  // written so much that `kill_at` was read.
  void FollowWriter(int64_t kill_at) {
    bool ended = false;
    while (!HasFailure() && !ended) {
      if (!ReadSome()) ended = WriterHasEnded();
      if (!ended && next_ >= kill_at) kill(writer_, SIGKILL);
      if (!ended && falls_behind_ && random_() % 50 == 0) {
        // Of two trims the second is far enough ahead.
        const int64_t enough = shared_.trims + 2;
        while (shared_.trims < enough && !ended) {
          absl::SleepFor(absl::Milliseconds(1));
          ended = WriterHasEnded();
        }
      }
    }
    // What it wrote between the last look and its end.
    while (ReadSome() && !HasFailure()) {
    }
  }

  int64_t EndOfTheLog() {
    auto store = LogStore::Open(path_);
    CHECK_OK(store.status());
    const int64_t end = (*store)->partition("t", 0)->visible_end();
    CHECK_OK((*store)->Close());
    return end;
  }

  const uint64_t seed_ = std::random_device()();
  std::mt19937_64 random_{seed_};
  MemoryDirectory scratch_;
  const std::string path_ = scratch_.path() + "/store";
  Shared& shared_ = *MakeShared();
  pid_t writer_ = -1;
  std::unique_ptr<ReadOnlyStore> reader_;
  std::unique_ptr<ReadOnlyPartition> partition_;
  int64_t next_ = 0;
  int64_t skipped_ = 0;
  int64_t max_bytes_ = int64_t{1} << 20;
  bool falls_behind_ = false;
};

INSTANTIATE_TEST_SUITE_P(Access, ReadOnlyFollowTest,
                         testing::Values(SealedAccess::kMap,
                                         SealedAccess::kRead),
                         [](const auto& access) {
                           return access.param == SealedAccess::kMap ? "Map"
                                                                     : "Read";
                         });

TEST_P(ReadOnlyFollowTest, SeesAllInOrderAndOnceThroughAThousandRolls) {
  for (int round = 0; shared_.rolls < 1000 && !HasFailure(); ++round) {
    StartWriter(round % 3 == 0 ? Trims::kNone : Trims::kBehindTheReader);
    FollowWriter(round % 2 == 0 ? next_ + 1 + random_() % 800
                                : std::numeric_limits<int64_t>::max());
    max_bytes_ = static_cast<int64_t>(random_() % 3000);
    if (round % 2 != 0) {
      EXPECT_EQ(next_, EndOfTheLog()) << "round " << round;
    }
  }
  EXPECT_EQ(next_, EndOfTheLog());
  EXPECT_GT(shared_.trims, 0);
  std::cout << next_ << " records, " << shared_.rolls << " rolls, "
            << shared_.trims << " trims" << std::endl;
}

TEST_P(ReadOnlyFollowTest, TrimsThatPassTheReaderAreToldAndNothingElseIsLost) {
  falls_behind_ = true;
  max_bytes_ = 300;
  for (int round = 0; round < 6 && !HasFailure(); ++round) {
    StartWriter(Trims::kAnywhere);
    FollowWriter(round % 2 == 0 ? next_ + 400
                                : std::numeric_limits<int64_t>::max());
  }
  EXPECT_EQ(next_, EndOfTheLog());
  EXPECT_GT(skipped_, 0);
  std::cout << next_ << " records, " << skipped_ << " of them trimmed away"
            << std::endl;
}

}  // namespace
}  // namespace varve
