// SPDX-License-Identifier: Apache-2.0

// Any writer, and followers of its committed records, against a model of what
// became of each record.

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/producer_client.h"
#include "tests/fixture/producer_store_fixture.h"
#include "varve/api/log_store.h"
#include "varve/api/read_only_partition.h"
#include "varve/api/read_only_store.h"
#include "varve/log/metadata/read_options.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;

using Values = std::vector<std::string>;

class ReadCommittedModelTest : public ProducerStoreFixture {
 protected:
  enum class Outcome { kOpen, kCommitted, kAborted };
  struct Entry {
    int64_t offset = 0;
    std::string value;
    int64_t producer_id = -1;
    Outcome outcome = Outcome::kCommitted;
  };

  int Below(int n) { return std::uniform_int_distribution(0, n - 1)(random_); }

  void Step() {
    const int choice = Below(100);
    auto& [client, sequence] = clients_[static_cast<size_t>(Below(4))];
    if (choice < 45) {
      history_.push_back({.offset = Orders().visible_end(),
                          .value = absl::StrCat(client.id, ":", sequence),
                          .producer_id = client.id,
                          .outcome = Outcome::kOpen});
      Send(client, sequence++);
    } else if (choice < 65) {
      const std::string value = absl::StrCat("p", ++plain_);
      history_.push_back({.offset = Orders().visible_end(), .value = value});
      AppendPlain(value);
    } else if (choice < 80) {
      Commit(client);
      End(client, Outcome::kCommitted);
    } else if (choice < 94) {
      Abort(client);
      End(client, Outcome::kAborted);
    } else if (choice < 97) {
      ASSERT_THAT(store_->RunMaintenance(), IsOk());
    } else if (choice < 99) {
      Reopen();
    } else {
      const int64_t start = Orders().log_start();
      ASSERT_THAT(
          Orders().TrimBefore(start + (Orders().visible_end() - start) / 4),
          IsOk());
    }
  }

  void End(const ProducerClient& client, Outcome outcome) {
    for (Entry& entry : history_) {
      if (entry.producer_id == client.id && entry.outcome == Outcome::kOpen)
        entry.outcome = outcome;
    }
  }

  // The first offset from `from` on of a record that is not decided; else the
  // end of the log.
  int64_t FirstOpen(int64_t from) {
    for (const Entry& entry : history_) {
      if (entry.offset >= from && entry.outcome == Outcome::kOpen)
        return entry.offset;
    }
    return Orders().visible_end();
  }

  Values Committed(int64_t from, int64_t to) const {
    Values values;
    for (const Entry& entry : history_) {
      if (entry.offset >= from && entry.offset < to &&
          entry.outcome == Outcome::kCommitted) {
        values.push_back(entry.value);
      }
    }
    return values;
  }

  void CheckWriter() {
    const int64_t from = Orders().log_start();
    const int64_t end = std::max(from, FirstOpen(0));
    ASSERT_EQ(
        Orders().readable_end(ReadLevel::kVisible, Isolation::kReadCommitted),
        end);
    ASSERT_EQ(CommittedFrom(Orders(), from), Committed(from, end));
  }

  // It may not know a transaction that is open since before the log start, and
  // then ends at the first record after that which is not decided. It may not
  // know yet where the log starts.
  void CheckFollower(const ReadOnlyPartition& partition) {
    const int64_t from = Orders().log_start();
    const auto found =
        partition.ReadableEnd(ReadLevel::kVisible, Isolation::kReadCommitted);
    ASSERT_THAT(found, IsOk());
    const int64_t end = std::max(from, *found);
    if (end != std::max(from, FirstOpen(0))) {
      ASSERT_LT(FirstOpen(0), from);
      ASSERT_EQ(end, FirstOpen(from));
    }
    ASSERT_EQ(CommittedFrom(partition, from), Committed(from, end));
  }

  std::mt19937_64 random_;
  std::vector<Entry> history_;  // by offset
  std::vector<std::pair<ProducerClient, int32_t>> clients_ = {
      {{.id = 1, .transactional = Transactional::kYes}, 0},
      {{.id = 2, .transactional = Transactional::kYes}, 0},
      {{.id = 3, .transactional = Transactional::kYes}, 0},
      {{.id = 4, .transactional = Transactional::kYes}, 0}};
  int plain_ = 0;
};

TEST_F(ReadCommittedModelTest, AllReadWhatWasCommitted) {
  const uint64_t seed = std::random_device()();
  std::cout << "seed " << seed << '\n';
  random_.seed(seed);
  CreateInSegmentsOf(700);
  const auto opened = LogStore::OpenReadOnly(path_);
  ASSERT_THAT(opened, IsOk());
  const auto followed = (*opened)->partition("orders", 0);
  ASSERT_THAT(followed, IsOk());
  for (int i = 0; i < 400; ++i) {
    SCOPED_TRACE(absl::StrCat("step ", i, ", seed ", seed));
    ASSERT_NO_FATAL_FAILURE(Step());
    if (i % 8 != 0) continue;
    ASSERT_NO_FATAL_FAILURE(CheckWriter());
    ASSERT_NO_FATAL_FAILURE(CheckFollower(*followed));
    const auto fresh = LogStore::OpenReadOnly(path_);
    ASSERT_THAT(fresh, IsOk());
    ASSERT_NO_FATAL_FAILURE(CheckFollower(*(*fresh)->partition("orders", 0)));
  }
}

}  // namespace
}  // namespace varve
