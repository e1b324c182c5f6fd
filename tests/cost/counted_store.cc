// SPDX-License-Identifier: Apache-2.0

#include "tests/cost/counted_store.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include "absl/log/check.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "varve/api/store_options.h"
#include "varve/log/batch/record.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/metadata/durability.h"

namespace varve::cost {
namespace {

std::unique_ptr<LogStore> OpenAt(const std::string& path, Clock* clock) {
  StoreOptions options;
  options.background = Background::kNone;
  options.environment.clock = clock;
  absl::StatusOr<std::unique_ptr<LogStore>> store =
      LogStore::Open(path, options);
  CHECK_OK(store.status());
  return *std::move(store);
}

}  // namespace

EncodedBatch Encode(RecordBatchBuilder& builder, int64_t offset, int records) {
  static const std::string value(kValueBytes, 'v');
  builder.Clear();
  for (int i = 0; i < records; ++i) {
    CHECK_OK(builder.Append({.value = value}, kFirstTimestampMs + offset + i));
  }
  return builder.Finish();
}

int64_t CoveredBytes(int records) {
  RecordBatchBuilder builder;
  return Encode(builder, 0, records).size_bytes() - batch_layout::kAttributes;
}

CountedStore::CountedStore(std::string path, Clock* clock)
    : path_(std::move(path)), store_(OpenAt(path_, clock)) {
  CHECK_OK(store_->CreateTopic("counted"));
  absl::StatusOr<Partition> partition = store_->partition("counted", 0);
  CHECK_OK(partition.status());
  partition_ = *std::move(partition);
}

CountedStore::~CountedStore() {
  CHECK_OK(store_->Close());
  std::error_code ignored;  // whoever made the directory above removes it
  std::filesystem::remove_all(path_, ignored);
}

void CountedStore::Fill(int64_t records, int batch_records) {
  RecordBatchBuilder builder;
  for (int64_t offset = 0; offset < records; offset += batch_records) {
    CHECK_OK(
        partition_
            .Append(Encode(builder, offset, batch_records), Durability::kMemory)
            .status());
  }
}

// Each of these records has an index entry, for the least bytes. The index
// files grow to twice their size each time: the offset index at 1,024 and 2,048
// entries, the time index at 1,365 and 2,730.
void CountedStore::MakeRoom() {
  constexpr int kEntries = 1400;
  const std::string value(5000, 'v');
  for (int i = 0; i < kEntries; ++i) {
    const Record record = {
        .value = value,
        .timestamp = absl::FromUnixMillis(kFirstTimestampMs + i)};
    CHECK_OK(partition_.Append(record, Durability::kMemory).status());
  }
  CHECK_OK(store_->RunMaintenance().status());
}

}  // namespace varve::cost
