// SPDX-License-Identifier: Apache-2.0

// `varve completion` and `varve man` have every command and option that the
// help has; bash and roff take them as they are.

#include <stdlib.h>
#include <unistd.h>

#include <regex>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/program_output.h"
#include "tests/tools/command_runner.h"

namespace varve {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;

using Words = std::vector<std::string>;

// What a program prints, its errors included.
std::string AllOutputOf(const std::string& command) {
  int status = 0;  // what it prints says more
  return OutputOf(absl::StrCat(command, " 2>&1"), &status);
}

bool HasProgram(const std::string& name) {
  return !AllOutputOf(absl::StrCat("command -v ", name)).empty();
}

class ManualTest : public testing::Test {
 protected:
  // The names of options in the help of a command.
  std::set<std::string> OptionsInHelp(Words command) {
    command.push_back("--help");
    const CommandResult help = runner_.Varve(command);
    EXPECT_EQ(help.exit_status, 0) << absl::StrJoin(command, " ");
    // The footers have examples; options stand at the start of a line.
    const std::regex name("\n  (?:-[a-z],)?(--[a-z-]+)");
    std::set<std::string> names;
    for (std::sregex_iterator it(help.out.begin(), help.out.end(), name), end;
         it != end; ++it) {
      names.insert((*it)[1]);
    }
    return names;
  }

  CommandRunner runner_;
};

// Asks the functions of the script what may come where the last word is.
class BashTest : public ManualTest {
 protected:
  void SetUp() override {
    if (!HasProgram("bash")) GTEST_SKIP() << "there is no bash";
    const CommandResult script = runner_.Varve({"completion", "bash"});
    ASSERT_EQ(script.exit_status, 0) << script.err;
    WriteFileOrDie(runner_.PathTo("completion"), script.out);
  }

  Words Complete(const Words& words) {
    std::string line = absl::StrCat("'", getenv("TEST_SRCDIR"), "/",
                                    getenv("TEST_WORKSPACE"), "/tools/varve'");
    for (const std::string& word : words) {
      absl::StrAppend(&line, " '", absl::StrReplaceAll(word, {{"'", "'\\''"}}),
                      "'");
    }
    WriteFileOrDie(
        runner_.PathTo("ask"),
        absl::StrCat("set -u\nexport VARVE_DATA='", runner_.data(),
                     "'\nsource '", runner_.PathTo("completion"),
                     "'\nCOMP_WORDS=(", line, ")\nCOMP_CWORD=", words.size(),
                     "\n_varve\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n"));
    return absl::StrSplit(
        AllOutputOf(absl::StrCat("bash ", runner_.PathTo("ask"))), '\n',
        absl::SkipEmpty());
  }

