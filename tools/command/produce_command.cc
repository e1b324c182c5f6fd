// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/command/produce_command.h"

#include <cstdint>
#include <cstring>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "varve/api/log_store.h"
#include "varve/api/partitioner.h"
#include "varve/log/metadata/durability.h"
#include "varve/tools/command/compression_options.h"
#include "varve/tools/command/line_producer.h"
#include "varve/tools/input/input_file.h"
#include "varve/tools/input/line_options.h"
#include "varve/tools/input/line_parser.h"
#include "varve/tools/input/line_reader.h"
#include "varve/tools/shell/command_line.h"
#include "varve/tools/shell/command_store.h"
#include "varve/tools/shell/data_directory.h"
#include "varve/tools/shell/exit_status.h"
#include "varve/tools/shell/human_units.h"
#include "varve/tools/shell/progress_meter.h"
#include "varve/tools/shell/record_json.h"
#include "varve/tools/shell/stop_signal.h"
#include "varve/tools/shell/whole_number.h"

namespace varve {
namespace {

struct ProduceOptions {
  std::string topic;
  std::string file = "-";
  std::optional<int32_t> partition;
  bool keep_partitions = false;
  LineOptions lines;
  std::string durability = "synced";
  CompressionOptions compression = {};
  LineProducer::Options producer = {};  // what the last two mean
};

Durability DurabilityOf(std::string_view name) {
  if (name == "memory") return Durability::kMemory;
  if (name == "interval") return Durability::kInterval;
  return Durability::kSynced;
}

// Errors: InvalidArgument when the line has to name a partition of the topic,
// and does not.
absl::StatusOr<int32_t> PartitionOf(const InputRecord& parsed,
                                    const ProduceOptions& options,
                                    int32_t partition_count) {
  if (options.keep_partitions) {
    if (!parsed.partition.has_value()) {
      return absl::InvalidArgumentError(
          "no \"partition\", and --keep-partitions wants one");
    }
    if (*parsed.partition < partition_count) return *parsed.partition;
    return absl::InvalidArgumentError(
        absl::StrCat("partition ", *parsed.partition, ": ", options.topic,
                     " has ", partition_count,
                     ", from 0 on; without --keep-partitions the key decides"));
  }
  if (options.partition.has_value() || !parsed.record.key.has_value()) {
    return options.partition.value_or(0);
  }
  return PartitionForKey(*parsed.record.key, partition_count);
}

absl::Status AtLine(const InputFile& input, const LineReader& lines,
                    const absl::Status& status) {
  return absl::Status(status.code(),
                      absl::StrCat(input.name(), ": line ", lines.line_number(),
                                   ": ", status.message()));
}

// Appends every line; at the first error it stops, with all lines before it
// handed to the producer.
absl::Status ProduceLines(const InputFile& input, const ProduceOptions& options,
                          LineParser& parser, LineReader& lines,
                          LineProducer& producer) {
  ProgressMeter meter;
  while (true) {
    if (lines.NextMayWait()) {
      if (absl::Status status = producer.Flush(); !status.ok()) return status;
    }
    const std::optional<std::string_view> line = lines.Next();
    if (!line.has_value()) return lines.status();
    const absl::StatusOr<InputRecord> parsed = parser.Parse(*line);
    if (!parsed.ok()) return AtLine(input, lines, parsed.status());
    const absl::StatusOr<int32_t> partition =
        PartitionOf(*parsed, options, producer.partition_count());
    if (!partition.ok()) return AtLine(input, lines, partition.status());
    absl::Status status =
        producer.Add(*partition, parsed->record, parsed->timestamp_ms);
    if (absl::IsInvalidArgument(status)) return AtLine(input, lines, status);
    if (!status.ok()) return status;
    if (lines.line_number() % 1024 == 0 && meter.IsDue()) {
      meter.Show(absl::StrCat("produced ",
                              CountOf(producer.acknowledged(), "record"), ", ",
                              HumanBytes(lines.bytes_read())));
    }
  }
}

struct Outcome {
  int64_t records = 0;
  int64_t bytes = 0;
  int64_t unfinished_bytes = 0;  // of a line that a signal came into
  absl::Duration time;
  absl::Status status;
};

void PrintSummary(const GlobalOptions& global, const ProduceOptions& options,
                  const Outcome& outcome) {
  if (global.json) {
    std::cout << ToLine({{"topic", options.topic},
                         {"records", outcome.records},
                         {"input_bytes", outcome.bytes},
                         {"seconds", absl::ToDoubleSeconds(outcome.time)},
                         {"durability", options.durability},
                         {"compression", options.compression.codec},
                         {"signal", StopSignal()},
                         {"ok", outcome.status.ok()}})
              << "\n";
    return;
  }
  if (!outcome.status.ok()) return;
  std::cerr << absl::StrCat(
      "varve: produced ", CountOf(outcome.records, "record"), " (",
      HumanBytes(outcome.bytes), ") to ", options.topic, " in ",
      HumanTime(outcome.time), ", ", HumanRate(outcome.records, outcome.time),
      " records/s, durability ", options.durability,
      options.compression.codec == "none"
          ? ""
          : absl::StrCat(", compression ", options.compression.codec),
      "\n");
}

absl::StatusOr<Outcome> ProduceAll(CommandStore& store, const InputFile& input,
                                   const GlobalOptions& global,
                                   const ProduceOptions& options,
                                   LineParser& parser) {
  absl::StatusOr<LineProducer> producer =
      LineProducer::Open(*store, options.topic, options.producer);
  if (!producer.ok()) return producer.status();
  store.SayWhatWasFound();
  if (options.partition.has_value()) {
    // The store's error says which partitions there are.
    auto partition = store->partition(options.topic, *options.partition);
    if (!partition.ok()) return partition.status();
  }
  LineReader lines(input.descriptor(), input.name(),
                   LineSizeMax(global, producer->batch_size_max()),
                   StopDescriptor());
  const absl::Time begin = absl::Now();
  Outcome outcome;
  outcome.status = ProduceLines(input, options, parser, lines, *producer);
  // Lines that were read before an error are appended all the same.
  outcome.status.Update(producer->Flush());
  outcome.time = absl::Now() - begin;
  outcome.records = producer->acknowledged();
  outcome.bytes = lines.bytes_read();
  if (outcome.status.ok()) outcome.unfinished_bytes = lines.unfinished_bytes();
  return outcome;
}

// The summary has reported what was appended before the signal.
int EndBySignal(const Outcome& outcome) {
  PrintError(absl::StrCat(
      "ended by signal ", StopSignal(), " (", strsignal(StopSignal()), ")",
      outcome.unfinished_bytes > 0
          ? absl::StrCat("; the ", outcome.unfinished_bytes,
                         " bytes of a line without its end were left out")
          : ""));
  return ExitStatusOf(StopSignal());
}

int PrintFailure(const ProduceOptions& options, const Outcome& outcome,
                 const absl::Status& closed) {
  PrintError(ErrorText(outcome.status));
  std::cerr << absl::StrCat(
      "varve: ", CountOf(outcome.records, "record"), " before that ",
      outcome.records == 1 ? "was" : "were", " appended to ", options.topic,
      ", durability ", options.durability, "\n");
  if (!closed.ok()) {
    PrintError(
        absl::StrCat("the store is not closed cleanly, and the next "
                     "open recovers it: ",
                     closed.message()));
  }
  return kExitFailure;
}

int Produce(const GlobalOptions& global, ProduceOptions options) {
  if (options.keep_partitions && !global.json) {
    return UsageError("--keep-partitions: only lines of --json name one");
  }
  auto parser = MakeLineParser(global, options.lines, absl::Now());
  if (!parser.ok()) return UsageError(parser.status().message());
  const absl::StatusOr<ProducerCompression> compression =
      CompressionOf(options.compression);
  if (!compression.ok()) return UsageError(compression.status().message());
  options.producer = {.durability = DurabilityOf(options.durability),
                      .compression = *compression};
  // Opening a named pipe may wait: that is done before the store's lock is
  // taken.
  auto input = InputFile::Open(options.file);
  if (!input.ok()) return FailWith(input.status());
  auto store = OpenStoreToChange(
      global, {.what = "where a log ends", .function = "Partition::Append"});
  if (!store.ok()) return FailWith(store.status());
  CatchStopSignals();
  absl::StatusOr<Outcome> outcome =
      ProduceAll(*store, **input, global, options, **parser);
  if (!outcome.ok()) return FailWith(outcome.status());
  const absl::Status closed = (*store)->Close();
  PrintSummary(global, options, *outcome);
  if (!outcome->status.ok()) return PrintFailure(options, *outcome, closed);
  if (!closed.ok()) return FailWith(closed);
  return StopWasRequested() ? EndBySignal(*outcome) : kExitSuccess;
}

}  // namespace

void AddProduceCommand(CLI::App& app, CommandLine& line) {
  auto options = std::make_shared<ProduceOptions>();
  CLI::App* produce =
      app.add_subcommand("produce", "append a record for each line of a file");
  produce->fallthrough();
  produce->add_option("TOPIC", options->topic, "where to")->required();
  produce->add_option("FILE", options->file, "the lines; - is stdin")
      ->capture_default_str();
  CLI::Option* partition = AddNumber32(
      *produce, "--partition",
      [options](int32_t number) { options->partition = number; },
      "append to this partition (0, unless there are keys)");
  produce
      ->add_flag("--keep-partitions", options->keep_partitions,
                 "with --json: append to the partition that a line names")
      ->excludes(partition);
  AddLineOptions(*produce, options->lines);
  produce
      ->add_option("--durability", options->durability,
                   "what an append survives: memory (kill -9), interval (and "
                   "power loss, but for the last second), synced (all)")
      ->check(CLI::IsMember({"memory", "interval", "synced"}))
      ->capture_default_str();
  AddCompressionOptions(*produce, options->compression);
  produce->footer(
      "A line is the bytes up to a line feed, whatever they are. Lines are "
      "appended in batches.\n"
      "A signal (Ctrl-C) ends it when the lines that it has read are "
      "appended.\n"
      "With --json a line is an object as \"consume --json\" prints it, and "
      "what is printed at\n"
      "the end is one, too. \"value\" has to be there, as text, null, or "
      "\"value_base64\";\n"
      "without \"key\" there is none, without \"timestamp\" it is that of the "
      "append. \"topic\"\n"
      "and \"offset\" are not looked at, \"partition\" with --keep-partitions; "
      "any other field\n"
      "is an error. A topic with message.timestamp.type=LogAppendTime stamps "
      "records anew.\n"
      "At a line that is wrong it stops with status 1; all lines before it are "
      "appended.\n"
      "Examples:\n"
      "  varve produce orders orders.txt\n"
      "  tail -f app.log | varve produce logs\n"
      "  varve produce orders --key-separator : --header from=import "
      "< orders.txt\n"
      "  varve produce orders --compression zstd orders.txt\n"
      "  varve consume orders --json | varve produce copy --json");
  produce->callback([&line, options] {
    line.run = [&line, options] { return Produce(line.global, *options); };
  });
}

}  // namespace varve
