// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_API_GROUPS_COMMITTED_OFFSETS_FIXTURE_H_
#define VARVE_TESTS_API_GROUPS_COMMITTED_OFFSETS_FIXTURE_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/store_fixture.h"
#include "varve/api/log_store.h"
#include "varve/api/offsets/group_id.h"

namespace varve {

// A store whose topic "orders" has three empty partitions, and what groups
// commit of them. A change of `options_` counts from the next open on.
class CommittedOffsetsFixture : public StoreFixture {
 protected:
  void SetUp() override {
    Open();
    ASSERT_THAT(store_->CreateTopic("orders", {.partitions = 3}),
                absl_testing::IsOk());
  }

  void AppendRecords(int count, Durability durability = Durability::kSynced) {
    for (int i = 0; i < count; ++i) {
      ASSERT_THAT(Orders().Append({.value = absl::StrCat(i)}, durability),
                  absl_testing::IsOk());
    }
  }

  // -1 when none is committed.
  int64_t OffsetOf(const std::string& group, int32_t partition = 0) {
    auto found = store_->CommittedOffset(group, "orders", partition);
    if (absl::IsNotFound(found.status())) return -1;
    EXPECT_THAT(found, absl_testing::IsOk());
    return found.ok() ? found->offset : -2;
  }

  // The partition that has the commits of a group.
  Partition OffsetsOf(const std::string& group) {
    auto topic = store_->DescribeTopic("__consumer_offsets");
    EXPECT_THAT(topic, absl_testing::IsOk());
    auto partition =
        store_->partition("__consumer_offsets",
                          PartitionForGroup(group, topic->config.partitions));
    EXPECT_THAT(partition, absl_testing::IsOk());
    return *partition;
  }

  StoreOptions Options() override { return options_; }

  StoreOptions options_;
};

}  // namespace varve

#endif  // VARVE_TESTS_API_GROUPS_COMMITTED_OFFSETS_FIXTURE_H_
