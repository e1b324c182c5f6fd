// SPDX-License-Identifier: Apache-2.0

// RocksDB: a log-structured merge tree with a write-ahead log. By its wiki:
//
// - "Setup Options and Basic Tuning": a block cache and a bloom filter,
//   level_compaction_dynamic_level_bytes, blocks of 16 KiB, bytes_per_sync,
//   kMinOverlappingRatio, index and filter blocks in the cache. The cache holds
//   all data here.
// - "WAL Performance": `wal` writes each batch's log to the kernel, the
//   default; `manual_wal_flush` keeps it in the process until its buffer is
//   full, so that a kill loses it: faster, and another promise. `sync` is
//   WriteOptions::sync. (recycle_log_file_num would save metadata, and is
//   ignored with the default WALRecoveryMode.)
// - "Basic Operations": a WriteBatch for a batch; a bulk read does not fill the
//   cache (ReadOptions::fill_cache).
// - No compression, as varve has none here and the values do not compress.
// - Checksums are verified when a block is read into the cache, the default.

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/slice.h>
#include <rocksdb/table.h>
#include <rocksdb/version.h>
#include <rocksdb/write_batch.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "absl/log/check.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "bench/peers/indexed_key.h"
#include "bench/peers/peer.h"
#include "bench/peers/peer_run.h"
#include "bench/peers/value_checksum.h"

namespace varve::bench {
namespace {

constexpr PeerVariant kVariants[] = {
    {"wal", false, {"all", "a prefix, checked"}},
    {"manual_wal_flush", false, {"a prefix", "a prefix, checked"}},
    {"sync", true, {"all", "all"}},
};

void CheckOk(const rocksdb::Status& status) {
  CHECK(status.ok()) << status.ToString();
}

rocksdb::Options OptionsFor(const PeerVariant& variant,
                            const PeerPlace& place) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.error_if_exists = true;
  options.manual_wal_flush = variant.name == "manual_wal_flush";
  options.compression = rocksdb::kNoCompression;
  options.level_compaction_dynamic_level_bytes = true;
  options.max_background_jobs =
      static_cast<int>(std::thread::hardware_concurrency());
  options.bytes_per_sync = 1 << 20;
  options.compaction_pri = rocksdb::kMinOverlappingRatio;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache =
      rocksdb::NewLRUCache(static_cast<size_t>(place.files_bytes_max));
  table.block_size = 16 << 10;
  table.cache_index_and_filter_blocks = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

class RocksDbPeer final : public Peer {
 public:
  RocksDbPeer(const PeerVariant& variant, const PeerPlace& place) {
    write_options_.sync = variant.is_synced;
    rocksdb::DB* db = nullptr;
    CheckOk(rocksdb::DB::Open(OptionsFor(variant, place),
                              place.directory + "/db", &db));
    db_.reset(db);
  }

  void Append(absl::Span<const std::string_view> values) override {
    batch_.Clear();
    for (const std::string_view value : values) {
      CheckOk(batch_.Put(rocksdb::Slice(IndexedKey(next_).bytes()),
                         rocksdb::Slice(value)));
      ++next_;
    }
    CheckOk(db_->Write(write_options_, &batch_));
  }

  void Settle() override {
    CheckOk(db_->Flush(rocksdb::FlushOptions()));
    for (const std::string* property :
         {&rocksdb::DB::Properties::kMemTableFlushPending,
          &rocksdb::DB::Properties::kNumRunningFlushes,
          &rocksdb::DB::Properties::kCompactionPending,
          &rocksdb::DB::Properties::kNumRunningCompactions}) {
      while (Property(*property) != 0) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
      }
    }
  }

  void Scan(ValueChecksum& checksum) override {
    rocksdb::ReadOptions options;
    options.fill_cache = false;
    const std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator(options));
    for (at->SeekToFirst(); at->Valid(); at->Next()) {
      checksum.Add({at->value().data(), at->value().size()});
    }
    CheckOk(at->status());
  }

  void Read(int64_t index, ValueChecksum& checksum) override {
    value_.Reset();
    CheckOk(db_->Get(rocksdb::ReadOptions(), db_->DefaultColumnFamily(),
                     rocksdb::Slice(IndexedKey(index).bytes()), &value_));
    checksum.Add({value_.data(), value_.size()});
  }

 private:
  uint64_t Property(const std::string& name) const {
    uint64_t value = 0;
    CHECK(db_->GetIntProperty(name, &value)) << name;
    return value;
  }

  std::unique_ptr<rocksdb::DB> db_;
  rocksdb::WriteOptions write_options_;
  rocksdb::WriteBatch batch_;
  rocksdb::PinnableSlice value_;
  int64_t next_ = 0;
};

std::unique_ptr<Peer> Open(const PeerVariant& variant, const PeerPlace& place) {
  return std::make_unique<RocksDbPeer>(variant, place);
}

}  // namespace
}  // namespace varve::bench

int main(int argc, char** argv) {
  return varve::bench::RunPeer(
      argc, argv,
      {.version = absl::StrCat("RocksDB ", ROCKSDB_MAJOR, ".", ROCKSDB_MINOR,
                               ".", ROCKSDB_PATCH),
       .variants = varve::bench::kVariants,
       .batches = varve::bench::Batches::kForgotten,
       .open = varve::bench::Open});
}
