// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/quickstart/quickstart_steps.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "varve/api/log_store.h"
#include "varve/api/partitioner.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/batch/record_view.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/file_names.h"
#include "varve/tools/command/line_producer.h"
#include "varve/tools/quickstart/killed_process.h"
#include "varve/tools/quickstart/killed_writer.h"
#include "varve/tools/quickstart/quickstart_compaction.h"
#include "varve/tools/quickstart/quickstart_directory.h"
#include "varve/tools/quickstart/quickstart_group.h"
#include "varve/tools/quickstart/quickstart_page.h"
#include "varve/tools/quickstart/quickstart_text.h"
#include "varve/tools/shell/human_units.h"
#include "varve/tools/shell/text_table.h"

namespace varve {
namespace {

constexpr std::string_view kTopic = "text";
constexpr std::string_view kSpeedTopic = "speed";
constexpr int32_t kPartitionCount = 4;
constexpr int kReplayedRecords = 5;

// One measurement takes about this long, and no more records.
constexpr absl::Duration kMeasureTime = absl::Milliseconds(300);
constexpr int64_t kMeasureRecordsMax = 500'000;

std::string_view DurabilityName(Durability durability) {
  switch (durability) {
    case Durability::kMemory:
      return "kMemory";
    case Durability::kInterval:
      return "kInterval";
    case Durability::kSynced:
      return "kSynced";
  }
  return "";
}

}  // namespace

absl::Status QuickstartSteps::Run() {
  page_.Title(
      "varve quickstart: a log written, killed, recovered, replayed, checked, "
      "compacted");
  for (auto step :
       {&QuickstartSteps::ProduceText, &QuickstartSteps::MeasureThroughput,
        &QuickstartSteps::KillWriter, &QuickstartSteps::Recover,
        &QuickstartSteps::Replay, &QuickstartSteps::CheckAll,
        &QuickstartSteps::KillGroup, &QuickstartSteps::CompactByKey}) {
    if (absl::Status status = (this->*step)(); !status.ok()) return status;
  }
  SayWhatNext();
  return absl::OkStatus();
}

absl::Status QuickstartSteps::CloseStore() {
  absl::Status status = store_->Close();
  store_ = nullptr;
  return status;
}

absl::Status QuickstartSteps::ProduceText() {
  page_.Heading("A topic, and real text in it");
  auto store = LogStore::Open(directory_);
  if (!store.ok()) return store.status();
  store_ = *std::move(store);
  absl::Status status =
      store_->CreateTopic(kTopic, {.partitions = kPartitionCount});
  if (status.ok()) status = store_->CreateTopic(kSpeedTopic);
  if (!status.ok()) return status;
  page_.Fact("data", directory_);
  const std::string caveat = DurabilityCaveat(directory_);
  if (!caveat.empty()) page_.Fact("", caveat);
  page_.Fact("input", text_.source());
  page_.Fact("topic", absl::StrCat(kTopic, ", ", kPartitionCount,
                                   " partitions; a record a line, keyed by ",
                                   text_.key_meaning()));
  absl::StatusOr<absl::Duration> time = ProduceKeyed();
  if (!time.ok()) return time.status();
  const int64_t count = static_cast<int64_t>(text_.lines().size());
  page_.Fact("produced",
             absl::StrCat(CountOf(count, "record"), ", ",
                          HumanBytes(text_.size_bytes()), ", in ",
                          HumanTime(*time), "; kSynced, one sync a batch"));
  return absl::OkStatus();
}

absl::StatusOr<absl::Duration> QuickstartSteps::ProduceKeyed() {
  absl::StatusOr<LineProducer> producer =
      LineProducer::Open(*store_, kTopic, {.durability = Durability::kSynced});
  if (!producer.ok()) return producer.status();
  expected_.assign(kPartitionCount, {});
  const absl::Time begin = absl::Now();
  for (size_t i = 0; i < text_.lines().size(); ++i) {
    const QuickstartText::Line& line = text_.lines()[i];
    const int32_t where = PartitionForKey(line.key, kPartitionCount);
    absl::Status status =
        producer->Add(where, {.key = line.key, .value = line.value});
    if (!status.ok()) return status;
    expected_[static_cast<size_t>(where)].push_back(i);
  }
  if (absl::Status status = producer->Flush(); !status.ok()) return status;
  return absl::Now() - begin;
}

absl::Status QuickstartSteps::MeasureThroughput() {
  page_.Heading("How fast, by what an append survives");
  TextTable table({{.title = "durability"},
                   {.title = "survives"},
                   {.title = "appended"},
                   {.title = "records/s", .align = Align::kRight},
                   {.title = "bytes", .align = Align::kRight}});
  for (const auto& [durability, batch] :
       {std::pair(Durability::kSynced, 1), std::pair(Durability::kSynced, 500),
        std::pair(Durability::kMemory, 1),
        std::pair(Durability::kMemory, 500)}) {
    absl::Status status = MeasureOne(durability, batch, table);
    if (!status.ok()) return status;
  }
  page_.Table(table);
  absl::Status status = CloseStore();
  if (!status.ok()) return status;
  ListFiles();
  return absl::OkStatus();
}

absl::Status QuickstartSteps::MeasureOne(Durability durability,
                                         int records_per_batch,
                                         TextTable& table) {
  absl::StatusOr<Partition> partition = store_->partition(kSpeedTopic, 0);
  if (!partition.ok()) return partition.status();
  RecordBatchBuilder builder;
  int64_t records = 0;
  int64_t bytes = 0;
  const absl::Time begin = absl::Now();
  absl::Time now = begin;
  while (now - begin < kMeasureTime && records < kMeasureRecordsMax) {
    for (int i = 0; i < records_per_batch; ++i, ++records) {
      const QuickstartText::Line& line =
          text_.lines()[static_cast<size_t>(records) % text_.lines().size()];
      absl::Status status =
          builder.Append({.key = line.key, .value = line.value}, now);
      if (!status.ok()) return status;
      bytes += static_cast<int64_t>(line.key.size() + line.value.size());
    }
    auto appended = partition->Append(builder.Finish(), durability);
    if (!appended.ok()) return appended.status();
    builder.Clear();
    now = absl::Now();
  }
  table.AddRow(
      {std::string(DurabilityName(durability)),
       durability == Durability::kSynced ? "kill -9, power loss" : "kill -9",
       records_per_batch == 1
           ? "one by one"
           : absl::StrCat("in batches of ", records_per_batch),
       HumanRate(records, now - begin),
       absl::StrCat(HumanRate(bytes, now - begin), "B/s")});
  return absl::OkStatus();
}

void QuickstartSteps::ListFiles() {
  namespace fs = std::filesystem;
  const std::string partition = PartitionDirectoryName(kTopic, 0);
  std::map<std::string, int64_t> sizes;
  std::error_code error;
  for (const auto& entry :
       fs::directory_iterator(fs::path(directory_) / partition, error)) {
    sizes[entry.path().filename().string()] =
        static_cast<int64_t>(entry.file_size(error));
  }
  page_.Line("The files are Kafka's; those of one partition:");
  TextTable table({{}, {.title = "", .align = Align::kRight}});
  for (const auto& [name, size] : sizes) {
    table.AddRow({absl::StrCat(partition, "/", name), HumanBytes(size)});
  }
  page_.Table(table);
}

absl::Status QuickstartSteps::KillWriter() {
  page_.Heading("A writer, killed with SIGKILL in the middle");
  absl::StatusOr<std::vector<Acknowledgement>> all =
      KilledWriter::RunAndKill(text_, {.data = directory_,
                                       .topic = std::string(kTopic),
                                       .partition_count = kPartitionCount});
  if (!all.ok()) return all.status();
  for (size_t i = 0; i < all->size(); ++i) {
    const Acknowledgement& done = (*all)[i];
    std::vector<size_t>& lines = expected_[static_cast<size_t>(done.partition)];
    if (done.offset != static_cast<int64_t>(lines.size())) {
      return absl::DataLossError(absl::StrCat(
          "partition ", done.partition, ": offset ", done.offset,
          " was given to an append, and ", lines.size(), " was due"));
    }
    lines.push_back(i % text_.lines().size());
  }
  next_line_ = all->size() % text_.lines().size();
  page_.Line(
      "Another process appended the same lines again, one by one, at "
      "kMemory, and");
  page_.Line(absl::StrCat("reported each append that returned: ",
                          CountOf(static_cast<int64_t>(all->size()), "record"),
                          ", then it was killed."));
  return absl::OkStatus();
}

absl::Status QuickstartSteps::Recover() {
  page_.Heading("What recovery found");
  const absl::Time begin = absl::Now();
  auto store = LogStore::Open(directory_, {.missing = MissingStore::kFail});
  if (!store.ok()) return store.status();
  store_ = *std::move(store);
  const absl::Duration time = absl::Now() - begin;
  const RecoveryReport report = store_->recovery_report();
  int64_t scanned = 0;
  int64_t findings = 0;
  for (const PartitionRecoveryReport& partition : report.partitions) {
    scanned += partition.bytes_scanned;
    findings += static_cast<int64_t>(partition.findings.size());
    for (const RecoveryFinding& finding : partition.findings) {
      page_.Line(finding.ToString());
    }
  }
  page_.Line(absl::StrCat(
      report.clean ? "Closed cleanly" : "Not closed cleanly", ", so ",
      CountOf(static_cast<int64_t>(report.partitions.size()), "partition"),
      " were scanned: ", HumanBytes(scanned), " in ", HumanTime(time), "."));
  page_.Line(report.has_damage() ? "Damage was found, as told above."
             : findings > 0
                 ? "What the kill tore was cut, and set aside."
                 : "No damage, and nothing to cut: every append was whole.");
  return absl::OkStatus();
}

int32_t QuickstartSteps::LargestPartition() const {
  const auto largest = std::max_element(
      expected_.begin(), expected_.end(),
      [](const auto& a, const auto& b) { return a.size() < b.size(); });
  return static_cast<int32_t>(largest - expected_.begin());
}

absl::Status QuickstartSteps::Replay() {
  const int32_t index = LargestPartition();
  const int64_t from =
      static_cast<int64_t>(expected_[static_cast<size_t>(index)].size() / 2);
  page_.Heading(
      absl::StrCat("Partition ", index, ", replayed from offset ", from));
  absl::StatusOr<Partition> partition = store_->partition(kTopic, index);
  if (!partition.ok()) return partition.status();
  TextTable table({{.title = "offset", .align = Align::kRight},
                   {.title = "key"},
                   {.title = "value"}});
  constexpr size_t kKeyWidth = 20;
  constexpr size_t kOffsetWidth = 8;
  const size_t value_width = page_.width() - kKeyWidth - kOffsetWidth - 4;
  int shown = 0;
  for (int64_t next = from;
       shown < kReplayedRecords && next < partition->visible_end();) {
    absl::StatusOr<RecordBatches> view = partition->Read(next);
    if (!view.ok()) return view.status();
    for (RecordBatches::Records records = view->records();
         shown < kReplayedRecords; ++shown) {
      const RecordView* record = records.Next();
      if (record == nullptr) break;
      table.AddRow({absl::StrCat(record->offset()),
                    Shortened(record->key().value_or(""), kKeyWidth),
                    Shortened(record->value().value_or(""), value_width)});
    }
    next = view->next_offset();
  }
  page_.Table(table);
  return absl::OkStatus();
}

absl::Status QuickstartSteps::CheckAll() {
  page_.Heading("Every acknowledged record, read back and compared");
  int64_t checked = 0;
  int64_t unacknowledged = 0;
  const absl::Time begin = absl::Now();
  for (int32_t i = 0; i < kPartitionCount; ++i) {
    absl::Status status = CheckPartition(i, checked, unacknowledged);
    if (!status.ok()) return status;
  }
  const absl::Duration time = absl::Now() - begin;
  page_.Line(absl::StrCat(
      CountOf(checked, "acknowledged record"), " in ", kPartitionCount,
      " partitions: all there, all equal (", HumanTime(time), ")."));
  if (unacknowledged > 0) {
    page_.Line(absl::StrCat(
        CountOf(unacknowledged, "record"),
        " more had been appended when the kill came before the report."));
  }
  return absl::OkStatus();
}

absl::Status QuickstartSteps::CheckPartition(int32_t index, int64_t& checked,
                                             int64_t& unacknowledged) {
  absl::StatusOr<Partition> partition = store_->partition(kTopic, index);
  if (!partition.ok()) return partition.status();
  const std::vector<size_t>& lines = expected_[static_cast<size_t>(index)];
  int64_t due = 0;
  const auto fail = [&](std::string_view what) {
    return absl::DataLossError(absl::StrCat(kTopic, ", partition ", index,
                                            ", offset ", due, ": ", what));
  };
  while (due < partition->visible_end()) {
    absl::StatusOr<RecordBatches> view = partition->Read(due);
    if (!view.ok()) return view.status();
    RecordBatches::Records records = view->records();
    while (const RecordView* record = records.Next()) {
      if (record->offset() != due) return fail("another offset stands there");
      const bool known = due < static_cast<int64_t>(lines.size());
      if (!known) ++unacknowledged;
      const QuickstartText::Line& line =
          text_.lines()[known ? lines[static_cast<size_t>(due)] : next_line_];
      if (record->key() != line.key || record->value() != line.value) {
        return fail("it is not the record that was appended");
      }
      ++due;
    }
    if (!records.status().ok()) return records.status();
  }
  if (due < static_cast<int64_t>(lines.size())) {
    return fail(absl::StrCat("the log ends, and ", lines.size(),
                             " records were acknowledged"));
  }
  checked += static_cast<int64_t>(lines.size());
  return absl::OkStatus();
}

absl::Status QuickstartSteps::KillGroup() {
  if (absl::Status status = CloseStore(); !status.ok()) return status;
  int64_t count = 0;
  for (const std::vector<size_t>& lines : expected_)
    count += static_cast<int64_t>(lines.size());
  return ShowKilledGroup({.directory = directory_,
                          .topic = std::string(kTopic),
                          .partition_count = kPartitionCount,
                          .record_count = count},
                         page_);
}

absl::Status QuickstartSteps::CompactByKey() {
  return ShowCompaction(directory_, text_, page_);
}

void QuickstartSteps::SayWhatNext() {
  page_.Heading("Three commands to try next");
  const std::string varve = absl::StrCat("./dev varve --data ", directory_);
  page_.Line(absl::StrCat(varve, " topics describe ", kTopic));
  page_.Line(absl::StrCat(varve, " consume ", kTopic, " --count 5"));
  page_.Line(absl::StrCat(varve, " verify"));
}

}  // namespace varve
