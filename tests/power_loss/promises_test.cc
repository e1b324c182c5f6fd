// SPDX-License-Identifier: Apache-2.0

#include "tests/power_loss/promises.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/fixture/scratch_directory.h"
#include "tests/power_loss/note.h"
#include "tests/power_loss/note_file.h"
#include "tests/power_loss/record_value.h"
#include "varve/log/metadata/durability.h"

namespace varve {
namespace {

constexpr int64_t kMs = 1'000'000;
constexpr int32_t kInstance = 7;

Note AppendOf(int64_t offset, Durability level, int32_t appender = 1) {
  return {.kind = NoteKind::kAppended,
          .level = level,
          .instance = kInstance,
          .appender = appender,
          .count = 1,
          .value = offset,
          .sequence = offset};
}

Note NoteOf(NoteKind kind, NotePhase phase, int64_t value,
            Durability level = Durability::kSynced) {
  return {.kind = kind,
          .phase = phase,
          .level = level,
          .instance = kInstance,
          .value = value};
}

class PromisesTest : public testing::Test {
 protected:
  // The notes of the next session, which are those of one thread.
  NoteFile& StartSession() {
    ++session_;
    notes_.reset();
    return notes_.emplace(
        NoteFile::Create(scratch_ / std::to_string(session_)));
  }
  void CutPower() {
    notes_->Close();
    EndSession();
  }
  void EndSession() { promises_.Add(*notes_, session_, /*window_ns=*/kMs); }

  const PartitionPromise& log() { return promises_.partition(kInstance, 0); }
  const PossibleCommit& commit() {
    return promises_.commits().at({0, 0, kInstance, 0});
  }

  const ScratchDirectory scratch_;
  Promises promises_{/*allowance_ns=*/0};
  int32_t session_ = 0;
  std::optional<NoteFile> notes_;
};

TEST_F(PromisesTest, SyncedAppendIsPromisedWhenNotedBeforeTheCutAlone) {
  NoteFile& notes = StartSession();
  notes.Write(1, AppendOf(0, Durability::kSynced));
  notes.Write(1, AppendOf(1, Durability::kMemory));
  notes.Close();
  notes.Write(1, AppendOf(2, Durability::kSynced));
  EndSession();
  EXPECT_EQ(log().durable_end, 1);
  EXPECT_EQ(log().appends.size(), 3);
  EXPECT_EQ(log().next_sequence.at(1), 3);
}

TEST_F(PromisesTest, IntervalAppendIsPromisedAfterItsWindow) {
  NoteFile& notes = StartSession();
  notes.Write(1, AppendOf(0, Durability::kInterval));
  const int64_t noted = NoteTime();
  while (NoteTime() <= noted + 2 * kMs) {
  }
  CutPower();
  EXPECT_EQ(log().durable_end, 1);
}

TEST_F(PromisesTest, IntervalAppendIsNoPromiseWithinItsWindow) {
  StartSession().Write(1, AppendOf(0, Durability::kInterval));
  notes_->Close();
  Promises promises(/*allowance_ns=*/3'600'000 * kMs);
  promises.Add(*notes_, session_, /*window_ns=*/kMs);
  EXPECT_EQ(promises.partition(kInstance, 0).durable_end, 0);
}

TEST_F(PromisesTest, AppendsOfALaterSessionReplaceThoseThatWereLost) {
  NoteFile& notes = StartSession();
  for (int64_t offset = 0; offset < 5; ++offset) {
    notes.Write(1, AppendOf(offset, Durability::kMemory));
  }
  CutPower();
  StartSession().Write(2, AppendOf(2, Durability::kMemory, /*appender=*/13));
  CutPower();
  ASSERT_EQ(log().appends.size(), 3);
  EXPECT_EQ(log().appends.at(2).note.appender, 13);
}

TEST_F(PromisesTest, WhatWasAskedButDidNotReturnMayBeOrNot) {
  NoteFile& notes = StartSession();
  notes.Write(1, NoteOf(NoteKind::kConfig, NotePhase::kAsked, 1));
  notes.Write(1, NoteOf(NoteKind::kConfig, NotePhase::kDone, 1));
  notes.Write(1, NoteOf(NoteKind::kConfig, NotePhase::kAsked, 2));
  CutPower();
  EXPECT_FALSE(promises_.config(kInstance).Has(0));
  EXPECT_TRUE(promises_.config(kInstance).Has(1));
  EXPECT_TRUE(promises_.config(kInstance).Has(2));
}

TEST_F(PromisesTest, TrimStaysAndOneThatDidNotReturnMay) {
  NoteFile& notes = StartSession();
  notes.Write(1, NoteOf(NoteKind::kLogStart, NotePhase::kAsked, 10));
  notes.Write(1, NoteOf(NoteKind::kLogStart, NotePhase::kDone, 10));
  notes.Write(1, NoteOf(NoteKind::kLogStart, NotePhase::kAsked, 20));
  CutPower();
  EXPECT_EQ(log().log_start_min, 10);
  EXPECT_EQ(log().log_start_max, 20);
}

TEST_F(PromisesTest, CommitIsPromisedWhenSyncedAndLaterOnesMayBe) {
  NoteFile& notes = StartSession();
  for (const int64_t offset : {5, 9}) {
    notes.Write(1, NoteOf(NoteKind::kCommit, NotePhase::kAsked, offset));
    notes.Write(
        1, NoteOf(NoteKind::kCommit, NotePhase::kDone, offset,
                  offset == 5 ? Durability::kSynced : Durability::kMemory));
  }
  CutPower();
  EXPECT_FALSE(commit().may_be_none);
  EXPECT_FALSE(commit().Has(4));
  EXPECT_TRUE(commit().Has(5));
  EXPECT_TRUE(commit().Has(9));
  EXPECT_FALSE(commit().Has(10));
}

TEST_F(PromisesTest, DeletedCommitIsGone) {
  NoteFile& notes = StartSession();
  for (const int64_t offset : {5, -1}) {
    notes.Write(1, NoteOf(NoteKind::kCommit, NotePhase::kAsked, offset));
    notes.Write(1, NoteOf(NoteKind::kCommit, NotePhase::kDone, offset));
  }
  CutPower();
  EXPECT_TRUE(commit().may_be_none);
  EXPECT_FALSE(commit().Has(5));
}

TEST_F(PromisesTest, FailedCallCountsWhenThePowerWasOn) {
  NoteFile& notes = StartSession();
  notes.Write(1, NoteOf(NoteKind::kFailure, NotePhase::kDone, 13));
  notes.Close();
  notes.Write(1, NoteOf(NoteKind::kFailure, NotePhase::kDone, 14));
  EndSession();
  EXPECT_EQ(promises_.failures(), std::vector<int64_t>{13});
}

TEST(RecordValueTest, OneChangedByteOrAnotherSeedIsNoValue) {
  const RecordValue value = {
      .instance = 3, .partition = 1, .appender = 17, .sequence = 42};
  std::string text = value.ToText(/*seed=*/9);
  EXPECT_EQ(RecordValue::Parse(text, 9), value);
  EXPECT_EQ(RecordValue::Parse(text, 8), std::nullopt);
  for (char& byte : text) {
    byte ^= 1;
    EXPECT_NE(RecordValue::Parse(text, 9), value);
    byte ^= 1;
  }
}

}  // namespace
}  // namespace varve
