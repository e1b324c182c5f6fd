// SPDX-License-Identifier: Apache-2.0

// A log written by hand: length-prefixed records, one pwrite(2) for each batch,
// no checksum. A table in memory has the position of every record, which an
// open would have to make again by reading the file.
//
// - A scan reads pieces of 128 KiB, as cat(1) does (coreutils, ioblksize.h).
// - `fdatasync_preallocated`: its blocks were allocated and written once, so
// that
//   fdatasync(2) has no size and no extent to write down: open(2) and
//   fdatasync(2), "metadata"; etcd and RocksDB's recycled logs do it like this.

#include <fcntl.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/log/check.h"
#include "absl/types/span.h"
#include "bench/peers/peer.h"
#include "bench/peers/peer_run.h"
#include "bench/peers/value_checksum.h"

namespace varve::bench {
namespace {

constexpr PeerVariant kVariants[] = {
    {"write", false, {"all", "some of it, unchecked"}},
    {"fdatasync", true, {"all", "all"}},
    {"fdatasync_preallocated", true, {"all", "all"}},
};

constexpr size_t kPrefix = sizeof(uint32_t);

class WritePeer final : public Peer {
 public:
  WritePeer(const PeerVariant& variant, const PeerPlace& place)
      : is_synced_(variant.is_synced) {
    const std::string path = place.directory + "/log";
    fd_ = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    PCHECK(fd_ >= 0) << path;
    if (variant.name == "fdatasync_preallocated") {
      // Prefixes, too, of values that are not tiny; after that it would grow.
      Preallocate(place.values_bytes_max + place.values_bytes_max / 16);
    }
  }

  ~WritePeer() override { PCHECK(close(fd_) == 0); }

  WritePeer(const WritePeer&) = delete;
  WritePeer& operator=(const WritePeer&) = delete;

  void Append(absl::Span<const std::string_view> values) override {
    buffer_.clear();
    for (const std::string_view value : values) {
      const auto size = static_cast<uint32_t>(value.size());
      char prefix[kPrefix];
      std::memcpy(prefix, &size, kPrefix);
      buffer_.append(prefix, kPrefix).append(value);
      positions_.push_back(end_ + static_cast<int64_t>(buffer_.size()));
    }
    PCHECK(pwrite(fd_, buffer_.data(), buffer_.size(), end_) ==
           static_cast<ssize_t>(buffer_.size()));
    end_ = positions_.back();
    if (is_synced_) PCHECK(fdatasync(fd_) == 0);
  }

  void Scan(ValueChecksum& checksum) override {
    std::string piece(kPiece, '\0');
    size_t kept = 0;  // bytes of a record that the last piece ended in
    int64_t at = 0;
    while (at < end_) {
      const size_t wanted = kPiece - kept;
      const ssize_t got = pread(fd_, piece.data() + kept, wanted, at);
      PCHECK(got > 0);
      at += got;
      // Past the end there may be zeros that were preallocated.
      const auto past = static_cast<size_t>(at > end_ ? at - end_ : 0);
      const std::string_view bytes(piece.data(),
                                   kept + static_cast<size_t>(got) - past);
      const size_t used = AddAll(bytes, checksum);
      kept = bytes.size() - used;
      std::memmove(piece.data(), piece.data() + used, kept);
    }
    CHECK_EQ(kept, 0u);
  }

  void Read(int64_t index, ValueChecksum& checksum) override {
    const auto i = static_cast<size_t>(index);
    const auto size = static_cast<size_t>(positions_[i + 1] - positions_[i]);
    read_.resize(size);
    PCHECK(pread(fd_, read_.data(), size, positions_[i]) ==
           static_cast<ssize_t>(size));
    CHECK_EQ(AddAll(read_, checksum), size);
  }

 private:
  static constexpr size_t kPiece = 128 << 10;

  void Preallocate(int64_t size) {
    const std::string zeros(1 << 20, '\0');
    for (int64_t at = 0; at < size; at += std::ssize(zeros)) {
      PCHECK(pwrite(fd_, zeros.data(), zeros.size(), at) == std::ssize(zeros));
    }
    PCHECK(fdatasync(fd_) == 0);
  }

  // Adds the whole records in `bytes`; returns how many bytes they are.
  static size_t AddAll(std::string_view bytes, ValueChecksum& checksum) {
    size_t at = 0;
    while (bytes.size() - at >= kPrefix) {
      uint32_t size = 0;
      std::memcpy(&size, bytes.data() + at, kPrefix);
      if (bytes.size() - at - kPrefix < size) break;
      checksum.Add(bytes.substr(at + kPrefix, size));
      at += kPrefix + size;
    }
    return at;
  }

  const bool is_synced_;
  int fd_ = -1;
  int64_t end_ = 0;
  std::vector<int64_t> positions_ = {0};  // of each record, and the end
  std::string buffer_;
  std::string read_;
};

std::unique_ptr<Peer> Open(const PeerVariant& variant, const PeerPlace& place) {
  return std::make_unique<WritePeer>(variant, place);
}

}  // namespace
}  // namespace varve::bench

int main(int argc, char** argv) {
  return varve::bench::RunPeer(argc, argv,
                               {.version = "write(2)",
                                .variants = varve::bench::kVariants,
                                .batches = varve::bench::Batches::kForgotten,
                                .open = varve::bench::Open});
}
