// SPDX-License-Identifier: Apache-2.0

#include "varve/api/store/producer_ids.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/log_severity.h"
#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/file_bytes.h"
#include "tests/fixture/scratch_directory.h"
#include "varve/api/catalog/producer_ids_file.h"
#include "varve/log/metadata/checksummed_text.h"
#include "varve/log/system/environment.h"
#include "varve/log/system/file_system.h"
#include "varve/log/system/log_sink.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::IsOkAndHolds;
using ::absl_testing::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr auto kDataLoss = absl::StatusCode::kDataLoss;
constexpr auto kPrecondition = absl::StatusCode::kFailedPrecondition;
constexpr auto kExhausted = absl::StatusCode::kResourceExhausted;

constexpr int64_t kTwoTo62 = 4611686018427387904;

TEST(ProducerIdsFileTest, TextIsThatOfTheFormat) {
  EXPECT_EQ(FormatProducerIds(kTwoTo62 + 3000),
            "varve.producers 1\n4611686018427390904\ncrc32c 7c8c6beb\n");
  EXPECT_THAT(ParseProducerIds(FormatProducerIds(kTwoTo62 + 3000)),
              IsOkAndHolds(kTwoTo62 + 3000));
}

TEST(ProducerIdsFileTest, RangeEndsAtTheLastWholeBlock) {
  EXPECT_EQ(kProducerIdsBegin, kTwoTo62);
  EXPECT_EQ(kProducerIdsEnd, 9223372036854774904);
  EXPECT_THAT(ParseProducerIds(FormatProducerIds(kProducerIdsEnd)),
              IsOkAndHolds(kProducerIdsEnd));
}

TEST(ProducerIdsFileTest, TextThatIsNoBeginOfABlockIsDamage) {
  for (const std::string line :
       {"", "x", "0", "4611686018427386904", "4611686018427387905",
        "9223372036854775807", "9223372036854775904", "99999999999999999999",
        "-4611686018427387904", "4611686018427387904 1"}) {
    EXPECT_THAT(
        ParseProducerIds(FormatChecksummedText("varve.producers", {line})),
        StatusIs(kDataLoss, HasSubstr("first id of the next block")))
        << line;
  }
  const std::string id = absl::StrCat(kTwoTo62);
  for (const std::vector<std::string>& lines :
       {std::vector<std::string>{}, {id, id}}) {
    EXPECT_THAT(
        ParseProducerIds(FormatChecksummedText("varve.producers", lines)),
        StatusIs(kDataLoss));
  }
}

TEST(ProducerIdsFileTest, EveryFlippedBitIsSeen) {
  const std::string sound = FormatProducerIds(kTwoTo62);
  for (size_t bit = 0; bit < sound.size() * 8; ++bit) {
    EXPECT_THAT(ParseProducerIds(WithBitFlipped(sound, bit)), Not(IsOk()))
        << "bit " << bit;
  }
}

class ProducerIdsTest : public testing::Test {
 protected:
  // An issuer of a process: nothing is done at its end, as after kill -9.
  std::unique_ptr<ProducerIds> Start() {
    absl::StatusOr<std::unique_ptr<Directory>> directory =
        files_.OpenDirectory(scratch_.path());
    CHECK_OK(directory.status());
    Environment environment;
    environment.random = [this] {
      ++randoms_;
      return random_;
    };
    environment.log_sink = [this](const LogMessage& message) {
      EXPECT_EQ(message.severity, absl::LogSeverity::kWarning);
      EXPECT_EQ(message.path, file_);
      told_.emplace_back(message.text);
    };
    return std::make_unique<ProducerIds>(*std::move(directory), environment);
  }

  int64_t Next(ProducerIds& ids) {
    const absl::StatusOr<int64_t> id = ids.Next();
    CHECK_OK(id.status());
    EXPECT_TRUE(issued_.insert(*id).second) << *id << " was issued before";
    EXPECT_LT(*id, ReadProducerIds(*Plain()).value()) << "not durable";
    return *id;
  }

  std::unique_ptr<Directory> Plain() {
    auto directory = FileSystem::Posix()->OpenDirectory(scratch_.path());
    CHECK_OK(directory.status());
    return *std::move(directory);
  }

