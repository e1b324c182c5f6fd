// SPDX-License-Identifier: Apache-2.0

// Random operations on a store with a topic that is compacted, and on a model:
// after each step both hold the same batches, with the same records at the same
// offsets. Steps include transactions, trims, retention, other configs, maps
// that are too small, errors of the disk, clean reopens, and kills, also before
// any call that a compaction makes to the file system.

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/api/compaction/compacted_store.h"
#include "tests/api/compaction/model_batches.h"
#include "tests/api/compaction/model_readers.h"
#include "tests/api/compaction/model_writer.h"
#include "tests/api/compaction/possible_logs.h"
#include "tests/fixture/sanitizer.h"
#include "tests/log/compaction/compaction_model.h"
#include "varve/api/log_store.h"
#include "varve/log/metadata/log_config.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::testing::HasSubstr;

constexpr int64_t kStepsOfLog = 2000;

// What a run has met; enough of each has to be met.
struct Met {
  int64_t passes = 0;
  int64_t full_maps = 0;
  int64_t removed = 0;
  int64_t crashes_in_passes = 0;
  int64_t failed_passes = 0;
  int64_t deletions = 0;
  int64_t duplicates = 0;
  int64_t merged = 0;
};

TopicConfig FirstConfig() {
  TopicConfig config;
  config.log.cleanup_policy = CleanupPolicy::kCompact;
  config.log.segment_bytes = 1500;
  config.log.segment_ms = LogConfig::kForever;
  config.log.index_interval_bytes = 100;
  config.log.delete_retention_ms = 300;
  config.log.min_cleanable_dirty_ratio = 0.3;
  return config;
}

class ModelRun {
 public:
  ModelRun(uint64_t seed, Met* met)
      : dice_(seed),
        met_(*met),
        config_(FirstConfig().log),
        store_(FirstConfig(), seed % 3 == 0 ? 576 : 1 << 16),
        writer_(store_, dice_,
                seed / 3 % 2 == 0 ? 20 + Below(100) : 2 + Below(8)) {
    follower_.Open(store_.path());
  }

  void Step() {
    const int64_t choice = Below(1000);
    if (choice < 25) {
      Compact(OneIn(3) ? CompactWhen::kDue : CompactWhen::kDirty);
    } else if (choice < 29) {
      CrashInCompaction();
    } else if (choice < 32) {
      FailInCompaction();
    } else if (choice < 35) {
      Crash();
    } else if (choice < 38) {
      Reopen();
    } else if (choice < 42) {
      Trim();
    } else if (choice < 50) {
      Alter();
    } else if (choice < 70) {
      ASSERT_THAT(store_.store().RunMaintenance(), IsOk());
    } else if (choice < 100) {
      ASSERT_THAT(store_.partition().Sync(), IsOk());
    } else if (choice < 200) {
      reader_.Read(store_.partition(), log(), Below(2000));
    } else if (choice < 250) {
      follower_.Read(log(), start_, end(), writer_.appended(), Below(2000));
    } else if (choice < 480) {
      Produce();
    } else {
      writer_.AppendPlain(-1);
    }
    ASSERT_NO_FATAL_FAILURE(NoteDeletions());
    store_.clock().Advance(absl::Milliseconds(Below(4)));
  }

  void End() { CheckAll(); }

 private:
  int64_t Below(int64_t end) { return dice_.Below(end); }
  bool OneIn(int64_t n) { return dice_.OneIn(n); }
  PossibleLogs& logs() { return writer_.logs(); }
  const CompactionModel& log() { return logs().log(); }
  int64_t end() const { return writer_.end(); }

  // Retention, which passes over what is undecided, has no part in it.
  bool MayBeginTransaction() const {
    return config_.cleanup_policy == CleanupPolicy::kCompact;
  }

