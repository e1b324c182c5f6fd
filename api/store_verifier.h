// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_STORE_VERIFIER_H_
#define VARVE_API_STORE_VERIFIER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "varve/api/writer_presence.h"
#include "varve/log/system/environment.h"
#include "varve/log/verification/partition_verification.h"
#include "varve/log/verification/verify_finding.h"

namespace varve {

class Codecs;

struct StoreVerifyOptions {
  // Whether another process has the store open: the caller finds out, since a
  // verification takes no lock. Asked again when something looks damaged.
  WriterProbe writer = nullptr;
  // The codecs to look into compressed batches with, as StoreOptions::codecs;
  // borrowed for the call. Where there is none, a batch is checked without its
  // records.
  const Codecs* codecs = nullptr;
  // Called now and then with the bytes of batches looked at so far, and how
  // many bytes the segments have; null is fine.
  std::function<void(int64_t done, int64_t total)> progress = nullptr;
};

struct StoreVerification {
  std::string path = {};
  LastWriter last_writer = LastWriter::kClosedCleanly;
  std::vector<VerifyFinding> findings = {};  // of the store's own files
  std::vector<PartitionVerification> partitions = {};

  // Findings that are no mere notes, of the store and all partitions.
  size_t damage_count() const;
};

// Checks a whole store, byte by byte, against log/FORMAT.md: its own files, and
// every partition of every topic (log/verification/partition_verifier.h). It
// opens nothing for writing, changes nothing and takes no lock.
//
// Beside an open writer it looks at files that change: what is not finished yet
// is no damage. A partition that looks damaged is looked at again, by what the
// store's files say then: damage is what stays. One that is deleted meanwhile
// is left out.
//
// Errors: NotFound when there is no store; FailedPrecondition for another
// program's directory, or a newer version's; file errors
// (log/system/errno_status.h). Damage is a finding, never an error.
absl::StatusOr<StoreVerification> VerifyStore(
    const std::string& path, const Environment& environment,
    const StoreVerifyOptions& options);

}  // namespace varve

#endif  // VARVE_API_STORE_VERIFIER_H_
