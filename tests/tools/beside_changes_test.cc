// SPDX-License-Identifier: Apache-2.0

// Readers beside a store's writer, with one change of the writer between any
// two of their calls: nothing is reported as damaged, and nothing fails but for
// a deleted topic.

#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/memory_directory.h"
#include "varve/api/log_store.h"
#include "varve/api/read_only_partition.h"
#include "varve/api/read_only_store.h"
#include "varve/api/store_verifier.h"
#include "varve/api/writer_presence.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/partition_stats.h"
#include "varve/log/system/environment.h"
#include "varve/log/verification/partition_verifier.h"
#include "varve/log/verification/verify_finding.h"
#include "varve/tools/command/topic_consumer.h"
#include "varve/tools/command/topic_details.h"
#include "varve/tools/monitor/store_stat.h"
#include "varve/tools/shell/command_line.h"
#include "varve/tools/shell/offset_spec.h"
#include "varve/tools/shell/record_format.h"
#include "varve/tools/shell/record_printer.h"

namespace varve {
namespace {

constexpr int kRecords = 12;

// A store with the topics "a", which is empty, and "b", of a few segments.
class ChangingStore {
 public:
  explicit ChangingStore(std::string path) : path_(std::move(path)) {
    Open();
    CreateTopic("a");
    CreateTopic("b");
    Fill("b");
  }

  const std::string& path() const { return path_; }
  LogStore& writer() { return *writer_; }
  bool is_open() const { return writer_ != nullptr; }

  void Open() {
    auto store = LogStore::Open(path_, {.background = Background::kNone,
                                        .log_sink = [](const LogMessage&) {}});
    CHECK_OK(store.status());
    writer_ = *std::move(store);
  }
  void Close() {
    CHECK_OK(writer_->Close());
    writer_ = nullptr;
  }
  void CreateTopic(std::string_view name) {
    TopicConfig config;
    config.log.segment_bytes = 400;
    config.log.file_delete_delay_ms = 0;
    CHECK_OK(writer_->CreateTopic(name, config));
  }
  void Fill(std::string_view topic) {
    auto partition = writer_->partition(topic, 0);
    CHECK_OK(partition.status());
    for (int n = 0; n < kRecords; ++n) {
      CHECK_OK(
          partition
              ->Append({.value = "value", .timestamp = absl::FromUnixMillis(n)},
                       Durability::kMemory)
              .status());
    }
    CHECK_OK(partition->Sync());
  }
  void Trim(std::string_view topic, int64_t offset) {
    auto partition = writer_->partition(topic, 0);
    CHECK_OK(partition.status());
    CHECK_OK(partition->TrimBefore(offset));
  }
  void Delete(std::string_view topic) {
    CHECK_OK(writer_->DeleteTopic(topic));
    CHECK_OK(writer_->RunMaintenance().status());
  }

