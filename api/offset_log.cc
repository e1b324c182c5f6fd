// SPDX-License-Identifier: Apache-2.0

#include "api/offset_log.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "api/duty_notices.h"
#include "api/offset_replay.h"
#include "api/offset_rewrite.h"
#include "api/offset_table.h"
#include "log/durability.h"
#include "log/offset_commit_record.h"
#include "log/partition_log.h"
#include "log/record_batch_builder.h"

namespace varve {
namespace {

struct EncodedChange {
  std::string key;
  std::optional<std::string> value;
};

EncodedChange Encode(const OffsetLog::Change& change) {
  EncodedChange encoded = {.key = FormatOffsetCommitKey(change.key),
                           .value = std::nullopt};
  if (change.value.has_value())
    encoded.value = FormatOffsetCommitValue(*change.value);
  return encoded;
}

}  // namespace

absl::StatusOr<std::unique_ptr<OffsetLog>> OffsetLog::Load(
    std::shared_ptr<PartitionLog> log, std::string_view name,
    OffsetReplay::Note note) {
  std::unique_ptr<OffsetLog> offsets(new OffsetLog(std::move(log)));
  OffsetReplay replay(name, &offsets->table_, note);
  if (absl::Status status = replay.Run(*offsets->log_); !status.ok()) {
    return status;
  }
  offsets->log_bytes_ = replay.bytes_read();
  offsets->has_open_transactions_ = replay.has_open_transactions();
  return offsets;
}

absl::Status OffsetLog::Append(absl::Span<const Change> changes, int64_t now_ms,
                               Durability durability) {
  RecordBatchBuilder builder;
  for (const Change& change : changes) {
    const EncodedChange encoded = Encode(change);
    absl::Status status =
        builder.Append({.key = encoded.key, .value = encoded.value}, now_ms);
    if (!status.ok()) return status;
  }
  const int64_t size = builder.size_bytes();
  const absl::StatusOr<AppendResult> appended = log_->Append(
      builder.Finish(),
      durability == Durability::kSynced ? Durability::kMemory : durability);
  if (!appended.ok()) return appended.status();
  for (const Change& change : changes) {
    const EncodedChange encoded = Encode(change);
    const absl::Status status =
        table_.Apply(encoded.key, encoded.value, OffsetTable::Checked::kYes);
    CHECK(status.ok()) << status;  // it is what was just encoded
  }
  log_bytes_ += size;
  RewriteIfLong(now_ms);
  return absl::OkStatus();
}

void OffsetLog::RewriteIfLong(int64_t now_ms) {
  const int64_t limit = OffsetRewriteBytes(table_.live_bytes());
  if (has_open_transactions_ || log_bytes_ < std::max(limit, retry_bytes_))
    return;
  const absl::StatusOr<int64_t> bytes = RewriteOffsets(*log_, table_, now_ms);
  if (bytes.ok()) {
    log_bytes_ = *bytes;
    retry_bytes_ = 0;
    return;
  }
  // The commit itself succeeded. How much was added is not known: all of it.
  NoteDutyFailure(log_->environment(), log_->meters().store(),
                  "committed offsets could not be rewritten", bytes.status());
  log_bytes_ += table_.live_bytes();
  retry_bytes_ = log_bytes_ + kOffsetRewriteBytesMin;
}

}  // namespace varve
