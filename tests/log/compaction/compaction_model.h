// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_LOG_COMPACTION_COMPACTION_MODEL_H_
#define VARVE_TESTS_LOG_COMPACTION_COMPACTION_MODEL_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/log/compaction/batch_log.h"
#include "varve/index/transaction_index.h"
#include "varve/log/batch/record_batch.h"

namespace varve {

// A batch as the model knows it: it remembers its transaction by number, where
// the code under test has to find it out.
struct ModelBatch {
  enum class Kind { kData, kCommit, kAbort };
  Kind kind = Kind::kData;
  int64_t base_offset = 0;
  int64_t last_offset = 0;
  int64_t producer_id = -1;
  int32_t base_sequence = -1;
  std::optional<size_t> transaction = std::nullopt;
  Compression compression = Compression::kNone;
  TimestampType timestamp_type = TimestampType::kCreateTime;
  int64_t max_timestamp_ms = -1;
  std::optional<int64_t> horizon_ms = std::nullopt;
  std::vector<PlacedRecord> records = {};

  friend bool operator==(const ModelBatch&, const ModelBatch&) = default;
};

// The rules of a compaction told once more, by somebody who does it record by
// record and looks at the whole log for each question.
class CompactionModel {
 public:
  struct Pass {
    int64_t first_dirty = 0;
    int64_t range_end = 0;
    int64_t now_ms = 0;
    int64_t delete_retention_ms = 0;
    int64_t map_capacity = 0;
    // The last data offset of each producer that is known; -1: it has none.
    std::map<int64_t, int64_t> last_offsets = {};
    // Where segments begin. Those after the one with the last mapped record
    // stay as they are. Default: all of the log is one segment.
    std::vector<int64_t> segments = {};
  };

  void Append(const ModelBatch& batch) { batches_.push_back(batch); }

  // A transaction begins; its number.
  size_t Begin() {
    is_aborted_.push_back(false);
    return is_aborted_.size() - 1;
  }
  void Abort(size_t transaction, const AbortedTransaction& entry) {
    is_aborted_[transaction] = true;
    entries_.emplace(transaction, entry);
  }

  // Returns how far the map reaches.
  int64_t Compact(const Pass& pass) {
    std::map<std::string, int64_t> latest;
    const int64_t mapped_end = Map(pass, latest);
    const int64_t cleaned_end = CleanedEnd(pass, mapped_end);
    const std::set<size_t> seen = TransactionsWithBatches();
    std::vector<ModelBatch> kept;
    for (ModelBatch batch : batches_) {
      if (batch.base_offset >= cleaned_end) {
        kept.push_back(batch);
        continue;
      }
      const bool had_records = !batch.records.empty();
      if (batch.kind == ModelBatch::Kind::kData) {
        CleanData(pass, latest, mapped_end, batch);
      } else {
        CleanMarker(pass, seen.contains(*batch.transaction), batch);
      }
      if (batch.records.empty()) {
        if (!StaysEmpty(pass, batch)) continue;
        if (had_records) batch.compression = Compression::kNone;
        batch.horizon_ms.reset();
      }
      kept.push_back(batch);
    }
    batches_ = kept;
    return mapped_end;
  }

  const std::vector<ModelBatch>& batches() const { return batches_; }

  // The segments below this one are deleted.
  void DropBefore(int64_t base_offset) {
    std::erase_if(batches_, [&](const ModelBatch& batch) {
      return batch.base_offset < base_offset;
    });
  }

  // What a compaction that has replaced the segments below `end`, and no other,
  // has left of this log; `compacted` is what all of it leaves.
  CompactionModel CompactedTo(int64_t end,
                              const CompactionModel& compacted) const {
    CompactionModel log = *this;
    log.batches_.clear();
    for (const ModelBatch& batch : compacted.batches_) {
      if (batch.base_offset < end) log.batches_.push_back(batch);
    }
    for (const ModelBatch& batch : batches_) {
      if (batch.base_offset >= end) log.batches_.push_back(batch);
    }
    return log;
  }

