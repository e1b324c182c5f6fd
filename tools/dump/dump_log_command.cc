// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/dump/dump_log_command.h"

#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "varve/api/catalog/producer_ids_file.h"
#include "varve/api/catalog/store_files.h"
#include "varve/api/offsets/consumer_offsets_topic.h"
#include "varve/api/retention/retention_state.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/system/atomic_file.h"
#include "varve/log/system/errno_status.h"
#include "varve/log/system/file_system.h"
#include "varve/tools/dump/checkpoint_dump.h"
#include "varve/tools/dump/dump_sink.h"
#include "varve/tools/dump/index_dump.h"
#include "varve/tools/dump/producer_dump.h"
#include "varve/tools/dump/segment_dump.h"
#include "varve/tools/dump/store_dump.h"
#include "varve/tools/shell/command_line.h"
#include "varve/tools/shell/exit_status.h"

namespace varve {
namespace {

constexpr int64_t kWholeFileMax = std::numeric_limits<int32_t>::max();

struct DumpOptions {
  std::vector<std::string> files;
  bool records = false;
  bool offsets_decoder = false;
};

enum class DumpKind {
  kSegment,
  kOffsetIndex,
  kTimeIndex,
  kTransactionIndex,
  kProducerSnapshot,
  kLeaderEpochs,
  kMetadata,
  kSidecar,
  kOffsetCheckpoint,
  kTopics,
  kStoreCheckpoint,
  kRetentionState,
  kProducerIds,
};

// The kind of a file's contents, by its name.
struct DumpTarget {
  DumpKind kind = DumpKind::kSegment;
  // The one in its name; a copy may have another name.
  std::optional<int64_t> offset = {};

  int64_t base_offset() const { return offset.value_or(0); }
};

// The files that have one name alone.
constexpr std::pair<std::string_view, DumpKind> kNamedFiles[] = {
    {kLeaderEpochCheckpointName, DumpKind::kLeaderEpochs},
    {kPartitionMetadataName, DumpKind::kMetadata},
    {kTopicsName, DumpKind::kTopics},
    {kCheckpointName, DumpKind::kStoreCheckpoint},
    {kRetentionStateName, DumpKind::kRetentionState},
    {kProducersName, DumpKind::kProducerIds},
    {kReadyLogName, DumpKind::kSegment}};

constexpr std::pair<std::string_view, DumpKind> kSuffixes[] = {
    {".log", DumpKind::kSegment},
    {".index", DumpKind::kOffsetIndex},
    {".timeindex", DumpKind::kTimeIndex},
    {".txnindex", DumpKind::kTransactionIndex},
    {".snapshot", DumpKind::kProducerSnapshot}};

constexpr char kFileKinds[] =
    ".log, .index, .timeindex, .snapshot, .txnindex, cut-*, displaced-*, "
    "sealed-*, ready-log, "
    "leader-epoch-checkpoint, partition.metadata, *-offset-checkpoint, "
    "varve.topics, varve.checkpoint, varve.retention, varve.producers";

absl::StatusOr<DumpTarget> TargetOf(std::string_view name) {
  for (const auto& [known, kind] : kNamedFiles) {
    if (name == known) return DumpTarget{.kind = kind};
  }
  DumpTarget target;
  if (const auto cut = ParseCutFileName(name); cut.has_value()) {
    target.offset = cut->base_offset;
    return target;
  }
  if (const auto base = ParseDisplacedFileName(name); base.has_value()) {
    target.offset = *base;
    return target;
  }
  if (ParseSidecarFileName(name).has_value()) {
    return DumpTarget{.kind = DumpKind::kSidecar};
  }
  if (absl::EndsWith(name, "-offset-checkpoint")) {
    return DumpTarget{.kind = DumpKind::kOffsetCheckpoint};
  }
  // A copy may have any name before its suffix.
  const std::optional<SegmentFile> file = ParseSegmentFileName(name);
  if (file.has_value()) target.offset = file->base_offset;
  for (const auto& [suffix, kind] : kSuffixes) {
    if (!absl::EndsWith(name, suffix)) continue;
    target.kind = kind;
    return target;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "not a kind of file that this version reads; it reads ", kFileKinds));
}

// How the records of the file at `path` are shown, if they are: those in a
// directory of __consumer_offsets are commits.
RecordsShown ShownOf(const std::filesystem::path& path,
                     const DumpOptions& options) {
  if (options.offsets_decoder) return RecordsShown::kOffsetCommits;
  if (!options.records) return RecordsShown::kNo;
  const auto partition =
      ParsePartitionDirectoryName(path.parent_path().filename().string());
  return partition.has_value() && partition->topic == kConsumerOffsetsTopic
             ? RecordsShown::kOffsetCommits
             : RecordsShown::kYes;
}

// Links are followed: the user chose the path.
absl::StatusOr<std::filesystem::path> ResolvePath(const std::string& path) {
  std::error_code error;
  std::filesystem::path resolved = std::filesystem::canonical(path, error);
  if (error) return ErrnoStatus(error.value(), "open", path);
  return resolved;
}

void DumpWhole(const DumpTarget& target, std::string bytes, DumpSink& sink) {
  switch (target.kind) {
    case DumpKind::kSegment:
      break;
    case DumpKind::kOffsetIndex:
      return DumpOffsetIndex(std::move(bytes), target.base_offset(), sink);
    case DumpKind::kTimeIndex:
      return DumpTimeIndex(std::move(bytes), target.base_offset(), sink);
    case DumpKind::kTransactionIndex:
      return DumpTransactionIndex(std::move(bytes), target.base_offset(), sink);
    case DumpKind::kProducerSnapshot:
      return DumpProducerSnapshot(bytes, target.offset, sink);
    case DumpKind::kLeaderEpochs:
      return DumpLeaderEpochs(bytes, sink);
    case DumpKind::kMetadata:
      return DumpPartitionMetadata(bytes, sink);
    case DumpKind::kSidecar:
      return DumpSidecar(bytes, sink);
    case DumpKind::kOffsetCheckpoint:
      return DumpOffsetCheckpoint(bytes, sink);
    case DumpKind::kTopics:
      return DumpTopics(bytes, sink);
    case DumpKind::kStoreCheckpoint:
      return DumpStoreCheckpoint(bytes, sink);
    case DumpKind::kRetentionState:
      return DumpRetentionState(bytes, sink);
    case DumpKind::kProducerIds:
      return DumpProducerIds(bytes, sink);
  }
}

absl::Status DumpFile(const std::string& path, const DumpOptions& options,
                      DumpSink& sink) {
  absl::StatusOr<std::filesystem::path> resolved = ResolvePath(path);
  if (!resolved.ok()) return resolved.status();
  absl::StatusOr<DumpTarget> target = TargetOf(resolved->filename().string());
  if (!target.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": ", target.status().message()));
  }
  auto directory =
      FileSystem::Posix()->OpenDirectory(resolved->parent_path().string());
  if (!directory.ok()) return directory.status();
  sink.BeginFile(path);
  const std::string name = resolved->filename().string();
  if (target->kind == DumpKind::kSegment) {
    auto file = (*directory)->OpenFile(name, OpenMode::kRead);
    if (!file.ok()) return file.status();
    return DumpSegment(**file, target->base_offset(),
                       ShownOf(*resolved, options), sink);
  }
  absl::StatusOr<std::string> bytes =
      ReadWholeFile(**directory, name, kWholeFileMax);
  if (!bytes.ok()) return bytes.status();
  DumpWhole(*target, *std::move(bytes), sink);
  return absl::OkStatus();
}

