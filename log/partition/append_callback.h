// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_PARTITION_APPEND_CALLBACK_H_
#define VARVE_LOG_PARTITION_APPEND_CALLBACK_H_

#include <cstdint>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "varve/log/partition/append_result.h"

namespace varve {

// Called, once, when it is known how an append has ended: with its place when
// it is durable, else with the reason why it is not known to be.
// Partition::AppendAsync says when, on which thread, and with which errors. It
// must not throw.
using AppendCallback =
    absl::AnyInvocable<void(absl::StatusOr<AppendResult>) &&>;

// Callbacks of one partition that may be outstanding: waiting for a sync, or
// for their call. About 8 MiB, and what they capture.
inline constexpr int64_t kPendingAppendsMax = int64_t{1} << 16;

}  // namespace varve

#endif  // VARVE_LOG_PARTITION_APPEND_CALLBACK_H_
