// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_COMPRESSION_STORED_COMPRESSION_H_
#define VARVE_LOG_COMPRESSION_STORED_COMPRESSION_H_

#include <atomic>
#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "varve/log/batch/codecs.h"
#include "varve/log/batch/encoded_batch.h"
#include "varve/log/batch/incoming_batch.h"
#include "varve/log/compression/batch_reencoding.h"
#include "varve/log/compression/compression_buffers.h"
#include "varve/log/metadata/log_config.h"

namespace varve {

// What compression.type and compression.<codec>.level of a topic ask of its
// appends, which encode their batches by it before they take the partition's
// lock.
//
// Borrows the codecs, which must outlive it.
//
// Thread safety: thread-safe.
class StoredCompression {
 public:
  // `codecs`: those that the store was opened with; null for none.
  StoredCompression(const LogConfig& config, const Codecs* codecs)
      : codecs_(codecs), packed_(Pack(config)) {}

  // The config of the appends from now on. One that is under way may still go
  // by the old one.
  void SetConfig(const LogConfig& config) {
    packed_.store(Pack(config), std::memory_order_relaxed);
  }

  // Whether every batch is stored as it comes: `Encode` has nothing to do. All
  // that an append to such a topic pays.
  bool keeps_all() const {
    return packed_.load(std::memory_order_relaxed) == kKeepsAll;
  }

  // The batch as it is to be stored, in the buffers; nothing if that is how it
  // came.
  //
  // Errors: those of ReencodeBatch (log/compression/batch_reencoding.h);
  // InvalidArgument for a record that exceeds kBatchSizeMax.
  absl::StatusOr<std::optional<EncodedBatch>> Encode(
      const IncomingBatch& incoming, CompressionBuffers& buffers) const;

 private:
  // The encoding in 64 bits, or kKeepsAll.
  static constexpr uint64_t kKeepsAll = ~uint64_t{0};
  static uint64_t Pack(const LogConfig& config);
  static BatchEncoding Unpack(uint64_t packed);

  const Codecs* const codecs_;

  // Codec and level in one, so that no append takes the one from an old config
  // and the other from a new one.
  // Memory ordering: relaxed; nothing else is read by it.
  std::atomic<uint64_t> packed_;
};

}  // namespace varve

#endif  // VARVE_LOG_COMPRESSION_STORED_COMPRESSION_H_
