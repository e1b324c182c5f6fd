// SPDX-License-Identifier: Apache-2.0

#include "varve/log/cleaner/batch_pieces.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "varve/log/batch/record_batch.h"

namespace varve {

std::string_view FirstBatches(std::string_view bytes, int64_t size_bytes) {
  int64_t end = 0;
  while (end < size_bytes) {
    int64_t size = 0;
    if (RecordBatch::Check(bytes.substr(static_cast<size_t>(end)),
                           CrcCheck::kSkip, kBatchSizeMax,
                           &size) != BatchDefect::kNone) {
      return bytes;
    }
    end += size;
  }
  return bytes.substr(0, static_cast<size_t>(end));
}

}  // namespace varve