  void Produce() {
    const int64_t choice = Below(23);
    const int64_t idempotent = 100 + Below(3);
    const int64_t transactional = 200 + Below(3);
    if (choice < 5) {
      writer_.EndTransaction(transactional);
    } else if (choice < 10) {
      if (MayBeginTransaction() || writer_.HasTransaction(transactional))
        writer_.AppendTransactional(transactional);
    } else if (choice < 20) {
      writer_.AppendPlain(idempotent);
    } else {
      met_.duplicates += writer_.Retry(idempotent, start_) ? 1 : 0;
    }
  }

  // Without any there is the active one, which is empty and has no name yet.
  std::vector<int64_t> SegmentBases() const {
    std::vector<int64_t> bases;
    for (const auto& [base_offset, size] : store_.ListSegments())
      bases.push_back(base_offset);
    if (bases.empty()) bases.push_back(start_);
    return bases;
  }

  PossibleLogs::Moment Now() {
    return {.segments = SegmentBases(),
            .groups = GroupStarts(store_.ListSegments(), config_),
            .log_start = start_,
            .log_end = end(),
            .durable_end = store_.partition().durable_end(),
            .now_ms = store_.now_ms(),
            .map_capacity = store_.map_bytes() / 24 * 9 / 10,
            .config = config_,
            .last_offsets = writer_.LastOffsets()};
  }

  void Compact(CompactWhen when) {
    const PossibleLogs::Moment moment = Now();
    const CompactedStore::Segments before = store_.ListSegments();
    const auto compacted = store_.store().CompactTopic("t", {.when = when});
    if (config_.cleanup_policy == CleanupPolicy::kDelete) {
      ASSERT_EQ(compacted.status().code(),
                absl::StatusCode::kFailedPrecondition);
      return;
    }
    ASSERT_THAT(compacted, IsOk());
    const PartitionCompacted& report = compacted->front();
    PossibleLogs::Outcome outcome;
    if (report.compacted) outcome.clean_end = report.clean_end;
    const bool is_due = when == CompactWhen::kDirty ||
                        report.dirty_ratio > config_.min_cleanable_dirty_ratio;
    ASSERT_EQ(logs().Compact(moment, outcome, is_due), "")
        << "but clean to " << outcome.clean_end.value_or(-1) << " of a log "
        << start_ << "-" << end() << ", durable to " << moment.durable_end
        << ", decided to " << logs().stable_end(moment.durable_end)
        << ", in segments " << absl::StrJoin(moment.segments, " ")
        << ", min.compaction.lag.ms " << config_.min_compaction_lag_ms
        << ", ratio " << report.dirty_ratio << ", keys " << moment.map_capacity;
    ASSERT_NO_FATAL_FAILURE(CheckAll());
    if (!report.compacted) return;
    ++met_.passes;
    met_.removed += report.records_removed;
    const bool ends_within_segment = !std::binary_search(
        moment.segments.begin(), moment.segments.end(), report.clean_end);
    met_.full_maps += ends_within_segment ? 1 : 0;
    met_.merged +=
        CheckMerged(before, store_.ListSegments(), report.clean_end, config_);
  }

  void CrashInCompaction() {
    if (config_.cleanup_policy == CleanupPolicy::kDelete) return;
    const PossibleLogs::Moment moment = Now();
    const auto any = static_cast<size_t>(Below(std::ssize(moment.segments)));
    const bool has_crashed =
        OneIn(2) ? store_.CrashInCompaction(Below(OneIn(2) ? 40 : 300))
                 : store_.CrashAtRename(moment.segments[any]);
    logs().CompactPartly(moment);
    if (has_crashed) {
      ++met_.crashes_in_passes;
      ASSERT_NO_FATAL_FAILURE(follower_.Open(store_.path()));
    }
    CheckAll();
  }

  // A call to the file system fails. What was begun, another call completes; or
  // the next process, when that was a sync of the directory: none is tried
  // again.
  void FailInCompaction() {
    if (config_.cleanup_policy == CleanupPolicy::kDelete) return;
    const PossibleLogs::Moment moment = Now();
    store_.files().ForgetCalls();
    store_.files().FailCall(Below(OneIn(2) ? 40 : 300), EIO,
                            FaultyFileSystem::Repeat::kOnce);
    const auto compacted = store_.store().CompactTopic("t");
    store_.files().StopFailing();
    logs().CompactPartly(moment);
    if (!compacted.ok()) ++met_.failed_passes;
    ASSERT_NO_FATAL_FAILURE(CheckAll(PossibleLogs::Keep::kAll));
    const absl::Status completed = CompleteWhatWasBegun();
    if (!completed.ok()) {
      ASSERT_THAT(completed.message(), HasSubstr("Directory::Sync"));
      return Crash();
    }
    CheckAll();
  }

