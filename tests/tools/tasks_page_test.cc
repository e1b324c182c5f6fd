// SPDX-License-Identifier: Apache-2.0

// The commands of docs/tasks.md, run in their order by a shell, on one store.

#include <stdlib.h>

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/broker_directory.h"
#include "tests/fixture/program_output.h"
#include "tests/tools/command_runner.h"
#include "varve/log/metadata/topic_id.h"

namespace varve {
namespace {

using ::testing::IsSupersetOf;

// What stands between backquotes in the second column of a table.
std::vector<std::string> CommandsIn(std::string_view row) {
  // A bar within a column is written \|.
  const std::string line = absl::StrReplaceAll(row, {{"\\|", "\x01"}});
  const std::vector<std::string> columns = absl::StrSplit(line, '|');
  std::vector<std::string> commands;
  if (columns.size() < 4) return commands;
  const std::vector<std::string> parts = absl::StrSplit(columns[2], '`');
  for (size_t i = 1; i < parts.size(); i += 2) {
    if (!absl::StrContains(parts[i], "varve ")) continue;  // a column's name
    commands.push_back(absl::StrReplaceAll(parts[i], {{"\x01", "|"}}));
  }
  return commands;
}

std::vector<std::string> CommandsOfPage() {
  const std::string page = ReadFileOrDie("docs/tasks.md");
  std::vector<std::string> commands;
  for (const std::string_view line : absl::StrSplit(page, '\n')) {
    for (const std::string& command : CommandsIn(line))
      commands.push_back(command);
  }
  return commands;
}

class TasksPageTest : public testing::Test {
 protected:
  void SetUp() override {
    int status = 0;
    OutputOf("command -v bash", &status);
    if (status != 0) GTEST_SKIP() << "there is no bash";
    WriteFileOrDie(runner_.PathTo("orders.txt"), "paid\npacked\nsent\n");
    WriteFileOrDie(runner_.PathTo("keyed.txt"), "o-1:paid\no-2:paid\no-3:\n");
    WriteFileOrDie(runner_.PathTo("orders.jsonl"),
                   "{\"key\":\"o-9\",\"value\":\"paid\","
                   "\"headers\":[{\"name\":\"source\",\"value\":null}],"
                   "\"timestamp\":1795168800000}\n");
    const BrokerDirectory broker(runner_.PathTo("broker"));
    broker.AddPartition("orders-0", TopicId(1, 2));
    broker.PutSegment("orders-0", 0, BrokerBatch(0, {"paid", "packed"}));
    broker.PutRecoveryPoints({{"orders", 0, 2}});
    broker.MarkCleanlyStopped();
    const BrokerDirectory empty(runner_.PathTo("empty-broker"));
    empty.AddPartition("orders-0", TopicId(3, 4));
    empty.PutSegment("orders-0", 0, "");
  }

  // Runs it as it stands there; one that does not end by itself is given an
  // end.
  void RunInShell(const std::string& command) {
    const std::string tools = absl::StrCat(getenv("TEST_SRCDIR"), "/",
                                           getenv("TEST_WORKSPACE"), "/tools");
    const std::string script = runner_.PathTo("script");
    WriteFileOrDie(
        script,
        absl::StrCat(
            "set -e -o pipefail\nPATH='", tools, "':\"$PATH\"\nexport ",
            "VARVE_DATA='", runner_.data(), "'\ncd '", runner_.PathTo("."),
            "'\n",
            absl::StrReplaceAll(command, {{"--follow", "--follow --count 1"},
                                          {" --watch 5", ""}}),
            "\n"));
    int status = -1;
    const std::string output =
        OutputOf(absl::StrCat("bash '", script, "' 2>&1"), &status);
    EXPECT_EQ(status, 0) << command << "\n" << output;
  }

  CommandRunner runner_;
};

TEST_F(TasksPageTest, EveryCommandSucceedsAfterThoseBeforeIt) {
  const std::vector<std::string> commands = CommandsOfPage();
  EXPECT_GE(commands.size(), 40u);
  for (const std::string& command : commands) RunInShell(command);
}

TEST_F(TasksPageTest, EveryCommandOfTheProgramHasAJob) {
  std::set<std::string> used;
  for (const std::string& command : CommandsOfPage()) {
    const std::vector<std::string> words = absl::StrSplit(command, ' ');
    for (size_t i = 0; i + 1 < words.size(); ++i) {
      if (!absl::EndsWith(words[i], "varve")) continue;
      used.insert(words[i + 1]);
      if (words[i + 1] == "topics" || words[i + 1] == "groups")
        used.insert(absl::StrCat(words[i + 1], " ", words.at(i + 2)));
    }
  }
  const std::vector<std::string> all = {"backup",
                                        "completion",
                                        "consume",
                                        "dump-log",
                                        "export",
                                        "groups delete",
                                        "groups describe",
                                        "groups list",
                                        "groups reset",
                                        "import",
                                        "man",
                                        "metrics",
                                        "produce",
                                        "restore",
                                        "stat",
                                        "topics alter",
                                        "topics create",
                                        "topics delete",
                                        "topics list",
                                        "topics describe",
                                        "trim",
                                        "verify"};
  EXPECT_THAT(used, IsSupersetOf(all));
}

}  // namespace
}  // namespace varve
