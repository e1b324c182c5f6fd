// SPDX-License-Identifier: Apache-2.0

#include "tests/interop/store_writer.h"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <utility>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "varve/codec/all_codecs.h"
#include "varve/log/batch/codec.h"
#include "varve/log/batch/codecs.h"
#include "varve/log/batch/encoded_batch.h"
#include "varve/log/batch/record.h"

namespace varve {
namespace {

// A view of `from`; its headers live in `headers`.
Record AsRecord(const DescribedRecord& from, std::vector<Header>* headers) {
  headers->clear();
  for (const auto& [key, value] : from.headers) {
    headers->push_back({.key = key, .value = value});
  }
  return {.key = from.key, .value = from.value, .headers = *headers};
}

// The batch of the plan, but compressed as `compressed` says.
EncodedBatch Encode(const BatchPlan& plan, const CodecLevel& compressed,
                    RecordBatchBuilder& builder) {
  std::vector<Header> headers;
  for (const DescribedRecord& record : plan.records) {
    CHECK_OK(builder.AppendAt(static_cast<int32_t>(record.offset),
                              AsRecord(record, &headers), record.timestamp_ms));
  }
  const Codec* const codec = AllCodecs()->Find(compressed.codec);
  const absl::StatusOr<EncodedBatch> batch =
      codec == nullptr ? builder.FinishAs(plan.shape)
                       : builder.FinishCompressed(*codec, compressed.level);
  CHECK_OK(batch.status());
  return *batch;
}

CodecLevel TopicCodec(const LogConfig& config) {
  switch (config.compression_type) {
    case CompressionType::kGzip:
      return {Compression::kGzip,
              static_cast<int>(config.compression_gzip_level)};
    case CompressionType::kSnappy:
      return {Compression::kSnappy};
    case CompressionType::kLz4:
      return {Compression::kLz4,
              static_cast<int>(config.compression_lz4_level)};
    case CompressionType::kZstd:
      return {Compression::kZstd,
              static_cast<int>(config.compression_zstd_level)};
    case CompressionType::kProducer:
    case CompressionType::kUncompressed:
      return {};
  }
  return {};
}

// How a topic stores a batch: encoded again if it has another codec.
CodecLevel StoredAs(const LogConfig& config, const BatchPlan& plan) {
  const CodecLevel topic = TopicCodec(config);
  const bool kept = config.compression_type == CompressionType::kProducer ||
                    plan.options.kind == BatchKind::kControl ||
                    plan.compressed.codec == topic.codec;
  return kept ? plan.compressed : topic;
}

// What the plan says, without a place.
DescribedBatch Describe(const BatchPlan& plan) {
  DescribedBatch described;
  described.count = static_cast<int32_t>(plan.records.size());
  described.base_sequence = plan.options.base_sequence;
  described.producer_id = plan.options.producer_id;
  described.producer_epoch = plan.options.producer_epoch;
  described.is_transactional =
      plan.options.transactional == Transactional::kYes;
  described.is_control = plan.options.kind == BatchKind::kControl;
  if (!plan.records.empty()) {
    described.delete_horizon_ms = plan.options.delete_horizon_ms;
  }
  described.timestamp_type = plan.options.timestamp_type;
  for (const DescribedRecord& record : plan.records) {
    described.last_offset = record.offset;
    described.max_timestamp_ms =
        std::max(described.max_timestamp_ms, record.timestamp_ms);
  }
  described.last_offset =
      plan.shape.last_offset_delta.value_or(described.last_offset);
  described.max_timestamp_ms =
      plan.shape.max_timestamp_ms.value_or(described.max_timestamp_ms);
  described.records = plan.records;
  return described;
}

}  // namespace

StoreWriter::StoreWriter(const std::string& path, int32_t leader_epoch)
    : leader_epoch_(leader_epoch),
      store_(LogStore::Open(path, {.codecs = AllCodecs()}).value()),
      pause_(store_->PauseMaintenance()) {}

void StoreWriter::CreateTopic(std::string_view name,
                              const TopicConfig& config) {
  CHECK_OK(store_->CreateTopic(name, config));
}

void StoreWriter::Sync() { CHECK_OK(partition_.front().Sync()); }

int64_t StoreWriter::segments() const {
  return partition_.front().Stats().value().segments;
}

void StoreWriter::Use(std::string_view topic, int32_t partition) {
  topic_ = topic;
  partition_index_ = partition;
  config_ = store_->DescribeTopic(topic).value().config.log;
  partition_.clear();
  partition_.push_back(store_->partition(topic, partition).value());
}

void StoreWriter::Append(const DescribedRecord& record) {
  std::vector<Header> headers;
  Record plain = AsRecord(record, &headers);
  if (record.timestamp_ms >= 0) {
    plain.timestamp = absl::FromUnixMillis(record.timestamp_ms);
  }
  const AppendResult result =
      partition_.front().Append(plain, Durability::kMemory).value();
  // The same record, as a batch of its own, should have been stored.
  BatchPlan plan{.records = {record}};
  plan.records.front().offset = 0;
  plan.records.front().timestamp_ms = absl::ToUnixMillis(result.timestamp);
  Print(plan, result);
}

void StoreWriter::Append(const BatchPlan& plan) {
  RecordBatchBuilder builder(plan.options);
  const EncodedBatch batch = Encode(plan, plan.compressed, builder);
  Print(plan, partition_.front().Append(batch, Durability::kMemory).value());
}

void StoreWriter::Print(const BatchPlan& plan, const AppendResult& result) {
  DescribedBatch described = Describe(plan);
  const CodecLevel stored = StoredAs(config_, plan);
  RecordBatchBuilder builder(plan.options);
  const EncodedBatch twin = Encode(plan, stored, builder);
  described.compression = stored.codec;
  described.size_bytes = twin.size_bytes();
  described.crc = twin.batch().crc();
  described.topic = topic_;
  described.partition = partition_index_;
  described.leader_epoch = leader_epoch_;
  described.base_offset = result.offset;
  described.last_offset += result.offset;
  if (config_.message_timestamp_type == TimestampType::kLogAppendTime) {
    described.timestamp_type = TimestampType::kLogAppendTime;
    described.max_timestamp_ms = absl::ToUnixMillis(result.timestamp);
    described.crc.reset();
  }
  for (DescribedRecord& record : described.records) {
    record.offset += result.offset;
    if (described.timestamp_type == TimestampType::kLogAppendTime) {
      record.timestamp_ms = described.max_timestamp_ms;
    }
  }
  std::puts(described.ToJson().c_str());
}

void StoreWriter::Close() { CHECK_OK(store_->Close()); }

}  // namespace varve
