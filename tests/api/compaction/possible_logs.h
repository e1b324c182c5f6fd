// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_API_COMPACTION_POSSIBLE_LOGS_H_
#define VARVE_TESTS_API_COMPACTION_POSSIBLE_LOGS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/api/compaction/model_batches.h"
#include "tests/log/compaction/compaction_model.h"
#include "varve/index/transaction_index.h"
#include "varve/log/metadata/log_config.h"

namespace varve {

// What a compacted partition may hold, as far as a test can know it: one log
// mostly; several after a compaction that a crash or an error has ended
// somewhere, until the partition is read.
class PossibleLogs {
 public:
  // The partition at the moment when its compaction begins.
  struct Moment {
    // Base offsets, the active one's included.
    std::vector<int64_t> segments = {};
    // Those of them with which a group begins that is replaced as one.
    std::vector<int64_t> groups = {};
    int64_t log_start = 0;
    int64_t log_end = 0;
    int64_t durable_end = 0;
    int64_t now_ms = 0;
    int64_t map_capacity = 0;
    LogConfig config = {};
    std::map<int64_t, int64_t> last_offsets = {};  // CompactionModel::Pass
  };
  // What a compaction has reported.
  struct Outcome {
    std::optional<int64_t> clean_end = std::nullopt;  // nothing: it did nothing

    friend bool operator==(const Outcome&, const Outcome&) = default;
  };

  PossibleLogs() : logs_(1) {}

  void Append(const ModelBatch& batch) {
    for (Log& log : logs_) log.model.Append(batch);
    if (!batch.transaction.has_value()) return;
    Transaction& transaction =
        transactions_.try_emplace(*batch.transaction).first->second;
    if (batch.kind != ModelBatch::Kind::kData) {
      transaction.marker = batch.base_offset;
    } else if (transaction.first_offset < 0) {
      transaction.first_offset = batch.base_offset;
    }
  }
  size_t Begin() {
    size_t number = 0;
    for (Log& log : logs_) number = log.model.Begin();
    return number;
  }
  void Abort(size_t transaction, const AbortedTransaction& entry) {
    for (Log& log : logs_) log.model.Abort(transaction, entry);
  }
  void DropBefore(int64_t base_offset) {
    for (Log& log : logs_) log.model.DropBefore(base_offset);
  }

  // A compaction has ended well: what it reports is possible. Returns what else
  // would have been, if it is not.
  std::string Compact(const Moment& moment, const Outcome& outcome,
                      bool is_due) {
    std::vector<Log> fitting;
    std::string others;
    for (const Log& log : logs_) {
      const auto [after, expected] = Compacted(log, moment, is_due);
      if (expected == outcome) Add(after, fitting);
      absl::StrAppend(&others, " ", expected.clean_end.value_or(-1));
    }
    if (fitting.empty()) return absl::StrCat("expected one of:", others);
    logs_ = std::move(fitting);
    return "";
  }

  // A compaction was ended somewhere: of the groups of segments, from the
  // oldest on, any number is done; and then the checkpoint is written.
  void CompactPartly(const Moment& moment) {
    std::vector<Log> possible;
    for (const Log& log : logs_) {
      const auto [after, expected] = Compacted(log, moment, true);
      for (const int64_t end : moment.groups) {
        Add({log.model.CompactedTo(end, after.model), log.first_dirty},
            possible);
      }
      Add(after, possible);
    }
    logs_ = std::move(possible);
  }

  // The log was read from an offset on. Keeps those it can be, and returns
  // false if there is none; `Keep::kAll`: more may happen by itself.
  enum class Keep { kFitting, kAll };
  bool Read(const std::vector<std::string>& texts, int64_t from, Keep keep) {
    std::vector<Log> fitting;
    for (const Log& log : logs_) {
      if (HasTexts(log.model.batches(), from, texts)) fitting.push_back(log);
    }
    const bool found = !fitting.empty();
    if (found && keep == Keep::kFitting) logs_ = std::move(fitting);
    return found;
  }

  // Whether all batches below `end` may be older than this time.
  bool IsOlder(int64_t end, int64_t time_ms) const {
    return std::any_of(logs_.begin(), logs_.end(), [&](const Log& log) {
      return LatestIn(log, 0, end) < time_ms;
    });
  }

