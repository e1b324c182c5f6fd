// SPDX-License-Identifier: Apache-2.0

// varve as a program would use it that follows docs/embedding.md: one
// partition, records one by one through Append, batches encoded by the caller
// with a RecordBatchBuilder that it keeps, all configs at their defaults. Reads
// verify checksums, the default; point reads ask for one batch.

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "absl/log/check.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "bench/peers/peer.h"
#include "bench/peers/peer_run.h"
#include "bench/peers/value_checksum.h"
#include "varve/api/log_store.h"
#include "varve/api/partition.h"
#include "varve/api/version.h"
#include "varve/log/batch/record.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/batch/record_view.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/read_options.h"

namespace varve::bench {
namespace {

constexpr char kTopic[] = "peers";

constexpr PeerVariant kVariants[] = {
    {"memory", false, {"all", "a prefix, checked"}},
    {"interval", false, {"all", "all but the last second"}},
    {"synced", true, {"all", "all"}},
};

Durability DurabilityOf(std::string_view variant) {
  if (variant == "memory") return Durability::kMemory;
  if (variant == "interval") return Durability::kInterval;
  return Durability::kSynced;
}

class VarvePeer final : public Peer {
 public:
  VarvePeer(const PeerVariant& variant, const PeerPlace& place)
      : durability_(DurabilityOf(variant.name)) {
    absl::StatusOr<std::unique_ptr<LogStore>> store =
        LogStore::Open(place.directory + "/store");
    CHECK_OK(store.status());
    store_ = *std::move(store);
    CHECK_OK(store_->CreateTopic(kTopic));
    absl::StatusOr<Partition> partition = store_->partition(kTopic, 0);
    CHECK_OK(partition.status());
    partition_ = *std::move(partition);
  }

  ~VarvePeer() override { CHECK_OK(store_->Close()); }

  VarvePeer(const VarvePeer&) = delete;
  VarvePeer& operator=(const VarvePeer&) = delete;

  void Append(absl::Span<const std::string_view> values) override {
    if (values.size() == 1) {
      CHECK_OK(partition_.Append({.value = values[0]}, durability_).status());
      return;
    }
    builder_.Clear();
    const int64_t now_ms = absl::ToUnixMillis(absl::Now());
    for (const std::string_view value : values) {
      CHECK_OK(builder_.Append({.value = value}, now_ms));
    }
    CHECK_OK(partition_.Append(builder_.Finish(), durability_).status());
  }

  void Scan(ValueChecksum& checksum) override {
    const int64_t end = partition_.readable_end();
    for (int64_t offset = partition_.log_start(); offset < end;) {
      absl::StatusOr<RecordBatches> view = partition_.Read(offset);
      CHECK_OK(view.status());
      RecordBatches::Records records = view->records();
      while (const RecordView* record = records.Next()) {
        checksum.Add(record->value().value_or(""));
      }
      CHECK_OK(records.status());
      offset = view->next_offset();
    }
  }

  void Read(int64_t index, ValueChecksum& checksum) override {
    absl::StatusOr<RecordBatches> view =
        partition_.Read(index, {.max_bytes = 0});
    CHECK_OK(view.status());
    RecordBatches::Records records = view->records();
    const RecordView* record = records.Next();
    CHECK(record != nullptr && record->offset() == index);
    checksum.Add(record->value().value_or(""));
  }

 private:
  const Durability durability_;
  std::unique_ptr<LogStore> store_;
  Partition partition_;
  RecordBatchBuilder builder_;
};

std::unique_ptr<Peer> Open(const PeerVariant& variant, const PeerPlace& place) {
  return std::make_unique<VarvePeer>(variant, place);
}

}  // namespace
}  // namespace varve::bench

int main(int argc, char** argv) {
  return varve::bench::RunPeer(
      argc, argv,
      {.version = absl::StrCat("varve ", varve::Version()),
       .variants = varve::bench::kVariants,
       .batches = varve::bench::Batches::kKept,
       .open = varve::bench::Open});
}