  // The entries of the transaction index, by their markers.
  std::vector<AbortedTransaction> entries() const {
    std::vector<AbortedTransaction> all;
    for (const auto& [transaction, entry] : entries_) all.push_back(entry);
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
      return a.last_offset < b.last_offset;
    });
    return all;
  }

  // What a reader of committed records ends up with: the value of each key that
  // was not deleted. Only decided transactions count.
  std::map<std::string, std::string> Table(int64_t end,
                                           int64_t begin = 0) const {
    std::map<std::string, std::string> table;
    for (const ModelBatch& batch : batches_) {
      if (batch.base_offset >= end || !Counts(batch)) continue;
      for (const auto& [offset, record] : batch.records) {
        if (offset < begin || !record.key.has_value()) continue;
        table.erase(*record.key);
        if (record.value.has_value()) table[*record.key] = *record.value;
      }
    }
    return table;
  }

 private:
  bool Counts(const ModelBatch& batch) const {
    return batch.kind == ModelBatch::Kind::kData &&
           !(batch.transaction.has_value() && is_aborted_[*batch.transaction]);
  }

  int64_t Map(const Pass& pass, std::map<std::string, int64_t>& latest) const {
    for (const ModelBatch& batch : batches_) {
      if (batch.base_offset >= pass.range_end || !Counts(batch)) continue;
      for (const auto& [offset, record] : batch.records) {
        if (offset < pass.first_dirty || !record.key.has_value()) continue;
        if (!latest.contains(*record.key) &&
            static_cast<int64_t>(latest.size()) == pass.map_capacity) {
          return offset;
        }
        latest[*record.key] = offset;
      }
    }
    return pass.range_end;
  }

  static int64_t CleanedEnd(const Pass& pass, int64_t mapped_end) {
    if (pass.segments.empty()) return pass.range_end;
    const auto next = std::lower_bound(pass.segments.begin(),
                                       pass.segments.end(), mapped_end);
    return next == pass.segments.end() ? pass.range_end
                                       : std::min(*next, pass.range_end);
  }

  std::set<size_t> TransactionsWithBatches() const {
    std::set<size_t> seen;
    for (const ModelBatch& batch : batches_) {
      if (batch.kind == ModelBatch::Kind::kData &&
          batch.transaction.has_value()) {
        seen.insert(*batch.transaction);
      }
    }
    return seen;
  }

  void CleanData(const Pass& pass, const std::map<std::string, int64_t>& latest,
                 int64_t mapped_end, ModelBatch& batch) const {
    std::vector<PlacedRecord> kept;
    bool has_tombstone = false;
    for (const PlacedRecord& placed : batch.records) {
      const auto& [offset, record] = placed;
      bool stays = Counts(batch);
      if (stays && offset < mapped_end) {
        const bool is_expired =
            batch.horizon_ms.has_value() && *batch.horizon_ms <= pass.now_ms;
        const auto found =
            record.key.has_value() ? latest.find(*record.key) : latest.end();
        stays = record.key.has_value() &&
                (found == latest.end() || found->second <= offset) &&
                (record.value.has_value() || !is_expired);
        has_tombstone |= stays && !record.value.has_value();
      }
      if (stays) kept.push_back(placed);
    }
    const bool is_changed = kept.size() < batch.records.size();
    batch.records = kept;
    if (has_tombstone && !batch.horizon_ms.has_value() &&
        batch.last_offset < mapped_end) {
      batch.horizon_ms = pass.now_ms + pass.delete_retention_ms;
    }
    if (is_changed && !kept.empty() &&
        batch.timestamp_type == TimestampType::kCreateTime) {
      batch.max_timestamp_ms = -1;
      for (const auto& [offset, record] : kept) {
        batch.max_timestamp_ms =
            std::max(batch.max_timestamp_ms, record.timestamp_ms);
      }
    }
  }

  void CleanMarker(const Pass& pass, bool has_batches, ModelBatch& batch) {
    if (has_batches) return;
    entries_.erase(*batch.transaction);
    if (batch.records.empty()) return;
    if (!batch.horizon_ms.has_value()) {
      batch.horizon_ms = pass.now_ms + pass.delete_retention_ms;
    } else if (*batch.horizon_ms <= pass.now_ms) {
      batch.records.clear();
    }
  }

  static bool StaysEmpty(const Pass& pass, const ModelBatch& batch) {
    if (batch.last_offset + 1 == pass.range_end) return true;
    const auto last = pass.last_offsets.find(batch.producer_id);
    if (last == pass.last_offsets.end()) return false;
    return last->second >= 0 ? last->second == batch.last_offset
                             : batch.kind != ModelBatch::Kind::kData;
  }

  std::vector<ModelBatch> batches_;
  std::vector<bool> is_aborted_;                  // by transaction
  std::map<size_t, AbortedTransaction> entries_;  // by transaction
};

}  // namespace varve

#endif  // VARVE_TESTS_LOG_COMPACTION_COMPACTION_MODEL_H_
