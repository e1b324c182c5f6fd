// SPDX-License-Identifier: Apache-2.0

#include "bench/bare/bare_index.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <limits>
#include <string_view>

#include "absl/log/check.h"
#include "bench/bare/bare_batch.h"
#include "varve/index/big_endian.h"

namespace varve::bench {
namespace {

int64_t BaseOffset(const char* batch) { return LoadBig64(batch); }

int64_t LastOffset(const char* batch) {
  return LoadBig64(batch) + LoadBig32(batch + 23);
}

}  // namespace

BareIndex::BareIndex(std::string_view bytes, int64_t interval_bytes)
    : bytes_(bytes) {
  CHECK_LE(bytes.size(), std::numeric_limits<uint32_t>::max());
  const char* const begin = bytes.data();
  const char* indexed = nullptr;
  for (const char* at = begin; at < begin + bytes.size();
       at = BareBatchEnd(at)) {
    if (indexed != nullptr && at - indexed <= interval_bytes) continue;
    entries_.push_back({.offset = static_cast<uint32_t>(BaseOffset(at)),
                        .position = static_cast<uint32_t>(at - begin)});
    indexed = at;
  }
}

std::string_view BareIndex::Read(int64_t offset) const {
  const auto after = std::upper_bound(entries_.begin(), entries_.end(),
                                      static_cast<uint32_t>(offset),
                                      [](uint32_t wanted, const Entry& entry) {
                                        return wanted < entry.offset;
                                      });
  const char* at = bytes_.data() + std::prev(after)->position;
  while (LastOffset(at) < offset) at = BareBatchEnd(at);
  CHECK(HasRightBareCrc(at, BareBatchEnd(at)));
  const char* record = at + kBareHeaderSize;
  for (int64_t i = BaseOffset(at); i < offset; ++i) {
    record = SkipBareRecord(record);
  }
  std::string_view value;
  DecodeBareRecord(record, &value);
  return value;
}

}  // namespace varve::bench