  // One of them.
  const CompactionModel& log() const { return logs_.front().model; }

  // Below it every transaction is decided in a log that ends at `end`.
  int64_t stable_end(int64_t end) const {
    int64_t stable = end;
    for (const auto& [number, transaction] : transactions_) {
      if (transaction.marker >= end)
        stable = std::min(stable, transaction.first_offset);
    }
    return stable;
  }

 private:
  struct Log {
    CompactionModel model = {};
    std::optional<int64_t> first_dirty = std::nullopt;  // the checkpoint
  };

  // Adds it, if it is not there yet.
  static void Add(const Log& log, std::vector<Log>& logs) {
    const bool is_known =
        std::any_of(logs.begin(), logs.end(), [&](const Log& other) {
          return other.first_dirty == log.first_dirty &&
                 other.model.batches() == log.model.batches();
        });
    if (!is_known) logs.push_back(log);
  }

  // The segment that holds the offset.
  static size_t HolderOf(const Moment& moment, int64_t offset) {
    const auto after = std::upper_bound(moment.segments.begin(),
                                        moment.segments.end(), offset);
    return after == moment.segments.begin()
               ? 0
               : static_cast<size_t>(after - moment.segments.begin()) - 1;
  }

  // -1 for a segment without a batch.
  static int64_t LatestIn(const Log& log, int64_t from, int64_t to) {
    int64_t latest = -1;
    for (const ModelBatch& batch : log.model.batches()) {
      if (batch.base_offset >= from && batch.base_offset < to)
        latest = std::max(latest, batch.max_timestamp_ms);
    }
    return latest;
  }
  static bool HasBatches(const Log& log, int64_t from, int64_t to) {
    return std::any_of(log.model.batches().begin(), log.model.batches().end(),
                       [&](const ModelBatch& batch) {
                         return batch.base_offset >= from &&
                                batch.base_offset < to;
                       });
  }

  // The number of segments that are cleaned, if the dirty part begins there.
  size_t CountOf(const Log& log, const Moment& moment, size_t dirty) const {
    const size_t last = moment.segments.size() - 1;
    // A segment that ends at the durable end is not synced whole before the
    // next one is: unless that is empty, and was rolled for its own sake.
    const bool is_synced = moment.log_end == moment.segments.back();
    const int64_t synced_end =
        std::max<int64_t>(moment.durable_end - (is_synced ? 0 : 1), 0);
    const size_t end =
        std::min({HolderOf(moment, stable_end(moment.durable_end)),
                  HolderOf(moment, synced_end), last});
    const int64_t lag_ms = moment.config.min_compaction_lag_ms;
    if (lag_ms == 0) return end;
    size_t old = dirty;
    while (old < end &&
           LatestIn(log, moment.segments[old], moment.segments[old + 1]) <=
               moment.now_ms - lag_ms) {
      ++old;
    }
    return std::min(old, end);
  }

  std::pair<Log, Outcome> Compacted(const Log& log, const Moment& moment,
                                    bool is_due) const {
    int64_t first_dirty = log.first_dirty.value_or(moment.log_start);
    if (first_dirty < moment.log_start || first_dirty > moment.log_end)
      first_dirty = moment.log_start;
    const size_t dirty = HolderOf(moment, first_dirty);
    const int64_t range_end = moment.segments[CountOf(log, moment, dirty)];
    if (!is_due || !HasBatches(log, moment.segments[dirty], range_end))
      return {log, {}};
    Log after = log;
    const int64_t clean_end = after.model.Compact(
        {.first_dirty = first_dirty,
         .range_end = range_end,
         .now_ms = moment.now_ms,
         .delete_retention_ms = moment.config.delete_retention_ms,
         .map_capacity = moment.map_capacity,
         .last_offsets = moment.last_offsets,
         .segments = moment.segments});
    after.first_dirty = clean_end;
    return {after, {.clean_end = clean_end}};
  }

  struct Transaction {
    int64_t first_offset = -1;
    int64_t marker = std::numeric_limits<int64_t>::max();  // none yet
  };

  std::vector<Log> logs_;
  std::map<size_t, Transaction> transactions_;
};

}  // namespace varve

#endif  // VARVE_TESTS_API_COMPACTION_POSSIBLE_LOGS_H_
