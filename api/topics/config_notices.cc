// SPDX-License-Identifier: Apache-2.0

#include "varve/api/topics/config_notices.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/log_severity.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/log/metadata/config_warnings.h"
#include "varve/log/metadata/topic_name.h"
#include "varve/log/system/environment.h"
#include "varve/log/system/log_sink.h"

namespace varve {
namespace {

void Tell(const Environment& environment, std::string_view path,
          const std::string& text) {
  environment.Log({.severity = absl::LogSeverity::kWarning,
                   .event = LogEvent::kConfig,
                   .path = path,
                   .text = text});
}

std::vector<std::string> WarningsOf(const Topic& topic) {
  if (IsInternalTopicName(topic.name)) return {};
  return ConfigWarnings(topic.config.log);
}

}  // namespace

void TellConfigWarnings(const Environment& environment, std::string_view path,
                        const Topic& topic) {
  for (const std::string& warning : WarningsOf(topic)) {
    Tell(environment, path,
         absl::StrCat(path, ": topic \"", topic.name, "\": ", warning));
  }
}

void TellConfigWarnings(const Environment& environment, std::string_view path,
                        absl::Span<const Topic> topics) {
  size_t count = 0;
  for (const Topic& topic : topics) {
    if (WarningsOf(topic).empty()) continue;
    if (++count <= kToldTopicsMax) TellConfigWarnings(environment, path, topic);
  }
  if (count <= kToldTopicsMax) return;
  Tell(environment, path,
       absl::StrCat(path, ": configs of ", count - kToldTopicsMax,
                    " more topics do nothing"));
}

}  // namespace varve
