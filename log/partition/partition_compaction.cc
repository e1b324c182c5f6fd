// SPDX-License-Identifier: Apache-2.0

#include "varve/log/partition/partition_compaction.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "varve/log/cleaner/cleaner_pace.h"
#include "varve/log/cleaner/compaction_facts.h"
#include "varve/log/cleaner/log_cleaner.h"
#include "varve/log/compaction/cleanable_range.h"
#include "varve/log/compaction/compaction_policy.h"
#include "varve/log/compaction/last_batches.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/metadata/read_options.h"
#include "varve/log/retention/retention_policy.h"
#include "varve/log/system/call_gate.h"

namespace varve {
namespace {

constexpr absl::Duration kTurnStep = absl::Milliseconds(10);

// Files that a trim has removed meanwhile are no error of the log.
absl::Status TrimmedAsCancelled(const absl::Status& status) {
  return absl::IsNotFound(status)
             ? absl::CancelledError("the log was trimmed meanwhile")
             : status;
}

}  // namespace

PartitionCompaction::PartitionCompaction(const Parts& log,
                                         std::optional<int64_t> first_dirty)
    : log_(log),
      replacing_({.directory = log.directory,
                  .segments = log.segments,
                  .retention_segments = log.retention_segments,
                  .aborted = log.aborted}),
      first_dirty_(first_dirty.value_or(kNever)) {}

std::optional<int64_t> PartitionCompaction::first_dirty() const {
  const int64_t offset = first_dirty_.load(std::memory_order_relaxed);
  return offset == kNever ? std::nullopt : std::optional(offset);
}

absl::Status PartitionCompaction::CheckChangeable() const {
  absl::MutexLock lock(log_.mu);
  if (log_.state->has_ended()) return log_.state->EndedError();
  if (!log_.state->is_open()) return log_.state->failure();
  return log_.writer->CheckWritable();
}

absl::StatusOr<CompactionDecision> PartitionCompaction::Look() {
  absl::StatusOr<Facts> facts = Collect();
  if (!facts.ok()) return facts.status();
  return facts->decision;
}

absl::StatusOr<PartitionCompaction::Facts> PartitionCompaction::Collect() {
  Facts facts;
  facts.now_ms =
      std::max<int64_t>(absl::ToUnixMillis(log_.environment->clock->Now()), 0);
  bool has_unsynced_sealed = false;
  const int64_t durable_end = log_.ends->durable();
  {
    absl::MutexLock lock(log_.mu);
    facts.config = *log_.config;
    has_unsynced_sealed = log_.writer->has_unsynced_sealed_below(durable_end);
  }
  const CompactionLimits limits = CompactionLimits::Of(facts.config);
  if (limits.cleanup_policy == CleanupPolicy::kDelete) return facts;
  // Before the segments: what is below it lies in segments that are listed.
  CompactionInputs inputs = {
      .log_start = log_.ends->log_start(),
      .checkpoint = first_dirty(),
      // Less one, so that the segment which ends there is left alone, too, as
      // long as a sync is not done with its files.
      .recovery_point = std::max<int64_t>(
          has_unsynced_sealed ? durable_end - 1 : durable_end, 0),
      .last_stable_offset =
          log_.ends->readable(ReadLevel::kDurable, Isolation::kReadCommitted),
      .now_ms = facts.now_ms};
  inputs.log_end = log_.ends->visible();
  const absl::StatusOr<std::vector<RetentionSegment>> segments =
      log_.retention_segments->Collect(inputs.log_end, facts.now_ms);
  if (!segments.ok()) return segments.status();
  if (segments->empty()) return facts;
  facts.segments = CompactionSegmentsOf(*segments);
  if (limits.max_compaction_lag_ms != LogConfig::kForever) {
    absl::Status status = AddFirstTimestamps(
        *log_.directory, inputs.checkpoint.value_or(inputs.log_start),
        facts.segments);
    if (!status.ok()) return TrimmedAsCancelled(status);
  }
  inputs.segments = facts.segments;
  facts.decision = DecideCompaction(inputs, limits);
  return facts;
}

absl::StatusOr<CompactionReport> PartitionCompaction::Run(
    const CompactionRequest& request) {
  const CallGate::Call call = log_.calls->Enter();
  absl::Status status = CheckChangeable();
  if (!status.ok()) return status;
  if (!call.entered()) return absl::CancelledError("the log is being closed");
  Turn turn(this);
  while (!turn.Take()) {
    if (request.when == CompactionRequest::When::kDue)
      return CompactionReport();  // another call is at it
    if (log_.calls->is_closed())
      return absl::CancelledError("the log is being closed");
    absl::SleepFor(kTurnStep);
  }
  if (status = replacing_.Settle(); !status.ok()) return status;
  absl::StatusOr<Facts> facts = Collect();
  if (!facts.ok()) return facts.status();
  CompactionReport report = {.decision = facts->decision};
  const bool wanted = facts->decision.is_due() ||
                      request.when == CompactionRequest::When::kDirty;
  if (!wanted || facts->decision.range.empty()) return report;
  absl::StatusOr<CleaningResult> result =
      request.effect == CompactionRequest::Effect::kMeasure
          ? Clean(*facts, request)
          : CleanBetweenCheckpoints(*facts, request);
  if (!result.ok()) return result.status();
  report.result = *std::move(result);
  return report;
}

absl::StatusOr<CleaningResult> PartitionCompaction::CleanBetweenCheckpoints(
    Facts& facts, const CompactionRequest& request) {
  // What is cleaned lies below the recovery point that is written down.
  absl::Status status = log_.listener->BeforeFirstChange();
  if (status.ok()) status = log_.listener->WriteCheckpoint();
  if (!status.ok()) return status;
  absl::StatusOr<CleaningResult> result = Clean(facts, request);
  if (!result.ok()) return result.status();
  first_dirty_.store(result->first_dirty, std::memory_order_relaxed);
  status = log_.listener->WriteCheckpoint();
  if (!status.ok()) return status;
  return result;
}

absl::StatusOr<CleaningResult> PartitionCompaction::Clean(
    Facts& facts, const CompactionRequest& request) {
  const CleanableRange& range = facts.decision.range;
  absl::Status status = AddIndexSizes(
      *log_.directory, absl::MakeSpan(facts.segments)
                           .first(static_cast<size_t>(range.segment_count)));
  if (!status.ok()) return TrimmedAsCancelled(status);
  LogCleaner::Log log = {.files = log_.environment->files,
                         .directory = log_.directory,
                         .segments = log_.segments,
                         .aborted = log_.aborted.get(),
                         .codecs = log_.codecs,
                         .config = facts.config,
                         .range = range,
                         .facts = facts.segments,
                         .now_ms = facts.now_ms};
  {
    absl::MutexLock lock(log_.mu);
    log.last_batches = LastBatches(log_.writer->producers()
                                       .states()
                                       .Snapshot(log_.writer->next_offset())
                                       .producers);
  }
  CleanerPace pace(
      {.bytes_per_second = request.pace.bytes_per_second,
       .wait =
           [&](absl::Duration time) {
             return !log_.calls->is_closed() && CheckChangeable().ok() &&
                    (request.pace.wait == nullptr || request.pace.wait(time));
           }},
      log_.environment->clock);
  LogCleaner cleaner(log,
                     {.map_memory_bytes = request.map_memory_bytes,
                      .secret = {.first = log_.environment->Random(),
                                 .second = log_.environment->Random()},
                      .progress = request.progress},
                     &pace);
  return request.effect == CompactionRequest::Effect::kMeasure
             ? cleaner.Measure()
             : cleaner.Run(replacing_);
}

}  // namespace varve
