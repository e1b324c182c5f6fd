// SPDX-License-Identifier: Apache-2.0

#include "varve/api/log_store.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/api/committed_offset.h"
#include "varve/api/groups/committed_offsets.h"
#include "varve/api/offsets/consumer_offsets_topic.h"
#include "varve/api/opened_partition.h"
#include "varve/api/partition.h"
#include "varve/api/partition_failure.h"
#include "varve/api/read_only_store.h"
#include "varve/api/recovery_report.h"
#include "varve/api/store/compact_topic.h"
#include "varve/api/store/open_topic_partition.h"
#include "varve/api/store/store_state.h"
#include "varve/api/store/sync_partitions.h"
#include "varve/api/store_metrics.h"
#include "varve/api/store_options.h"
#include "varve/api/topic_changes.h"
#include "varve/api/topic_config.h"
#include "varve/api/topic_description.h"
#include "varve/api/unfinished_deletion.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/partition/partition_log.h"
#include "varve/log/system/call_gate.h"
#include "varve/log/system/file_system_type.h"
#include "varve/log/system/fork_mark.h"

namespace varve {
namespace {

// Begins a call that may change files. Errors: FailedPrecondition when the
// store is closed, and in a forked child.
absl::StatusOr<CallGate::Call> BeginCall(const ForkMark& opened_in,
                                         StoreState& state) {
  if (absl::Status s = opened_in.Check(); !s.ok()) return s;
  CallGate::Call call = state.calls().Enter();
  if (call.entered()) return call;
  return absl::FailedPreconditionError(absl::StrCat(state.path(), ": closed"));
}

// Returns the first failure, and gives all of them to a caller who asks.
absl::Status Report(std::vector<PartitionFailure> found,
                    std::vector<PartitionFailure>* failures) {
  absl::Status first = found.empty() ? absl::OkStatus() : found.front().status;
  if (failures != nullptr) *failures = std::move(found);
  return first;
}

TopicDescription Describe(Topic topic) {
  return {.name = std::move(topic.name),
          .id = topic.id,
          .config = std::move(topic.config)};
}

}  // namespace

absl::StatusOr<std::unique_ptr<LogStore>> LogStore::Open(
    const std::string& path, const StoreOptions& options) {
  absl::StatusOr<std::unique_ptr<StoreState>> state =
      StoreState::Open(path, options);
  if (!state.ok()) return state.status();
  std::unique_ptr<LogStore> store(new LogStore(*std::move(state)));
  if (!store->recovery_report().clean) store->offsets_->CheckAll();
  return store;
}

absl::StatusOr<std::unique_ptr<ReadOnlyStore>> LogStore::OpenReadOnly(
    const std::string& path, const ReadOnlyOptions& options) {
  return ReadOnlyStore::Open(path, options);
}

LogStore::LogStore(std::unique_ptr<StoreState> state)
    : state_(std::move(state)),
      offsets_(std::make_unique<CommittedOffsets>(state_.get())),
      opened_in_(std::make_unique<const ForkMark>()) {
  state_->SetGroupMetrics([offsets = offsets_.get()](StoreMetrics& metrics) {
    offsets->AddLags(metrics);
  });
  state_->topics().SetForgetOffsets(
      [offsets = offsets_.get()](const Topic& deleted) {
        return offsets->ForgetTopic(deleted);
      });
}

LogStore::~LogStore() {
  if (opened_in_->in_child()) {
    // It is left as it is: its locks may be held by threads that this process
    // does not have.
    std::ignore = offsets_.release();
    std::ignore = state_.release();
    return;
  }
  absl::Status status = Close();
  if (!status.ok()) state_->TellNotClosed(status);
}

absl::Status LogStore::CreateTopic(std::string_view name,
                                   const TopicConfig& config) {
  const absl::StatusOr<CallGate::Call> call = BeginCall(*opened_in_, *state_);
  if (!call.ok()) return call.status();
  return state_->topics().CreateTopic(name, config);
}

absl::Status LogStore::AlterTopic(std::string_view name,
                                  const TopicChanges& changes) {
  const absl::StatusOr<CallGate::Call> call = BeginCall(*opened_in_, *state_);
  if (!call.ok()) return call.status();
  return state_->topics().AlterTopic(name, changes);
}

absl::Status LogStore::AddPartitions(std::string_view name, int32_t new_total) {
  const absl::StatusOr<CallGate::Call> call = BeginCall(*opened_in_, *state_);
  if (!call.ok()) return call.status();
  return state_->topics().AlterTopic(name, {.partitions = new_total});
}

absl::StatusOr<std::vector<PartitionCompacted>> LogStore::CompactTopic(
    std::string_view name, const CompactOptions& options) {
  const absl::StatusOr<CallGate::Call> call = BeginCall(*opened_in_, *state_);
  if (!call.ok()) return call.status();
  return CompactTopicOf(*state_, name, options);
}

MaintenancePause LogStore::PauseMaintenance() {
  if (opened_in_->in_child()) return MaintenancePause();
  return MaintenancePause(state_->maintenance());
}

absl::Status LogStore::DeleteTopic(std::string_view name) {
  const absl::StatusOr<CallGate::Call> call = BeginCall(*opened_in_, *state_);
  if (!call.ok()) return call.status();
  return state_->topics().DeleteTopic(name);
}

std::vector<UnfinishedDeletion> LogStore::UnfinishedDeletions() const {
  std::vector<UnfinishedDeletion> unfinished;
  if (opened_in_->in_child()) return unfinished;
  for (const DeletedTopic& deleted : state_->topics().catalog().deleted()) {
    unfinished.push_back({.topic = deleted.topic.name,
                          .topic_id = deleted.topic.id,
                          .has_directories = deleted.has_directories,
                          .has_offsets = deleted.has_offsets});
  }
  return unfinished;
}

std::vector<TopicDescription> LogStore::ListTopics() const {
  std::vector<TopicDescription> descriptions;
  if (opened_in_->in_child()) return descriptions;
  for (Topic& topic : state_->topics().topics())
    descriptions.push_back(Describe(std::move(topic)));
  return descriptions;
}

absl::StatusOr<TopicDescription> LogStore::DescribeTopic(
    std::string_view name) const {
  if (absl::Status s = opened_in_->Check(); !s.ok()) return s;
  absl::StatusOr<Topic> topic = state_->topics().FindTopic(name);
  if (!topic.ok()) return topic.status();
  return Describe(*std::move(topic));
}

absl::StatusOr<Partition> LogStore::partition(std::string_view topic,
                                              int32_t partition) {
  const absl::StatusOr<CallGate::Call> call = BeginCall(*opened_in_, *state_);
  if (!call.ok()) return call.status();
  absl::StatusOr<TopicPartitionLog> opened =
      OpenTopicPartition(*state_, topic, partition);
  if (!opened.ok()) return opened.status();
  return Partition(std::make_shared<const OpenedPartition>(
      std::string(topic), opened->topic_id, partition, std::move(opened->log)));
}

absl::Status LogStore::CommitOffset(std::string_view group,
                                    std::string_view topic, int32_t partition,
                                    int64_t offset, Durability durability) {
  const absl::StatusOr<CallGate::Call> call = BeginCall(*opened_in_, *state_);
  if (!call.ok()) return call.status();
  return offsets_->Commit(
      group,
      {OffsetCommit{.topic = topic, .partition = partition, .offset = offset}},
      durability);
}

absl::Status LogStore::CommitOffsets(std::string_view group,
                                     absl::Span<const OffsetCommit> commits,
                                     Durability durability) {
  const absl::StatusOr<CallGate::Call> call = BeginCall(*opened_in_, *state_);
  if (!call.ok()) return call.status();
  return offsets_->Commit(group, commits, durability);
}

absl::StatusOr<OffsetCommitReport> LogStore::TryCommitOffsets(
    std::string_view group, absl::Span<const OffsetCommit> commits,
    const OffsetCommitOptions& options) {
  const absl::StatusOr<CallGate::Call> call = BeginCall(*opened_in_, *state_);
  if (!call.ok()) return call.status();
  return offsets_->TryCommit(group, commits, options);
}

absl::StatusOr<OffsetAndMetadata> LogStore::CommittedOffset(
    std::string_view group, std::string_view topic, int32_t partition) {
  const absl::StatusOr<CallGate::Call> call = BeginCall(*opened_in_, *state_);
  if (!call.ok()) return call.status();
  return offsets_->Find(group, topic, partition);
}

absl::StatusOr<std::vector<std::string>> LogStore::ListGroups() {
  const absl::StatusOr<CallGate::Call> call = BeginCall(*opened_in_, *state_);
  if (!call.ok()) return call.status();
  return offsets_->ListGroups();
}

absl::StatusOr<std::vector<GroupOffset>> LogStore::DescribeGroup(
    std::string_view group) {
  const absl::StatusOr<CallGate::Call> call = BeginCall(*opened_in_, *state_);
  if (!call.ok()) return call.status();
  return offsets_->Describe(group);
}

absl::Status LogStore::DeleteOffsets(
    std::string_view group, absl::Span<const TopicPartition> partitions,
    Durability durability) {
  const absl::StatusOr<CallGate::Call> call = BeginCall(*opened_in_, *state_);
  if (!call.ok()) return call.status();
  return offsets_->Delete(group, partitions, durability);
}

absl::Status LogStore::DeleteGroup(std::string_view group,
                                   Durability durability) {
  const absl::StatusOr<CallGate::Call> call = BeginCall(*opened_in_, *state_);
  if (!call.ok()) return call.status();
  return offsets_->DeleteGroup(group, durability);
}

absl::StatusOr<int64_t> LogStore::NewProducerId() {
  const absl::StatusOr<CallGate::Call> call = BeginCall(*opened_in_, *state_);
  if (!call.ok()) return call.status();
  return state_->producer_ids().Next();
}

RecoveryReport LogStore::recovery_report() const {
  if (opened_in_->in_child()) return {};
  RecoveryReport report = state_->recovery_report();
  std::vector<std::string> found = offsets_->notes();
  std::move(found.begin(), found.end(), std::back_inserter(report.notes));
  return report;
}

StoreMetrics LogStore::Metrics() const {
  return opened_in_->Check().ok() ? state_->metrics() : StoreMetrics();
}

const std::string& LogStore::path() const { return state_->path(); }

FileSystemType LogStore::file_system() const { return state_->file_system(); }

absl::Status LogStore::Sync(absl::Span<const Partition> partitions,
                            std::vector<PartitionFailure>* failures) {
  if (failures != nullptr) failures->clear();
  const absl::StatusOr<CallGate::Call> call = BeginCall(*opened_in_, *state_);
  if (!call.ok()) return call.status();
  return Report(SyncPartitions(partitions, state_->side_by_side()), failures);
}

absl::Status LogStore::SyncAll(std::vector<PartitionFailure>* failures) {
  if (failures != nullptr) failures->clear();
  const absl::StatusOr<CallGate::Call> call = BeginCall(*opened_in_, *state_);
  if (!call.ok()) return call.status();
  std::vector<Partition> opened;
  for (const Topic& topic : state_->topics().topics()) {
    for (int32_t index = 0; index < topic.config.partitions; ++index) {
      absl::StatusOr<std::shared_ptr<PartitionLog>> log =
          state_->FindOpen(topic, index);
      if (!log.ok()) return log.status();
      if (*log == nullptr) continue;
      opened.push_back(Partition(std::make_shared<const OpenedPartition>(
          topic.name, topic.id, index, *std::move(log))));
    }
  }
  std::vector<PartitionFailure> found =
      SyncPartitions(opened, state_->side_by_side());
  // A topic that was deleted meanwhile has nothing left to sync.
  std::erase_if(found, [](const PartitionFailure& failure) {
    return absl::IsNotFound(failure.status);
  });
  return Report(std::move(found), failures);
}

absl::StatusOr<absl::Duration> LogStore::RunMaintenance() {
  const absl::StatusOr<CallGate::Call> call = BeginCall(*opened_in_, *state_);
  if (!call.ok()) return call.status();
  return state_->RunMaintenance();
}

absl::Status LogStore::Close() {
  if (absl::Status s = opened_in_->Check(); !s.ok()) return s;
  return state_->Close();
}

}  // namespace varve
