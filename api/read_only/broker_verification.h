// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_READ_ONLY_BROKER_VERIFICATION_H_
#define VARVE_API_READ_ONLY_BROKER_VERIFICATION_H_

#include <memory>

#include "absl/status/statusor.h"
#include "varve/log/system/file_system.h"
#include "varve/log/verification/partition_verification.h"
#include "varve/log/verification/partition_verifier.h"

namespace varve {

// Checks the directory of a broker's partition, as VerifyPartition does, but by
// what is true of a broker's:
// - The log starts where its first file does, or later, as the checkpoint says;
//   the epochs of batches before that are not in leader-epoch-checkpoint.
// - An index that says other things than ours would is a note: brokers have
//   made their entries in several ways, and read what they wrote.
// - Without a recovery point the end of the log is not known, however the
//   broker was stopped.
//
// Errors: those of VerifyPartition; Unavailable when a running broker renames
// files as fast as they are listed.
absl::StatusOr<PartitionVerification> VerifyBrokerPartition(
    std::unique_ptr<Directory> directory, PartitionVerifyInputs inputs);

// The same for a partition of a store's topic that is or was compacted: its
// writer may be replacing segments, or have died while it did.
absl::StatusOr<PartitionVerification> VerifyCompactedPartition(
    std::unique_ptr<Directory> directory, const PartitionVerifyInputs& inputs);

}  // namespace varve

#endif  // VARVE_API_READ_ONLY_BROKER_VERIFICATION_H_