  absl::Status CompleteWhatWasBegun() {
    // No log is dirtier than this.
    const std::string ratio = "min.cleanable.dirty.ratio";
    LogStore& store = store_.store();
    EXPECT_THAT(store.AlterTopic("t", {.set = {{ratio, "1"}}}), IsOk());
    const auto compacted = store.CompactTopic("t", {.when = CompactWhen::kDue});
    EXPECT_FALSE(compacted.ok() && compacted->front().compacted);
    const std::string own = absl::StrCat(config_.min_cleanable_dirty_ratio);
    EXPECT_THAT(store.AlterTopic("t", {.set = {{ratio, own}}}), IsOk());
    return compacted.status();
  }

  void Crash() {
    store_.Crash();
    ASSERT_NO_FATAL_FAILURE(follower_.Open(store_.path()));
    CheckAll();
  }
  void Reopen() {
    store_.Reopen();
    CheckAll();
  }

  void Trim() {
    const int64_t limit = std::max(logs().stable_end(end()), start_);
    const int64_t offset = std::min(start_ + Below(OneIn(3) ? 200 : 30), limit);
    ASSERT_THAT(store_.partition().TrimBefore(offset), IsOk());
    ASSERT_EQ(store_.partition().log_start(), offset);
    start_ = offset;
    NoteFirstSegment();
  }

  void NoteFirstSegment() {
    const std::vector<int64_t> bases = SegmentBases();
    ASSERT_LE(bases.front(), start_);
    logs().DropBefore(bases.front());
  }

  // Only what is too old, or too much, is deleted.
  void NoteDeletions() {
    const int64_t start = store_.partition().log_start();
    if (start == start_) return;
    ASSERT_GT(start, start_);
    ASSERT_NE(config_.cleanup_policy, CleanupPolicy::kCompact);
    int64_t left_bytes = 0;
    for (const auto& [base_offset, size] : store_.ListSegments())
      left_bytes += size.log_bytes;
    const bool is_too_much =
        config_.retention_bytes >= 0 && left_bytes >= config_.retention_bytes;
    const int64_t young_from =
        config_.retention_ms >= 0 ? store_.now_ms() - config_.retention_ms : 0;
    ASSERT_TRUE(is_too_much || logs().IsOlder(start, young_from))
        << "a log from " << start_ << " that starts at " << start << " at "
        << store_.now_ms() << " with " << TextOf(store_.ListSegments())
        << ", retention.bytes " << config_.retention_bytes << ", retention.ms "
        << config_.retention_ms;
    start_ = start;
    ++met_.deletions;
    NoteFirstSegment();
  }

  void Alter() {
    using Changes = std::vector<std::pair<std::string, std::string>>;
    const std::vector<Changes> all = {
        {{"segment.bytes", "1500"}},
        {{"segment.bytes", "3000"}},
        {{"segment.bytes", "6000"}},
        {{"segment.index.bytes", "64"}},
        {{"segment.index.bytes", "10485760"}},
        {{"delete.retention.ms", "0"}},
        {{"delete.retention.ms", "300"}},
        {{"delete.retention.ms", "2000"}},
        {{"min.compaction.lag.ms", "0"}},
        {{"min.compaction.lag.ms", "150"}},
        {{"min.cleanable.dirty.ratio", "0"}},
        {{"min.cleanable.dirty.ratio", "0.6"}},
        {{"cleanup.policy", "compact"}},
        {{"cleanup.policy", "delete"}},
        {{"cleanup.policy", "compact,delete"}, {"retention.ms", "1500"}},
        {{"cleanup.policy", "compact,delete"}, {"retention.ms", "-1"}},
        {{"retention.bytes", "-1"}},
        {{"retention.bytes", "9000"}}};
    const Changes& changes = all[static_cast<size_t>(Below(std::ssize(all)))];
    for (const auto& [name, value] : changes)
      ASSERT_THAT(config_.Set(name, value), IsOk());
    if (!MayBeginTransaction()) {
      ASSERT_NO_FATAL_FAILURE(writer_.EndAllTransactions());
    }
    ASSERT_THAT(store_.store().AlterTopic("t", {.set = changes}), IsOk());
  }