  ScratchDirectory scratch_;
  const std::string file_ = scratch_ / "varve.producers";
  FaultyFileSystem files_;
  uint64_t random_ = 5;
  int randoms_ = 0;
  std::set<int64_t> issued_;
  std::vector<std::string> told_;
};

TEST_F(ProducerIdsTest, NothingIsReadOrMadeBeforeTheFirstUse) {
  const auto ids = Start();
  EXPECT_THAT(files_.calls(), ElementsAre(HasSubstr("OpenDirectory")));
  EXPECT_FALSE(std::filesystem::exists(file_));
  Next(*ids);
  EXPECT_EQ(ReadBytes(file_), FormatProducerIds(kTwoTo62 + 6000));
  EXPECT_THAT(told_, IsEmpty());
}

TEST_F(ProducerIdsTest, FirstBlockIsOneOfTwoTo40ByChance) {
  EXPECT_EQ(Next(*Start()), kTwoTo62 + 5000);
  std::filesystem::remove(file_);
  random_ = (uint64_t{0xabcdef} << 40) | 7;
  EXPECT_EQ(Next(*Start()), kTwoTo62 + 7000);
  std::filesystem::remove(file_);
  random_ = UINT64_MAX;
  EXPECT_EQ(Next(*Start()), kTwoTo62 + ((int64_t{1} << 40) - 1) * 1000);
}

TEST_F(ProducerIdsTest, IdsOfABlockFollowEachOtherWithoutIo) {
  const auto ids = Start();
  const int64_t first = Next(*ids);
  files_.ForgetCalls();
  for (int i = 1; i < 1000; ++i) EXPECT_EQ(Next(*ids), first + i);
  EXPECT_EQ(files_.call_count(), 0);
  EXPECT_EQ(Next(*ids), first + 1000);
  EXPECT_GT(files_.call_count(), 0);
  EXPECT_EQ(randoms_, 1);
}

TEST_F(ProducerIdsTest, BlockIsSyncedAndRenamedAndTheDirectorySynced) {
  const auto ids = Start();
  Next(*ids);
  const std::vector<std::string> calls = files_.calls();
  const auto place = [&](const std::string& call) {
    const auto found = std::find_if(
        calls.begin(), calls.end(),
        [&](const std::string& one) { return absl::StartsWith(one, call); });
    EXPECT_NE(found, calls.end()) << call;
    return found - calls.begin();
  };
  const auto synced = place("File::Sync");
  const auto renamed = place("Directory::Rename");
  EXPECT_LT(synced, renamed);
  EXPECT_LT(renamed, place("Directory::Sync"));
}

TEST_F(ProducerIdsTest, CrashSkipsTheRestOfABlock) {
  for (int64_t block = 0; block < 3; ++block) {
    EXPECT_EQ(Next(*Start()), kTwoTo62 + 5000 + block * 1000);
  }
  EXPECT_EQ(randoms_, 1);
}

// In both cases: the first block, and one after a block was issued.
TEST_F(ProducerIdsTest, FailedCallIssuesNothingAndTheNextGoesOn) {
  for (const int before : {0, 1000}) {
    for (int64_t i = 0;; ++i) {
      auto ids = Start();
      for (int k = 0; k < before; ++k) Next(*ids);
      files_.ForgetCalls();
      files_.FailCall(i, EIO, FaultyFileSystem::Repeat::kOnce);
      const absl::StatusOr<int64_t> id = ids->Next();
      const bool hit = files_.call_count() > i;
      files_.StopFailing();
      if (id.ok()) {
        EXPECT_TRUE(issued_.insert(*id).second);
      } else {
        EXPECT_THAT(id, StatusIs(Not(absl::StatusCode::kOk),
                                 HasSubstr(scratch_.path())));
      }
      if (i % 2 == 0) ids = Start();  // a restart, or the same process
      Next(*ids);
      Next(*ids);
      if (!hit) break;
    }
  }
}

TEST_F(ProducerIdsTest, FailedStepsOfWritingFailTheCall) {
  for (const char* call : {"File::WriteAt", "File::Sync", "Directory::Rename",
                           "Directory::Sync"}) {
    const auto ids = Start();
    files_.ForgetCalls();
    files_.FailCallsNamed(call, EIO, FaultyFileSystem::Repeat::kForever);
    const absl::StatusOr<int64_t> first = ids->Next();
    const absl::StatusOr<int64_t> second = ids->Next();
    files_.StopFailing();
    EXPECT_THAT(first, Not(IsOk())) << call;
    EXPECT_THAT(second, Not(IsOk())) << call;
    Next(*ids);
  }
}