  // The commands below `path`, at any depth, as words.
  std::vector<Words> CommandsBelow(const Words& path) {
    std::vector<Words> all;
    Words next = path;
    next.push_back("");
    for (const std::string& name : Complete(next)) {
      Words command = path;
      command.push_back(name);
      all.push_back(command);
      // Other commands complete their arguments.
      if (name != "topics" && name != "groups") continue;
      for (const Words& below : CommandsBelow(command)) all.push_back(below);
    }
    return all;
  }
};

TEST_F(BashTest, BackupAndRestoreCompleteDirectories) {
  runner_.CreateTopic("orders");
  for (const char* command : {"backup", "restore"}) {
    EXPECT_THAT(Complete({command, runner_.PathTo("")}),
                Contains(HasSubstr(runner_.data())))
        << command;
  }
}

TEST_F(BashTest, CommandsAndTheirCommandsAreCompleted) {
  EXPECT_THAT(
      Complete({""}),
      IsSupersetOf({"topics", "produce", "consume", "groups", "trim", "verify",
                    "dump-log", "metrics", "stat", "completion", "man"}));
  EXPECT_THAT(Complete({"top"}), ElementsAre("topics"));
  EXPECT_THAT(Complete({"--json", "--data", "x", "topics", "del"}),
              ElementsAre("delete"));
  EXPECT_THAT(Complete({"groups", ""}), IsSupersetOf({"describe", "reset"}));
  EXPECT_THAT(Complete({"frob"}), IsEmpty());
}

TEST_F(BashTest, EveryOptionOfEveryHelpIsCompleted) {
  const std::vector<Words> commands = CommandsBelow({});
  ASSERT_GT(commands.size(), 15);
  for (const Words& command : commands) {
    const std::set<std::string> options = OptionsInHelp(command);
    EXPECT_THAT(options, Contains("--help")) << absl::StrJoin(command, " ");
    Words line = command;
    line.push_back("--");
    EXPECT_THAT(Complete(line), IsSupersetOf(options))
        << absl::StrJoin(command, " ");
    EXPECT_THAT(Complete(line), IsSupersetOf({"--data", "--json"}));
  }
}

TEST_F(BashTest, ValuesAreCompletedByWhatTheyAre) {
  EXPECT_THAT(Complete({"produce", "t", "--durability", ""}),
              ElementsAre("memory", "interval", "synced"));
  for (const char* option : {"--compression", "--compression-codec"}) {
    EXPECT_THAT(Complete({"produce", "t", option, ""}),
                ElementsAre("none", "gzip", "snappy", "lz4", "zstd"));
  }
  EXPECT_THAT(Complete({"completion", "z"}), ElementsAre("zsh"));
  EXPECT_THAT(Complete({"consume", "t", "--count", ""}), IsEmpty());
  WriteFileOrDie(runner_.PathTo("some lines"), "x");
  EXPECT_THAT(Complete({"produce", "t", runner_.PathTo("some")}),
              ElementsAre(runner_.PathTo("some lines")));
  EXPECT_THAT(Complete({"dump-log", "a", "b", runner_.PathTo("some")}),
              ElementsAre(runner_.PathTo("some lines")));
  EXPECT_THAT(Complete({"--data", runner_.PathTo("some")}), IsEmpty());
}

TEST_F(BashTest, TopicsAreThoseOfTheStore) {
  EXPECT_THAT(Complete({"consume", ""}), IsEmpty());
  runner_.CreateTopic("orders");
  runner_.CreateTopic("other");
  EXPECT_THAT(Complete({"consume", "o"}), ElementsAre("orders", "other"));
  EXPECT_THAT(Complete({"trim", "ord"}), ElementsAre("orders"));
  EXPECT_THAT(Complete({"groups", "reset", "g", "ot"}), ElementsAre("other"));
  EXPECT_THAT(Complete({"--data", "/no/such", "consume", "o"}), IsEmpty());
}

// The words that bash makes of an argument: "=" is a word of its own.
Words AsBashSplits(const Words& arguments) {
  Words words;
  for (const std::string& argument : arguments) {
    const size_t equals = argument.find('=');
    words.push_back(argument.substr(0, equals));
    if (equals == argument.npos) continue;
    words.push_back("=");
    if (equals + 1 < argument.size())
      words.push_back(argument.substr(equals + 1));
  }
  return words;
}

TEST_F(BashTest, ValueAfterAnEqualsSignIsTheOptions) {
  const std::string other = runner_.PathTo("other");
  runner_.CreateTopic("elsewhere", {"--data", other});
  EXPECT_THAT(Complete(AsBashSplits({"--data=" + other, "consume", "else"})),
              ElementsAre("elsewhere"));
  EXPECT_THAT(
      Complete(AsBashSplits({"consume", "--data=" + other, "--count=1", ""})),
      ElementsAre("elsewhere"));
  EXPECT_THAT(Complete(AsBashSplits({"produce", "t", "--durability="})),
              ElementsAre("memory", "interval", "synced"));
  EXPECT_THAT(Complete(AsBashSplits({"produce", "t", "--durability=sy"})),
              ElementsAre("synced"));
}

// Asks an interactive zsh what it completes a line to.
class ZshTest : public ManualTest {
 protected:
  void SetUp() override {
    if (!HasProgram("zsh")) GTEST_SKIP() << "there is no zsh to ask";
    const CommandResult script = runner_.Varve({"completion", "zsh"});
    ASSERT_EQ(script.exit_status, 0) << script.err;
    WriteFileOrDie(runner_.PathTo("_varve"), script.out);
    WriteFileOrDie(runner_.PathTo("setup"),
                   absl::StrCat("PS1= PS2= RPS1=\n"
                                "autoload -Uz compinit && compinit -u -D\n"
                                "source '",
                                runner_.PathTo("_varve"),
                                "'\n"
                                "_answer() {\n"
                                "  zle complete-word\n"
                                "  print -rn -- \"${BUFFER}\" >'",
                                runner_.PathTo("answer"),
                                "'\n"
                                "  exit\n"
                                "}\n"
                                "zle -N _answer\n"
                                "bindkey '^T' _answer\n"
                                "print READY\n"));
  }

