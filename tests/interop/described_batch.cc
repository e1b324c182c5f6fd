// SPDX-License-Identifier: Apache-2.0

#include "tests/interop/described_batch.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/log/check.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "varve/codec/all_codecs.h"
#include "varve/log/batch/byte_buffer.h"
#include "varve/log/batch/codecs.h"
#include "varve/log/batch/record.h"
#include "varve/log/batch/record_cursor.h"

namespace varve {
namespace {

std::string_view JsonBool(bool value) { return value ? "true" : "false"; }

// Bytes as hex digits, in quotes.
std::string JsonBytes(const std::optional<std::string>& bytes) {
  if (!bytes.has_value()) return "null";
  return absl::StrCat("\"", absl::BytesToHexString(*bytes), "\"");
}

template <typename Integer>
std::string JsonInteger(const std::optional<Integer>& value) {
  return value.has_value() ? absl::StrCat(*value) : "null";
}

void AppendJson(const DescribedRecord& record, std::string* json) {
  absl::StrAppend(json, "{\"offset\":", record.offset,
                  ",\"timestamp\":", record.timestamp_ms,
                  ",\"key\":", JsonBytes(record.key),
                  ",\"value\":", JsonBytes(record.value), ",\"headers\":[");
  std::string_view comma;
  for (const auto& [key, value] : record.headers) {
    absl::StrAppend(json, comma, "[", JsonBytes(key), ",", JsonBytes(value),
                    "]");
    comma = ",";
  }
  absl::StrAppend(json, "]}");
}

std::optional<std::string> Owned(const std::optional<std::string_view>& view) {
  return view.has_value() ? std::optional<std::string>(*view) : std::nullopt;
}

std::vector<DescribedRecord> RecordsOf(const RecordBatch& batch) {
  ByteBuffer scratch;
  const auto plain = PlainRecords(batch, AllCodecs(), scratch);
  CHECK_OK(plain.status());
  std::vector<DescribedRecord> records;
  RecordCursor cursor(batch, *plain);
  while (const RecordView* view = cursor.Next()) {
    records.push_back(DescribedRecord::Of(*view));
  }
  CHECK_OK(cursor.status());
  return records;
}

}  // namespace

DescribedRecord DescribedRecord::Of(const RecordView& view) {
  DescribedRecord record{.offset = view.offset(),
                         .timestamp_ms = view.timestamp_ms(),
                         .key = Owned(view.key()),
                         .value = Owned(view.value())};
  for (const Header& header : view.headers()) {
    record.headers.emplace_back(header.key, Owned(header.value));
  }
  return record;
}

DescribedBatch DescribedBatch::Of(const RecordBatch& batch) {
  DescribedBatch described;
  described.base_offset = batch.base_offset();
  described.last_offset = batch.last_offset();
  described.count = batch.record_count();
  described.base_sequence = batch.base_sequence();
  described.producer_id = batch.producer_id();
  described.producer_epoch = batch.producer_epoch();
  described.leader_epoch = batch.leader_epoch();
  described.is_transactional = batch.is_transactional();
  described.is_control = batch.is_control();
  if (batch.has_delete_horizon()) {
    described.delete_horizon_ms = batch.base_timestamp_ms();
  }
  described.timestamp_type = batch.timestamp_type();
  described.max_timestamp_ms = batch.max_timestamp_ms();
  described.size_bytes = batch.size();
  described.compression = batch.compression();
  described.crc = batch.crc();
  described.records = RecordsOf(batch);
  return described;
}

std::string DescribedBatch::ToJson() const {
  std::string json = absl::StrCat(
      "{\"topic\":\"", topic, "\",\"partition\":", partition,
      ",\"baseOffset\":", base_offset, ",\"lastOffset\":", last_offset,
      ",\"count\":", count, ",\"baseSequence\":", base_sequence,
      ",\"producerId\":", producer_id, ",\"producerEpoch\":", producer_epoch);
  absl::StrAppend(&json, ",\"partitionLeaderEpoch\":", leader_epoch,
                  ",\"isTransactional\":", JsonBool(is_transactional),
                  ",\"isControl\":", JsonBool(is_control),
                  ",\"deleteHorizonMs\":", JsonInteger(delete_horizon_ms),
                  ",\"timestampType\":\"",
                  timestamp_type == TimestampType::kCreateTime
                      ? "CreateTime"
                      : "LogAppendTime");
  absl::StrAppend(&json, "\",\"maxTimestamp\":", max_timestamp_ms,
                  ",\"size\":", size_bytes, ",\"compression\":\"",
                  CompressionName(compression), "\",\"crc\":", JsonInteger(crc),
                  ",\"records\":[");
  for (const DescribedRecord& record : records) {
    if (json.back() == '}') json += ",";
    AppendJson(record, &json);
  }
  return json + "]}";
}

}  // namespace varve
