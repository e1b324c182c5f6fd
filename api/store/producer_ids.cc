// SPDX-License-Identifier: Apache-2.0

#include "varve/api/store/producer_ids.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/log_severity.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "varve/api/catalog/producer_ids_file.h"
#include "varve/log/system/environment.h"
#include "varve/log/system/file_system.h"
#include "varve/log/system/log_sink.h"

namespace varve {
namespace {

constexpr uint64_t kFirstBlocks = uint64_t{1} << 40;

}  // namespace

ProducerIds::ProducerIds(std::shared_ptr<Directory> directory,
                         Environment environment)
    : directory_(std::move(directory)), environment_(std::move(environment)) {}

absl::StatusOr<int64_t> ProducerIds::Next() {
  absl::MutexLock lock(&mu_);
  if (next_ == end_) {
    if (absl::Status status = TakeBlock(); !status.ok()) return status;
  }
  return next_++;
}

absl::Status ProducerIds::TakeBlock() {
  if (!next_block_.has_value()) {
    absl::StatusOr<int64_t> first = FirstBlock();
    if (!first.ok()) return first.status();
    next_block_ = *first;
  }
  const int64_t begin = *next_block_;
  if (begin >= kProducerIdsEnd) {
    return absl::ResourceExhaustedError(absl::StrCat(
        directory_->PathOf(kProducersName),
        ": all producer ids are used up, from ", kProducerIdsBegin, " on"));
  }
  const int64_t end = begin + kProducerIdBlockSize;
  // After a failure the same block is taken again: nothing was issued from it.
  absl::Status status = WriteProducerIds(*directory_, end);
  if (!status.ok()) return status;
  next_block_ = end;
  next_ = begin;
  end_ = end;
  return absl::OkStatus();
}

absl::StatusOr<int64_t> ProducerIds::FirstBlock() const {
  absl::StatusOr<int64_t> found = ReadProducerIds(*directory_);
  if (absl::IsNotFound(found.status())) return RandomBlock();
  if (!absl::IsDataLoss(found.status())) return found;
  const int64_t begin = RandomBlock();
  const std::string path = directory_->PathOf(kProducersName);
  const std::string text =
      absl::StrCat(found.status().message(),
                   "; producer ids are issued from a random one on: ", begin);
  environment_.Log({.severity = absl::LogSeverity::kWarning,
                    .event = LogEvent::kRecovery,
                    .path = path,
                    .text = text,
                    .code = found.status().code()});
  return begin;
}

int64_t ProducerIds::RandomBlock() const {
  const auto block =
      static_cast<int64_t>(environment_.Random() & (kFirstBlocks - 1));
  return kProducerIdsBegin + block * kProducerIdBlockSize;
}

}  // namespace varve
