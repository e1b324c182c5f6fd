// SPDX-License-Identifier: Apache-2.0

#include "bench/appender.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "absl/log/check.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "benchmark/benchmark.h"
#include "varve/api/partition.h"
#include "varve/log/batch/record.h"
#include "varve/log/metadata/durability.h"

namespace varve::bench {
namespace {

constexpr Header kHeaders[] = {{"trace", "0123456789abcdef"},
                               {"source", "bench"}};

}  // namespace

std::string_view DurabilityName(Durability durability) {
  switch (durability) {
    case Durability::kMemory:
      return "memory";
    case Durability::kInterval:
      return "interval";
    case Durability::kSynced:
      return "synced";
  }
  return "unknown";
}

std::string LoadName(std::string_view what, const Load& load) {
  return absl::StrCat(what, "/record:", load.record, "/batch:", load.batch,
                      "/durability:", DurabilityName(load.durability));
}

void CountRecords(benchmark::State& state, const Load& load) {
  const int64_t records = state.iterations() * load.batch;
  state.SetItemsProcessed(records);
  state.SetBytesProcessed(records * load.record);
}

Appender::Appender(const Load& load, Partition partition)
    : load_(load),
      partition_(std::move(partition)),
      value_(static_cast<size_t>(load.record), 'v') {
  if (!load.with_key_and_headers) return;
  key_ = "customer-1234567";
  headers_ = kHeaders;
}

void Appender::Append() {
  const Record record = {.key = key_, .value = value_, .headers = headers_};
  if (load_.batch == 1) {
    CHECK_OK(partition_.Append(record, load_.durability).status());
    return;
  }
  builder_.Clear();
  const int64_t now_ms = absl::ToUnixMillis(absl::Now());
  for (int i = 0; i < load_.batch; ++i) {
    CHECK_OK(builder_.Append(record, now_ms));
  }
  CHECK_OK(partition_.Append(builder_.Finish(), load_.durability).status());
}

}  // namespace varve::bench
