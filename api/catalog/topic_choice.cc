// SPDX-License-Identifier: Apache-2.0

#include "varve/api/catalog/topic_choice.h"

#include <string>
#include <string_view>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/log/metadata/topic_name.h"

namespace varve {
namespace {

std::vector<Topic> AllButInternal(const TopicCatalog& catalog) {
  std::vector<Topic> topics = catalog.topics();
  std::erase_if(topics, [](const Topic& topic) {
    return IsInternalTopicName(topic.name);
  });
  return topics;
}

}  // namespace

absl::StatusOr<std::vector<Topic>> ChooseTopics(
    const TopicCatalog& catalog, const std::vector<std::string>& names,
    std::string_view why_not_internal) {
  if (names.empty()) return AllButInternal(catalog);
  std::vector<Topic> topics;
  for (const std::string& name : names) {
    if (IsInternalTopicName(name)) {
      return absl::InvalidArgumentError(
          absl::StrCat("topic \"", name, "\" ", why_not_internal));
    }
    const absl::StatusOr<const Topic*> topic = catalog.Get(name);
    if (!topic.ok()) return topic.status();
    const bool is_twice = absl::c_any_of(
        topics, [&](const Topic& other) { return other.name == name; });
    if (!is_twice) topics.push_back(**topic);
  }
  absl::c_sort(topics,
               [](const Topic& a, const Topic& b) { return a.name < b.name; });
  return topics;
}

}  // namespace varve
