// SPDX-License-Identifier: Apache-2.0

// What a committed offset that was read from disk is worth now: whose it is,
// and whether its records are still there (log/FORMAT.md, section 17). Pure.

#ifndef VARVE_API_OFFSETS_OFFSET_VALIDITY_H_
#define VARVE_API_OFFSETS_OFFSET_VALIDITY_H_

#include <cstdint>
#include <optional>

#include "absl/functional/function_ref.h"
#include "varve/api/offsets/offset_table.h"
#include "varve/log/metadata/log_bounds.h"
#include "varve/log/metadata/topic_id.h"

namespace varve {

// The topic that an offset was committed for: none when it is not known,
// nothing when the offset's value cannot be read.
using OffsetOwner = std::optional<TopicId>;

// In all of these, `named` is the id of the topic that has the name of the
// offset's topic now; none when there is no such topic.

// The owner of the offset. Without an id in its value it belongs to `named`,
// unless that topic was made after the commit. A topic that does not say when
// it was made is taken for the older one.
OffsetOwner OwnerOf(const OffsetTable::Entry& entry, TopicId named);

// Whether an offset of this owner is of the topic that has the name now. True
// of one that cannot be read.
bool OffsetCounts(const OffsetOwner& owner, TopicId named);

// Whether callers are to see the offset: it counts, or there is neither a topic
// of the name nor one whose deletion will delete the offset. `is_forgetting`
// says of an owner whether a deletion is going to do that.
bool OffsetIsShown(const OffsetOwner& owner, TopicId named,
                   absl::FunctionRef<bool(TopicId)> is_forgetting);

// Where a group continues of whose offset a power loss has taken records;
// nothing when none is missing. `epoch_end` is where the leader epoch of the
// commit ends in the log, exclusive (LeaderEpochs::EndOffset): nothing for an
// epoch that the log does not know of, since that was lost with all its
// records.
std::optional<int64_t> SetBackOffset(int64_t offset,
                                     std::optional<int64_t> epoch_end,
                                     const LogBounds& bounds);

}  // namespace varve

#endif  // VARVE_API_OFFSETS_OFFSET_VALIDITY_H_