int Dump(const GlobalOptions& global, const DumpOptions& options) {
  DumpSink sink(STDOUT_FILENO,
                global.json ? DumpSink::Form::kJson : DumpSink::Form::kText);
  int exit_status = kExitSuccess;
  for (const std::string& file : options.files) {
    absl::Status status = DumpFile(file, options, sink);
    if (!sink.Flush().ok()) break;
    if (!status.ok()) exit_status = FailWith(status);
  }
  if (absl::IsCancelled(sink.status())) return kExitSuccess;
  if (!sink.status().ok()) return FailWith(sink.status());
  return sink.damage_found() ? kExitFailure : exit_status;
}

}  // namespace

void AddDumpLogCommand(CLI::App& app, CommandLine& line) {
  auto options = std::make_shared<DumpOptions>();
  CLI::App* dump = app.add_subcommand(
      "dump-log", "print what is in a log's files, varve's or Kafka's");
  dump->fallthrough();
  dump->add_option("FILE", options->files, kFileKinds)->required();
  dump->add_flag("--records", options->records,
                 "print every record too; those in a directory "
                 "__consumer_offsets-N decoded");
  dump->add_flag("--offsets-decoder", options->offsets_decoder,
                 "print every record decoded, as of __consumer_offsets, "
                 "wherever the file is");
  dump->footer(
      "Needs no store. Compressed batches are decompressed: codec and "
      "decompressed_size are\n"
      "those of a batch. Exit status: 0 sound, 1 something is damaged.\n"
      "Examples:\n"
      "  varve dump-log --records data/orders-0/00000000000000000000.log\n"
      "  varve dump-log --records data/__consumer_offsets-*/*.log\n"
      "  varve dump-log data/varve.topics data/varve.checkpoint");
  dump->callback([&line, options] {
    line.run = [&line, options] { return Dump(line.global, *options); };
  });
}

}  // namespace varve
