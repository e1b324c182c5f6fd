// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/command/verify_command.h"

#include <cstddef>
#include <cstdint>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "varve/api/store_verifier.h"
#include "varve/codec/all_codecs.h"
#include "varve/log/system/environment.h"
#include "varve/log/verification/partition_verifier.h"
#include "varve/log/verification/segment_verifier.h"
#include "varve/log/verification/verify_finding.h"
#include "varve/tools/shell/command_line.h"
#include "varve/tools/shell/data_directory.h"
#include "varve/tools/shell/exit_status.h"
#include "varve/tools/shell/human_units.h"
#include "varve/tools/shell/progress_meter.h"
#include "varve/tools/shell/record_json.h"
#include "varve/tools/shell/writer_probe.h"

namespace varve {
namespace {

std::string_view LastWriterText(LastWriter last_writer) {
  switch (last_writer) {
    case LastWriter::kClosedCleanly:
      return "closed cleanly";
    case LastWriter::kDied:
      return "not closed; the next open will recover it";
    case LastWriter::kStillOpen:
      return "open in another process; the last segments may be moving";
  }
  return "";
}

std::string_view LastWriterName(LastWriter last_writer) {
  switch (last_writer) {
    case LastWriter::kClosedCleanly:
      return "closed";
    case LastWriter::kDied:
      return "unclean";
    case LastWriter::kStillOpen:
      return "open";
  }
  return "";
}

VerifyCounts Total(const StoreVerification& store) {
  VerifyCounts total;
  for (const PartitionVerification& partition : store.partitions) {
    total.segments += partition.counts.segments;
    total.batches += partition.counts.batches;
    total.records += partition.counts.records;
    total.bytes += partition.counts.bytes;
    total.index_entries += partition.counts.index_entries;
  }
  return total;
}

std::vector<VerifyFinding> AllFindings(const StoreVerification& store) {
  std::vector<VerifyFinding> all = store.findings;
  for (const PartitionVerification& partition : store.partitions) {
    all.insert(all.end(), partition.findings.begin(), partition.findings.end());
  }
  return all;
}

Json ToJson(const VerifyFinding& finding) {
  Json json = {{"severity", finding.severity == FindingSeverity::kDamage
                                ? "damage"
                                : "note"}};
  SetBytes(json, "path", finding.path);
  json["position"] = nullptr;
  json["offset"] = nullptr;
  if (finding.position.has_value()) json["position"] = *finding.position;
  if (finding.offset.has_value()) json["offset"] = *finding.offset;
  json["what"] = finding.what;
  json["expected"] = finding.expected;
  json["found"] = finding.found;
  return json;
}

void PrintJson(const StoreVerification& store) {
  const VerifyCounts total = Total(store);
  Json findings = Json::array();
  for (const VerifyFinding& finding : AllFindings(store)) {
    findings.push_back(ToJson(finding));
  }
  std::cout << ToLine({{"path", store.path},
                       {"state", LastWriterName(store.last_writer)},
                       {"ok", store.damage_count() == 0},
                       {"damage", store.damage_count()},
                       {"partitions", store.partitions.size()},
                       {"segments", total.segments},
                       {"batches", total.batches},
                       {"records", total.records},
                       {"batch_bytes", total.bytes},
                       {"index_entries", total.index_entries},
                       {"findings", std::move(findings)}})
            << "\n";
}

void PrintText(const StoreVerification& store, absl::Duration time) {
  for (const VerifyFinding& finding : AllFindings(store)) {
    std::cout << absl::StrCat(
        finding.severity == FindingSeverity::kDamage ? "DAMAGE  " : "note    ",
        finding.ToString(), "\n");
  }
  const VerifyCounts total = Total(store);
  std::cout << absl::StrCat(
      store.path, ": ", LastWriterText(store.last_writer), "\n",
      CountOf(static_cast<int64_t>(store.partitions.size()), "partition"), ", ",
      CountOf(total.segments, "segment"), ", ", HumanCount(total.batches),
      total.batches == 1 ? " batch, " : " batches, ",
      CountOf(total.records, "record"), ", ", HumanBytes(total.bytes), ", ",
      HumanCount(total.index_entries), " index ",
      total.index_entries == 1 ? "entry" : "entries", ", checked in ",
      HumanTime(time), "\n");
  const int64_t damage = static_cast<int64_t>(store.damage_count());
  std::cout << (damage == 0 ? "OK: nothing is damaged\n"
                            : absl::StrCat("DAMAGED in ",
                                           CountOf(damage, "place"), "\n"));
}

absl::StatusOr<StoreVerification> VerifyWithProgress(const std::string& path) {
  ProgressMeter meter;
  StoreVerifyOptions options = {
      .writer = [&path] { return ProbeWriter(path); }};
  options.codecs = AllCodecs();
  options.progress = [&meter](int64_t done, int64_t total) {
    if (!meter.IsDue()) return;
    meter.Show(absl::StrCat("verified ", HumanBytes(done), " of at most ",
                            HumanBytes(total)));
  };
  return VerifyStore(path, Environment(), options);
}

int Verify(const GlobalOptions& global) {
  if (absl::Status status = CheckDataDirectory(global); !status.ok()) {
    return UsageError(status.message());
  }
  const absl::Time begin = absl::Now();
  absl::StatusOr<StoreVerification> store = VerifyWithProgress(global.data);
  if (absl::IsNotFound(store.status())) return FailWith(NoStoreError(global));
  if (!store.ok()) return FailWith(store.status());
  if (global.json) {
    PrintJson(*store);
  } else {
    PrintText(*store, absl::Now() - begin);
  }
  return store->damage_count() == 0 ? kExitSuccess : kExitFailure;
}

}  // namespace

void AddVerifyCommand(CLI::App& app, CommandLine& line) {
  CLI::App* verify =
      app.add_subcommand("verify", "check every byte of a store");
  verify->fallthrough();
  verify->footer(
      "Checks checksums, offsets, leader epochs, records, those of compressed "
      "batches too,\n"
      "times, every index entry and the store's own files. Changes nothing and "
      "takes no lock,\n"
      "so it may run beside a writer.\n"
      "Exit status: 0 nothing is damaged, 1 something is.");
  verify->callback(
      [&line] { line.run = [&line] { return Verify(line.global); }; });
}

}  // namespace varve
