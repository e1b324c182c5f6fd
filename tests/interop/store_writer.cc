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
#include "tests/interop/stored_gzip.h"
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

EncodedBatch Encode(const BatchPlan& plan, RecordBatchBuilder* builder,
                    std::string* compressed) {
  std::vector<Header> headers;
  for (const DescribedRecord& record : plan.records) {
    CHECK_OK(builder->AppendAt(static_cast<int32_t>(record.offset),
                               AsRecord(record, &headers),
                               record.timestamp_ms));
  }
  absl::StatusOr<EncodedBatch> batch;
  if (plan.compression == Compression::kNone) {
    batch = builder->FinishAs(plan.shape);
  } else {
    CHECK(plan.compression == Compression::kGzip);
    *compressed = StoredGzip(builder->records());
    batch = builder->FinishCompressed(plan.compression, *compressed);
  }
  CHECK_OK(batch.status());
  return *batch;
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
  described.compression = plan.compression;
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
    : leader_epoch_(leader_epoch), store_(LogStore::Open(path).value()) {}

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
  RecordBatchBuilder builder;
  std::string unused;
  const EncodedBatch twin = Encode(plan, &builder, &unused);
  DescribedBatch described = Describe(plan);
  described.size_bytes = twin.size_bytes();
  described.crc = twin.batch().crc();
  Print(std::move(described), result);
}

void StoreWriter::Append(const BatchPlan& plan) {
  RecordBatchBuilder builder(plan.options);
  std::string compressed;
  const EncodedBatch batch = Encode(plan, &builder, &compressed);
  const AppendResult result =
      partition_.front().Append(batch, Durability::kMemory).value();
  DescribedBatch described = Describe(plan);
  described.size_bytes = batch.size_bytes();
  described.crc = batch.batch().crc();
  Print(std::move(described), result);
}

void StoreWriter::Print(DescribedBatch described, const AppendResult& result) {
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
  for (DescribedRecord& record : *described.records) {
    record.offset += result.offset;
    if (described.timestamp_type == TimestampType::kLogAppendTime) {
      record.timestamp_ms = described.max_timestamp_ms;
    }
  }
  std::puts(described.ToJson().c_str());
}

void StoreWriter::Close() { CHECK_OK(store_->Close()); }

}  // namespace varve
