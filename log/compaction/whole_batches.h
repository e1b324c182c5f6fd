// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_COMPACTION_WHOLE_BATCHES_H_
#define VARVE_LOG_COMPACTION_WHOLE_BATCHES_H_

#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "varve/index/transaction_index.h"
#include "varve/log/batch/record_batch.h"

namespace varve {

// Calls `use` for each of the batches that `batches` consists of, in their
// order, until it returns an error, which is returned. Each lies within `rest`,
// the offsets that are still to come, which then begins after it.
//
// The CRC of each is verified first: what compaction writes anew has a right
// one, which would hide the damage, and a damaged key would replace the records
// of another one. The base offset is not in the CRC; that it does not go back
// is checked here, and all else that is known of it, by whoever has the
// segment's sidecar.
//
// Thread safety: a pure function, but for what `use` does.
// Errors: those of `use`. DataLoss for bytes that are not whole batches one
// after the other within `rest`, with the position in `batches` and what is
// wrong: damage that compaction must leave where it is.
absl::Status ForEachBatch(
    std::string_view batches, OffsetRange& rest,
    absl::FunctionRef<absl::Status(const RecordBatch&)> use);

}  // namespace varve

#endif  // VARVE_LOG_COMPACTION_WHOLE_BATCHES_H_
