// SPDX-License-Identifier: Apache-2.0

// An audit log. An entry survives a power loss before what it tells of begins.
// The auditor, who may be another process, checks every byte of the store
// beside the writer, and reads a span of time.
//
//   audit_log DIRECTORY FROM TO
//
// appends the entries of the standard input, a line each: TIME WHO ACTION….
// Then prints those from FROM to before TO. Times are like
// 2026-03-01T08:00:00Z.

#include <cstdint>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "varve/api/cursor.h"
#include "varve/api/log_store.h"
#include "varve/api/store_verifier.h"
#include "varve/api/writer_presence.h"

namespace {

absl::StatusOr<absl::Time> ParseTime(std::string_view text) {
  absl::Time time;
  std::string error;
  if (absl::ParseTime(absl::RFC3339_full, text, &time, &error)) return time;
  return absl::InvalidArgumentError(absl::StrCat("\"", text, "\": ", error));
}

// Takes late entries, too: those that come after others of a later time.
absl::Status Write(varve::Partition& audit) {
  for (std::string line; std::getline(std::cin, line);) {
    const std::vector<std::string_view> words =
        absl::StrSplit(line, absl::MaxSplits(' ', 2));
    const absl::StatusOr<absl::Time> time = ParseTime(words[0]);
    if (!time.ok()) return time.status();
    if (words.size() < 3)
      return absl::InvalidArgumentError("an entry is: TIME WHO ACTION");
    const varve::Header headers[] = {{.key = "who", .value = words[1]},
                                     {.key = "form", .value = "1"}};
    auto where = audit.Append(
        {.value = words[2], .headers = headers, .timestamp = *time});
    if (!where.ok()) return where.status();
    // It is durable: here the action may begin.
  }
  return absl::OkStatus();
}

std::string_view HeaderOf(const varve::RecordView& entry,
                          std::string_view key) {
  for (const varve::Header& header : entry.headers()) {
    if (header.key == key) return header.value.value_or("");
  }
  return "";
}

// Takes no lock, and changes nothing: that this program is the writer is all
// the same to it, but it has to know that there is one.
absl::Status Verify(const std::string& path) {
  auto found = varve::VerifyStore(
      path, {}, {.writer = [] { return varve::WriterPresence::kOpen; }});
  if (!found.ok()) return found.status();
  int64_t entries = 0;
  for (const varve::PartitionVerification& partition : found->partitions) {
    entries += partition.counts.records;
    for (const varve::VerifyFinding& finding : partition.findings)
      std::cerr << finding.ToString() << '\n';
  }
  for (const varve::VerifyFinding& finding : found->findings)
    std::cerr << finding.ToString() << '\n';
  if (found->damage_count() > 0) return absl::DataLossError("there is damage");
  std::cout << "verified: " << entries << " entries\n";
  return absl::OkStatus();
}

absl::Status Print(const std::string& path, absl::Time from, absl::Time to) {
  auto store = varve::LogStore::OpenReadOnly(path);
  if (!store.ok()) return store.status();
  auto audit = (*store)->partition("audit", 0);
  if (!audit.ok()) return audit.status();
  auto first = audit->OffsetForTime(from);
  if (!first.ok()) return first.status();
  varve::Cursor cursor(*audit, *first);
  while (const varve::RecordView* entry = cursor.Next()) {
    // Late entries are anywhere after the first one, so it reads to the end.
    if (entry->timestamp() < from || entry->timestamp() >= to) continue;
    std::cout << absl::FormatTime(absl::RFC3339_sec, entry->timestamp(),
                                  absl::UTCTimeZone())
              << ' ' << HeaderOf(*entry, "who") << ": "
              << entry->value().value_or("") << '\n';
  }
  return cursor.status();
}

absl::Status Run(const std::string& path, absl::Time from, absl::Time to) {
  auto store = varve::LogStore::Open(path);
  if (!store.ok()) return store.status();
  // What is dated ahead of the clock by more than a minute is refused.
  absl::Status status = (*store)->CreateTopic(
      "audit", {.log = {.message_timestamp_after_max_ms = 60'000}});
  if (!status.ok() && !absl::IsAlreadyExists(status)) return status;
  auto audit = (*store)->partition("audit", 0);
  if (!audit.ok()) return audit.status();
  if (status = Write(*audit); !status.ok()) return status;
  // The writer is open meanwhile, and may go on.
  if (status = Verify(path); !status.ok()) return status;
  if (status = Print(path, from, to); !status.ok()) return status;
  return (*store)->Close();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "audit_log DIRECTORY FROM TO\n";
    return 2;
  }
  const auto from = ParseTime(argv[2]);
  const auto to = ParseTime(argv[3]);
  absl::Status status = from.status();
  status.Update(to.status());
  if (status.ok()) status = Run(argv[1], *from, *to);
  if (!status.ok()) std::cerr << status << '\n';
  return status.ok() ? 0 : 1;
}
