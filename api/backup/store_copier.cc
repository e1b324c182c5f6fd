// SPDX-License-Identifier: Apache-2.0

#include "varve/api/backup/store_copier.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/api/backup/copied_catalog.h"
#include "varve/api/backup/copied_offsets.h"
#include "varve/api/backup/copy_destination.h"
#include "varve/api/catalog/store_checkpoint.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/api/offsets/consumer_offsets_topic.h"
#include "varve/api/read_only/store_files_cache.h"
#include "varve/api/store_copy.h"
#include "varve/log/backup/partition_copy.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/metadata/partition_checkpoint.h"
#include "varve/log/metadata/topic_partition.h"
#include "varve/log/read_only/read_only_log.h"
#include "varve/log/system/clock.h"
#include "varve/log/system/file_system.h"
#include "varve/log/verification/partition_verification.h"
#include "varve/log/verification/verify_finding.h"

namespace varve {
namespace {

// What a copy of one topic adds to that of the store.
struct CopiedTopic {
  StoreCheckpoint checkpoint = {};
  std::set<std::string> directories = {};
  std::vector<CopiedPartition> partitions = {};
  std::vector<std::string> damage = {};
};

CopiedPartition Describe(const TopicPartition& name,
                         const PartitionCopy& copy) {
  return {.name = name,
          .log_start = copy.checkpoint.log_start,
          .end_offset = copy.checkpoint.recovery_point,
          .segments = copy.verification.counts.segments,
          .records = copy.verification.counts.records,
          .copied_bytes = copy.copied_bytes,
          .kept_bytes = copy.kept_bytes};
}

class StoreCopier {
 public:
  StoreCopier(std::shared_ptr<Directory> source, CopyDestination& destination,
              const StoreCopyOptions& options, Clock* clock)
      : source_(std::move(source), clock),
        destination_(destination),
        options_(options),
        clock_(clock) {}

  absl::StatusOr<StoreCopy> Run() {
    absl::StatusOr<TopicCatalog> topics = source_.ReadTopics();
    if (!topics.ok()) return topics.status();
    seen_.before = *std::move(topics);
    if (options_.progress) MeasureTotal();
    absl::Status status = CopyOffsets();
    if (status.ok()) status = RemoveOtherTopics();
    if (!status.ok()) return status;
    for (const Topic& topic : seen_.after.topics()) {
      if (seen_.copied.contains(topic.id)) continue;
      status = CopyTopic(topic);
      if (!status.ok()) return status;
    }
    status = CheckDamage();
    if (status.ok()) status = Finish();
    if (!status.ok()) return status;
    return Result();
  }

 private:
  // A partition that cannot be measured is not counted: copying it says why.
  void MeasureTotal() {
    for (const Topic& topic : seen_.before.topics()) {
      for (int32_t i = 0; i < topic.config.partitions; ++i) {
        auto directory = source_.directory().OpenDirectory(
            PartitionDirectoryName(topic.name, i));
        if (directory.ok())
          total_bytes_ += (*directory)->DiskBytes().value_or(0);
      }
    }
  }

  // Copies the topic of committed offsets, and looks up the others afterwards.
  // The first commit makes that topic, perhaps just now.
  absl::Status CopyOffsets() {
    seen_.after = seen_.before;
    while (true) {
      const Topic* const found = seen_.after.Find(kConsumerOffsetsTopic);
      if (found == nullptr || seen_.copied.contains(found->id))
        return absl::OkStatus();
      const Topic offsets = *found;
      absl::Status status = CopyTopic(offsets);
      if (!status.ok()) return status;
      absl::StatusOr<TopicCatalog> topics = source_.ReadTopics();
      if (!topics.ok()) return topics.status();
      seen_.after = *std::move(topics);
    }
  }

  // Gives the room of topics that the source has not back before more is
  // needed.
  absl::Status RemoveOtherTopics() {
    std::set<std::string> names = directories_;
    for (const Topic& topic : seen_.after.topics()) {
      for (int32_t i = 0; i < topic.config.partitions; ++i)
        names.insert(PartitionDirectoryName(topic.name, i));
    }
    return destination_.RemovePartitionsBut(names);
  }

  // Adds the topic to the copy, unless it is deleted before that is done: a
  // deletion that was under way may have left a part of the files to copy.
  absl::Status CopyTopic(const Topic& topic) {
    CopiedTopic copied;
    for (int32_t i = 0; i < topic.config.partitions; ++i) {
      absl::Status status = CopyOne(topic, i, copied);
      if (status.ok()) continue;
      if (!absl::IsNotFound(status)) return status;
      return CheckDeleted(topic, status);
    }
    const absl::StatusOr<bool> is_there = IsThere(topic);
    if (!is_there.ok()) return is_there.status();
    if (!*is_there) return absl::OkStatus();
    checkpoint_.merge(copied.checkpoint);
    directories_.merge(copied.directories);
    std::move(copied.partitions.begin(), copied.partitions.end(),
              std::back_inserter(result_.partitions));
    std::move(copied.damage.begin(), copied.damage.end(),
              std::back_inserter(result_.damage));
    seen_.copied.insert(topic.id);
    return absl::OkStatus();
  }