 private:
  const std::string path_;
  std::unique_ptr<LogStore> writer_;
};

struct Change {
  const char* name;
  std::function<void(ChangingStore&)> make;
};

std::vector<Change> Changes() {
  return {
      {"trim", [](ChangingStore& store) { store.Trim("b", 7); }},
      {"trim everything",
       [](ChangingStore& store) { store.Trim("b", kRecords); }},
      {"append", [](ChangingStore& store) { store.Fill("b"); }},
      {"append and trim",
       [](ChangingStore& store) {
         store.Fill("b");
         store.Trim("b", kRecords + 8);
       }},
      {"delete", [](ChangingStore& store) { store.Delete("b"); }},
      {"delete and make again",
       [](ChangingStore& store) {
         store.Delete("b");
         store.CreateTopic("b");
         store.Fill("b");
         store.Trim("b", 5);
       }},
      {"make another", [](ChangingStore& store) { store.CreateTopic("c"); }},
      {"add a partition",
       [](ChangingStore& store) {
         CHECK_OK(store.writer().AddPartitions("b", 2));
       }},
      {"close", [](ChangingStore& store) { store.Close(); }},
      {"close, and another writer",
       [](ChangingStore& store) {
         store.Close();
         store.Open();
         store.Fill("b");
         store.Trim("b", kRecords + 5);
       }},
  };
}

using Look = std::function<void(ChangingStore&, FaultyFileSystem&)>;

// Makes every change before every call of `look`.
void LookBesideChanges(const Look& look) {
  for (const Change& change : Changes()) {
    for (int64_t call = 0;; ++call) {
      SCOPED_TRACE(absl::StrCat(change.name, " before call ", call));
      const MemoryDirectory directory;
      ChangingStore store(directory / "store");
      FaultyFileSystem files;
      bool made = false;
      files.RunBefore(call, [&] {
        made = true;
        change.make(store);
      });
      look(store, files);
      if (!made || testing::Test::HasFailure()) break;
    }
  }
}

void ExpectNoDamage(const ChangingStore& store, FaultyFileSystem& files) {
  Environment environment;
  environment.files = &files;
  const auto found = VerifyStore(
      store.path(), environment, {.writer = [&store] {
        return store.is_open() ? WriterPresence::kOpen : WriterPresence::kNone;
      }});
  ASSERT_TRUE(found.ok()) << found.status();
  for (const VerifyFinding& finding : found->findings)
    EXPECT_EQ(finding.severity, FindingSeverity::kNote) << finding.ToString();
  for (const PartitionVerification& partition : found->partitions) {
    for (const VerifyFinding& finding : partition.findings)
      EXPECT_EQ(finding.severity, FindingSeverity::kNote) << finding.ToString();
  }
}

TEST(BesideChangesTest, VerifyCallsNothingDamaged) {
  LookBesideChanges(ExpectNoDamage);
}

TEST(BesideChangesTest, VerifyOfAClosedStoreAllowsForAWriterThatComesAndGoes) {
  for (int64_t call = 0; !testing::Test::HasFailure(); ++call) {
    SCOPED_TRACE(absl::StrCat("before call ", call));
    const MemoryDirectory directory;
    ChangingStore store(directory / "store");
    store.Close();
    FaultyFileSystem files;
    bool made = false;
    files.RunBefore(call, [&] {
      made = true;
      store.Open();
      store.Fill("b");
      store.Trim("b", 7);
      store.Close();
    });
    ExpectNoDamage(store, files);
    if (!made) break;
  }
}

std::unique_ptr<ReadOnlyStore> OpenReader(const ChangingStore& store,
                                          FaultyFileSystem& files) {
  ReadOnlyOptions options;
  options.environment.files = &files;
  auto reader = ReadOnlyStore::Open(store.path(), options);
  CHECK_OK(reader.status());
  return *std::move(reader);
}

// A topic that was deleted may be reported as missing.
void ExpectOkOrGone(const absl::Status& status) {
  if (absl::IsNotFound(status)) return;
  EXPECT_TRUE(status.ok()) << status;
}

TEST(BesideChangesTest, DescribeShowsTheTopicOrThatItIsGone) {
  LookBesideChanges([](ChangingStore& store, FaultyFileSystem& files) {
    const auto reader = OpenReader(store, files);
    const absl::StatusOr<TopicDetails> details = DescribeTopic(*reader, "b");
    ExpectOkOrGone(details.status());
    if (!details.ok()) return;
    const PartitionStats& stats = details->partitions[0];
    EXPECT_LE(stats.log_start, stats.visible_end);
    EXPECT_GE(stats.visible_end, int64_t{kRecords});
  });
}

TEST(BesideChangesTest, StatHasNoFailures) {
  LookBesideChanges([](ChangingStore& store, FaultyFileSystem& files) {
    const auto reader = OpenReader(store, files);
    const auto stat = CollectStoreStat(*reader, {.data = store.path()}, {},
                                       InternalTopics::kInclude);
    ASSERT_TRUE(stat.ok()) << stat.status();
    EXPECT_THAT(stat->failures, testing::IsEmpty());
  });
}

void ExpectConsumed(std::string_view from) {
  LookBesideChanges([&](ChangingStore& store, FaultyFileSystem& files) {
    const auto reader = OpenReader(store, files);
    const auto start = OffsetSpec::Parse(from, absl::FromUnixMillis(kRecords));
    CHECK_OK(start.status());
    const int sink = open("/dev/null", O_WRONLY | O_CLOEXEC);
    RecordPrinter printer(sink, *RecordFormat::Parse("%s\\n"), 1'000'000);
    TopicConsumer consumer(reader.get(),
                           {.topic = "b",
                            .partition = {},
                            .start =
                                [&](const ReadOnlyPartition& partition) {
                                  return start->FindIn(partition);
                                }},
                           &printer);
    absl::Status status = consumer.Open();
    if (status.ok()) status = consumer.ConsumeToEnd();
    ExpectOkOrGone(status);
    CHECK_OK(printer.Flush());
    close(sink);
  });
}

TEST(BesideChangesTest, ConsumeFromTheEarliestRecordSucceeds) {
  ExpectConsumed("earliest");
}

TEST(BesideChangesTest, ConsumeOfTheLastRecordsSucceeds) {
  ExpectConsumed("-10");
}

TEST(BesideChangesTest, ConsumeFromATimeSucceeds) { ExpectConsumed("@-9ms"); }

}  // namespace
}  // namespace varve
