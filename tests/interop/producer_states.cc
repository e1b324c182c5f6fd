// SPDX-License-Identifier: Apache-2.0

// Producers and transactions, for the comparison with Kafka.
//
//   producer_states write STORE          a new store: several producers,
//   epochs,
//                                        transactions of each kind; closed
//   producer_states look STORE TOPIC     what varve knows of the producers of
//                                        partition 0, and which records are
//                                        committed
//   producer_states repeat STORE TOPIC   appends the last batch of each
//   producer
//                                        again, and says where that is
//
// What it prints are JSON lines, in the fields of `varve dump-log`.

#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/log/check.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tests/fixture/producer_client.h"
#include "varve/api/cursor.h"
#include "varve/api/log_store.h"
#include "varve/log/batch/control_record.h"
#include "varve/log/batch/encoded_batch.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/batch/record_view.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/read_options.h"
#include "varve/log/producer/producer_position.h"

namespace varve {
namespace {

constexpr int kRounds = 40;
constexpr auto kNo = Transactional::kNo;
constexpr auto kYes = Transactional::kYes;

class ProducersWriter {
 public:
  explicit ProducersWriter(LogStore& store) {
    TopicConfig config;
    config.log.segment_bytes = 4096;
    CHECK_OK(store.CreateTopic("producers", config));
    partition_ =
        std::make_unique<Partition>(store.partition("producers", 0).value());
  }

  void Run() {
    for (int round = 0; round < kRounds; ++round) Write(round);
    // One aborts right before the end, one stays open.
    Send(aborts_, 1);
    End(aborts_, ControlRecordType::kAbort);
    Send(open_, 2);
    CHECK_OK(partition_->Append({.value = "the last"}, Durability::kMemory));
  }

 private:
  void Write(int round) {
    Send(idempotent_, 1 + round % 3);
    Send(commits_, 2);
    Send(aborts_, 1);
    End(commits_, ControlRecordType::kCommit);
    if (round % 2 == 0) End(aborts_, ControlRecordType::kAbort);
    if (round % 5 == 0) {
      new_epochs_.epoch = static_cast<int16_t>(round / 5);
      sequences_[new_epochs_.id] = 0;
    }
    Send(new_epochs_, 1);
    End(new_epochs_, round % 3 == 0 ? ControlRecordType::kAbort
                                    : ControlRecordType::kCommit);
    if (round == 3) Fence();
    CHECK_OK(partition_->Append({.key = "k", .value = std::string(60, 'v')},
                                Durability::kMemory));
  }

  // By its coordinator: the marker has a higher epoch than the batch.
  void Fence() {
    ProducerClient fenced = {.id = 2005, .transactional = kYes};
    Send(fenced, 1);
    ++fenced.epoch;
    End(fenced, ControlRecordType::kAbort);
  }

  void Send(const ProducerClient& client, int records) {
    int32_t& sequence = sequences_[client.id];
    RecordBatchBuilder batch({.producer_id = client.id,
                              .producer_epoch = client.epoch,
                              .base_sequence = sequence,
                              .transactional = client.transactional});
    for (int i = 0; i < records; ++i) {
      CHECK_OK(batch.Append({.value = absl::StrCat(client.id, ":", i)}, now_));
    }
    CHECK_OK(partition_->Append(batch.Finish(), Durability::kMemory));
    sequence += records;
  }
  // With the time of now: Kafka forgets producers that are a day old.
  void End(const ProducerClient& client, ControlRecordType type) {
    RecordBatchBuilder batch({.producer_id = client.id,
                              .producer_epoch = client.epoch,
                              .transactional = kYes,
                              .kind = BatchKind::kControl});
    const ControlRecordKey key(type);
    const EndTransactionValue value(9);
    CHECK_OK(batch.Append({.key = key.bytes(), .value = value.bytes()}, now_));
    CHECK_OK(partition_->Append(batch.Finish(), Durability::kMemory));
  }

  const absl::Time now_ = absl::Now();
  std::unique_ptr<Partition> partition_;
  std::map<int64_t, int32_t> sequences_;
  const ProducerClient idempotent_ = {
      .id = 2000, .epoch = 2, .transactional = kNo};
  const ProducerClient commits_ = {.id = 2001, .transactional = kYes};
  const ProducerClient aborts_ = {
      .id = 2002, .epoch = 7, .transactional = kYes};
  ProducerClient new_epochs_ = {.id = 2003, .transactional = kYes};
  const ProducerClient open_ = {.id = 2004, .transactional = kYes};
};

// The last data batch of each producer, as it stands in the log.
std::map<int64_t, std::string> LastBatches(const Partition& partition) {
  std::map<int64_t, std::string> last;
  for (int64_t offset = partition.log_start();
       offset < partition.visible_end();) {
    const auto view = partition.Read(offset, {.level = ReadLevel::kVisible});
    CHECK_OK(view);
    for (const RecordBatch& batch : *view) {
      offset = batch.next_offset();
      if (batch.producer_id() >= 0 && !batch.is_control())
        last[batch.producer_id()] = std::string(batch.bytes());
    }
  }
  return last;
}

void Look(const Partition& partition) {
  for (const auto& [id, batch] : LastBatches(partition)) {
    const auto known = partition.FindProducer(id);
    CHECK_OK(known);
    if (!known->has_value()) continue;
    const ProducerPosition& position = **known;
    std::printf(
        "{\"kind\":\"producer\",\"producer_id\":%lld,\"producer_epoch\":%d,"
        "\"last_sequence\":%d,\"last_offset\":%lld,"
        "\"transaction_first_offset\":%lld}\n",
        static_cast<long long>(position.producer_id), position.epoch,
        position.last_sequence, static_cast<long long>(position.last_offset),
        static_cast<long long>(position.transaction_first_offset.value_or(-1)));
  }
  Cursor cursor(partition, partition.log_start(),
                {.read = {.level = ReadLevel::kVisible,
                          .isolation = Isolation::kReadCommitted}});
  while (const RecordView* record = cursor.Next()) {
    std::puts(absl::StrCat(
                  "{\"kind\":\"committed\",\"offset\":", record->offset(), "}")
                  .c_str());
  }
  CHECK_OK(cursor.status());
}

void Repeat(Partition partition) {
  for (const auto& [id, batch] : LastBatches(partition)) {
    const auto result = partition.Append(EncodedBatch::Parse(batch).value(),
                                         Durability::kMemory);
    std::string found =
        result.ok()
            ? absl::StrCat(
                  "\"is_duplicate\":", result->is_duplicate ? "true" : "false",
                  ",\"offset\":", result->offset,
                  ",\"last_offset\":", result->next_offset - 1)
            : absl::StrCat("\"refused\":\"",
                           absl::StatusCodeToString(result.status().code()),
                           "\"");
    std::puts(absl::StrCat("{\"kind\":\"repeated\",\"producer_id\":", id, ",",
                           found, ",\"end\":", partition.visible_end(), "}")
                  .c_str());
  }
}

int Run(std::string_view what, const std::string& path,
        std::string_view topic) {
  const auto store = LogStore::Open(path).value();
  if (what == "write") {
    ProducersWriter(*store).Run();
  } else if (what == "look") {
    Look(store->partition(topic, 0).value());
  } else if (what == "repeat") {
    Repeat(store->partition(topic, 0).value());
  } else {
    return 2;
  }
  CHECK_OK(store->Close());
  return 0;
}

}  // namespace
}  // namespace varve

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fputs("producer_states write|look|repeat STORE [TOPIC]\n", stderr);
    return 2;
  }
  return varve::Run(argv[1], argv[2], argc > 3 ? argv[3] : "");
}
