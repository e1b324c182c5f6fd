// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_BATCH_ENCODED_BATCH_H_
#define VARVE_LOG_BATCH_ENCODED_BATCH_H_

#include <cstdint>
#include <string_view>

#include "absl/status/statusor.h"
#include "varve/log/batch/codecs.h"
#include "varve/log/batch/record_batch.h"

namespace varve {

// A whole record batch that waits for its place in a log. It is appended as
// one: after any crash, all of its records are there or none. Its base offset
// and leader epoch mean nothing yet: the append sets them.
//
// Producer ids, epochs, sequences and the marks of transactions are kept, and
// an append goes by them.
//
// It owns nothing: the bytes, a RecordBatchBuilder's or the caller's, must not
// change until the append has returned.
//
// Thread safety: immutable.
class EncodedBatch {
 public:
  // A batch from elsewhere: another log, a network, a file. `bytes` must be one
  // batch and nothing else. Its records are checked one by one, so that what is
  // appended can be read; those of a compressed batch are not.
  //
  // Errors: DataLoss for bytes that are no batch, or whose CRC or records are
  // wrong. InvalidArgument for a batch that cannot be appended: bytes after
  // it; fewer records than offsets, as compaction leaves them; a timestamp that
  // is out of range, or a largest one that is not that of its records; anything
  // else that log/batch/batch_admission.h refuses.
  static absl::StatusOr<EncodedBatch> Parse(std::string_view bytes);

  // The same, and the records of a compressed batch are decompressed and
  // checked, too. The result has them compressed, as `bytes` has. It allocates
  // for the time of the call what they decompress to.
  //
  // Errors: those of the other Parse; DataLoss also for a compressed stream
  // that is damaged; Unimplemented when `codecs` is null or does not have the
  // codec; ResourceExhausted when more than Codecs::decompressed_size_max bytes
  // come out.
  static absl::StatusOr<EncodedBatch> Parse(std::string_view bytes,
                                            const Codecs* codecs);

  // A batch that is known to be good: its CRC holds and its records can be
  // read. None of that is checked: a bad batch is appended as it is, and its
  // readers find it. The append still checks the header, and where the topic
  // has the batch compressed in another way (compression.type), the records.
  static EncodedBatch Unchecked(const RecordBatch& batch) {
    return EncodedBatch(batch);
  }

  const RecordBatch& batch() const { return batch_; }
  std::string_view bytes() const { return batch_.bytes(); }
  int64_t size_bytes() const { return batch_.size(); }

  // How many offsets it takes: as many as it has records, unless the caller of
  // a builder left some out.
  int64_t offset_count() const {
    return int64_t{batch_.last_offset_delta()} + 1;
  }
  int32_t record_count() const { return batch_.record_count(); }

 private:
  explicit EncodedBatch(const RecordBatch& batch) : batch_(batch) {}

  RecordBatch batch_;
};

}  // namespace varve

#endif  // VARVE_LOG_BATCH_ENCODED_BATCH_H_
