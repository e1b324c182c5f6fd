// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/dump/index_dump.h"

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "varve/index/offset_index.h"
#include "varve/index/time_index.h"
#include "varve/tools/dump/dump_sink.h"
#include "varve/tools/shell/record_json.h"

namespace varve {
namespace {

// Counts the entries in use: those up to the last byte that is not zero.
// Reports anything else in the file.
int64_t CountEntries(const std::string& bytes, int64_t entry_size,
                     DumpSink& sink) {
  const size_t last = bytes.find_last_not_of('\0');
  const int64_t used =
      last == std::string::npos ? 0 : static_cast<int64_t>(last) + 1;
  const int64_t size = static_cast<int64_t>(bytes.size());
  const int64_t whole = size / entry_size;
  const int64_t count = (used + entry_size - 1) / entry_size;
  if (count > whole) {
    sink.AddDamage(whole * entry_size,
                   absl::StrCat("the file ends within an entry of ", entry_size,
                                " bytes"));
    return whole;
  }
  return count;
}

void AddEnd(const std::string& bytes, int64_t count, int64_t entry_size,
            DumpSink& sink) {
  const int64_t size = static_cast<int64_t>(bytes.size());
  const int64_t used = count * entry_size;
  if (size - used >= entry_size) {
    sink.Add("zeros", {{"position", used},
                       {"size", size - used},
                       {"what", "allocated ahead, or never written"}});
  }
  sink.Add("end", {{"entries", count}});
}

}  // namespace

void DumpOffsetIndex(std::string bytes, int64_t base_offset, DumpSink& sink) {
  const int64_t count = CountEntries(bytes, OffsetIndex::kEntrySize, sink);
  const OffsetIndex index(base_offset, absl::MakeSpan(bytes), count);
  OffsetPosition before = {.offset = base_offset - 1, .position = -1};
  for (int64_t i = 0; i < count; ++i) {
    const OffsetPosition entry = index.entry(i);
    sink.Add("entry", {{"offset", entry.offset}, {"position", entry.position}});
    if (entry.offset <= before.offset || entry.position <= before.position) {
      sink.AddDamage(i * OffsetIndex::kEntrySize,
                     absl::StrCat("entry ", i, " does not grow"));
    }
    before = entry;
  }
  AddEnd(bytes, count, OffsetIndex::kEntrySize, sink);
}

void DumpTimeIndex(std::string bytes, int64_t base_offset, DumpSink& sink) {
  const int64_t count = CountEntries(bytes, TimeIndex::kEntrySize, sink);
  const TimeIndex index(base_offset, absl::MakeSpan(bytes), count);
  TimestampOffset before = {.timestamp_ms = -1, .offset = base_offset - 1};
  for (int64_t i = 0; i < count; ++i) {
    const TimestampOffset entry = index.entry(i);
    sink.Add("entry",
             {{"timestamp", entry.timestamp_ms}, {"offset", entry.offset}});
    if (entry.timestamp_ms <= before.timestamp_ms ||
        entry.offset <= before.offset) {
      sink.AddDamage(i * TimeIndex::kEntrySize,
                     absl::StrCat("entry ", i, " does not grow"));
    }
    before = entry;
  }
  AddEnd(bytes, count, TimeIndex::kEntrySize, sink);
}

}  // namespace varve
