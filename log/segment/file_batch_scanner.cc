// SPDX-License-Identifier: Apache-2.0

#include "varve/log/segment/file_batch_scanner.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/segment/batch_scanner.h"
#include "varve/log/system/file_system.h"

namespace varve {

FileBatchScanner::FileBatchScanner(File& file, int64_t size,
                                   const BatchPlace& start,
                                   const BatchScanner::Options& options,
                                   int64_t window_size)
    : file_(file),
      size_(size),
      options_(options),
      window_size_(window_size),
      window_begin_(start.position) {
  CHECK_GT(window_size_, 0);
  CHECK_LE(start.position, size_);
  scanner_.emplace(std::string_view(),
                   BatchPlace{.position = 0, .base_offset = start.base_offset},
                   options_);
}

const RecordBatch* FileBatchScanner::Peek() {
  while (status_.ok()) {
    const RecordBatch* batch = scanner_->Peek();
    stop_ = scanner_->stop();
    defect_ = scanner_->defect();
    if (batch != nullptr) return batch;
    if (window_reaches_end() || !NeedsMore()) return nullptr;
    const bool stuck = window_used_ > 0 && scanner_->position() == 0;
    // Fewer zeros than a header may be the start of a batch.
    if (stop_ == ScanStop::kZeros && stuck &&
        window_used_ >= batch_layout::kRecords) {
      if (!OnlyZerosBehindWindow()) stop_ = ScanStop::kBadBatch;
      return nullptr;
    }
    Load(stuck ? 2 * window_used_ : window_size_);
  }
  return nullptr;
}

// Whether the stop may be the end of the window and not of the log.
bool FileBatchScanner::NeedsMore() const {
  return stop_ == ScanStop::kEnd || stop_ == ScanStop::kZeros ||
         defect_ == BatchDefect::kTruncated;
}

bool FileBatchScanner::ResumeBehind() {
  if (!window_reaches_end()) Load(size_ - position());
  if (!status_.ok()) return false;
  // The window may have changed since the stop.
  scanner_->Peek();
  const std::optional<BatchPlace> behind = scanner_->FindBatchBehind();
  if (behind.has_value()) scanner_->Resume(*behind);
  return behind.has_value();
}

std::string_view FileBatchScanner::stop_bytes() const {
  return std::string_view(window_.get(), static_cast<size_t>(window_used_))
      .substr(static_cast<size_t>(scanner_->position()));
}

// Makes the window begin at `position()`.
void FileBatchScanner::Load(int64_t window_size) {
  const int64_t begin = position();
  CHECK_LE(begin, size_);
  const int64_t expected_offset = scanner_->expected_offset();
  const int64_t wanted = std::min(window_size, size_ - begin);
  if (wanted > window_capacity_) {
    window_ =
        std::make_unique_for_overwrite<char[]>(static_cast<size_t>(wanted));
    window_capacity_ = wanted;
  }
  int64_t got = 0;
  if (!ReadInto(begin, window_.get(), wanted, &got)) return;
  if (got < wanted) size_ = begin + got;
  window_begin_ = begin;
  window_used_ = got;
  scanner_.emplace(std::string_view(window_.get(), static_cast<size_t>(got)),
                   BatchPlace{.position = 0, .base_offset = expected_offset},
                   options_);
}

bool FileBatchScanner::OnlyZerosBehindWindow() {
  const auto chunk =
      std::make_unique_for_overwrite<char[]>(static_cast<size_t>(window_size_));
  int64_t at = window_begin_ + window_used_;
  while (at < size_) {
    int64_t got = 0;
    const int64_t wanted = std::min(window_size_, size_ - at);
    if (!ReadInto(at, chunk.get(), wanted, &got) || got == 0) break;
    const std::string_view bytes(chunk.get(), static_cast<size_t>(got));
    if (bytes.find_first_not_of('\0') != std::string_view::npos) return false;
    at += got;
  }
  return true;
}

bool FileBatchScanner::ReadInto(int64_t position, char* bytes, int64_t size,
                                int64_t* got) {
  absl::StatusOr<size_t> read = file_.ReadAt(
      position, absl::Span<char>(bytes, static_cast<size_t>(size)));
  status_ = read.status();
  *got = read.ok() ? static_cast<int64_t>(*read) : 0;
  CHECK_LE(*got, size) << file_.path();
  return read.ok();
}

}  // namespace varve
