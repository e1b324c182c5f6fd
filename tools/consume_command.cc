// SPDX-License-Identifier: Apache-2.0

#include "tools/consume_command.h"

#include <unistd.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "api/log_store.h"
#include "log/partition_log.h"
#include "log/record_batches.h"
#include "log/record_view.h"
#include "tools/command_line.h"
#include "tools/data_directory.h"
#include "tools/exit_status.h"
#include "tools/output_buffer.h"
#include "tools/record_format.h"
#include "tools/record_json.h"

namespace varve {
namespace {

struct ConsumeOptions {
  std::string topic;
  std::optional<int32_t> partition;  // none: all
  std::string offset = "earliest";
  int64_t count = std::numeric_limits<int64_t>::max();
  std::string format = "%s\\n";
};

// Where to begin.
struct StartOffset {
  enum class Kind { kEarliest, kLatest, kNumber };
  Kind kind = Kind::kEarliest;
  int64_t number = 0;

  static absl::StatusOr<StartOffset> Parse(const std::string& text) {
    if (text == "earliest") return StartOffset{.kind = Kind::kEarliest};
    if (text == "latest") return StartOffset{.kind = Kind::kLatest};
    StartOffset start = {.kind = Kind::kNumber};
    if (absl::SimpleAtoi(text, &start.number) && start.number >= 0) {
      return start;
    }
    return absl::InvalidArgumentError(
        absl::StrCat("--offset ", text,
                     ": neither a number from 0 up, nor earliest or latest"));
  }

  int64_t In(const Partition& partition) const {
    switch (kind) {
      case Kind::kEarliest:
        return partition.log_start();
      case Kind::kLatest:
        return partition.visible_end();
      case Kind::kNumber:
        return number;
    }
    return number;
  }
};

// Prints the records of one partition after another.
class Consumer {
 public:
  // Prints `count` records at most.
  Consumer(const StartOffset& start, int64_t count,
           std::optional<RecordFormat> format)
      : start_(start), format_(std::move(format)), left_(count) {}

  absl::Status Consume(const Partition& partition) {
    const int64_t end = partition.visible_end();
    int64_t offset = start_.In(partition);
    ReadOptions read;
    if (left_ < kFewRecords) read.max_bytes = 0;  // one batch
    do {
      absl::StatusOr<RecordBatches> batches = partition.Read(offset, read);
      if (!batches.ok()) return batches.status();
      if (batches->empty()) break;
      absl::Status status = Print(partition, *batches);
      if (!status.ok()) return status;
      offset = batches->next_offset();
    } while (left_ > 0 && offset < end);
    return absl::OkStatus();
  }

  bool done() const { return left_ == 0; }
  absl::Status Flush() { return output_.Flush(); }

 private:
  static constexpr int64_t kFewRecords = 100;

  static absl::Status Named(const Partition& partition,
                            const absl::Status& status) {
    return absl::Status(
        status.code(), absl::StrCat(partition.topic(), ", partition ",
                                    partition.index(), ": ", status.message()));
  }

  absl::Status Print(const Partition& partition, const RecordBatches& batches) {
    const RecordOrigin origin = {.topic = partition.topic(),
                                 .partition = partition.index()};
    RecordBatches::Records records = batches.records();
    while (left_ > 0) {
      const RecordView* record = records.Next();
      if (record == nullptr) break;
      PrintRecord(origin, *record);
      --left_;
      absl::Status status = output_.FlushIfLarge();
      if (!status.ok()) return status;
    }
    return records.status().ok() ? absl::OkStatus()
                                 : Named(partition, records.status());
  }

  void PrintRecord(const RecordOrigin& origin, const RecordView& record) {
    if (format_.has_value()) {
      format_->Append(origin, record, output_.text());
      return;
    }
    Json json = {{"topic", origin.topic}, {"partition", origin.partition}};
    SetRecord(json, record);
    absl::StrAppend(&output_.text(), ToLine(json), "\n");
  }

  const StartOffset start_;
  const std::optional<RecordFormat> format_;  // none: JSON
  OutputBuffer output_ = OutputBuffer(STDOUT_FILENO);
  int64_t left_;  // records to print
};

absl::Status ConsumePartitions(LogStore& store, const ConsumeOptions& options,
                               int32_t partition_count, Consumer& consumer) {
  const int32_t first = options.partition.value_or(0);
  const int32_t last = options.partition.value_or(partition_count - 1);
  for (int32_t i = first; i <= last && !consumer.done(); ++i) {
    absl::StatusOr<Partition> partition = store.partition(options.topic, i);
    if (!partition.ok()) return partition.status();
    absl::Status status = consumer.Consume(*partition);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

int Consume(const GlobalOptions& global, const ConsumeOptions& options) {
  absl::StatusOr<StartOffset> start = StartOffset::Parse(options.offset);
  if (!start.ok()) return UsageError(start.status().message());
  std::optional<RecordFormat> format;
  if (!global.json) {
    absl::StatusOr<RecordFormat> parsed = RecordFormat::Parse(options.format);
    if (!parsed.ok()) return UsageError(parsed.status().message());
    format = *std::move(parsed);
  }
  auto store = OpenStore(global, MissingStore::kFail);
  if (!store.ok()) return FailWith(store.status());
  absl::StatusOr<TopicDescription> topic =
      (*store)->DescribeTopic(options.topic);
  if (!topic.ok()) return FailWith(topic.status());
  if (start->kind == StartOffset::Kind::kNumber &&
      !options.partition.has_value() && topic->config.partitions > 1) {
    return UsageError(absl::StrCat(
        "--offset ", options.offset, ": ", options.topic, " has ",
        topic->config.partitions,
        " partitions, each with offsets of its own; say --partition N too"));
  }
  Consumer consumer(*start, options.count, std::move(format));
  absl::Status status =
      ConsumePartitions(**store, options, topic->config.partitions, consumer);
  if (!absl::IsCancelled(status)) status.Update(consumer.Flush());
  status.Update((*store)->Close());
  // Whoever read the output has seen enough.
  if (status.ok() || absl::IsCancelled(status)) return kExitSuccess;
  return FailWith(status);
}

}  // namespace

void AddConsumeCommand(CLI::App& app, CommandLine& line) {
  auto options = std::make_shared<ConsumeOptions>();
  CLI::App* consume =
      app.add_subcommand("consume", "print the records of a topic");
  consume->fallthrough();
  consume->add_option("TOPIC", options->topic, "what to read")->required();
  consume->add_option("--partition", options->partition,
                      "of this one alone (all, one after another)");
  consume
      ->add_option("--offset", options->offset,
                   "where to begin: a number, earliest or latest")
      ->capture_default_str();
  consume->add_option("--count", options->count, "records at most (all)")
      ->check(CLI::NonNegativeNumber)
      ->type_name("N");
  consume->add_option("--format", options->format, "how to print a record")
      ->capture_default_str();
  consume->footer(
      "It stops at the end of the log.\n"
      "Format: %s value, %k key, %o offset, %p partition, %t topic, %T "
      "timestamp in ms,\n"
      "  %h headers, %S and %K sizes of value and key (-1 for null), %% a "
      "percent sign;\n"
      "  \\n \\t \\r \\\\ \\xNN. --json prints one object a line instead.\n"
      "Examples:\n"
      "  varve consume orders --partition 0 --offset 1000 --count 10\n"
      "  varve consume orders --format '%p %o %k: %s\\n'");
  consume->callback([&line, options] {
    line.run = [&line, options] { return Consume(line.global, *options); };
  });
}

}  // namespace varve
