// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/quickstart/quickstart_group.h"

#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/api/log_store.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/batch/record_view.h"
#include "varve/tools/quickstart/killed_process.h"
#include "varve/tools/quickstart/quickstart_page.h"
#include "varve/tools/shell/human_units.h"

namespace varve {
namespace {

constexpr std::string_view kGroup = "quickstart";
constexpr int64_t kRecordsBetweenCommits = 5'000;
constexpr int64_t kRecordsBeforeKill = 22'500;

// Reports each record, and then commits from time to time, so that no offset is
// committed of a record that was not reported.
absl::Status ReadPartition(LogStore& store, const Partition& partition,
                           int pipe) {
  for (int64_t next = partition.log_start(); next < partition.visible_end();) {
    absl::StatusOr<RecordBatches> view = partition.Read(next);
    if (!view.ok()) return view.status();
    RecordBatches::Records records = view->records();
    while (const RecordView* record = records.Next()) {
      absl::Status status = Report(
          pipe, {.partition = partition.index(), .offset = record->offset()});
      next = record->offset() + 1;
      if (status.ok() && next % kRecordsBetweenCommits == 0) {
        status = store.CommitOffset(kGroup, partition.topic(),
                                    partition.index(), next);
      }
      if (!status.ok()) return status;
    }
    if (!records.status().ok()) return records.status();
  }
  return absl::OkStatus();
}

// The life of the reader, to wherever it is killed.
absl::Status ReadAsGroup(const QuickstartGroup& group, int pipe) {
  auto store =
      LogStore::Open(group.directory, {.missing = MissingStore::kFail});
  if (!store.ok()) return store.status();
  for (int32_t i = 0; i < group.partition_count; ++i) {
    absl::StatusOr<Partition> partition = (*store)->partition(group.topic, i);
    if (!partition.ok()) return partition.status();
    absl::Status status = ReadPartition(**store, *partition, pipe);
    if (!status.ok()) return status;
  }
  while (true) pause();
}

// What the second reader found.
struct Resumed {
  int64_t records = 0;  // to the end, from where it continued
  int64_t again = 0;    // that the first one had reported
};

// Continues to read a partition of which `reported` records were reported.
absl::Status ResumePartition(LogStore& store, const Partition& partition,
                             int64_t reported, Resumed& resumed) {
  const auto committed =
      store.CommittedOffset(kGroup, partition.topic(), partition.index());
  if (!committed.ok() && !absl::IsNotFound(committed.status()))
    return committed.status();
  int64_t next = committed.ok() ? committed->offset : partition.log_start();
  if (next > reported) {
    return absl::DataLossError(absl::StrCat(
        partition.topic(), ", partition ", partition.index(), ": offset ", next,
        " is committed, and ", reported, " records were reported"));
  }
  resumed.again += reported - next;
  while (next < partition.visible_end()) {
    absl::StatusOr<RecordBatches> view = partition.Read(next);
    if (!view.ok()) return view.status();
    RecordBatches::Records records = view->records();
    while (records.Next() != nullptr) ++resumed.records;
    if (!records.status().ok()) return records.status();
    next = view->next_offset();
  }
  return store.CommitOffset(kGroup, partition.topic(), partition.index(), next);
}

}  // namespace

absl::Status ShowKilledGroup(const QuickstartGroup& group,
                             QuickstartPage& page) {
  page.Heading("A consumer group, killed, that goes on where it was");
  const int64_t enough = std::min(group.record_count / 2, kRecordsBeforeKill);
  absl::StatusOr<std::vector<Acknowledgement>> all =
      RunAndKill([&](int pipe) { return ReadAsGroup(group, pipe); },
                 [&](const std::vector<Acknowledgement>& reported) {
                   return static_cast<int64_t>(reported.size()) >= enough;
                 });
  if (!all.ok()) return all.status();
  std::vector<int64_t> reported(static_cast<size_t>(group.partition_count));
  for (const Acknowledgement& one : *all)
    ++reported[static_cast<size_t>(one.partition)];
  auto store =
      LogStore::Open(group.directory, {.missing = MissingStore::kFail});
  if (!store.ok()) return store.status();
  Resumed resumed;
  for (int32_t i = 0; i < group.partition_count; ++i) {
    absl::StatusOr<Partition> partition = (*store)->partition(group.topic, i);
    if (!partition.ok()) return partition.status();
    absl::Status status = ResumePartition(
        **store, *partition, reported[static_cast<size_t>(i)], resumed);
    if (!status.ok()) return status;
  }
  page.Line(absl::StrCat("Another process read as a group, committed every ",
                         HumanCount(kRecordsBetweenCommits),
                         " records (kSynced)"));
  page.Line(absl::StrCat("and was killed after ",
                         CountOf(static_cast<int64_t>(all->size()), "record"),
                         ". The next one went on where that had"));
  page.Line(absl::StrCat("committed: ", CountOf(resumed.records, "record"),
                         " to the end, ", HumanCount(resumed.again),
                         " of them again, none left out."));
  return (*store)->Close();
}

}  // namespace varve
