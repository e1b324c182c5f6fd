// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/dump/segment_dump.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "varve/codec/all_codecs.h"
#include "varve/log/batch/byte_buffer.h"
#include "varve/log/batch/codecs.h"
#include "varve/log/batch/control_record.h"
#include "varve/log/batch/record.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_cursor.h"
#include "varve/log/batch/record_view.h"
#include "varve/log/segment/batch_scanner.h"
#include "varve/log/segment/file_batch_scanner.h"
#include "varve/log/system/file_system.h"
#include "varve/tools/dump/dump_sink.h"
#include "varve/tools/dump/offset_commit_dump.h"
#include "varve/tools/shell/record_json.h"

namespace varve {
namespace {

Json BatchFields(const RecordBatch& batch, int64_t position) {
  Json fields = {{"position", position},
                 {"size", batch.size()},
                 {"base_offset", batch.base_offset()},
                 {"last_offset", batch.last_offset()},
                 {"records", batch.record_count()},
                 {"epoch", batch.leader_epoch()},
                 {"codec", CompressionName(batch.compression())},
                 {"time", batch.timestamp_type() == TimestampType::kCreateTime
                              ? "CreateTime"
                              : "LogAppendTime"},
                 {"base_ms", batch.base_timestamp_ms()},
                 {"max_ms", batch.max_timestamp_ms()},
                 {"crc", absl::StrFormat("%08x", batch.crc())}};
  if (batch.producer_id() != -1) {
    fields["producer_id"] = batch.producer_id();
    fields["producer_epoch"] = batch.producer_epoch();
    fields["base_sequence"] = batch.base_sequence();
  }
  if (batch.is_transactional()) fields["transactional"] = true;
  if (batch.is_control()) fields["control"] = true;
  if (batch.has_delete_horizon()) fields["delete_horizon"] = true;
  return fields;
}

std::string_view ControlTypeName(ControlRecordType type) {
  switch (type) {
    case ControlRecordType::kUnknown:
      return "unknown";
    case ControlRecordType::kAbort:
      return "ABORT";
    case ControlRecordType::kCommit:
      return "COMMIT";
    case ControlRecordType::kLeaderChange:
      return "LEADER_CHANGE";
    case ControlRecordType::kSnapshotHeader:
      return "SNAPSHOT_HEADER";
    case ControlRecordType::kSnapshotFooter:
      return "SNAPSHOT_FOOTER";
    case ControlRecordType::kKRaftVersion:
      return "KRAFT_VERSION";
    case ControlRecordType::kKRaftVoters:
      return "KRAFT_VOTERS";
  }
  return "unknown";
}

// Prints the batches of one file.
class SegmentDumper {
 public:
  SegmentDumper(File& file, int64_t size, int64_t base_offset,
                RecordsShown shown, DumpSink& sink)
      : shown_(shown),
        sink_(sink),
        scanner_(file, size, {.position = 0, .base_offset = base_offset},
                 {.continuity = Continuity::kGapsAllowed}) {}

  absl::Status Run() {
    do {
      while (const RecordBatch* batch = scanner_.Peek()) {
        DumpBatch(*batch);
        scanner_.Advance();
        if (!sink_.status().ok()) return sink_.status();
      }
      if (!scanner_.status().ok()) return scanner_.status();
    } while (HandleStop());
    return absl::OkStatus();
  }

 private:
  void DumpBatch(const RecordBatch& batch) {
    Json fields = BatchFields(batch, scanner_.position());
    const absl::StatusOr<std::string_view> records =
        PlainRecords(batch, AllCodecs(), decompressed_);
    if (batch.compression() != Compression::kNone) {
      fields["decompressed_size"] =
          records.ok() ? Json(batch_layout::kRecords + records->size())
                       : Json();
    }
    sink_.Add("batch", fields);
    if (records.ok()) {
      DumpRecords(batch, *records);
    } else {
      AddUndecompressed(records.status());
    }
  }

