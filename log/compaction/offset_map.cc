// SPDX-License-Identifier: Apache-2.0

#include "varve/log/compaction/offset_map.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/base/prefetch.h"
#include "absl/log/check.h"
#include "absl/types/span.h"
#include "varve/log/compaction/key_hash.h"

namespace varve {
namespace {

constexpr int64_t kBytesPerWord = sizeof(uint64_t);
// What a processor fetches at once.
constexpr int64_t kCacheLine = 64;

int64_t SlotsFor(const OffsetMap::Options& options) {
  CHECK_GE(options.memory_bytes, OffsetMap::kMemoryBytesMin);
  CHECK_LE(options.memory_bytes, OffsetMap::kMemoryBytesMax);
  CHECK_GE(options.keys_max, 0);
  const int64_t slots = options.memory_bytes / OffsetMap::kBytesPerSlot;
  if (options.keys_max >= slots) return slots;
  return std::min(slots, options.keys_max + options.keys_max / 8 + 2);
}

// An offset holds a key at most.
int64_t NotedBy(const OffsetMap::Options& options) {
  CHECK_GE(options.noted_max, 0);
  return std::min(options.keys_max, options.noted_max);
}

// Never all of them, so that each search ends.
int64_t CapacityOf(int64_t slots) { return slots * 9 / 10; }

}  // namespace

int64_t OffsetMap::MemoryFor(const Options& options) {
  return SlotsFor(options) * kBytesPerSlot +
         (NotedBy(options) + kBitsPerWord - 1) / kBitsPerWord * kBytesPerWord;
}

// The slots are objects without a constructor, free where the memory is zero.
OffsetMap::OffsetMap(const Options& options, absl::Span<char> memory)
    : secret_(options.secret),
      slot_count_(SlotsFor(options)),
      capacity_(CapacityOf(slot_count_)),
      slots_(reinterpret_cast<Slot*>(memory.data())),
      notes_(reinterpret_cast<uint64_t*>(slots_ + slot_count_)),
      noted_max_(NotedBy(options)) {
  CHECK_GE(std::ssize(memory), MemoryFor(options));
  CHECK_EQ(reinterpret_cast<uintptr_t>(memory.data()) % alignof(Slot), 0U);
  DCHECK_GE(capacity_, 1);
  DCHECK_LT(capacity_, slot_count_);
}

OffsetMap::Search OffsetMap::SearchFor(const KeyHash& hash) const {
  Search search = {.at = HomeOf(hash)};
  while (true) {
    const Slot& slot = slots_[At(search.at)];
    if (slot.offset_plus_one == 0) return search;
    if (slot.hash == hash) {
      search.found = true;
      return search;
    }
    if (DistanceAt(search.at) < search.distance) return search;
    search.at = After(search.at);
    ++search.distance;
  }
}

// Puts the slot at its place; who is there moves on in the same way.
void OffsetMap::Insert(Slot slot, const Search& place) {
  int64_t at = place.at;
  int64_t distance = place.distance;
  while (slots_[At(at)].offset_plus_one != 0) {
    const int64_t other_distance = DistanceAt(at);
    if (other_distance < distance) {
      std::swap(slots_[At(at)], slot);
      distance = other_distance;
    }
    at = After(at);
    ++distance;
  }
  slots_[At(at)] = slot;
  ++size_;
}

void OffsetMap::NoteFrom(int64_t offset) {
  CHECK_GE(offset, 0);
  CHECK_EQ(size_, 0);
  first_offset_ = offset;
  noted_count_ = noted_max_;
}

KeyHash OffsetMap::Prepare(std::string_view key) const {
  const KeyHash hash = HashKey(key, secret_);
  // Most searches end within two lines.
  const char* const home = reinterpret_cast<const char*>(slots_ + HomeOf(hash));
  absl::PrefetchToLocalCache(home);
  absl::PrefetchToLocalCache(home + kCacheLine);
  return hash;
}

OffsetMap::PutResult OffsetMap::Put(std::string_view key, int64_t offset) {
  return Put(HashKey(key, secret_), offset);
}

OffsetMap::PutResult OffsetMap::Put(const KeyHash& hash, int64_t offset) {
  DCHECK_GE(offset, 0);
  DCHECK_LT(offset, std::numeric_limits<int64_t>::max());
  const Search search = SearchFor(hash);
  if (search.found) {
    int64_t& stored = slots_[At(search.at)].offset_plus_one;
    if (stored != offset + 1) NoteHasLater(std::min(stored - 1, offset));
    stored = std::max(stored, offset + 1);
    return PutResult::kStored;
  }
  if (size_ == capacity_) return PutResult::kFull;
  Insert({hash, offset + 1}, search);
  return PutResult::kStored;
}

std::optional<int64_t> OffsetMap::Find(std::string_view key) const {
  const Search search = SearchFor(HashKey(key, secret_));
  if (!search.found) return std::nullopt;
  return slots_[At(search.at)].offset_plus_one - 1;
}

bool OffsetMap::HasLater(std::string_view key, int64_t offset) const {
  if (IsNoted(offset)) return (WordOf(offset) & BitOf(offset)) != 0;
  const std::optional<int64_t> latest = Find(key);
  return latest.has_value() && offset < *latest;
}

}  // namespace varve