TEST_F(ProducerIdsTest, FullDiskIsResourceExhaustedUntilThereIsRoom) {
  const auto ids = Start();
  files_.LimitSpace(0);
  EXPECT_THAT(ids->Next(), StatusIs(kExhausted, HasSubstr("varve.producers")));
  files_.UnlimitSpace();
  EXPECT_EQ(Next(*ids), kTwoTo62 + 5000);
}

TEST_F(ProducerIdsTest, UsedUpRangeIsResourceExhausted) {
  WriteBytes(file_, FormatProducerIds(kProducerIdsEnd - 1000));
  const auto ids = Start();
  for (int i = 0; i < 1000; ++i) Next(*ids);
  EXPECT_EQ(*issued_.rbegin(), kProducerIdsEnd - 1);
  EXPECT_THAT(ids->Next(), StatusIs(kExhausted, HasSubstr("used up")));
  EXPECT_THAT(ids->Next(), StatusIs(kExhausted));
  EXPECT_THAT(Start()->Next(), StatusIs(kExhausted, HasSubstr("used up")));
}

TEST_F(ProducerIdsTest, DamagedFileIsReportedAndReplaced) {
  Next(*Start());
  const std::string sound = ReadBytes(file_);
  for (const std::string& text :
       {std::string(), std::string("\1\2\3"), sound.substr(0, 30),
        WithBitFlipped(sound, 20 * 8), std::string(5000, 'x')}) {
    WriteBytes(file_, text);
    told_.clear();
    random_ += 100;
    const auto ids = Start();
    EXPECT_EQ(Next(*ids), kTwoTo62 + static_cast<int64_t>(random_) * 1000);
    Next(*ids);
    EXPECT_THAT(told_,
                ElementsAre(AllOf(HasSubstr(file_), HasSubstr("random one"))));
  }
  told_.clear();
  Next(*Start());
  EXPECT_THAT(told_, IsEmpty());
}

TEST_F(ProducerIdsTest, FileOfANewerVersionIsLeftAlone) {
  const std::string newer =
      FormatChecksummedText("varve.producers", {"what"}, /*version=*/2);
  WriteBytes(file_, newer);
  const auto ids = Start();
  EXPECT_THAT(ids->Next(),
              StatusIs(kPrecondition,
                       AllOf(HasSubstr(file_), HasSubstr("newer varve"))));
  EXPECT_EQ(ReadBytes(file_), newer);
}

TEST_F(ProducerIdsTest, FileThatCannotBeReadIsLeftAlone) {
  Next(*Start());
  const std::string before = ReadBytes(file_);
  const auto ids = Start();
  files_.FailCallsNamed("Directory::OpenFile", EIO,
                        FaultyFileSystem::Repeat::kOnce);
  EXPECT_THAT(ids->Next(), Not(IsOk()));
  EXPECT_EQ(ReadBytes(file_), before);
  EXPECT_EQ(Next(*ids), kTwoTo62 + 6000);
}

TEST_F(ProducerIdsTest, ThreadsGetEachIdOnce) {
  constexpr int kThreads = 8;
  constexpr int kEach = 1500;
  const auto ids = Start();
  std::vector<std::vector<int64_t>> got(kThreads);
  std::vector<std::thread> threads;
  for (std::vector<int64_t>& mine : got) {
    threads.emplace_back([&ids, &mine] {
      for (int i = 0; i < kEach; ++i) {
        const absl::StatusOr<int64_t> id = ids->Next();
        if (id.ok()) mine.push_back(*id);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::vector<int64_t>& mine : got) {
    EXPECT_TRUE(std::is_sorted(mine.begin(), mine.end()));
    issued_.insert(mine.begin(), mine.end());
  }
  EXPECT_EQ(issued_.size(), size_t{kThreads} * kEach);
  EXPECT_EQ(*issued_.rbegin() - *issued_.begin() + 1, kThreads * kEach);
  EXPECT_THAT(ReadProducerIds(*Plain()),
              IsOkAndHolds(Ge(*issued_.rbegin() + 1)));
}

}  // namespace
}  // namespace varve
