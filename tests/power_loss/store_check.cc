// SPDX-License-Identifier: Apache-2.0

#include "tests/power_loss/store_check.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/power_loss/committer.h"
#include "tests/power_loss/note.h"
#include "tests/power_loss/note_file.h"
#include "tests/power_loss/partition_check.h"
#include "tests/power_loss/producer_check.h"
#include "tests/power_loss/promises.h"
#include "tests/power_loss/record_value.h"
#include "tests/power_loss/topic_changer.h"
#include "tests/power_loss/workload_topics.h"
#include "varve/api/committed_offset.h"
#include "varve/api/log_store.h"
#include "varve/api/partition.h"
#include "varve/api/recovery_report.h"
#include "varve/api/store_verifier.h"
#include "varve/api/topic_description.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/read_options.h"
#include "varve/log/recovery/partition_recovery_report.h"
#include "varve/log/recovery/tail_recovery.h"
#include "varve/log/system/environment.h"
#include "varve/log/verification/verify_finding.h"

namespace varve {
namespace {

std::string TextOf(const PossibleValues& possible) {
  return absl::StrJoin(possible.values(), " or ");
}

}  // namespace

void StoreCheck::Run() {
  if (!promises_.failures().empty()) {
    report_.Fail("call",
                 absl::StrCat("calls failed before the power was cut, "
                              "with codes ",
                              absl::StrJoin(promises_.failures(), " ")));
  }
  if (!Open()) return;
  CheckRecovery();
  CheckTopics();
  CheckCommits();
  CheckPairs();
  AppendEverywhere();
  if (!Close()) return;
  NoteEnds();
  Verify();
  CheckReopened();
}

bool StoreCheck::Open() {
  auto store = LogStore::Open(options_.store_path);
  if (!store.ok()) report_.Fail("open", store.status().ToString());
  if (!store.ok()) return false;
  store_ = *std::move(store);
  return true;
}

bool StoreCheck::Close() {
  const absl::Status closed = store_->Close();
  if (!closed.ok()) report_.Fail("close", closed.ToString());
  store_ = nullptr;
  return closed.ok();
}

// A power loss may cut the log; it does not damage durable records.
void StoreCheck::CheckRecovery() {
  const RecoveryReport recovery = store_->recovery_report();
  for (const PartitionRecoveryReport& partition : recovery.partitions) {
    for (const RecoveryFinding& finding : partition.findings) {
      report_.Count(absl::StrCat(
          "recovery_",
          finding.action == RecoveryAction::kTrimZeros
              ? "trimmed"
              : (finding.set_aside.empty() ? "cut" : "set_aside")));
      if (finding.action == RecoveryAction::kKeepDamaged)
        report_.Fail("damage", finding.ToString());
    }
  }
}

void StoreCheck::CheckTopics() {
  std::map<int32_t, TopicDescription> found;
  for (const TopicDescription& topic : store_->ListTopics()) {
    if (topic.is_internal()) continue;
    const std::optional<int32_t> name = TopicNumber(topic.name);
    if (!name.has_value() || !promises_.topics().contains(*name)) {
      report_.Fail("topic", absl::StrCat("nobody made ", topic.name));
    } else {
      found.emplace(*name, topic);
    }
  }
  for (const auto& [name, possible] : promises_.topics()) {
    const auto at = found.find(name);
    const int32_t instance = at == found.end() ? 0 : InstanceOf(at->second);
    Write({.kind = NoteKind::kTopic, .name = name, .value = instance});
    report_.Count("topics");
    if (!possible.Has(instance)) {
      report_.Fail("topic", absl::StrCat(TopicText(name), " is ", instance,
                                         ", not ", TextOf(possible)));
    } else if (instance != 0) {
      CheckTopic(name, instance, at->second);
    }
  }
}

void StoreCheck::CheckTopic(int32_t name, int32_t instance,
                            const TopicDescription& topic) {
  const int64_t alteration = AlterationOf(topic);
  const int32_t partitions = topic.config.partitions;
  if (!promises_.config(instance).Has(alteration) ||
      (alteration > 0 && absl::StrCat(topic.config.log.segment_bytes) !=
                             SegmentBytesOf(alteration))) {
    report_.Fail(
        "config",
        absl::StrCat(topic.name, " has alteration ", alteration, ", not ",
                     TextOf(promises_.config(instance)),
                     ", and segment.bytes=", topic.config.log.segment_bytes));
  }
  if (!promises_.partitions(instance).Has(partitions)) {
    report_.Fail("partitions",
                 absl::StrCat(topic.name, " has ", partitions, ", not ",
                              TextOf(promises_.partitions(instance))));
  }
  const auto note = [&](NoteKind kind, int64_t value) {
    Write({.kind = kind, .name = name, .instance = instance, .value = value});
  };
  note(NoteKind::kConfig, alteration);
  note(NoteKind::kPartitions, partitions);
  CheckPartitions(topic);
}

void StoreCheck::CheckPartitions(const TopicDescription& topic) {
  const int32_t instance = InstanceOf(topic);
  for (int32_t i = 0; i < topic.config.partitions; ++i) {
    const absl::StatusOr<Partition> partition =
        store_->partition(topic.name, i);
    if (!partition.ok()) {
      report_.Fail("partition", partition.status().ToString());
      continue;
    }
    PartitionCheck(*partition,
                   {.promise = promises_.partition(instance, i),
                    .seed = options_.seed,
                    .instance = instance,
                    .is_compacted = IsCompacted(topic)},
                   report_)
        .Run();
    ProducerCheck producers(*partition, promises_.partition(instance, i),
                            report_);
    if (IsCompacted(topic)) {
      producers.RunCompacted();
    } else {
      producers.Run();
    }
    seen_.push_back({.topic = topic,
                     .partition = i,
                     .start = partition->log_start(),
                     .end = partition->visible_end()});
  }
}

void StoreCheck::CheckCommits() {
  for (const auto& [key, possible] : promises_.commits()) {
    CheckCommit(key, possible);
  }
  // A topic that no group has committed for since it was made has none,
  // whatever was committed for those that had its name.
  for (const Seen& seen : seen_) {
    const int32_t name = *TopicNumber(seen.topic.name);
    if (seen.partition != 0 || !IsPassingTopic(name)) continue;
    const Promises::CommitKey key = {TopicChanger::kGroup, name,
                                     InstanceOf(seen.topic), 0};
    if (!promises_.commits().contains(key)) CheckCommit(key, PossibleCommit());
  }
}

void StoreCheck::CheckCommit(const Promises::CommitKey& key,
                             const PossibleCommit& possible) {
  const auto& [group, name, instance, partition] = key;
  const auto seen =
      std::find_if(seen_.begin(), seen_.end(), [&key](const Seen& one) {
        return InstanceOf(one.topic) == std::get<2>(key) &&
               one.partition == std::get<3>(key);
      });
  if (seen == seen_.end()) return;  // the topic is deleted, and they with it
  report_.Count("commits");
  const std::string what =
      absl::StrCat("group-", group, " of ", seen->topic.name, "-", partition);
  const absl::StatusOr<OffsetAndMetadata> found = store_->CommittedOffset(
      absl::StrCat("group-", group), seen->topic.name, partition);
  const bool is_none = absl::IsNotFound(found.status());
  if (!found.ok() && !is_none) {
    return report_.Fail("commit",
                        absl::StrCat(what, ": ", found.status().ToString()));
  }
  if (is_none ? !possible.may_be_none
              : !possible.Has(found->offset) || found->offset > seen->end) {
    report_.Fail("commit",
                 absl::StrCat(what, " is at ", is_none ? -1 : found->offset,
                              ", not between ", possible.lowest, " and ",
                              possible.highest,
                              possible.may_be_none ? ", or nowhere" : "",
                              "; the log ends at ", seen->end));
  }
  Write({.kind = NoteKind::kCommit,
         .name = name,
         .instance = instance,
         .partition = partition,
         .group = group,
         .value = is_none ? -1 : found->offset});
}

// Offsets that were committed together are there together.
void StoreCheck::CheckPairs() {
  for (int32_t name = 0; name < kLastingTopics; ++name) {
    std::vector<std::string> metadata;
    for (int32_t i = 0; i < 2; ++i) {
      const auto found = store_->CommittedOffset(
          absl::StrCat("group-", Committer::kPairGroup), TopicText(name), i);
      metadata.push_back(found.ok() ? found->metadata : "none");
    }
    if (metadata[0] != metadata[1]) {
      report_.Fail("commit",
                   absl::StrCat("half of a commit for ", TopicText(name), ": ",
                                metadata[0], " and ", metadata[1]));
    }
  }
}

void StoreCheck::AppendEverywhere() {
  for (Seen& seen : seen_) {
    absl::StatusOr<Partition> partition =
        store_->partition(seen.topic.name, seen.partition);
    if (!partition.ok()) continue;  // reported before
    const RecordValue value = {
        .instance = InstanceOf(seen.topic),
        .partition = seen.partition,
        .appender = options_.session * static_cast<int32_t>(NoteFile::kThreads),
        .sequence = 0};
    const absl::StatusOr<AppendResult> result = partition->Append(
        {.key = value.key(), .value = value.ToText(options_.seed)});
    if (!result.ok() || result->offset != seen.end) {
      report_.Fail("append",
                   absl::StrCat(seen.topic.name, "-", seen.partition, ": ",
                                result.ok() ? absl::StrCat(result->offset)
                                            : result.status().ToString(),
                                " after a log to ", seen.end));
      continue;
    }
    ++seen.end;
    Write({.kind = NoteKind::kAppended,
           .name = *TopicNumber(seen.topic.name),
           .instance = value.instance,
           .partition = seen.partition,
           .appender = value.appender,
           .count = 1,
           .value = result->offset});
  }
}

// After the close all of it is durable, and starts where it was found to.
void StoreCheck::NoteEnds() {
  for (const Seen& seen : seen_) {
    Note note = {.kind = NoteKind::kDurableEnd,
                 .name = *TopicNumber(seen.topic.name),
                 .instance = InstanceOf(seen.topic),
                 .partition = seen.partition,
                 .value = seen.end};
    Write(note);
    note.kind = NoteKind::kLogStart;
    note.value = seen.start;
    Write(note);
  }
}

void StoreCheck::Verify() {
  const absl::StatusOr<StoreVerification> verified =
      VerifyStore(options_.store_path, Environment(), {});
  if (!verified.ok())
    return report_.Fail("verify", verified.status().ToString());
  std::vector<VerifyFinding> findings = verified->findings;
  for (const PartitionVerification& partition : verified->partitions) {
    findings.insert(findings.end(), partition.findings.begin(),
                    partition.findings.end());
  }
  for (const VerifyFinding& finding : findings) {
    if (finding.severity == FindingSeverity::kDamage)
      report_.Fail("verify", finding.ToString());
  }
}

void StoreCheck::CheckReopened() {
  if (!Open()) return;
  if (!store_->recovery_report().clean)
    report_.Fail("reopen", "closed, but not cleanly");
  for (const Seen& seen : seen_) {
    const absl::StatusOr<Partition> partition =
        store_->partition(seen.topic.name, seen.partition);
    if (!partition.ok()) {
      report_.Fail("reopen", partition.status().ToString());
    } else if (partition->log_start() != seen.start ||
               partition->durable_end() != seen.end ||
               partition->visible_end() != seen.end) {
      report_.Fail(
          "reopen",
          absl::StrCat(seen.topic.name, "-", seen.partition, " from ",
                       partition->log_start(), " to ", partition->durable_end(),
                       " and ", partition->visible_end(), ", not from ",
                       seen.start, " to ", seen.end));
    }
  }
  Close();
}

}  // namespace varve
