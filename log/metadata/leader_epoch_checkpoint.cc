// SPDX-License-Identifier: Apache-2.0

#include "varve/log/metadata/leader_epoch_checkpoint.h"

#include <string>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/metadata/leader_epochs.h"
#include "varve/log/system/atomic_file.h"
#include "varve/log/system/file_system.h"

namespace varve {

absl::StatusOr<LeaderEpochs> ReadLeaderEpochCheckpoint(Directory& directory) {
  absl::StatusOr<std::string> text = ReadWholeFile(
      directory, kLeaderEpochCheckpointName, kLeaderEpochCheckpointSizeMax);
  if (!text.ok()) return text.status();
  absl::StatusOr<LeaderEpochs> epochs = LeaderEpochs::FromText(*text);
  if (epochs.ok()) return epochs;
  return absl::DataLossError(
      absl::StrCat(directory.PathOf(kLeaderEpochCheckpointName), ": ",
                   epochs.status().message()));
}

absl::Status WriteLeaderEpochCheckpoint(Directory& directory,
                                        const LeaderEpochs& epochs) {
  // None would read as a checkpoint that is lost.
  CHECK(!epochs.entries().empty()) << directory.path();
  return ReplaceFile(directory, kLeaderEpochCheckpointName, epochs.ToText());
}

}  // namespace varve