  // A batch that is larger than the codecs may make it is not known to be
  // damaged.
  void AddUndecompressed(const absl::Status& status) {
    if (absl::IsDataLoss(status)) {
      sink_.AddDamage(scanner_.position(), status.message());
    } else {
      sink_.Add("note", {{"position", scanner_.position()},
                         {"what", std::string(status.message())}});
    }
  }

  void DumpRecords(const RecordBatch& batch, std::string_view records) {
    RecordCursor cursor(batch, records);
    while (const RecordView* record = cursor.Next()) {
      if (shown_ == RecordsShown::kNo) continue;
      if (batch.is_control()) {
        DumpMarker(*record);
      } else if (shown_ == RecordsShown::kOffsetCommits) {
        DumpOffsetCommit(*record, scanner_.position(), sink_);
      } else {
        Json fields = Json::object();
        SetRecord(fields, *record);
        sink_.Add("  record", fields);
      }
    }
    if (!cursor.status().ok()) {
      sink_.AddDamage(scanner_.position(), cursor.status().message());
    }
  }

  void DumpMarker(const RecordView& record) {
    absl::StatusOr<ControlRecordType> type =
        ParseControlRecordType(record.key());
    if (!type.ok()) {
      sink_.AddDamage(scanner_.position(), type.status().message());
      return;
    }
    Json fields = {{"offset", record.offset()},
                   {"timestamp", record.timestamp_ms()},
                   {"type", ControlTypeName(*type)}};
    if (*type == ControlRecordType::kAbort ||
        *type == ControlRecordType::kCommit) {
      absl::StatusOr<int32_t> epoch = ParseCoordinatorEpoch(record.value());
      if (epoch.ok()) {
        fields["coordinator_epoch"] = *epoch;
      } else {
        sink_.AddDamage(scanner_.position(), epoch.status().message());
      }
    }
    sink_.Add("  marker", fields);
  }

  // Reports why the scan stopped. Returns whether it continues.
  bool HandleStop() {
    const int64_t position = scanner_.position();
    if (scanner_.stop() == ScanStop::kEnd) {
      AddEnd("end", position);
      return false;
    }
    if (scanner_.stop() == ScanStop::kZeros) {
      sink_.Add("zeros", {{"position", position},
                          {"size", scanner_.size() - position},
                          {"what", "allocated ahead, or never written"}});
      AddEnd("end", position);
      return false;
    }
    std::string what = std::string(ScanStopText(scanner_.stop()));
    absl::StatusOr<RecordBatch> batch =
        RecordBatch::Parse(scanner_.stop_bytes(), CrcCheck::kVerify);
    absl::StrAppend(
        &what, ": ",
        batch.ok()
            ? absl::StrCat("base offset ", batch->base_offset(), " where ",
                           scanner_.expected_offset(), " or more should be")
            : batch.status().message());
    const bool behind = scanner_.ResumeBehind();
    absl::StrAppend(&what, behind ? absl::StrCat("; goes on at position ",
                                                 scanner_.position())
                                  : "; no whole batch stands behind it");
    sink_.AddDamage(position, what);
    if (!behind) AddEnd("stopped", position);
    return behind;
  }

  void AddEnd(std::string_view kind, int64_t position) {
    sink_.Add(kind, {{"position", position},
                     {"next_offset", scanner_.expected_offset()}});
  }

  const RecordsShown shown_;
  DumpSink& sink_;
  FileBatchScanner scanner_;
  ByteBuffer decompressed_;  // the records of a compressed batch
};

}  // namespace

absl::Status DumpSegment(File& file, int64_t base_offset, RecordsShown shown,
                         DumpSink& sink) {
  absl::StatusOr<int64_t> size = file.Size();
  if (!size.ok()) return size.status();
  return SegmentDumper(file, *size, base_offset, shown, sink).Run();
}

}  // namespace varve
