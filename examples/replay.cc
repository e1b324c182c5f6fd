// SPDX-License-Identifier: Apache-2.0

#include <cstdint>
#include <iostream>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "varve/api/cursor.h"
#include "varve/api/log_store.h"

constexpr absl::Time kMidnight =
    absl::FromUnixSeconds(1795132800);  // 2026-11-20

// One reading an hour, each with its own time.
absl::Status Fill(varve::Partition& readings) {
  for (int hour = 0; hour < 6; ++hour) {
    const std::string value = absl::StrCat("read at ", hour, ":00");
    auto where = readings.Append(
        {.value = value, .timestamp = kMidnight + absl::Hours(hour)});
    if (!where.ok()) return where.status();
  }
  return absl::OkStatus();
}

// Prints the records from `offset` on, and what is not there.
absl::Status Replay(const varve::Partition& readings, int64_t offset) {
  varve::Cursor cursor(readings, offset);
  while (true) {
    while (const varve::RecordView* record = cursor.Next()) {
      std::cout << record->offset() << ' ' << record->value().value_or("")
                << '\n';
    }
    const int64_t at = cursor.position();
    int64_t next = at;
    if (absl::IsOutOfRange(cursor.status()) && at < readings.log_start()) {
      next = readings.log_start();
      std::cout << "deleted: " << at << " to " << next - 1 << '\n';
    } else if (absl::IsDataLoss(cursor.status()) && cursor.next_readable()) {
      next = *cursor.next_readable();
      std::cout << "damaged: " << at << " to " << next - 1 << '\n';
    } else {
      return cursor.status();  // OK: the end of the log, for now
    }
    cursor.Seek(next);
  }
}

absl::Status Run(const std::string& path) {
  auto store = varve::LogStore::Open(path);
  if (!store.ok()) return store.status();
  const absl::Status created = (*store)->CreateTopic("readings");
  if (!created.ok() && !absl::IsAlreadyExists(created)) return created;
  auto readings = (*store)->partition("readings", 0);
  if (!readings.ok()) return readings.status();
  absl::Status status = created.ok() ? Fill(*readings) : absl::OkStatus();
  if (!status.ok()) return status;

  std::cout << "all that is there:\n";
  status = Replay(*readings, readings->log_start());
  if (!status.ok()) return status;

  std::cout << "since 4:00:\n";
  auto offset = readings->OffsetForTime(kMidnight + absl::Hours(4));
  if (!offset.ok()) return offset.status();
  status = Replay(*readings, *offset);
  if (!status.ok()) return status;

  status = readings->TrimBefore(2);
  if (!status.ok()) return status;
  std::cout << "from offset 1 on, which is trimmed:\n";
  status = Replay(*readings, 1);
  status.Update((*store)->Close());
  return status;
}

int main(int argc, char** argv) {
  const absl::Status status = Run(argc > 1 ? argv[1] : "readings-log");
  if (!status.ok()) std::cerr << status << '\n';
  return status.ok() ? 0 : 1;
}
