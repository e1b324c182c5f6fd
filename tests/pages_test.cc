// SPDX-License-Identifier: Apache-2.0

// Each page that shows a program shows the one in examples/, which is built and
// run here, and what it prints.

#include <cstddef>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/file_bytes.h"
#include "tests/fixture/program_output.h"
#include "tests/fixture/scratch_directory.h"

namespace varve {
namespace {

using ::testing::HasSubstr;

// One run of a program.
struct ProgramRun {
  std::string arguments;  // after its directory
  std::string output;
};

struct Page {
  std::string path;
  std::string program;           // its name in examples/
  std::vector<ProgramRun> runs;  // one after another, on the same directory

  friend void PrintTo(const Page& page, std::ostream* out) {
    *out << page.path;
  }
};

// Those of docs/.
std::vector<Page> DocPages() {
  return {{.path = "docs/backup.md",
           .program = "backup",
           .runs = {{"",
                     "backed up: offsets 0 to 2\n"
                     "restored: 1 packed\n"
                     "restored: 2 sent\n"}}},
          {.path = "docs/durable-queue.md",
           .program = "queue_in_twenty_lines",
           .runs = {{"a b", "doing a\ndoing b\n"}, {"c", "doing c\n"}}},
          {.path = "docs/replay.md",
           .program = "replay",
           .runs = {{"",
                     "all that is there:\n"
                     "0 read at 0:00\n1 read at 1:00\n2 read at 2:00\n"
                     "3 read at 3:00\n4 read at 4:00\n5 read at 5:00\n"
                     "since 4:00:\n4 read at 4:00\n5 read at 5:00\n"
                     "from offset 1 on, which is trimmed:\n"
                     "deleted: 1 to 1\n2 read at 2:00\n3 read at 3:00\n"
                     "4 read at 4:00\n5 read at 5:00\n"}}},
          {.path = "docs/retention.md",
           .program = "state_by_key",
           .runs = {{"colour=red size=3 colour=green",
                     "records read: 0\ncolour is green\nsize is 3\n"},
                    {"colour=blue size=", "records read: 3\ncolour is blue\n"},
                    {"speed=1 speed=2 speed=3 speed=4 speed=5",
                     "records read: 3\ncolour is blue\nspeed is 5\n"},
                    {"", "records read: 5\ncolour is blue\nspeed is 5\n"}}},
          {.path = "docs/several-readers.md",
           .program = "several_readers",
           .runs = {{"",
                     "billing has read 2\nbilling has read 2\n"
                     "audit has read 4\naudit has read 4\n"
                     "lag of audit in partition 0: 0\n"
                     "lag of audit in partition 1: 0\n"
                     "lag of billing in partition 0: 2\n"
                     "lag of billing in partition 1: 2\n"},
                    {"lag",
                     "lag of audit in partition 0: 0\n"
                     "lag of audit in partition 1: 0\n"
                     "lag of billing in partition 0: 2\n"
                     "lag of billing in partition 1: 2\n"}}}};
}

// And the README.
std::vector<Page> AllPages() {
  std::vector<Page> pages = DocPages();
  pages.push_back({.path = "README.md",
                   .program = "embedding",
                   .runs = {{"", "0 paid\n"}, {"", "0 paid\n1 paid\n"}}});
  return pages;
}

std::string ProgramOf(const testing::TestParamInfo<Page>& page) {
  return page.param.program;
}

class PagesTest : public testing::TestWithParam<Page> {
 protected:
  // What it prints, and nothing else is expected of it, with status 0.
  void ExpectOutput(const ProgramRun& run) const {
    int status = -1;
    EXPECT_EQ(OutputOf(absl::StrCat("examples/", GetParam().program, " ",
                                    directory_, " ", run.arguments),
                       &status),
              run.output)
        << run.arguments;
    EXPECT_EQ(status, 0) << run.arguments;
  }

  ScratchDirectory scratch_;
  const std::string directory_ = scratch_ / "store";
};

TEST_P(PagesTest, ProgramShownIsTheOneInExamples) {
  const std::string page = ReadBytes(GetParam().path);
  const std::string fence = "```cpp\n";
  const size_t begin = page.find(fence);
  ASSERT_NE(begin, page.npos);
  const size_t end = page.find("```", begin + fence.size());
  const std::string program =
      ReadBytes(absl::StrCat("examples/", GetParam().program, ".cc"));
  // All of it but the line of the licence.
  EXPECT_EQ(page.substr(begin + fence.size(), end - begin - fence.size()),
            program.substr(program.find("\n\n") + 2));
}

TEST_P(PagesTest, ProgramPrintsWhatIsExpectedAndAgainOnWhatItLeft) {
  for (const ProgramRun& run : GetParam().runs) ExpectOutput(run);
}

INSTANTIATE_TEST_SUITE_P(All, PagesTest, testing::ValuesIn(AllPages()),
                         ProgramOf);

class DocPagesTest : public testing::TestWithParam<Page> {};

TEST_P(DocPagesTest, OutputOfTheProgramIsShown) {
  const std::string page = ReadBytes(GetParam().path);
  for (const ProgramRun& run : GetParam().runs) {
    EXPECT_THAT(page, HasSubstr(run.output)) << run.arguments;
  }
}

INSTANTIATE_TEST_SUITE_P(All, DocPagesTest, testing::ValuesIn(DocPages()),
                         ProgramOf);

// The second output of docs/replay.md.
TEST(ReplayPageTest, DamagedBatchIsLeftOutAsThePageShows) {
  const ScratchDirectory scratch;
  const std::string directory = scratch / "store";
  const std::string command = absl::StrCat("examples/replay ", directory);
  int status = -1;
  OutputOf(command, &status);
  ASSERT_EQ(status, 0);
  const std::string log =
      absl::StrCat(directory, "/readings-0/00000000000000000000.log");
  const std::string bytes = ReadBytes(log);
  const size_t at = bytes.find("read at 3:00");
  ASSERT_NE(at, bytes.npos);
  WriteBytes(log, WithBitFlipped(bytes, at * 8));

  const std::string output = OutputOf(command, &status);
  EXPECT_EQ(status, 0);
  EXPECT_THAT(output, HasSubstr("2 read at 2:00\n"
                                "damaged: 3 to 3\n"
                                "4 read at 4:00\n"));
  EXPECT_THAT(ReadBytes("docs/replay.md"), HasSubstr("```\n" + output + "```"));
}

// The projects of docs/install.md, which `./dev install_test` builds.
TEST(InstallPageTest, ProjectsShownAreThoseInExamples) {
  const std::string page = ReadBytes("docs/install.md");
  for (const std::string_view project :
       {"cmake_installed", "cmake_subdirectory"}) {
    const std::string text =
        ReadBytes(absl::StrCat("examples/", project, "/CMakeLists.txt"));
    const size_t begin = text.find("cmake_minimum_required");
    ASSERT_NE(begin, text.npos);
    EXPECT_THAT(page, HasSubstr(absl::StrCat("```cmake\n", text.substr(begin),
                                             "```\n")));
  }
}

}  // namespace
}  // namespace varve
