// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_IMPORT_TOPIC_COMPARISON_H_
#define VARVE_API_IMPORT_TOPIC_COMPARISON_H_

#include "absl/status/status.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/api/import/import_source.h"
#include "varve/api/store/store_state.h"
#include "varve/log/system/clock.h"

namespace varve {

// Checks that a topic of the store is the broker's, as an import of it as it is
// now would make it: with the same id and partitions, each of which ends at the
// same offset with the same batch. It may have lost its first records to the
// store's retention.
//
// Errors: AlreadyExists when it is another one, or one of them has gone on
// since: says in what they differ, and what to do; those of reading either.
absl::Status CheckSameTopic(const ImportSource& source, const Topic& topic,
                            const Topic& stored, StoreState& store,
                            Clock* clock);

}  // namespace varve

#endif  // VARVE_API_IMPORT_TOPIC_COMPARISON_H_
