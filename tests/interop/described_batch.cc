// SPDX-License-Identifier: Apache-2.0

#include "tests/interop/described_batch.h"

#include <string_view>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

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

}  // namespace

DescribedBatch DescribedBatch::HeaderOf(const RecordBatch& batch) {
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
                  ",\"records\":");
  if (!records.has_value()) return json + "null}";
  json += "[";
  for (const DescribedRecord& record : *records) {
    if (json.back() == '}') json += ",";
    AppendJson(record, &json);
  }
  return json + "]}";
}

}  // namespace varve
