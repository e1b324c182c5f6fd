// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_LOG_COMPACTION_ZEROED_OFFSET_MAP_H_
#define VARVE_TESTS_LOG_COMPACTION_ZEROED_OFFSET_MAP_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "varve/log/compaction/offset_map.h"

namespace varve {

// An OffsetMap with memory of its own.
class ZeroedOffsetMap {
 public:
  explicit ZeroedOffsetMap(const OffsetMap::Options& options)
      : words_(static_cast<size_t>(OffsetMap::MemoryFor(options)) / 8 + 1),
        map_(options, absl::MakeSpan(reinterpret_cast<char*>(words_.data()),
                                     words_.size() * 8)) {}

  OffsetMap& operator*() { return map_; }
  OffsetMap* operator->() { return &map_; }

 private:
  std::vector<int64_t> words_;
  OffsetMap map_;
};

}  // namespace varve

#endif  // VARVE_TESTS_LOG_COMPACTION_ZEROED_OFFSET_MAP_H_
