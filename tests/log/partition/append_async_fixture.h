// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_LOG_PARTITION_APPEND_ASYNC_FIXTURE_H_
#define VARVE_TESTS_LOG_PARTITION_APPEND_ASYNC_FIXTURE_H_

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/partition_fixture.h"
#include "varve/log/batch/record.h"
#include "varve/log/partition/append_result.h"
#include "varve/log/partition/partition_log.h"

namespace varve {

// Appends with a callback, and keeps what each callback is called with.
class AppendAsyncFixture : public PartitionFixture {
 protected:
  absl::StatusOr<AppendResult> TryAppendAsync(std::string_view value) {
    return log_->AppendAsync(Record{.value = value},
                             [this](absl::StatusOr<AppendResult> ended) {
                               ended_.push_back(std::move(ended));
                             });
  }
  // The offset; -1 after a failure.
  int64_t AppendAsync(std::string_view value) {
    const auto result = TryAppendAsync(value);
    EXPECT_THAT(result, absl_testing::IsOk());
    return result.ok() ? result->offset : -1;
  }

  // What the callbacks that are due, and are called now, are called with: the
  // offset, or -1 for an error.
  std::vector<int64_t> CallBack() {
    std::vector<int64_t> offsets;
    for (const auto& ended : CallBackForStatus())
      offsets.push_back(ended.ok() ? ended->offset : -1);
    return offsets;
  }
  std::vector<absl::StatusOr<AppendResult>> CallBackForStatus() {
    ended_.clear();
    const int64_t called = listener_->CallBack();
    EXPECT_THAT(ended_, testing::SizeIs(called));
    return ended_;
  }

  std::vector<absl::StatusOr<AppendResult>> ended_;
};

}  // namespace varve

#endif  // VARVE_TESTS_LOG_PARTITION_APPEND_ASYNC_FIXTURE_H_
