// SPDX-License-Identifier: Apache-2.0

// What does a scan of compressed batches cost, beside the decompression alone?
//
//   codec_benchmark [--data_mib=32] …
//
// Each store has so much of records, before compression. A scan hands every
// record to its loop; the bare loop calls the compression library for the same
// bytes, those of the store's file.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/log/check.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "bench/bare/bare_decompression.h"
#include "bench/benchmark_run.h"
#include "bench/instruction_count.h"
#include "bench/json_records.h"
#include "bench/partition_reads.h"
#include "bench/ratio_reporter.h"
#include "bench/scratch_store.h"
#include "benchmark/benchmark.h"
#include "varve/api/partition.h"
#include "varve/codec/all_codecs.h"
#include "varve/log/batch/codec.h"
#include "varve/log/batch/codecs.h"
#include "varve/log/batch/encoded_batch.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/read_options.h"

namespace varve::bench {
namespace {

int64_t DataBytes() { return OptionOr("data_mib", 32, 1) << 20; }

// A store with one partition of batches that have at least this size before
// they are compressed.
class CompressedStore {
 public:
  CompressedStore(Compression compression, int64_t batch_bytes)
      : store_({}, {.codecs = AllCodecs()}) {
    const Codec& codec = *AllCodecs()->Find(compression);
    JsonRecords records;
    RecordBatchBuilder builder;
    while (plain_bytes_ < DataBytes()) {
      builder.Clear();
      while (builder.size_bytes() < batch_bytes) {
        const std::string value = records.Next();
        CHECK_OK(builder.Append({.value = value}, int64_t{1'700'000'000'000}));
      }
      plain_bytes_ += builder.size_bytes();
      const absl::StatusOr<EncodedBatch> batch =
          builder.FinishCompressed(codec);
      CHECK_OK(batch.status());
      CHECK_OK(store_.partition().Append(*batch, Durability::kMemory).status());
    }
  }

  const Partition& partition() { return store_.partition(); }
  int64_t plain_bytes() const { return plain_bytes_; }

 private:
  ScratchStore store_;
  int64_t plain_bytes_ = 0;
};

void CountRecords(benchmark::State& state, CompressedStore& store,
                  int64_t compressed_bytes) {
  const int64_t scans = state.iterations();
  state.SetItemsProcessed(scans * store.partition().visible_end());
  state.SetBytesProcessed(scans * store.plain_bytes());
  state.counters["compression"] = static_cast<double>(store.plain_bytes()) /
                                  static_cast<double>(compressed_bytes);
}

// The compressed records of every batch, in the store's file; `views` pin them.
std::vector<std::string_view> StreamsOf(const Partition& partition,
                                        std::vector<RecordBatches>& views) {
  std::vector<std::string_view> streams;
  int64_t offset = 0;
  while (offset < partition.visible_end()) {
    absl::StatusOr<RecordBatches> view =
        partition.Read(offset, {.decompression = Decompression::kLeave});
    CHECK_OK(view.status());
    offset = view->next_offset();
    for (const RecordBatch& batch : *view) streams.push_back(batch.records());
    views.push_back(*std::move(view));
  }
  return streams;
}

int64_t SizeOf(const std::vector<std::string_view>& streams) {
  int64_t bytes = 0;
  for (const std::string_view stream : streams)
    bytes += static_cast<int64_t>(stream.size());
  return bytes;
}

void RunScan(benchmark::State& state, Compression compression,
             int64_t batch_bytes, CrcCheck crc) {
  CompressedStore store(compression, batch_bytes);
  std::vector<RecordBatches> views;
  const int64_t bytes = SizeOf(StreamsOf(store.partition(), views));
  views.clear();
  int64_t records = 0;
  const InstructionCount instructions;
  for (auto _ : state) records += ScanRecords(store.partition(), 0, crc);
  instructions.Report(state, records);
  CHECK_EQ(records, state.iterations() * store.partition().visible_end());
  CountRecords(state, store, bytes);
}

void RunBare(benchmark::State& state, Compression compression,
             int64_t batch_bytes) {
  CompressedStore store(compression, batch_bytes);
  std::vector<RecordBatches> views;
  const std::vector<std::string_view> streams =
      StreamsOf(store.partition(), views);
  const auto bare =
      BareDecompressor::New(compression, batch_bytes + JsonRecords::kSizeMax);
  int64_t made = 0;
  const InstructionCount instructions;
  for (auto _ : state) {
    for (const std::string_view stream : streams)
      made += bare->Decompress(stream);
  }
  instructions.Report(state,
                      state.iterations() * store.partition().visible_end());
  // What a batch has beside its records is its header.
  CHECK_EQ(made, state.iterations() * (store.plain_bytes() -
                                       static_cast<int64_t>(streams.size()) *
                                           int64_t{batch_layout::kRecords}));
  CountRecords(state, store, SizeOf(streams));
}

constexpr Compression kCompressions[] = {Compression::kZstd, Compression::kLz4,
                                         Compression::kSnappy,
                                         Compression::kGzip};
constexpr int64_t kBatchKib[] = {16, 100};

std::string NameOf(std::string_view what, Compression compression,
                   int64_t batch_kib) {
  return absl::StrCat(what, "/codec:", CompressionName(compression),
                      "/batch_KiB:", batch_kib);
}

void RegisterAll() {
  for (const Compression compression : kCompressions) {
    for (const int64_t kib : kBatchKib) {
      const auto add = [&](std::string_view what, auto body) {
        benchmark::RegisterBenchmark(NameOf(what, compression, kib).c_str(),
                                     body);
      };
      add("Scan/crc:verified", [=](benchmark::State& state) {
        RunScan(state, compression, kib << 10, CrcCheck::kVerify);
      });
      add("Scan/crc:skipped", [=](benchmark::State& state) {
        RunScan(state, compression, kib << 10, CrcCheck::kSkip);
      });
      add("Bare/decompression", [=](benchmark::State& state) {
        RunBare(state, compression, kib << 10);
      });
    }
  }
}

std::vector<Ratio> Ratios() {
  std::vector<Ratio> ratios;
  for (const Compression compression : kCompressions) {
    for (const int64_t kib : kBatchKib) {
      for (const std::string_view scan :
           {"Scan/crc:verified", "Scan/crc:skipped"}) {
        const std::string name = NameOf(scan, compression, kib);
        ratios.push_back(
            {.what = name,
             .measured = name,
             .against = NameOf("Bare/decompression", compression, kib),
             .against_what = "the bare decompressor"});
      }
    }
  }
  return ratios;
}

}  // namespace
}  // namespace varve::bench

int main(int argc, char** argv) {
  return varve::bench::RunBenchmarks(argc, argv, varve::bench::RegisterAll,
                                     varve::bench::Ratios(),
                                     {.options = {"data_mib"}});
}