  std::string Complete(const std::string& line) {
    unlink(runner_.PathTo("answer").c_str());
    WriteFileOrDie(
        runner_.PathTo("ask"),
        absl::StrCat("zmodload zsh/zpty || exit\n"
                     "export TERM=dumb VARVE_DATA='",
                     runner_.data(), "' PATH='", getenv("TEST_SRCDIR"), "/",
                     getenv("TEST_WORKSPACE"),
                     "/tools':${PATH}\n"
                     "zpty asked zsh -f -i\n"
                     "zpty -w asked \"source '",
                     runner_.PathTo("setup"),
                     "'\"\n"
                     "zpty -r asked REPLY '*READY*'\n"
                     "zpty -n -w asked '",
                     line,
                     "'$'\\x14'\n"
                     "while zpty -r asked REPLY; do :; done\n"));
    EXPECT_EQ(AllOutputOf(absl::StrCat("zsh -f ", runner_.PathTo("ask"))), "");
    return ReadFileOrDie(runner_.PathTo("answer"));
  }
};

TEST_F(ZshTest, TopicsAreThoseOfTheStoreThatTheLineNames) {
  const std::string other = runner_.PathTo("other");
  runner_.CreateTopic("orders");
  runner_.CreateTopic("elsewhere", {"--data", other});
  EXPECT_EQ(Complete("varve consume o"), "varve consume orders ");
  for (const std::string& before :
       {"varve --data=" + other + " consume ",
        "varve --data " + other + " consume ",
        "varve consume --data=" + other + " ",
        "varve groups --data " + other + " reset g ",
        "varve --data=/no groups reset --data=" + other + " --topic "}) {
    EXPECT_EQ(Complete(before + "else"), before + "elsewhere ");
  }
}

TEST_F(ZshTest, GlobalOptionAfterACommandHidesNothing) {
  EXPECT_EQ(Complete("varve topics --json desc"),
            "varve topics --json describe ");
  EXPECT_EQ(Complete("varve produce t --json --durability me"),
            "varve produce t --json --durability memory ");
}

TEST_F(ManualTest, ZshTakesItsScript) {
  const CommandResult script = runner_.Varve({"completion", "zsh"});
  EXPECT_EQ(script.exit_status, 0) << script.err;
  EXPECT_TRUE(absl::StartsWith(script.out, "#compdef varve\n"));
  EXPECT_THAT(script.out, HasSubstr("_varve_groups_reset()"));
  if (!HasProgram("zsh")) GTEST_SKIP() << "there is no zsh to ask";
  WriteFileOrDie(runner_.PathTo("_varve"), script.out);
  EXPECT_EQ(AllOutputOf(absl::StrCat("zsh -n ", runner_.PathTo("_varve"))), "");
}

TEST_F(ManualTest, ShellThatIsNoneIsRefused) {
  EXPECT_EQ(runner_.Varve({"completion"}).exit_status, 2);
  EXPECT_EQ(runner_.Varve({"completion", "fish"}).exit_status, 2);
}

TEST_F(ManualTest, ManPageHasEveryCommandAndOption) {
  const CommandResult page = runner_.Varve({"man"});
  ASSERT_EQ(page.exit_status, 0) << page.err;
  EXPECT_EQ(page.err, "");
  for (const Words& command : std::vector<Words>{{"topics", "create"},
                                                 {"topics", "list"},
                                                 {"topics", "describe"},
                                                 {"topics", "alter"},
                                                 {"topics", "delete"},
                                                 {"produce"},
                                                 {"consume"},
                                                 {"groups", "list"},
                                                 {"groups", "describe"},
                                                 {"groups", "reset"},
                                                 {"groups", "delete"},
                                                 {"trim"},
                                                 {"verify"},
                                                 {"dump-log"},
                                                 {"metrics"},
                                                 {"stat"},
                                                 {"completion"},
                                                 {"man"}}) {
    const std::string heading = absl::StrCat(
        "\n.SS ",
        absl::StrReplaceAll(absl::StrJoin(command, " "), {{"-", "\\-"}}), "\n");
    const size_t begin = page.out.find(heading);
    ASSERT_NE(begin, page.out.npos) << heading;
    const size_t end = page.out.find("\n.S", begin + heading.size());
    const std::string section = page.out.substr(begin, end - begin);
    for (const std::string& option : OptionsInHelp(command)) {
      if (option == "--help") continue;
      EXPECT_THAT(section,
                  HasSubstr(absl::StrReplaceAll(
                      absl::StrCat("\\fB", option, "\\fR"), {{"-", "\\-"}})));
    }
  }
}

TEST_F(ManualTest, RoffTakesTheManPageWithoutAWarning) {
  if (!HasProgram("groff")) GTEST_SKIP() << "there is no groff to ask";
  WriteFileOrDie(runner_.PathTo("varve.1"), runner_.Varve({"man"}).out);
  const std::string groff =
      absl::StrCat("groff -man -Tutf8 -ww -k ", runner_.PathTo("varve.1"));
  EXPECT_EQ(AllOutputOf(absl::StrCat("(", groff, " 2>&1 >/dev/null)")), "");
  EXPECT_THAT(AllOutputOf(groff),
              HasSubstr("Append a record for each line of a file."));
}

}  // namespace
}  // namespace varve
