// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_COMPACTION_OFFSET_MAP_H_
#define VARVE_LOG_COMPACTION_OFFSET_MAP_H_

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "absl/types/span.h"
#include "varve/log/compaction/key_hash.h"

namespace varve {

// The latest offset of each key, in memory that is bounded from the first. Of a
// key it holds the hash alone (log/compaction/key_hash.h says why that is
// safe), so a key of any size takes 24 bytes, as in Kafka's SkimpyOffsetMap.
// There is no way to remove a key.
//
// It is full before it is crowded, at nine tenths. That is a normal answer:
// compaction then ends at the record whose key had no room, and the next one
// goes on from there.
//
// Borrows its memory, which must outlive it.
//
// Thread safety: externally synchronized; a const method may run beside another
// one.
class OffsetMap {
 public:
  static constexpr int64_t kBytesPerSlot = 24;
  // Kafka's log.cleaner.dedupe.buffer.size: 5,033,164 keys.
  static constexpr int64_t kMemoryBytes = int64_t{128} << 20;
  // The least and the most that make sense: 20 keys, and 1.9 billion.
  static constexpr int64_t kMemoryBytesMin = 24 * kBytesPerSlot;
  static constexpr int64_t kMemoryBytesMax = (int64_t{1} << 31) * kBytesPerSlot;

  // They take 16 MiB, beside the memory for keys.
  static constexpr int64_t kNotedMax = int64_t{1} << 27;

  struct Options {
    // Bytes that keys may take. Precondition: within the two limits above.
    int64_t memory_bytes = kMemoryBytes;
    // No more keys than this will come; with few it takes less memory. A bound
    // is how many offsets the range has. Precondition: 0 or more.
    int64_t keys_max = std::numeric_limits<int64_t>::max();
    // Offsets that `NoteFrom` may note. Precondition: 0 or more.
    int64_t noted_max = kNotedMax;
    HashSecret secret = {};
  };

  // Bytes of memory that such a map needs.
  static int64_t MemoryFor(const Options& options);

  // Precondition: `memory` has MemoryFor(options) bytes or more, all zeros, and
  // begins at a multiple of 8.
  OffsetMap(const Options& options, absl::Span<char> memory);

  OffsetMap(const OffsetMap&) = delete;
  OffsetMap& operator=(const OffsetMap&) = delete;

  // From now on it notes of each offset from this one on, up to a limit,
  // whether it has a later one: in a bit, so that `HasLater` need not look for
  // its key. Precondition: nothing was put, and no key will be with a smaller
  // offset.
  void NoteFrom(int64_t offset);

  enum class PutResult : uint8_t {
    kStored,
    kFull,  // the key is new and has no room; nothing has changed
  };

  // The key is at this offset, too: the largest one stays. One that is known
  // always has room.
  //
  // Precondition: `offset` is 0 or more, and below 2^63-1.
  [[nodiscard]] PutResult Put(std::string_view key, int64_t offset);

  // The largest offset of the key; nothing for one that was not put.
  std::optional<int64_t> Find(std::string_view key) const;

  // `Put` in two steps. The first has the memory fetched that the second one
  // needs: with some others in between nobody waits for it.
  KeyHash Prepare(std::string_view key) const;
  [[nodiscard]] PutResult Put(const KeyHash& hash, int64_t offset);

  // Whether the key was put with a larger offset than this. Precondition: the
  // key is that of the record there, which was put unless it is before all that
  // were, or no record was put from it on.
  bool HasLater(std::string_view key, int64_t offset) const;

  int64_t size() const { return size_; }
  // How many keys it takes.
  int64_t capacity() const { return capacity_; }
  // Bytes that keys take.
  int64_t memory_bytes() const { return slot_count_ * kBytesPerSlot; }

 private:
  struct Slot {
    KeyHash hash;
    int64_t offset_plus_one = 0;  // 0: free
  };
  static_assert(sizeof(Slot) == kBytesPerSlot);
  static constexpr int64_t kBitsPerWord = 64;

  // Where a hash would be if no other was there, and how far it is from there.
  int64_t HomeOf(const KeyHash& hash) const {
    return static_cast<int64_t>(
        ((hash.first >> 32) * static_cast<uint64_t>(slot_count_)) >> 32);
  }
  int64_t DistanceAt(int64_t at) const {
    const int64_t distance = at - HomeOf(slots_[At(at)].hash);
    return distance >= 0 ? distance : distance + slot_count_;
  }
  int64_t After(int64_t at) const { return at + 1 == slot_count_ ? 0 : at + 1; }
  static uint64_t At(int64_t at) { return static_cast<uint64_t>(at); }

  // The slot of the hash or, when it is in none, that which it has to go to.
  struct Search {
    int64_t at = 0;
    int64_t distance = 0;
    bool found = false;
  };
  Search SearchFor(const KeyHash& hash) const;
  bool IsNoted(int64_t offset) const {
    return offset >= first_offset_ && offset - first_offset_ < noted_count_;
  }
  // The note of an offset is a bit of a word.
  uint64_t& WordOf(int64_t offset) const {
    return notes_[At((offset - first_offset_) / kBitsPerWord)];
  }
  uint64_t BitOf(int64_t offset) const {
    return uint64_t{1} << ((offset - first_offset_) % kBitsPerWord);
  }
  void NoteHasLater(int64_t offset) {
    if (IsNoted(offset)) WordOf(offset) |= BitOf(offset);
  }
  void Insert(Slot slot, const Search& place);

  const HashSecret secret_;
  const int64_t slot_count_;
  const int64_t capacity_;
  int64_t size_ = 0;
  // Open addressing. Invariant: whoever is at home in an earlier slot stands
  // before who is at home in a later one ("Robin Hood hashing": Celis, Larson,
  // Munro, 1985). So a search for a key that is not there ends early, though
  // nine tenths are taken.
  Slot* const slots_;
  // After the slots: which of so many offsets have a later one.
  uint64_t* const notes_;
  const int64_t noted_max_;
  int64_t first_offset_ = 0;
  int64_t noted_count_ = 0;  // 0 before `NoteFrom`
};

}  // namespace varve

#endif  // VARVE_LOG_COMPACTION_OFFSET_MAP_H_
