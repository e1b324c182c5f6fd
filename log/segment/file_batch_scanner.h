// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_SEGMENT_FILE_BATCH_SCANNER_H_
#define VARVE_LOG_SEGMENT_FILE_BATCH_SCANNER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/segment/batch_scanner.h"
#include "varve/log/system/file_system.h"

namespace varve {

// A BatchScanner over a file that is read window by window, never mapped: a
// file that another process cuts short, or a disk that fails, is an error and
// not a signal. Memory: one window, or one batch if that is larger; after
// damage, the rest of the file.
//
// Borrows the file and the epochs in the options, which must outlive it.
//
// Thread safety: externally synchronized.
class FileBatchScanner {
 public:
  static constexpr int64_t kWindowSize = int64_t{4} << 20;

  // Scans the first `size` bytes of `file`, from `start` on.
  FileBatchScanner(File& file, int64_t size, const BatchPlace& start,
                   const BatchScanner::Options& options,
                   int64_t window_size = kWindowSize);

  // The batch at `position()`, valid until the next call; or null: `stop()`
  // says why, unless `status()` is an error of reading the file.
  const RecordBatch* Peek();

  // Steps over the batch that `Peek` returned.
  void Advance() { scanner_->Advance(); }

  // After a stop at damage: continues at the next whole batch, as
  // BatchScanner::FindBatchBehind finds it. Returns false when there is none or
  // the file cannot be read; the scan then stays where it is.
  bool ResumeBehind();

  ScanStop stop() const { return stop_; }
  BatchDefect defect() const { return defect_; }
  int64_t position() const { return window_begin_ + scanner_->position(); }
  int64_t expected_offset() const { return scanner_->expected_offset(); }
  // Bytes of the file: fewer than were asked for, if it turned out shorter.
  int64_t size() const { return size_; }
  const absl::Status& status() const { return status_; }

  // At a stop: the bytes from `position()` on, at least the whole batch if
  // there is one.
  std::string_view stop_bytes() const;

 private:
  bool window_reaches_end() const {
    return window_begin_ + window_used_ >= size_;
  }
  bool NeedsMore() const;
  void Load(int64_t window_size);
  // Whether the file holds nothing but zeros after the window.
  bool OnlyZerosBehindWindow();
  bool ReadInto(int64_t position, char* bytes, int64_t size, int64_t* got);

  File& file_;
  int64_t size_;
  const BatchScanner::Options options_;
  const int64_t window_size_;

  std::unique_ptr<char[]> window_;
  int64_t window_capacity_ = 0;
  int64_t window_begin_;                 // in the file
  int64_t window_used_ = 0;              // bytes of the file in it
  std::optional<BatchScanner> scanner_;  // over the window; always there

  ScanStop stop_ = ScanStop::kNone;
  BatchDefect defect_ = BatchDefect::kNone;
  absl::Status status_;
};

}  // namespace varve

#endif  // VARVE_LOG_SEGMENT_FILE_BATCH_SCANNER_H_
