// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_BENCH_BARE_BARE_INDEX_H_
#define VARVE_BENCH_BARE_BARE_INDEX_H_

#include <cstdint>
#include <string_view>
#include <vector>

namespace varve::bench {

// The bare search that reads by offset are measured against: offsets and
// positions of batches, sorted, as far apart as a segment's index has them. A
// read is a binary search, the steps to the batch, one CRC, and the decoding of
// the record.
//
// Thread safety: immutable.
class BareIndex {
 public:
  // Indexes the batches in `bytes`, which begin at offset 0 and must outlive
  // it: one after each `interval_bytes`.
  BareIndex(std::string_view bytes, int64_t interval_bytes);

  // The value of the record at `offset`, which must be there.
  std::string_view Read(int64_t offset) const;

 private:
  struct Entry {
    uint32_t offset;
    uint32_t position;
  };

  const std::string_view bytes_;
  std::vector<Entry> entries_;
};

}  // namespace varve::bench

#endif  // VARVE_BENCH_BARE_BARE_INDEX_H_
