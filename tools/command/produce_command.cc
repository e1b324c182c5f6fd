// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/command/produce_command.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "varve/api/log_store.h"
#include "varve/api/partitioner.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/system/errno_status.h"
#include "varve/tools/command/line_producer.h"
#include "varve/tools/shell/command_line.h"
#include "varve/tools/shell/command_store.h"
#include "varve/tools/shell/data_directory.h"
#include "varve/tools/shell/escape_sequences.h"
#include "varve/tools/shell/exit_status.h"
#include "varve/tools/shell/human_units.h"
#include "varve/tools/shell/line_reader.h"
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
  std::optional<std::string> key_separator;
  std::string durability = "synced";
};

Durability DurabilityOf(std::string_view name) {
  if (name == "memory") return Durability::kMemory;
  if (name == "interval") return Durability::kInterval;
  return Durability::kSynced;
}

// The input, closed at the end unless it is stdin.
class InputFile {
 public:
  static absl::StatusOr<std::unique_ptr<InputFile>> Open(
      const std::string& path) {
    if (path == "-") return std::make_unique<InputFile>(STDIN_FILENO, "stdin");
    const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
      const absl::Status status = ErrnoStatus(errno, "open", path);
      return absl::Status(status.code(),
                          absl::StrCat(status.message(),
                                       "; name a file that can be read, or - "
                                       "for stdin"));
    }
    return std::make_unique<InputFile>(descriptor, path);
  }
  InputFile(int descriptor, std::string name)
      : descriptor_(descriptor), name_(std::move(name)) {}
  ~InputFile() {
    if (descriptor_ != STDIN_FILENO) close(descriptor_);
  }
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  int descriptor() const { return descriptor_; }
  const std::string& name() const { return name_; }

 private:
  const int descriptor_;
  const std::string name_;
};

// Splits lines into keys and values, and gives each record its partition.
class LineRouter {
 public:
  LineRouter(const ProduceOptions& options, int32_t partition_count)
      : options_(options), partition_count_(partition_count) {}

  struct Route {
    int32_t partition = 0;
    std::optional<std::string_view> key;
    std::string_view value;
  };

  absl::StatusOr<Route> RouteOf(std::string_view line) const {
    const int32_t fixed = options_.partition.value_or(0);
    if (!options_.key_separator.has_value()) {
      return Route{.partition = fixed, .key = std::nullopt, .value = line};
    }
    const std::string& separator = *options_.key_separator;
    const size_t at = line.find(separator);
    if (at == line.npos) {
      return absl::InvalidArgumentError(
          absl::StrCat("the key separator \"", separator, "\" is not in it"));
    }
    const std::string_view key = line.substr(0, at);
    return Route{.partition = options_.partition.has_value()
                                  ? fixed
                                  : PartitionForKey(key, partition_count_),
                 .key = key,
                 .value = line.substr(at + separator.size())};
  }

 private:
  const ProduceOptions& options_;
  const int32_t partition_count_;
};

absl::Status AtLine(const InputFile& input, const LineReader& lines,
                    const absl::Status& status) {
  return absl::Status(status.code(),
                      absl::StrCat(input.name(), ": line ", lines.line_number(),
                                   ": ", status.message()));
}

// Appends every line; at the first error it stops, with all lines before it
// handed to the producer.
absl::Status ProduceLines(const InputFile& input, const LineRouter& router,
                          LineReader& lines, LineProducer& producer) {
  ProgressMeter meter;
  while (true) {
    if (lines.NextMayWait()) {
      if (absl::Status status = producer.Flush(); !status.ok()) return status;
    }
    const std::optional<std::string_view> line = lines.Next();
    if (!line.has_value()) return lines.status();
    absl::StatusOr<LineRouter::Route> route = router.RouteOf(*line);
    if (!route.ok()) return AtLine(input, lines, route.status());
    absl::Status status =
        producer.Add(route->partition, route->key, route->value);
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
      " records/s, durability ", options.durability, "\n");
}

absl::StatusOr<Outcome> ProduceAll(CommandStore& store, const InputFile& input,
                                   const ProduceOptions& options) {
  absl::StatusOr<LineProducer> producer = LineProducer::Open(
      *store, options.topic, {.durability = DurabilityOf(options.durability)});
  if (!producer.ok()) return producer.status();
  store.SayWhatWasFound();
  if (options.partition.has_value()) {
    // The store's error says which partitions there are.
    auto partition = store->partition(options.topic, *options.partition);
    if (!partition.ok()) return partition.status();
  }
  const LineRouter router(options, producer->partition_count());
  LineReader lines(input.descriptor(), input.name(), producer->batch_size_max(),
                   StopDescriptor());
  const absl::Time begin = absl::Now();
  Outcome outcome;
  outcome.status = ProduceLines(input, router, lines, *producer);
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
  if (options.key_separator.has_value()) {
    auto separator = DecodeEscapes(*options.key_separator);
    if (!separator.ok() || separator->empty()) {
      return UsageError(absl::StrCat(
          "--key-separator: ",
          separator.ok() ? "it is empty" : separator.status().message()));
    }
    options.key_separator = *std::move(separator);
  }
  // Opening a named pipe may wait: that is done before the store's lock is
  // taken.
  auto input = InputFile::Open(options.file);
  if (!input.ok()) return FailWith(input.status());
  auto store = OpenStore(global, MissingStore::kFail);
  if (!store.ok()) return FailWith(store.status());
  CatchStopSignals();
  absl::StatusOr<Outcome> outcome = ProduceAll(*store, **input, options);
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
  AddNumber32(
      *produce, "--partition",
      [options](int32_t number) { options->partition = number; },
      "append to this partition (0, unless there are keys)");
  produce->add_option(
      "--key-separator", options->key_separator,
      "a line is key, separator, value; a key's partition is the one that "
      "Kafka's producer chooses; \\t is a tab");
  produce
      ->add_option("--durability", options->durability,
                   "what an append survives: memory (kill -9), interval (and "
                   "power loss, but for the last second), synced (all)")
      ->check(CLI::IsMember({"memory", "interval", "synced"}))
      ->capture_default_str();
  produce->footer(
      "A line is the bytes up to a line feed, whatever they are. Lines are "
      "appended in batches.\n"
      "A signal (Ctrl-C) ends it when the lines that it has read are "
      "appended.\n"
      "Examples:\n"
      "  varve produce orders orders.txt\n"
      "  tail -f app.log | varve produce logs\n"
      "  varve produce orders --key-separator : < orders.txt");
  produce->callback([&line, options] {
    line.run = [&line, options] { return Produce(line.global, *options); };
  });
}

}  // namespace varve
