// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/dump/producer_dump.h"

#include <cstdint>
#include <iterator>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "absl/strings/str_format.h"
#include "absl/types/span.h"
#include "varve/index/transaction_index.h"
#include "varve/index/transaction_index_damage.h"
#include "varve/log/producer/producer_snapshot.h"
#include "varve/log/producer/snapshot_bytes.h"
#include "varve/tools/dump/dump_sink.h"
#include "varve/tools/shell/record_json.h"

namespace varve {
namespace {

constexpr int64_t kEntrySize = TransactionIndex::kEntrySize;

// Without an offset in the file's name none is too high.
constexpr int64_t kUnknownOffset = std::numeric_limits<int64_t>::max();

void AddHeader(const SnapshotBytes& bytes, std::optional<int64_t> offset,
               DumpSink& sink) {
  Json fields = Json::object();
  if (offset.has_value()) fields["offset"] = *offset;
  fields["version"] = bytes.version();
  fields["crc"] = absl::StrFormat("%08x", bytes.crc());
  fields["producers"] = bytes.stated_count();
  sink.Add("snapshot", fields);
}

void AddProducer(const ProducerEntry& entry, DumpSink& sink) {
  sink.Add("producer",
           {{"producer_id", entry.producer_id},
            {"producer_epoch", entry.producer_epoch},
            {"last_sequence", entry.last_sequence},
            {"last_offset", entry.last_offset},
            {"offset_delta", entry.offset_delta},
            {"timestamp", entry.timestamp_ms},
            {"coordinator_epoch", entry.coordinator_epoch},
            {"transaction_first_offset", entry.transaction_first_offset}});
}

}  // namespace

void DumpProducerSnapshot(std::string_view bytes, std::optional<int64_t> offset,
                          DumpSink& sink) {
  const SnapshotBytes parts(bytes, offset.value_or(kUnknownOffset));
  if (parts.has_header()) AddHeader(parts, offset, sink);
  for (int64_t i = 0; i < parts.entry_count(); ++i) {
    AddProducer(parts.entry(i), sink);
    if (const auto defect = parts.EntryDefect(i); defect.has_value())
      sink.AddDamage(defect->position, defect->what);
  }
  if (const auto defect = parts.FileDefect(); defect.has_value())
    sink.AddDamage(defect->position, defect->what);
  sink.Add("end", {{"entries", parts.entry_count()}});
}

void DumpTransactionIndex(std::string bytes, int64_t base_offset,
                          DumpSink& sink) {
  const int64_t count = std::ssize(bytes) / kEntrySize;
  const auto damage =
      FindTransactionIndexDamage(base_offset, bytes, IndexWriter::kKafka);
  const TransactionIndex index(base_offset, absl::MakeSpan(bytes), count);
  for (int64_t i = 0; i < count; ++i) {
    const AbortedTransaction entry = index.entry(i);
    sink.Add("aborted", {{"producer_id", entry.producer_id},
                         {"first_offset", entry.first_offset},
                         {"last_offset", entry.last_offset},
                         {"last_stable_offset", entry.last_stable_offset}});
    if (damage.has_value() && damage->position == i * kEntrySize)
      sink.AddDamage(damage->position, damage->what);
  }
  if (damage.has_value() && damage->position == count * kEntrySize)
    sink.AddDamage(damage->position, damage->what);
  sink.Add("end", {{"entries", count}});
}

}  // namespace varve