  // `missing` says that something is not there. That is right if the topic was
  // deleted; else files were removed from the copy while it was made.
  absl::Status CheckDeleted(const Topic& topic, const absl::Status& missing) {
    const absl::StatusOr<bool> is_there = IsThere(topic);
    if (!is_there.ok()) return is_there.status();
    return *is_there ? absl::DataLossError(missing.message())
                     : absl::OkStatus();
  }

  absl::StatusOr<bool> IsThere(const Topic& topic) const {
    const absl::StatusOr<TopicCatalog> topics = source_.ReadTopics();
    if (!topics.ok()) return topics.status();
    return !topics->NameOf(topic.id).empty();
  }

  absl::Status CopyOne(const Topic& topic, int32_t partition,
                       CopiedTopic& copied) {
    const std::string name = PartitionDirectoryName(topic.name, partition);
    absl::StatusOr<std::unique_ptr<Directory>> from =
        source_.OpenPartition(topic, partition);
    if (absl::IsDataLoss(from.status()))
      return NoteLost(topic, partition, from.status(), copied);
    if (!from.ok()) return from.status();
    absl::StatusOr<std::unique_ptr<Directory>> to =
        destination_.OpenPartition(name);
    if (!to.ok()) return to.status();
    PartitionCopyInputs inputs = {.topic_id = topic.id,
                                  .config = topic.config.log,
                                  .codecs = options_.codecs,
                                  .facts = [&](FactsAge age) {
                                    return source_.FactsOf(topic, partition,
                                                           age);
                                  }};
    if (options_.progress) {
      inputs.progress = [this](int64_t bytes) {
        done_bytes_ += bytes;
        options_.progress(done_bytes_, std::max(done_bytes_, total_bytes_));
      };
    }
    absl::StatusOr<PartitionCopy> copy = CopyPartition(**from, **to, inputs);
    if (!copy.ok()) return copy.status();
    copied.checkpoint[{topic.name, partition}] = copy->checkpoint;
    copied.directories.insert(name);
    copied.partitions.push_back(
        Describe({.topic = topic.name, .partition = partition}, *copy));
    AddDamage(copy->verification.findings, copied.damage);
    return absl::OkStatus();
  }

  // Notes follow the damage that they belong to: which files are kept, and that
  // there is more.
  static void AddDamage(const std::vector<VerifyFinding>& findings,
                        std::vector<std::string>& lines) {
    const size_t before = lines.size();
    for (const FindingSeverity severity :
         {FindingSeverity::kDamage, FindingSeverity::kNote}) {
      for (const VerifyFinding& finding : findings) {
        if (finding.severity == severity) lines.push_back(finding.ToString());
      }
      if (lines.size() == before) return;
    }
  }

  // A partition whose directory is lost is lost in the copy, too, so that its
  // offsets are not given to other records.
  absl::Status NoteLost(const Topic& topic, int32_t partition,
                        const absl::Status& why, CopiedTopic& copied) {
    const absl::StatusOr<PartitionFacts> facts =
        source_.FactsOf(topic, partition, FactsAge::kNow);
    if (!facts.ok()) return facts.status();
    copied.checkpoint[{topic.name, partition}] = facts->checkpoint;
    const std::string path = source_.directory().PathOf(
        PartitionDirectoryName(topic.name, partition));
    copied.damage.push_back(VerifyFinding::FromStatus(path, why).ToString());
    return absl::OkStatus();
  }

  absl::Status CheckDamage() const {
    const std::vector<std::string>& damage = result_.damage;
    if (damage.empty() || options_.damage == DamagedSource::kCopy)
      return absl::OkStatus();
    return RefusedForDamageError(absl::StrCat(
        damage.front(),
        damage.size() == 1
            ? ""
            : absl::StrCat(" (and ", damage.size() - 1, " more)"),
        ": it is so in ", source_.directory().path(),
        ", too; mend what is damaged there, or have it copied as it is"));
  }

  absl::Status Finish() {
    const absl::StatusOr<TopicCatalog> catalog = CopiedCatalog(seen_);
    if (!catalog.ok()) return catalog.status();
    absl::Status status = destination_.RemovePartitionsBut(directories_);
    if (!status.ok()) return status;
    const absl::StatusOr<FirstOpen> first_open =
        FirstOpenOf(destination_.directory(), *catalog, checkpoint_, clock_,
                    options_.codecs);
    if (!first_open.ok()) return first_open.status();
    return destination_.Finish(*catalog, checkpoint_, *first_open);
  }

  StoreCopy Result() {
    result_.path = destination_.path();
    absl::c_sort(result_.partitions,
                 [](const CopiedPartition& a, const CopiedPartition& b) {
                   return a.name < b.name;
                 });
    return std::move(result_);
  }

  StoreFilesCache source_;
  CopyDestination& destination_;
  const StoreCopyOptions& options_;
  Clock* const clock_;
  SeenTopics seen_;
  StoreCheckpoint checkpoint_;         // of what was copied
  std::set<std::string> directories_;  // likewise
  int64_t done_bytes_ = 0;
  int64_t total_bytes_ = 0;
  StoreCopy result_;
};

}  // namespace

absl::StatusOr<StoreCopy> CopyStoreFiles(std::shared_ptr<Directory> source,
                                         CopyDestination& destination,
                                         const StoreCopyOptions& options,
                                         Clock* clock) {
  return StoreCopier(std::move(source), destination, options, clock).Run();
}

}  // namespace varve
