// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_RECOVERY_PARTITION_RECOVERY_REPORT_H_
#define VARVE_LOG_RECOVERY_PARTITION_RECOVERY_REPORT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "varve/log/recovery/recovery_action.h"

namespace varve {

// One place at which recovery met something other than the next batch.
struct RecoveryFinding {
  RecoveryAction action = RecoveryAction::kKeepAll;
  std::string path = {};  // of the segment's .log
  int64_t position = 0;   // in that file, where the damage begins
  // The offset that should have been there; kNoOffset: not known.
  int64_t offset = 0;
  int64_t next_offset = 0;  // where the log continues; offsets between are lost
  int64_t bytes = 0;        // damaged, or cut
  std::string set_aside = {};  // the file that now holds what was cut, if any
  std::string detail = {};     // what was found there instead

  static constexpr int64_t kNoOffset = -1;

  // A line for a person: path, position, offsets, what was found, and where it
  // was set aside.
  std::string ToString() const;
};

// What opening one partition found and did.
struct PartitionRecoveryReport {
  std::string path = {};       // of the partition's directory
  bool clean = false;          // closed cleanly: nothing had to be scanned
  int64_t log_start = 0;       // first offset
  int64_t recovery_point = 0;  // below it everything was durable before
  int64_t next_offset = 0;     // one past the last record
  int64_t bytes_scanned = 0;   // of batches, each with its CRC
  std::vector<RecoveryFinding> findings = {};
  std::vector<std::string> notes = {};  // files made again, and the like

  // Findings beyond kFindingsMax, which are only counted.
  int64_t more_findings = 0;

  static constexpr size_t kFindingsMax = 1000;

  void AddFinding(RecoveryFinding finding);

  // Whether durable records are damaged or missing, or whole batches were cut.
  bool has_damage() const;
};

}  // namespace varve

#endif  // VARVE_LOG_RECOVERY_PARTITION_RECOVERY_REPORT_H_
