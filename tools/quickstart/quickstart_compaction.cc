// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/quickstart/quickstart_compaction.h"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "varve/api/compaction/topic_compaction.h"
#include "varve/api/log_store.h"
#include "varve/api/partition.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/batch/record_view.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/log_config.h"
#include "varve/tools/command/line_producer.h"
#include "varve/tools/quickstart/quickstart_page.h"
#include "varve/tools/quickstart/quickstart_text.h"
#include "varve/tools/shell/human_units.h"

namespace varve {
namespace {

constexpr std::string_view kTopic = "last-lines";
constexpr TopicConfig kConfig = {
    .log = {.segment_bytes = 1 << 20,
            .cleanup_policy = CleanupPolicy::kCompact}};

using Values = std::map<std::string, std::string, std::less<>>;

// Appends all lines; returns the last one of each key.
absl::StatusOr<Values> Produce(LogStore& store, const QuickstartText& text) {
  absl::StatusOr<LineProducer> producer = LineProducer::Open(
      store, kTopic,
      {.durability = Durability::kMemory, .batch_bytes = 1 << 14});
  if (!producer.ok()) return producer.status();
  Values last;
  for (const QuickstartText::Line& line : text.lines()) {
    absl::Status status =
        producer->Add(0, {.key = line.key, .value = line.value});
    if (!status.ok()) return status;
    last[std::string(line.key)] = line.value;
  }
  if (absl::Status status = producer->Flush(); !status.ok()) return status;
  return last;
}

// What reading all of the log makes of it.
struct Table {
  Values values;
  int64_t records = 0;
};

absl::StatusOr<Table> ReadTable(const Partition& log) {
  Table table;
  for (int64_t next = log.log_start(); next < log.visible_end();) {
    absl::StatusOr<RecordBatches> view = log.Read(next);
    if (!view.ok()) return view.status();
    RecordBatches::Records records = view->records();
    while (const RecordView* record = records.Next()) {
      ++table.records;
      table.values[std::string(record->key().value_or(""))] =
          record->value().value_or("");
    }
    if (!records.status().ok()) return records.status();
    next = view->next_offset();
  }
  return table;
}

}  // namespace

absl::Status ShowCompaction(const std::string& directory,
                            const QuickstartText& text, QuickstartPage& page) {
  page.Heading("A topic that keeps the last record of each key");
  auto store = LogStore::Open(directory, {.missing = MissingStore::kFail});
  if (!store.ok()) return store.status();
  absl::Status status = (*store)->CreateTopic(kTopic, kConfig);
  if (!status.ok()) return status;
  const absl::StatusOr<Values> last = Produce(**store, text);
  if (!last.ok()) return last.status();
  absl::StatusOr<Partition> log = (*store)->partition(kTopic, 0);
  if (!log.ok()) return log.status();
  // Only what is durable is compacted.
  if (status = log->Sync(); !status.ok()) return status;

  const absl::Time begin = absl::Now();
  const absl::StatusOr<std::vector<PartitionCompacted>> compacted =
      (*store)->CompactTopic(kTopic);
  if (!compacted.ok()) return compacted.status();
  const absl::Duration time = absl::Now() - begin;
  const absl::StatusOr<Table> table = ReadTable(*log);
  if (!table.ok()) return table.status();
  if (table->values != *last) {
    return absl::DataLossError(
        absl::StrCat(kTopic, ": not the last record of each key is there"));
  }
  const PartitionCompacted& done = compacted->front();
  page.Line(absl::StrCat(
      "The lines again, with cleanup.policy=compact: ",
      CountOf(static_cast<int64_t>(text.lines().size()), "record"), " of ",
      CountOf(static_cast<int64_t>(last->size()), "key"), "."));
  page.Line(absl::StrCat("Compacted in ", HumanTime(time), ": ",
                         HumanBytes(done.bytes_before), " came to ",
                         HumanBytes(done.bytes_after), ", ",
                         CountOf(table->records, "record"), " are left,"));
  page.Line("at their offsets, and the last one of every key among them.");
  return (*store)->Close();
}

}  // namespace varve
