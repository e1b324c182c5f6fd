// SPDX-License-Identifier: Apache-2.0

// State rebuilt by key: settings, each the last record of its key in a topic
// that is compacted. The log stays as short as the settings are, however often
// they change, and a start reads all of it.
//
//   state_by_key DIRECTORY [NAME=VALUE]...
//
// makes the changes, of which one without a value removes its setting, and
// prints the settings.

#include <cstddef>
#include <iostream>
#include <map>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "varve/api/cursor.h"
#include "varve/api/log_store.h"

// Small segments, so that a short run shows it: only those that are sealed are
// compacted.
constexpr varve::TopicConfig kTopic = {
    .log = {.segment_bytes = 200,
            .cleanup_policy = varve::CleanupPolicy::kCompact}};

using Settings = std::map<std::string, std::string>;

// Returns how many records it took.
absl::StatusOr<int> Load(const varve::Partition& log, Settings& settings) {
  int records = 0;
  varve::Cursor cursor(log, log.log_start());
  while (const varve::RecordView* record = cursor.Next()) {
    ++records;
    const std::string name(record->key().value_or(""));
    if (record->value().has_value()) {
      settings[name] = *record->value();
    } else {
      settings.erase(name);  // a tombstone
    }
  }
  if (!cursor.status().ok()) return cursor.status();
  return records;
}

// When it returns OK, the change survives a power loss.
absl::Status Change(varve::Partition& log, std::string_view change,
                    Settings& settings) {
  const size_t end = change.find('=');
  if (end == std::string_view::npos)
    return absl::InvalidArgumentError(absl::StrCat(change, ": no NAME=VALUE"));
  const std::string_view name = change.substr(0, end);
  const std::string_view value = change.substr(end + 1);
  varve::Record record = {.key = name};
  if (!value.empty()) record.value = value;
  auto where = log.Append(record);
  if (!where.ok()) return where.status();
  if (value.empty()) {
    settings.erase(std::string(name));
  } else {
    settings[std::string(name)] = value;
  }
  return absl::OkStatus();
}

absl::Status Run(const std::string& path, absl::Span<char*> changes) {
  auto store = varve::LogStore::Open(path);
  if (!store.ok()) return store.status();
  const absl::Status made = (*store)->CreateTopic("settings", kTopic);
  if (!made.ok() && !absl::IsAlreadyExists(made)) return made;
  auto log = (*store)->partition("settings", 0);
  if (!log.ok()) return log.status();

  Settings settings;
  const absl::StatusOr<int> records = Load(*log, settings);
  if (!records.ok()) return records.status();
  std::cout << "records read: " << *records << '\n';
  for (const char* change : changes) {
    absl::Status changed = Change(*log, change, settings);
    if (!changed.ok()) return changed;
  }
  for (const auto& [name, value] : settings)
    std::cout << name << " is " << value << '\n';
  // The background does that by and by: this process is gone before.
  if (auto done = (*store)->CompactTopic("settings"); !done.ok())
    return done.status();
  return (*store)->Close();
}

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "state_by_key DIRECTORY [NAME=VALUE]...\n";
    return 2;
  }
  const absl::Status status =
      Run(argv[1], absl::MakeSpan(argv, static_cast<size_t>(argc)).subspan(2));
  if (!status.ok()) std::cerr << status << '\n';
  return status.ok() ? 0 : 1;
}
