// SPDX-License-Identifier: Apache-2.0

// LevelDB: a log-structured merge tree with a write-ahead log. By its
// doc/index.md:
//
// - "Atomic Updates", "Synchronous Writes": a WriteBatch for a batch; without
//   WriteOptions::sync a write has reached the kernel.
// - "Performance": a block cache, which holds all data here; a bloom filter; a
//   bulk read does not fill the cache; no compression, as varve has none here
//   and the values do not compress.
// - options.h, write_buffer_size: "larger values increase performance,
//   especially during bulk loads".
// - Blocks are read without verifying their checksums, the default.

#include <leveldb/cache.h>
#include <leveldb/db.h>
#include <leveldb/filter_policy.h>
#include <leveldb/options.h>
#include <leveldb/slice.h>
#include <leveldb/write_batch.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

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
    {"sync", true, {"all", "all"}},
};

constexpr size_t kWriteBuffer = 64 << 20;

void CheckOk(const leveldb::Status& status) {
  CHECK(status.ok()) << status.ToString();
}

leveldb::Slice SliceOf(std::string_view bytes) {
  return {bytes.data(), bytes.size()};
}

class LevelDbPeer final : public Peer {
 public:
  LevelDbPeer(const PeerVariant& variant, const PeerPlace& place)
      : cache_(
            leveldb::NewLRUCache(static_cast<size_t>(place.files_bytes_max))),
        filter_(leveldb::NewBloomFilterPolicy(10)) {
    write_options_.sync = variant.is_synced;
    leveldb::Options options;
    options.create_if_missing = true;
    options.error_if_exists = true;
    options.compression = leveldb::kNoCompression;
    options.write_buffer_size = kWriteBuffer;
    options.block_cache = cache_.get();
    options.filter_policy = filter_.get();
    leveldb::DB* db = nullptr;
    CheckOk(leveldb::DB::Open(options, place.directory + "/db", &db));
    db_.reset(db);
  }

  void Append(absl::Span<const std::string_view> values) override {
    batch_.Clear();
    for (const std::string_view value : values) {
      batch_.Put(SliceOf(IndexedKey(next_).bytes()), SliceOf(value));
      ++next_;
    }
    CheckOk(db_->Write(write_options_, &batch_));
  }

  void Settle() override { db_->CompactRange(nullptr, nullptr); }

  void Scan(ValueChecksum& checksum) override {
    leveldb::ReadOptions options;
    options.fill_cache = false;
    const std::unique_ptr<leveldb::Iterator> at(db_->NewIterator(options));
    for (at->SeekToFirst(); at->Valid(); at->Next()) {
      checksum.Add({at->value().data(), at->value().size()});
    }
    CheckOk(at->status());
  }

  void Read(int64_t index, ValueChecksum& checksum) override {
    CheckOk(db_->Get(leveldb::ReadOptions(), SliceOf(IndexedKey(index).bytes()),
                     &value_));
    checksum.Add(value_);
  }

 private:
  const std::unique_ptr<leveldb::Cache> cache_;
  const std::unique_ptr<const leveldb::FilterPolicy> filter_;
  std::unique_ptr<leveldb::DB> db_;
  leveldb::WriteOptions write_options_;
  leveldb::WriteBatch batch_;
  std::string value_;
  int64_t next_ = 0;
};

std::unique_ptr<Peer> Open(const PeerVariant& variant, const PeerPlace& place) {
  return std::make_unique<LevelDbPeer>(variant, place);
}

}  // namespace
}  // namespace varve::bench

int main(int argc, char** argv) {
  return varve::bench::RunPeer(
      argc, argv,
      {.version = absl::StrCat("LevelDB ", leveldb::kMajorVersion, ".",
                               leveldb::kMinorVersion),
       .variants = varve::bench::kVariants,
       .batches = varve::bench::Batches::kForgotten,
       .open = varve::bench::Open});
}
