// SPDX-License-Identifier: Apache-2.0

// LMDB: a B+ tree in one mapped file, with copy-on-write pages and no log.
// By the documentation in lmdb.h:
//
// - mdb_dbi_open, MDB_INTEGERKEY: keys are numbers in native byte order.
// - mdb_put, MDB_APPEND: keys come in order, so full pages are not split.
// - "Getting Started": one write transaction for a batch; one read-only
//   transaction and one cursor for a scan. The point reads share one read-only
//   transaction, which is the fastest way.
// - mdb_env_open: MDB_NOSYNC as the asynchronous mode; beside it
//   MDB_WRITEMAP|MDB_MAPASYNC, which "may be preferable", and "slightly faster
//   for DBs that fit entirely in RAM".

#include <lmdb.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "absl/log/check.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "bench/peers/peer.h"
#include "bench/peers/peer_run.h"
#include "bench/peers/value_checksum.h"

namespace varve::bench {
namespace {

constexpr PeerVariant kVariants[] = {
    {"nosync", false, {"all", "may be corrupt"}},
    {"mapasync", false, {"all", "may be corrupt"}},
    {"sync", true, {"all", "all"}},
};

unsigned int FlagsOf(std::string_view variant) {
  if (variant == "nosync") return MDB_NOSYNC;
  if (variant == "mapasync") return MDB_WRITEMAP | MDB_MAPASYNC;
  return 0;
}

void CheckOk(int error) { CHECK_EQ(error, 0) << mdb_strerror(error); }

MDB_val ValueOf(std::string_view bytes) {
  // The library takes what it only reads as void*, too.
  return {bytes.size(), const_cast<char*>(bytes.data())};
}

std::string_view BytesOf(const MDB_val& value) {
  return {static_cast<const char*>(value.mv_data), value.mv_size};
}

class LmdbPeer final : public Peer {
 public:
  LmdbPeer(const PeerVariant& variant, const PeerPlace& place) {
    CheckOk(mdb_env_create(&env_));
    CheckOk(
        mdb_env_set_mapsize(env_, static_cast<size_t>(place.files_bytes_max)));
    CheckOk(mdb_env_open(env_, place.directory.c_str(), FlagsOf(variant.name),
                         0600));
    MDB_txn* txn = Begin(0);
    CheckOk(mdb_dbi_open(txn, nullptr, MDB_INTEGERKEY, &table_));
    CheckOk(mdb_txn_commit(txn));
  }

  ~LmdbPeer() override {
    if (reader_ != nullptr) mdb_txn_abort(reader_);
    mdb_env_close(env_);
  }

  LmdbPeer(const LmdbPeer&) = delete;
  LmdbPeer& operator=(const LmdbPeer&) = delete;

  void Append(absl::Span<const std::string_view> values) override {
    MDB_txn* txn = Begin(0);
    MDB_cursor* cursor = nullptr;
    CheckOk(mdb_cursor_open(txn, table_, &cursor));
    for (const std::string_view bytes : values) {
      MDB_val key = {sizeof next_, &next_};
      MDB_val value = ValueOf(bytes);
      CheckOk(mdb_cursor_put(cursor, &key, &value, MDB_APPEND));
      ++next_;
    }
    mdb_cursor_close(cursor);
    CheckOk(mdb_txn_commit(txn));
  }

  void Scan(ValueChecksum& checksum) override {
    MDB_txn* txn = Begin(MDB_RDONLY);
    MDB_cursor* cursor = nullptr;
    CheckOk(mdb_cursor_open(txn, table_, &cursor));
    MDB_val key = {};
    MDB_val value = {};
    int error = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    for (; error == 0; error = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
      checksum.Add(BytesOf(value));
    }
    CHECK_EQ(error, MDB_NOTFOUND) << mdb_strerror(error);
    mdb_cursor_close(cursor);
    mdb_txn_abort(txn);
  }

  // Nothing is appended between two of these.
  void Read(int64_t index, ValueChecksum& checksum) override {
    if (reader_ == nullptr) reader_ = Begin(MDB_RDONLY);
    auto number = static_cast<size_t>(index);
    MDB_val key = {sizeof number, &number};
    MDB_val value = {};
    CheckOk(mdb_get(reader_, table_, &key, &value));
    checksum.Add(BytesOf(value));
  }

 private:
  MDB_txn* Begin(unsigned int flags) {
    MDB_txn* txn = nullptr;
    CheckOk(mdb_txn_begin(env_, nullptr, flags, &txn));
    return txn;
  }

  MDB_env* env_ = nullptr;
  MDB_dbi table_ = 0;
  MDB_txn* reader_ = nullptr;  // of the point reads
  size_t next_ = 0;
};

std::unique_ptr<Peer> Open(const PeerVariant& variant, const PeerPlace& place) {
  return std::make_unique<LmdbPeer>(variant, place);
}

}  // namespace
}  // namespace varve::bench

int main(int argc, char** argv) {
  return varve::bench::RunPeer(
      argc, argv,
      {.version = absl::StrCat("LMDB ", MDB_VERSION_MAJOR, ".",
                               MDB_VERSION_MINOR, ".", MDB_VERSION_PATCH),
       .variants = varve::bench::kVariants,
       .batches = varve::bench::Batches::kForgotten,
       .open = varve::bench::Open});
}
