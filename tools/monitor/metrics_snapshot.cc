// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/monitor/metrics_snapshot.h"

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/api/catalog/store_files.h"
#include "varve/api/metrics/metrics_file.h"
#include "varve/log/system/atomic_file.h"
#include "varve/log/system/file_system.h"
#include "varve/tools/monitor/metrics_text.h"
#include "varve/tools/shell/command_line.h"
#include "varve/tools/shell/data_directory.h"

namespace varve {
namespace {

// A snapshot of 10,000 topics with the longest names is smaller.
constexpr int64_t kMetricsSizeMax = int64_t{64} << 20;

}  // namespace

absl::StatusOr<std::string> ReadMetricsFile(const GlobalOptions& global) {
  auto directory = FileSystem::Posix()->OpenDirectory(global.data);
  if (absl::IsNotFound(directory.status())) return NoStoreError(global);
  if (!directory.ok()) return directory.status();
  absl::StatusOr<std::string> text =
      ReadWholeFile(**directory, kMetricsName, kMetricsSizeMax);
  if (!absl::IsNotFound(text.status())) return text;
  // Find out which of the two is missing: the store, or its metrics.
  const absl::StatusOr<DirectoryContents> contents =
      InspectDirectory(**directory);
  if (!contents.ok()) return contents.status();
  if (*contents == DirectoryContents::kEmpty) return NoStoreError(global);
  return absl::NotFoundError(
      absl::StrCat(global.data,
                   ": there are no metrics yet; a writer leaves "
                   "them every ten seconds and when it closes"));
}

absl::StatusOr<MetricsText> ParseMetricsFile(const GlobalOptions& global,
                                             const std::string& text) {
  absl::StatusOr<MetricsText> metrics = MetricsText::Parse(text);
  if (metrics.ok()) return metrics;
  return absl::DataLossError(absl::StrCat(
      global.data, "/", kMetricsName, ": ", metrics.status().message(),
      "; nothing depends on it: delete it, a writer makes it again"));
}

}  // namespace varve
