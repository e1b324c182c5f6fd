// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/manual/command_tree.h"

#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "varve/tools/manual/bash_completion.h"
#include "varve/tools/manual/completion_values.h"
#include "varve/tools/manual/man_page.h"
#include "varve/tools/manual/zsh_completion.h"

namespace varve {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// A program with one of everything.
class CommandTreeTest : public testing::Test {
 protected:
  void SetUp() override {
    app_.add_option("--data", text_, "the [data] directory: it's here")
        ->envname("VARVE_DATA")
        ->type_name("DIR");
    app_.footer(".dots 'quotes' \\t and -dashes");
    CLI::App* group = app_.add_subcommand("group", "what it is for");
    CLI::App* leaf = group->add_subcommand("leaf", "does something");
    leaf->footer("its own");
    leaf->add_option("TOPIC", text_, "the topic")->required();
    leaf->add_option("FILE", texts_, "files");
    leaf->add_option("--level", text_, "how much")
        ->check(CLI::IsMember({"low", "high"}))
        ->default_str("low");
    leaf->add_option("--watch", text_, "again")
        ->expected(0, 1)
        ->type_name("SECONDS");
    leaf->add_option("--header", texts_, "one of many")
        ->type_name("NAME=VALUE")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    leaf->add_flag("-f,--follow", flag_, "go on");
    leaf->add_flag("--secret", flag_, "hidden")->group("");
    tree_ = ReadCommandTree(app_);
  }

  const Command& leaf() const { return tree_.commands[0].commands[0]; }

  CLI::App app_ = CLI::App("a program", "varve");
  std::string text_;
  std::vector<std::string> texts_;
  bool flag_ = false;
  Command tree_;
};

TEST_F(CommandTreeTest, CommandsHavePathsAndTextsOfTheirOwn) {
  EXPECT_EQ(tree_.name, "varve");
  EXPECT_EQ(tree_.path, "");
  EXPECT_EQ(leaf().name, "leaf");
  EXPECT_EQ(leaf().path, "group leaf");
  EXPECT_EQ(leaf().description, "does something");
  EXPECT_EQ(leaf().footer, "its own");
  EXPECT_EQ(tree_.commands[0].footer, "");
  EXPECT_THAT(AllCommands(tree_),
              ElementsAre(&tree_, &tree_.commands[0], &leaf()));
}

TEST_F(CommandTreeTest, OptionsAreReadAsTheyWereDeclared) {
  EXPECT_EQ(leaf().arguments.size(), 2);
  EXPECT_THAT(leaf().arguments[0].names, ElementsAre("TOPIC"));
  EXPECT_TRUE(leaf().arguments[0].is_required);
  EXPECT_FALSE(leaf().arguments[0].repeats);
  EXPECT_TRUE(leaf().arguments[1].repeats);
  ASSERT_EQ(leaf().options.size(), 5);
  EXPECT_THAT(leaf().options[0].names, ElementsAre("-h", "--help"));
  const CommandOption& level = leaf().options[1];
  EXPECT_THAT(level.choices, ElementsAre("low", "high"));
  EXPECT_EQ(level.default_value, "low");
  EXPECT_EQ(level.needs_value, ValueNeed::kRequired);
  EXPECT_EQ(leaf().options[2].needs_value, ValueNeed::kOptional);
  EXPECT_EQ(leaf().options[2].value_name, "SECONDS");
  EXPECT_TRUE(leaf().options[3].repeats);
  EXPECT_THAT(leaf().options[4].names, ElementsAre("-f", "--follow"));
  EXPECT_EQ(leaf().options[4].needs_value, ValueNeed::kNone);
  EXPECT_EQ(tree_.options[1].environment_variable, "VARVE_DATA");
}

TEST_F(CommandTreeTest, ValuesAreCompletedByTheirNames) {
  EXPECT_EQ(CompletionKindOf(tree_.options[1]), CompletionKind::kDirectory);
  EXPECT_EQ(CompletionKindOf(leaf().arguments[0]), CompletionKind::kTopic);
  EXPECT_EQ(CompletionKindOf(leaf().arguments[1]), CompletionKind::kFile);
  EXPECT_EQ(CompletionKindOf(leaf().options[1]), CompletionKind::kChoices);
  EXPECT_EQ(CompletionKindOf(leaf().options[2]), CompletionKind::kAny);
  EXPECT_EQ(OptionsWithin(tree_, leaf()).size(), 6);
}

TEST_F(CommandTreeTest, HiddenOptionsStayHidden) {
  for (const std::string& text :
       {BashCompletion(tree_), ZshCompletion(tree_), ManPage(tree_, "1.0")}) {
    EXPECT_THAT(text, Not(HasSubstr("secret")));
  }
}

TEST_F(CommandTreeTest, ManPageMeansNothingElseToRoff) {
  const std::string page = ManPage(tree_, "1.0-dev");
  EXPECT_THAT(
      page, AllOf(HasSubstr(".TH VARVE 1 \"\" \"varve 1.0\\-dev\""),
                  HasSubstr("\n\\&.dots \\(aqquotes\\(aq \\et and \\-dashes\n"),
                  HasSubstr(".SS group leaf\n"),
                  HasSubstr("\\fB\\-f\\fR, \\fB\\-\\-follow\\fR\nGo on.\n"),
                  HasSubstr("\\fB\\-\\-watch\\fR [\\fISECONDS\\fR]\n"),
                  HasSubstr("\\fB\\-\\-level\\fR \\fIlow|high\\fR\n"
                            "How much. Default: low.\n"),
                  HasSubstr("VARVE_DATA does the same.")));
}

TEST_F(CommandTreeTest, ZshGetsItsTextsEscaped) {
  EXPECT_THAT(
      ZshCompletion(tree_),
      AllOf(HasSubstr(R"('(--data)--data=[the \[data\] directory\: it'\''s )"
                      R"(here]:DIR:_files -/')"),
            HasSubstr(R"('(--level)--level=[how much]:TEXT:(low high)')"),
            HasSubstr(R"('(--watch)--watch=[again]::SECONDS: ')"),
            HasSubstr(R"('*--header=[one of many]:NAME=VALUE: ')"),
            HasSubstr(R"('1:TOPIC:_varve__names_of_topics')"),
            HasSubstr(R"('*:FILE:_files')")));
}

}  // namespace
}  // namespace varve