  // All can be read, by the writer and by who opens the store now, and it is
  // what the model has.
  void CheckAll(PossibleLogs::Keep keep = PossibleLogs::Keep::kFitting) {
    ASSERT_NO_FATAL_FAILURE(NoteDeletions());
    const Partition partition = store_.partition();
    ASSERT_EQ(partition.visible_end(), end());
    const auto texts = CompactedStore::ReadTexts(partition, start_, end());
    if (!logs().Read(texts, start_, keep)) {
      ASSERT_EQ(texts, TextsFrom(log().batches(), start_));
    }
    Follower fresh;
    ASSERT_NO_FATAL_FAILURE(fresh.Open(store_.path()));
    const auto seen =
        CompactedStore::ReadTexts(fresh.partition(), start_, end());
    if (keep == PossibleLogs::Keep::kAll) {
      // The files may be further than the process knows.
      ASSERT_TRUE(logs().Read(seen, start_, keep));
    } else {
      ASSERT_EQ(seen, texts);
      ASSERT_EQ(log().Table(end(), start_),
                writer_.history().Table(end(), start_));
    }
  }

  Dice dice_;
  Met& met_;
  LogConfig config_;
  CompactedStore store_;
  ModelWriter writer_;
  int64_t start_ = 0;
  WriterSideReader reader_;
  Follower follower_;
};

int64_t FromEnvironment(const char* name, int64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoll(text, nullptr, 10);
}

// VARVE_TEST_SEED repeats a run, VARVE_TEST_LOGS makes it longer.
TEST(StoreCompactionModelTest, StoreHoldsWhatTheModelSaysAfterRandomSteps) {
  const auto seed = static_cast<uint64_t>(
      FromEnvironment("VARVE_TEST_SEED", std::random_device()()));
  const int64_t logs = FromEnvironment("VARVE_TEST_LOGS",
                                       kSanitizer == Sanitizer::kNone ? 50 : 6);
  std::cout << "VARVE_TEST_SEED=" << seed << std::endl;
  Met met;
  for (int64_t log = 0; log < logs; ++log) {
    const uint64_t seed_of_log = seed + static_cast<uint64_t>(log);
    SCOPED_TRACE(absl::StrCat("repeat with VARVE_TEST_LOGS=1 VARVE_TEST_SEED=",
                              seed_of_log));
    ModelRun run(seed_of_log, &met);
    for (int64_t step = 0; step < kStepsOfLog; ++step) {
      SCOPED_TRACE(absl::StrCat("step ", step));
      run.Step();
      if (testing::Test::HasFailure()) return;
    }
    run.End();
  }
  std::cout << met.passes << " passes, " << met.full_maps
            << " with a full map, " << met.crashes_in_passes << " crashed, "
            << met.failed_passes << " failed; " << met.removed
            << " records removed, " << met.merged << " segments merged, "
            << met.deletions << " deletions, " << met.duplicates
            << " duplicates\n";
  // Enough of each has happened.
  EXPECT_GT(met.passes, 10 * logs);
  EXPECT_GT(met.removed, 300 * logs);
  EXPECT_GT(met.merged, 10 * logs);
  EXPECT_GT(met.crashes_in_passes, logs);
  EXPECT_GT(met.failed_passes, logs);
  EXPECT_GT(met.duplicates, 10 * logs);
  EXPECT_GT(met.full_maps, 0);
  EXPECT_GT(met.deletions, 0);
}

}  // namespace
}  // namespace varve
