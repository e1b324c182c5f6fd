// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_BROKER_LOADED_FILES_H_
#define VARVE_LOG_BROKER_LOADED_FILES_H_

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace varve {

// Which files of a Kafka partition's directory count, and under what names: as
// the broker's next start would leave them (Kafka's LogLoader), with nothing
// changed. A broker replaces segments in steps, when its cleaner compacts a log
// or a split one is put in place, and a crash, or a look from outside, may come
// between any two of them:
//
//   x.cleaned   is being written: it does not count.
//   x.swap      is whole, and takes the place of all segments from the first
//               swapped one's base offset up to where the last one ends, unless
//               an x.cleaned of that base offset or a lower one is there: then
//               the replacement was not complete, and the old segments count.
//   x.deleted   is about to be removed: it does not count.
//
// A store's own compaction goes by the same steps (log/swap), and its sidecars
// count; those of segments that were replaced do not.
//
// Thread safety: a value.
class LoadedFiles {
 public:
  // Says where the batches of a segment's `.log.swap` end: the offset after the
  // last one.
  using NextOffsetOf =
      absl::FunctionRef<absl::StatusOr<int64_t>(int64_t base_offset)>;

  enum class Owner : uint8_t { kBroker, kStore };

  // `names` are those of the directory. Errors: those of `next_offset_of`.
  static absl::StatusOr<LoadedFiles> Of(absl::Span<const std::string> names,
                                        Owner owner,
                                        NextOffsetOf next_offset_of);

  // The names that count, sorted.
  std::vector<std::string> names() const;

  // Whether a file of this name does not count, because another one has taken
  // its place or it is on its way in or out. Answers for names that were not
  // listed, too.
  bool IsHidden(std::string_view name) const;

  // The name under which the file that counts as `name` is stored.
  std::string StoredName(std::string_view name) const;

 private:
  bool IsReplaced(std::string_view name) const;

  Owner owner_ = Owner::kBroker;
  // The names that count; each with the one under which it is stored.
  std::map<std::string, std::string, std::less<>> stored_;
  // Segments with a base offset in this range have been replaced.
  int64_t replaced_begin_ = std::numeric_limits<int64_t>::max();
  int64_t replaced_end_ = std::numeric_limits<int64_t>::min();
};

}  // namespace varve

#endif  // VARVE_LOG_BROKER_LOADED_FILES_H_
