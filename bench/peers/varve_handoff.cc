// SPDX-License-Identifier: Apache-2.0

// varve as a hand-off that is kept: kMemory appends of single records; the
// reader looks at the visible end all the time, or waits for it (WaitFor), and
// reads with checksums verified, the default.

#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/log/check.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "bench/bare/bare_queues.h"
#include "bench/peers/handoff.h"
#include "bench/peers/handoff_run.h"
#include "varve/api/log_store.h"
#include "varve/api/partition.h"
#include "varve/api/version.h"
#include "varve/log/batch/record.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/batch/record_view.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/read_options.h"

namespace varve::bench {
namespace {

constexpr char kTopic[] = "handoff";

class VarveHandoff final : public Handoff {
 public:
  VarveHandoff(Waiting waiting, const std::string& directory)
      : waiting_(waiting) {
    absl::StatusOr<std::unique_ptr<LogStore>> store =
        LogStore::Open(directory + "/store");
    CHECK_OK(store.status());
    store_ = *std::move(store);
    CHECK_OK(store_->CreateTopic(kTopic));
    absl::StatusOr<Partition> partition = store_->partition(kTopic, 0);
    CHECK_OK(partition.status());
    sender_ = *partition;
    receiver_ = *std::move(partition);
  }

  ~VarveHandoff() override { CHECK_OK(store_->Close()); }

  VarveHandoff(const VarveHandoff&) = delete;
  VarveHandoff& operator=(const VarveHandoff&) = delete;

  void Send(const Message& message) override {
    const std::string_view value(message.data(), message.size());
    CHECK_OK(sender_.Append({.value = value}, Durability::kMemory).status());
  }

  void Receive(Message& message) override {
    const RecordView* record =
        records_.has_value() ? records_->Next() : nullptr;
    while (record == nullptr) record = ReadOn();
    const std::string_view value = record->value().value_or("");
    CHECK_EQ(value.size(), message.size());
    std::memcpy(message.data(), value.data(), value.size());
  }

 private:
  // Waits for more records, and returns the first.
  const RecordView* ReadOn() {
    if (waiting_ == Waiting::kBlocking) CHECK_OK(receiver_.WaitFor(next_));
    while (receiver_.visible_end() == next_) {
    }
    records_.reset();
    absl::StatusOr<RecordBatches> read =
        receiver_.Read(next_, {.level = ReadLevel::kVisible});
    CHECK_OK(read.status());
    view_ = *std::move(read);
    next_ = view_.next_offset();
    records_.emplace(view_);
    return records_->Next();
  }

  const Waiting waiting_;
  std::unique_ptr<LogStore> store_;
  Partition sender_;
  Partition receiver_;
  int64_t next_ = 0;  // offset to read
  RecordBatches view_;
  std::optional<RecordBatches::Records> records_;  // of view_
};

std::unique_ptr<Handoff> Open(Waiting waiting, const std::string& directory) {
  return std::make_unique<VarveHandoff>(waiting, directory);
}

constexpr HandoffVariant kVariants[] = {
    {"spinning", Waiting::kSpinning, "all", "a prefix, checked", Open},
    {"blocking", Waiting::kBlocking, "all", "a prefix, checked", Open},
};

}  // namespace
}  // namespace varve::bench

int main(int argc, char** argv) {
  return varve::bench::RunHandoff(argc, argv,
                                  absl::StrCat("varve ", varve::Version()),
                                  varve::bench::kVariants);
}
