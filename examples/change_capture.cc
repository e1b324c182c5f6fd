// SPDX-License-Identifier: Apache-2.0

// Change capture. A table's changes are a topic, from which a replica is made
// in another process, beside the writer. A change says what a row is then, so
// one that is applied twice does no harm; and the replica keeps the offset of
// the next change with its rows, so none is left out.
//
//   change_capture DIRECTORY write [KEY=VALUE | KEY]…
//   change_capture DIRECTORY replicate REPLICA
//
// writes one transaction, which sets rows and deletes those without a value; or
// applies what is new to the replica, a file, and prints its rows.

#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "absl/types/span.h"
#include "varve/api/cursor.h"
#include "varve/api/log_store.h"

namespace {

// So much is done again after a crash, at most.
constexpr int64_t kChangesPerSave = 10'000;

// The transaction is one batch: its changes are there together or not at all.
// The topic has one partition, for an order of the changes of all rows.
absl::Status Write(const std::string& path, absl::Span<char*> changes) {
  auto store = varve::LogStore::Open(path);
  if (!store.ok()) return store.status();
  absl::Status made = (*store)->CreateTopic("table");
  if (!made.ok() && !absl::IsAlreadyExists(made)) return made;
  auto table = (*store)->partition("table", 0);
  if (!table.ok()) return table.status();
  varve::RecordBatchBuilder batch({.size_max = table->batch_size_max()});
  for (const std::string_view change : changes) {
    const size_t equals = change.find('=');
    varve::Record row = {.key = change.substr(0, equals)};
    if (equals != change.npos) row.value = change.substr(equals + 1);
    if (absl::Status s = batch.Append(row, absl::Now()); !s.ok()) return s;
  }
  if (!batch.empty()) {
    auto where = table->Append(batch.Finish());
    if (!where.ok()) return where.status();
  }
  return (*store)->Close();
}

struct Replica {
  int64_t next = 0;  // the offset of the first change that it does not have
  std::map<std::string, std::string> rows = {};
};

// A replica that is not there yet is empty.
absl::Status Load(const std::string& path, Replica& replica) {
  std::ifstream file(path);
  if (!file.is_open()) return absl::OkStatus();
  if (!(file >> replica.next))
    return absl::DataLossError(path + " is no replica");
  for (std::string key, value; file >> std::quoted(key) >> std::quoted(value);)
    replica.rows[key] = value;
  return absl::OkStatus();
}

// Rows and offset are replaced together: the old file stays, or the new one is
// there as a whole. (In a database it would be one transaction.) Should a power
// loss bring the old one back, more changes are applied again.
absl::Status Save(const Replica& replica, const std::string& path) {
  std::ostringstream text;
  text << replica.next << '\n';
  for (const auto& [key, value] : replica.rows)
    text << std::quoted(key) << ' ' << std::quoted(value) << '\n';
  const std::string bytes = text.str();
  const std::string fresh = path + ".new";
  std::FILE* file = std::fopen(fresh.c_str(), "w");
  if (file == nullptr) return absl::ErrnoToStatus(errno, fresh);
  const bool is_written =
      std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size() &&
      std::fflush(file) == 0 && fsync(fileno(file)) == 0;
  if (std::fclose(file) != 0 || !is_written ||
      std::rename(fresh.c_str(), path.c_str()) != 0)
    return absl::ErrnoToStatus(errno, fresh);
  return absl::OkStatus();
}

absl::Status Replicate(const std::string& path, const std::string& file) {
  Replica replica;
  if (absl::Status s = Load(file, replica); !s.ok()) return s;
  auto store = varve::LogStore::OpenReadOnly(path);
  if (!store.ok()) return store.status();
  auto table = (*store)->partition("table", 0);
  if (!table.ok()) return table.status();
  // Only durable changes: the replica is never ahead of the table.
  varve::Cursor cursor(*table, replica.next,
                       {.read = {.level = varve::ReadLevel::kDurable}});
  int64_t count = 0;
  // A program that stays waits until absl::InfiniteFuture().
  while (const varve::RecordView* change = cursor.Next()) {
    const std::string key(change->key().value_or(""));
    if (change->value().has_value()) {
      replica.rows[key] = *change->value();
    } else {
      replica.rows.erase(key);
    }
    replica.next = cursor.position();
    if (++count % kChangesPerSave != 0) continue;
    if (absl::Status s = Save(replica, file); !s.ok()) return s;
  }
  // OutOfRange: retention has deleted changes that it does not have.
  if (!cursor.status().ok()) return cursor.status();
  if (absl::Status s = Save(replica, file); !s.ok()) return s;
  std::cout << "changes applied: " << count << ", next offset: " << replica.next
            << '\n';
  for (const auto& [key, value] : replica.rows)
    std::cout << key << '=' << value << '\n';
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view verb = argc > 2 ? argv[2] : "";
  absl::Status status;
  if (verb == "write") {
    status = Write(argv[1],
                   absl::MakeSpan(argv, static_cast<size_t>(argc)).subspan(3));
  } else if (verb == "replicate" && argc == 4) {
    status = Replicate(argv[1], argv[3]);
  } else {
    std::cerr << "change_capture DIRECTORY write [KEY=VALUE | KEY]…\n"
                 "change_capture DIRECTORY replicate REPLICA\n";
    return 2;
  }
  if (!status.ok()) std::cerr << status << '\n';
  return status.ok() ? 0 : 1;
}
