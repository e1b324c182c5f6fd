// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_QUICKSTART_QUICKSTART_STEPS_H_
#define VARVE_TOOLS_QUICKSTART_QUICKSTART_STEPS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "varve/api/log_store.h"
#include "varve/log/metadata/durability.h"
#include "varve/tools/quickstart/quickstart_page.h"
#include "varve/tools/quickstart/quickstart_text.h"
#include "varve/tools/shell/text_table.h"

namespace varve {

// The steps of the quickstart, one after another, and what they print.
//
// Borrows the text, which must outlive it.
//
// Thread safety: externally synchronized.
class QuickstartSteps {
 public:
  QuickstartSteps(const QuickstartText& text, std::string directory)
      : text_(text), directory_(std::move(directory)) {}

  // Errors: those of LogStore and Partition; DataLoss when a record that was
  // acknowledged did not come back as it was.
  absl::Status Run();

 private:
  absl::Status ProduceText();
  absl::Status MeasureThroughput();
  absl::Status KillWriter();
  absl::Status Recover();
  absl::Status Replay();
  absl::Status CheckAll();
  absl::Status KillGroup();
  absl::Status CompactByKey();
  void SayWhatNext();

  absl::StatusOr<absl::Duration> ProduceKeyed();
  void ListFiles();
  absl::Status MeasureOne(Durability durability, int records_per_batch,
                          TextTable& table);
  absl::Status CheckPartition(int32_t index, int64_t& checked,
                              int64_t& unacknowledged);
  absl::Status CloseStore();
  int32_t LargestPartition() const;

  const QuickstartText& text_;
  const std::string directory_;
  QuickstartPage page_;
  std::unique_ptr<LogStore> store_;

  // For each partition, the line that each offset was acknowledged for.
  std::vector<std::vector<size_t>> expected_;
  // The line that the killed writer would have appended next.
  size_t next_line_ = 0;
};

}  // namespace varve

#endif  // VARVE_TOOLS_QUICKSTART_QUICKSTART_STEPS_H_
