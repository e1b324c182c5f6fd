// SPDX-License-Identifier: Apache-2.0

// `varve produce --json` takes what `varve consume --json` prints.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/tools/command_runner.h"
#include "varve/api/log_store.h"
#include "varve/api/partitioner.h"
#include "varve/log/batch/record.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/batch/record_view.h"

namespace varve {
namespace {

using ::nlohmann::json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

// A record with what it holds.
struct Kept {
  std::optional<std::string> key = std::nullopt;
  std::optional<std::string> value = std::nullopt;
  std::vector<std::pair<std::string, std::optional<std::string>>> headers = {};
  int64_t timestamp_ms = 0;

  friend bool operator==(const Kept&, const Kept&) = default;
};

std::ostream& operator<<(std::ostream& out, const Kept& kept) {
  out << absl::CHexEscape(kept.key.value_or("(null)")).substr(0, 40) << ": "
      << absl::CHexEscape(kept.value.value_or("(null)")).substr(0, 40);
  for (const auto& [name, value] : kept.headers) {
    out << " " << absl::CHexEscape(name) << "="
        << absl::CHexEscape(value.value_or("(null)"));
  }
  return out << " @" << kept.timestamp_ms;
}

std::string EveryByte() {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes.push_back(static_cast<char>(i));
  return bytes;
}

// Records that a careless path through text would change.
std::vector<Kept> HardRecords() {
  return {
      {.key = std::nullopt, .value = "plain", .timestamp_ms = 1700000000123},
      {.key = "", .value = "", .timestamp_ms = 0},
      {.key = "tombstone", .value = std::nullopt, .timestamp_ms = 1},
      {.key = std::nullopt, .value = std::nullopt, .timestamp_ms = -1},
      {.key = std::string("\xff\0\xfe", 3), .value = EveryByte()},
      {.key = std::string("\0", 1), .value = "a\nb\r\t\"c\" \\ \x7f \x01"},
      {.key = "Grüße", .value = "😀 \u2028 \ufeff", .timestamp_ms = 5},
      {.key = "null", .value = R"({"value":null})", .timestamp_ms = 4},
      {.key = "/w==", .value = "NULL", .timestamp_ms = 253402300799999},
      {.key = "k",
       .value = "v",
       .headers = {{"a", "1"},
                   {"a", std::nullopt},
                   {"b", ""},
                   {"", "no name"},
                   {"a", "\xff\xfe"},
                   {"\xff", "binary name"}},
       .timestamp_ms = 7},
      {.key = "large", .value = std::string(1'000'000, '\x01')},
      {.key = "last", .value = std::string(100'000, '\xff')},
  };
}

class ProduceJsonTest : public testing::Test {
 protected:
  // Appends the records by the library, each in a batch of its own.
  void Append(const std::string& topic, int32_t index,
              const std::vector<Kept>& records) {
    auto store =
        LogStore::Open(runner_.data(), {.background = Background::kNone});
    CHECK_OK(store.status());
    auto partition = (*store)->partition(topic, index);
    CHECK_OK(partition.status());
    for (const Kept& kept : records) {
      std::vector<Header> headers;
      for (const auto& [name, value] : kept.headers) {
        headers.push_back({.key = name, .value = value});
      }
      RecordBatchBuilder batch;
      CHECK_OK(batch.Append(
          {.key = kept.key, .value = kept.value, .headers = headers},
          kept.timestamp_ms));
      CHECK_OK(partition->Append(batch.Finish(), Durability::kMemory).status());
    }
    CHECK_OK((*store)->Close());
  }

  std::vector<Kept> Read(const std::string& topic, int32_t index = 0) {
    auto store = LogStore::OpenReadOnly(runner_.data());
    CHECK_OK(store.status());
    auto partition = (*store)->partition(topic, index);
    CHECK_OK(partition.status());
    std::vector<Kept> found;
    for (int64_t next = 0;;) {
      const auto batches = partition->Read(next);
      CHECK_OK(batches.status());
      if (batches->empty()) return found;
      RecordBatches::Records records = batches->records();
      while (const RecordView* record = records.Next()) {
        Kept kept = {.timestamp_ms = record->timestamp_ms()};
        if (record->key().has_value()) kept.key = *record->key();
        if (record->value().has_value()) kept.value = *record->value();
        for (const Header& header : record->headers()) {
          kept.headers.emplace_back(header.key, header.value);
        }
        found.push_back(kept);
      }
      CHECK_OK(records.status());
      next = batches->next_offset();
    }
  }

  std::string Consume(const std::string& topic) {
    const CommandResult result = runner_.Varve({"consume", topic, "--json"});
    EXPECT_EQ(result.exit_status, 0) << result.err;
    return result.out;
  }

  CommandResult Produce(const std::string& topic, std::string_view lines,
                        const std::vector<std::string>& options = {}) {
    std::vector<std::string> line = {"produce", topic, "--json"};
    line.insert(line.end(), options.begin(), options.end());
    return runner_.Varve(line, lines);
  }

  CommandRunner runner_;
};

TEST_F(ProduceJsonTest, EveryRecordComesBackAsItWas) {
  runner_.CreateTopic("hard");
  runner_.CreateTopic("copy");
  Append("hard", 0, HardRecords());
  const CommandResult result = Produce("copy", Consume("hard"));
  ASSERT_EQ(result.exit_status, 0) << result.err;
  EXPECT_EQ(json::parse(result.out)["records"], HardRecords().size());
  const std::vector<Kept> copied = Read("copy");
  ASSERT_EQ(copied.size(), HardRecords().size());
  for (size_t i = 0; i < copied.size(); ++i) {
    EXPECT_EQ(copied[i], HardRecords()[i]) << "record " << i;
  }
  EXPECT_EQ(runner_.Varve({"verify"}).exit_status, 0);
}

TEST_F(ProduceJsonTest, PartitionsAreKeptOnRequest) {
  runner_.CreateTopic("from", {"--partitions", "3"});
  runner_.CreateTopic("to", {"--partitions", "3"});
  const Kept one = {.key = "a", .value = "1"};
  const Kept two = {.key = std::nullopt, .value = "2"};
  Append("from", 1, {one, two});
  Append("from", 2, {two});
  const CommandResult result =
      Produce("to", Consume("from"), {"--keep-partitions"});
  ASSERT_EQ(result.exit_status, 0) << result.err;
  EXPECT_THAT(Read("to", 0), IsEmpty());
  EXPECT_THAT(Read("to", 1), ElementsAre(one, two));
  EXPECT_THAT(Read("to", 2), ElementsAre(two));
}

TEST_F(ProduceJsonTest, KeyDecidesThePartitionUnlessToldOtherwise) {
  runner_.CreateTopic("from", {"--partitions", "3"});
  runner_.CreateTopic("to", {"--partitions", "2"});
  const Kept keyed = {.key = "a", .value = "1"};
  const Kept other = {.key = std::nullopt, .value = "2"};
  Append("from", 2, {keyed});
  Append("from", 2, {other});
  ASSERT_EQ(Produce("to", Consume("from")).exit_status, 0);
  const int32_t of_key = PartitionForKey("a", 2);
  EXPECT_THAT(Read("to", of_key), testing::Contains(keyed));
  EXPECT_THAT(Read("to", 0), testing::Contains(other));
  ASSERT_EQ(Produce("to", Consume("from"), {"--partition", "1"}).exit_status,
            0);
  EXPECT_THAT(Read("to", 1), testing::IsSupersetOf({keyed, other}));
}

TEST_F(ProduceJsonTest, TopicThatStampsDoesSo) {
  runner_.CreateTopic("stamped",
                      {"--config", "message.timestamp.type=LogAppendTime"});
  ASSERT_EQ(Produce("stamped", R"({"value":"v","timestamp":5})").exit_status,
            0);
  const std::vector<Kept> found = Read("stamped");
  ASSERT_EQ(found.size(), 1);
  EXPECT_GT(found[0].timestamp_ms, 5);
}

TEST_F(ProduceJsonTest, LineWithoutATimeGetsThatOfTheAppend) {
  runner_.CreateTopic("t");
  ASSERT_EQ(Produce("t", R"({"value":"v"})").exit_status, 0);
  const std::vector<Kept> found = Read("t");
  ASSERT_EQ(found.size(), 1);
  EXPECT_GT(found[0].timestamp_ms, 0);
}

TEST_F(ProduceJsonTest, BadLineIsNamedAndThoseBeforeItAreAppended) {
  runner_.CreateTopic("t");
  const std::pair<std::string, std::string> bad[] = {
      {"value", "not JSON"},
      {"", "not JSON"},
      {R"({"vaule":"x"})", "\"vaule\" is no field"},
      {R"({"value":"x","timestamp":"now"})", "\"timestamp\" is neither"},
      {absl::StrCat(R"({"value":")", std::string(1'100'000, 'x'), R"("})"),
       "max.message.bytes"},
      {absl::StrCat(R"({"value":")", std::string(15'000'000, 'x'), R"("})"),
       "max.message.bytes"}};
  size_t appended = 0;
  for (const auto& [line, why] : bad) {
    const CommandResult result =
        Produce("t", absl::StrCat("{\"value\":\"a\"}\n{\"value\":\"b\"}\n",
                                  line, "\n{\"value\":\"after\"}\n"));
    EXPECT_EQ(result.exit_status, 1);
    EXPECT_THAT(result.err,
                AllOf(StartsWith("varve: stdin: line 3: "), HasSubstr(why),
                      HasSubstr("2 records before that were appended to t")));
    EXPECT_EQ(json::parse(result.out)["ok"], false);
    appended += 2;
    const std::vector<Kept> found = Read("t");
    ASSERT_EQ(found.size(), appended);
    EXPECT_EQ(found.back().value, "b");
  }
}

TEST_F(ProduceJsonTest, TimeThatTheTopicRefusesStopsAtItsLine) {
  runner_.CreateTopic("t",
                      {"--config", "message.timestamp.before.max.ms=3600000"});
  const CommandResult result =
      Produce("t",
              "{\"value\":\"a\"}\n{\"value\":\"b\",\"timestamp\":5}\n"
              "{\"value\":\"c\"}\n");
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_THAT(result.err,
              HasSubstr("line 2: timestamp 5 ms is outside of "
                        "message.timestamp.before.max.ms (3600000) around"));
  EXPECT_EQ(Read("t").size(), 1);
  runner_.CreateTopic("u",
                      {"--config", "message.timestamp.after.max.ms=3600000"});
  const CommandResult ahead =
      Produce("u", R"({"value":"a","timestamp":253402300799999})");
  EXPECT_EQ(ahead.exit_status, 1);
  EXPECT_THAT(ahead.err,
              HasSubstr("line 1: timestamp 253402300799999 ms is outside of "
                        "message.timestamp.after.max.ms (3600000) around"));
  EXPECT_THAT(Read("u"), IsEmpty());
}

TEST_F(ProduceJsonTest, PartitionsThatCannotBeKeptAreTold) {
  runner_.CreateTopic("t", {"--partitions", "2"});
  EXPECT_THAT(Produce("t", R"({"value":"v"})", {"--keep-partitions"}).err,
              HasSubstr("line 1: no \"partition\""));
  EXPECT_THAT(
      Produce("t", R"({"value":"v","partition":2})", {"--keep-partitions"}).err,
      AllOf(HasSubstr("line 1: partition 2: t has 2"),
            HasSubstr("without --keep-partitions")));
  const CommandResult both =
      Produce("t", "", {"--keep-partitions", "--partition", "1"});
  EXPECT_EQ(both.exit_status, 2);
}

TEST_F(ProduceJsonTest, OptionsOfPlainLinesAreRefused) {
  runner_.CreateTopic("t");
  for (const std::vector<std::string>& option :
       {std::vector<std::string>{"--key-separator", ":"},
        {"--null", ""},
        {"--header", "a=b"},
        {"--timestamp", "5"}}) {
    const CommandResult result = Produce("t", "", option);
    EXPECT_EQ(result.exit_status, 2);
    EXPECT_THAT(result.err, HasSubstr(option[0] + ": not with --json"));
  }
  const CommandResult plain =
      runner_.Varve({"produce", "t", "--keep-partitions"});
  EXPECT_EQ(plain.exit_status, 2);
  EXPECT_THAT(plain.err, HasSubstr("--keep-partitions"));
}

}  // namespace
}  // namespace varve
