// SPDX-License-Identifier: Apache-2.0

#include "varve/api/backup/copied_catalog.h"

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/log/check.h"
#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/log/metadata/topic_id.h"

namespace varve {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Topic TopicOf(const std::string& name, uint64_t id) {
  return {.name = name, .id = TopicId(1, id), .config = {}};
}

TopicCatalog CatalogOf(const std::vector<Topic>& topics) {
  TopicCatalog catalog;
  for (const Topic& topic : topics) CHECK_OK(catalog.Add(topic));
  return catalog;
}

std::vector<uint64_t> IdsOf(const std::vector<Topic>& topics) {
  std::vector<uint64_t> ids;
  for (const Topic& topic : topics) ids.push_back(topic.id.low());
  return ids;
}

std::vector<uint64_t> DeletedIn(const TopicCatalog& catalog) {
  std::vector<uint64_t> ids;
  for (const DeletedTopic& deleted : catalog.deleted())
    ids.push_back(deleted.topic.id.low());
  return ids;
}

TEST(CopiedCatalogTest, HasTheTopicsThatWereCopied) {
  const TopicCatalog topics = CatalogOf({TopicOf("a", 1), TopicOf("b", 2)});
  const auto catalog =
      CopiedCatalog({.before = topics,
                     .after = topics,
                     .copied = {TopicId(1, 1), TopicId(1, 2)}});
  ASSERT_THAT(catalog, absl_testing::IsOk());
  EXPECT_THAT(IdsOf(catalog->topics()), ElementsAre(1, 2));
  EXPECT_THAT(DeletedIn(*catalog), IsEmpty());
  EXPECT_EQ(catalog->ToText(), topics.ToText());
}

TEST(CopiedCatalogTest, TopicsThatWereDeletedAtAnyTimeAreToBeForgotten) {
  TopicCatalog before =
      CatalogOf({TopicOf("a", 1), TopicOf("b", 2), TopicOf("old", 3)});
  CHECK_OK(before.Remove("old").status());
  const TopicCatalog after = CatalogOf({TopicOf("b", 2), TopicOf("c", 4)});
  const auto catalog = CopiedCatalog(
      {.before = before, .after = after, .copied = {TopicId(1, 2)}});
  ASSERT_THAT(catalog, absl_testing::IsOk());
  EXPECT_THAT(IdsOf(catalog->topics()), ElementsAre(2));
  EXPECT_THAT(DeletedIn(*catalog), ElementsAre(3, 1, 4));
}

TEST(CopiedCatalogTest, TopicMadeAnewUnderTheNameIsAnotherOne) {
  TopicCatalog after = CatalogOf({TopicOf("a.b", 1)});
  CHECK_OK(after.Remove("a.b").status());
  // The names differ in what Kafka does not tell apart.
  CHECK_OK(after.Add(TopicOf("a_b", 2)));
  const auto catalog = CopiedCatalog({.before = CatalogOf({TopicOf("a.b", 1)}),
                                      .after = after,
                                      .copied = {TopicId(1, 2)}});
  ASSERT_THAT(catalog, absl_testing::IsOk());
  EXPECT_THAT(IdsOf(catalog->topics()), ElementsAre(2));
  EXPECT_THAT(DeletedIn(*catalog), ElementsAre(1));
}

}  // namespace
}  // namespace varve
