// SPDX-License-Identifier: Apache-2.0

// SQLite: a table with an integer primary key. By the pages of its manual:
//
// - "Write-Ahead Logging": PRAGMA journal_mode=WAL, with the default
//   checkpoint after 1,000 pages.
// - "Pragma statements": synchronous=NORMAL is "a good choice for most
//   applications running in WAL mode", consistent but not durable;
//   synchronous=FULL syncs the log at every commit.
// - "Frequently Asked Questions" 19: a transaction for a batch; prepared
//   statements throughout, with values that are not copied (SQLITE_STATIC).
// - "Rowid Tables": the INTEGER PRIMARY KEY is the row's own number.
// - "Memory-Mapped I/O": PRAGMA mmap_size, which may be faster for reads.

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
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
    {"normal", false, {"all", "a prefix, checked"}},
    {"full", true, {"all", "all"}},
};

class SqlitePeer final : public Peer {
 public:
  SqlitePeer(const PeerVariant& variant, const PeerPlace& place) {
    const std::string path = place.directory + "/log.db";
    CheckOk(sqlite3_open(path.c_str(), &db_));
    Execute("PRAGMA journal_mode = WAL");
    Execute(absl::StrCat("PRAGMA synchronous = ", variant.name));
    Execute(absl::StrCat("PRAGMA mmap_size = ", place.files_bytes_max));
    Execute(
        "CREATE TABLE log ("
        "number INTEGER PRIMARY KEY, value BLOB NOT NULL)");
    insert_ = Prepare("INSERT INTO log (value) VALUES (?)");
    scan_ = Prepare("SELECT value FROM log ORDER BY number");
    read_ = Prepare("SELECT value FROM log WHERE number = ?");
    begin_ = Prepare("BEGIN");
    commit_ = Prepare("COMMIT");
  }

  ~SqlitePeer() override {
    for (sqlite3_stmt* statement : {insert_, scan_, read_, begin_, commit_}) {
      CheckOk(sqlite3_finalize(statement));
    }
    CheckOk(sqlite3_close(db_));
  }

  SqlitePeer(const SqlitePeer&) = delete;
  SqlitePeer& operator=(const SqlitePeer&) = delete;

  // A statement alone is a transaction.
  void Append(absl::Span<const std::string_view> values) override {
    if (values.size() > 1) Run(begin_);
    for (const std::string_view value : values) {
      CheckOk(sqlite3_bind_blob64(insert_, 1, value.data(), value.size(),
                                  SQLITE_STATIC));
      Run(insert_);
    }
    if (values.size() > 1) Run(commit_);
  }

  void Settle() override { Execute("PRAGMA wal_checkpoint(TRUNCATE)"); }

  void Scan(ValueChecksum& checksum) override {
    int result = sqlite3_step(scan_);
    for (; result == SQLITE_ROW; result = sqlite3_step(scan_)) {
      checksum.Add(ValueIn(scan_));
    }
    CHECK_EQ(result, SQLITE_DONE) << sqlite3_errmsg(db_);
    CheckOk(sqlite3_reset(scan_));
  }

  void Read(int64_t index, ValueChecksum& checksum) override {
    CheckOk(sqlite3_bind_int64(read_, 1, index + 1));
    CHECK_EQ(sqlite3_step(read_), SQLITE_ROW) << sqlite3_errmsg(db_);
    checksum.Add(ValueIn(read_));
    CheckOk(sqlite3_reset(read_));
  }

 private:
  void CheckOk(int error) const {
    CHECK_EQ(error, SQLITE_OK) << sqlite3_errmsg(db_);
  }

  void Execute(const std::string& sql) {
    CheckOk(sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr));
  }

  sqlite3_stmt* Prepare(std::string_view sql) {
    sqlite3_stmt* statement = nullptr;
    CheckOk(sqlite3_prepare_v3(db_, sql.data(), static_cast<int>(sql.size()),
                               SQLITE_PREPARE_PERSISTENT, &statement, nullptr));
    return statement;
  }

  void Run(sqlite3_stmt* statement) {
    CHECK_EQ(sqlite3_step(statement), SQLITE_DONE) << sqlite3_errmsg(db_);
    CheckOk(sqlite3_reset(statement));
  }

  static std::string_view ValueIn(sqlite3_stmt* row) {
    const void* data = sqlite3_column_blob(row, 0);
    const int size = sqlite3_column_bytes(row, 0);
    return {static_cast<const char*>(data), static_cast<size_t>(size)};
  }

  sqlite3* db_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
  sqlite3_stmt* scan_ = nullptr;
  sqlite3_stmt* read_ = nullptr;
  sqlite3_stmt* begin_ = nullptr;
  sqlite3_stmt* commit_ = nullptr;
};

std::unique_ptr<Peer> Open(const PeerVariant& variant, const PeerPlace& place) {
  return std::make_unique<SqlitePeer>(variant, place);
}

}  // namespace
}  // namespace varve::bench

int main(int argc, char** argv) {
  return varve::bench::RunPeer(
      argc, argv,
      {.version = absl::StrCat("SQLite ", sqlite3_libversion()),
       .variants = varve::bench::kVariants,
       .batches = varve::bench::Batches::kForgotten,
       .open = varve::bench::Open});
}
