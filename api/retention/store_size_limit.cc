// SPDX-License-Identifier: Apache-2.0

#include "varve/api/retention/store_size_limit.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/log_severity.h"
#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "varve/api/duty/duty_notices.h"
#include "varve/api/partitions/partition_table.h"
#include "varve/api/partitions/retention_notices.h"
#include "varve/api/retention/store_sizes.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/partition/partition_log.h"
#include "varve/log/retention/retention_policy.h"
#include "varve/log/retention/store_size_policy.h"
#include "varve/log/system/log_sink.h"

namespace varve {
namespace {

std::vector<StoreSizeLog> LogsOf(const std::vector<StoreSizes::Sized>& all) {
  std::vector<StoreSizeLog> logs;
  logs.reserve(all.size());
  for (const StoreSizes::Sized& sized : all) logs.push_back(sized.of);
  return logs;
}

}  // namespace

StoreSizeLimit::StoreSizeLimit(Store store, int64_t size_max_bytes)
    : store_(std::move(store)),
      size_max_bytes_(size_max_bytes),
      sizes_(store_.directory, store_.partitions, store_.topics),
      store_bytes_(size_max_bytes) {
  CHECK_GE(size_max_bytes_, 0);
}

void StoreSizeLimit::NoteSegmentBegun(PartitionLog& log) {
  const LogConfig config = log.config();
  const int64_t begun_bytes =
      config.segment_bytes +
      begun_bytes_.fetch_add(config.segment_bytes, std::memory_order_relaxed);
  const int64_t room_bytes =
      std::max<int64_t>(size_max_bytes_ - store_bytes(), 0);
  if (begun_bytes <= room_bytes) return;
  // What may not be deleted is no business of the append that wrote it; and
  // commits of offsets come with locks held.
  const bool waits =
      config.cleanup_policy != CleanupPolicy::kCompact &&
      begun_bytes - room_bytes >= kSegmentsOverMax * config.segment_bytes;
  if (!waits) {
    Want();
    store_.bell->Ring();
    return;
  }
  absl::ReaderMutexLock lock(&stopping_);
  if (!stopped_) Run({});
}

bool StoreSizeLimit::RunIfWanted(const std::stop_token& stop) {
  if (!wanted_.exchange(false, std::memory_order_acq_rel)) return true;
  const bool ended = Run(stop);
  if (!ended) Want();
  return ended;
}

void StoreSizeLimit::Stop() {
  absl::MutexLock lock(&stopping_);
  stopped_ = true;
}

bool StoreSizeLimit::Run(const std::stop_token& stop) {
  {
    absl::MutexLock lock(&pass_mu_);
    const absl::Time now = store_.retention->Now();
    begun_bytes_.store(0, std::memory_order_relaxed);
    Round round = Round::kAgain;
    for (int i = 0; i < kRoundsMax && round == Round::kAgain; ++i) {
      if (stop.stop_requested()) return false;
      round = DecideAndApply(now);
    }
    if (round == Round::kAgain) Want();
  }
  store_.retention->DeleteTrimmed();
  return true;
}

StoreSizeLimit::Round StoreSizeLimit::DecideAndApply(absl::Time now) {
  std::vector<StoreSizes::Sized> all = sizes_.Collect(
      now, [this](std::string_view name, const absl::Status& status) {
        NoteFailure(name, status);
      });
  const std::vector<StoreSizeLog> logs = LogsOf(all);
  const StoreSizeDecision decision =
      DecideStoreSize({.logs = logs,
                       .size_max_bytes = size_max_bytes_,
                       .now_ms = absl::ToUnixMillis(now)});
  CHECK_EQ(decision.counts.size(), all.size());
  Round round = Round::kDone;
  for (size_t i = 0; i < all.size(); ++i) {
    if (Confirm(all[i], decision.counts[i]) == Round::kAgain)
      round = Round::kAgain;
  }
  if (round == Round::kAgain) return round;
  int64_t bytes = decision.left_bytes + decision.deleted_bytes;
  for (size_t i = 0; i < all.size(); ++i)
    bytes -= MoveLogStart(all[i], decision.counts[i]);
  store_bytes_.store(bytes, std::memory_order_relaxed);
  TellExcess(decision);
  return round;
}

// Opens the log, or reads the times of its first `count` segments from their
// batches if they are not known for sure. kAgain: something was not as it was
// taken to be. One that cannot be opened deletes nothing and is reported.
StoreSizeLimit::Round StoreSizeLimit::Confirm(StoreSizes::Sized& sized,
                                              int64_t count) {
  if (count == 0) return Round::kDone;
  if (sized.log == nullptr) {
    const auto log = store_.partitions->Open(sized.topic.name, sized.partition);
    if (log.ok()) return Round::kAgain;
    NoteFailure(PartitionDirectoryName(sized.topic.name, sized.partition),
                log.status());
    return Round::kDone;
  }
  for (int64_t i = 0; i < count; ++i) {
    const RetentionSegment& segment = sized.of.segments[static_cast<size_t>(i)];
    const absl::StatusOr<int64_t> timestamp_ms =
        sized.log->retention_segments().VerifyTimestamp(segment.base_offset);
    if (!timestamp_ms.ok() && segment.next_offset <= sized.log->log_start())
      return Round::kAgain;  // another thread trimmed it meanwhile
    if (!timestamp_ms.ok()) {
      NoteFailure(DirectoryNameOf(*sized.log), timestamp_ms.status());
      sized.log = nullptr;  // nothing of it goes
      return Round::kDone;
    }
    if (*timestamp_ms != segment.max_timestamp_ms) return Round::kAgain;
  }
  return Round::kDone;
}

// Returns how many bytes of batches are below the log start now.
int64_t StoreSizeLimit::MoveLogStart(const StoreSizes::Sized& sized,
                                     int64_t count) {
  if (count == 0 || sized.log == nullptr) return 0;
  PartitionLog& log = *sized.log;
  const std::vector<RetentionSegment>& segments = sized.of.segments;
  const int64_t log_start_before = log.log_start();
  const auto end = segments.begin() + count;
  absl::Status moved = log.MoveLogStart((end - 1)->next_offset);
  TellGivenUp(store_.environment, log, log_start_before);
  if (!moved.ok()) {
    NoteFailure(DirectoryNameOf(log), moved);
    return 0;
  }
  int64_t bytes = 0;
  for (auto segment = segments.begin(); segment != end; ++segment)
    bytes += segment->size_bytes;
  deleted_segments_.Add(count);
  deleted_bytes_.Add(bytes);
  return bytes;
}

void StoreSizeLimit::TellExcess(const StoreSizeDecision& decision) {
  const bool exceeds = decision.left_bytes > size_max_bytes_;
  if (exceeds && !excess_was_told_) {
    const std::string text = absl::StrCat(
        store_.directory->path(), ": holds ", decision.left_bytes,
        " bytes, more than store_size_max_bytes (", size_max_bytes_,
        "), and no other segment may be deleted: the last one of each "
        "partition "
        "stays, and topics that are compacted only");
    store_.environment.Log({.severity = absl::LogSeverity::kWarning,
                            .event = LogEvent::kRetention,
                            .path = store_.directory->path(),
                            .text = text});
  }
  excess_was_told_ = exceeds;
}

// A log that was closed or deleted meanwhile needs no more room.
void StoreSizeLimit::NoteFailure(std::string_view partition,
                                 const absl::Status& status) const {
  if (absl::IsFailedPrecondition(status) || absl::IsNotFound(status)) return;
  NoteDutyFailure(store_.environment, *store_.meters,
                  absl::StrCat(partition, ": store_size_max_bytes"), status);
}

}  // namespace varve
