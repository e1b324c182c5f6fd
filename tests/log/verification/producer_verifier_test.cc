// SPDX-License-Identifier: Apache-2.0

// Verification of the files that say what producers have done.

#include "varve/log/verification/producer_verifier.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/file_bytes.h"
#include "tests/fixture/transactions_fixture.h"
#include "varve/index/big_endian.h"
#include "varve/index/transaction_index.h"
#include "varve/log/metadata/continuity.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/metadata/partition_checkpoint.h"
#include "varve/log/producer/producer_snapshot.h"
#include "varve/log/system/file_system.h"
#include "varve/log/verification/partition_verification.h"
#include "varve/log/verification/partition_verifier.h"
#include "varve/log/verification/verify_finding.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr auto kSnapshot = SegmentFileKind::kSnapshot;
constexpr auto kTxnIndex = SegmentFileKind::kTxnIndex;
constexpr auto kEntrySize = size_t{TransactionIndex::kEntrySize};

class ProducerVerifierTest : public TransactionsFixture {
 protected:
  void SetUp() override {
    WriteAndClose();
    snapshots_ = OffsetsOf(kSnapshot);
    indexes_ = OffsetsOf(kTxnIndex);
    ASSERT_GT(snapshots_.size(), size_t{5});
    ASSERT_EQ(snapshots_.back(), end_);
    ASSERT_GT(indexes_.size(), size_t{3});
    inputs_.checkpoint =
        PartitionCheckpoint{.log_start = 0, .recovery_point = end_};
  }
  std::vector<VerifyFinding> Verify() {
    const auto directory =
        FileSystem::Posix()->OpenDirectory(path_ + "/orders-0");
    auto result = VerifyPartition(**directory, inputs_);
    EXPECT_THAT(result, IsOk());
    return result->findings;
  }
  std::vector<VerifyFinding> Damage() {
    std::vector<VerifyFinding> findings = Verify();
    std::erase_if(findings, [](const VerifyFinding& finding) {
      return finding.severity != FindingSeverity::kDamage;
    });
    return findings;
  }
  // The one finding, as text.
  std::string Only() {
    const std::vector<VerifyFinding> findings = Damage();
    EXPECT_EQ(findings.size(), size_t{1});
    return findings.empty() ? "" : findings.front().ToString();
  }
  // A snapshot in the middle, of several producers.
  ProducerSnapshot Middle() { return SnapshotAt(snapshots_[3]); }
  // The index of a segment in the middle, with several transactions.
  std::string IndexPath() { return PathTo(indexes_[1], kTxnIndex); }

  std::vector<int64_t> snapshots_;
  std::vector<int64_t> indexes_;
  PartitionVerifyInputs inputs_;
};

TEST_F(ProducerVerifierTest, CleanPartitionHasNoFindings) {
  EXPECT_THAT(Verify(), IsEmpty());
}

// Decode finds each of them (tests/log/producer/producer_snapshot_test.cc).
TEST_F(ProducerVerifierTest, FlippedBitOfASnapshotIsDamageOfItAlone) {
  for (const int64_t offset : {snapshots_[3], snapshots_.back()}) {
    const std::string path = PathTo(offset, kSnapshot);
    const std::string sound = ReadBytes(path);
    for (size_t bit = 0; bit < 8 * sound.size(); bit += 29) {
      WriteBytes(path, WithBitFlipped(sound, bit));
      const std::vector<VerifyFinding> found = Verify();
      ASSERT_EQ(found.size(), size_t{1}) << bit;
      EXPECT_EQ(found[0].path, path);
      EXPECT_THAT(found[0].what, HasSubstr("no record is touched: the batches "
                                           "are read instead of it"));
      EXPECT_TRUE(found[0].position.has_value());
      // In the version, it may become that of a later one.
      EXPECT_TRUE(bit < 16 || found[0].severity == FindingSeverity::kDamage);
    }
    WriteBytes(path, sound);
  }
}

TEST_F(ProducerVerifierTest, EveryFlippedBitOfATransactionIndexIsDamage) {
  const std::string sound = ReadBytes(IndexPath());
  ASSERT_GE(sound.size(), 2 * kEntrySize);
  for (size_t bit = 0; bit < 8 * sound.size(); ++bit) {
    WriteBytes(IndexPath(), WithBitFlipped(sound, bit));
    const std::vector<VerifyFinding> found = Damage();
    EXPECT_GE(found.size(), size_t{1}) << bit;
    EXPECT_THAT(found, Each(AllOf(Field(&VerifyFinding::path, IndexPath()),
                                  Field(&VerifyFinding::what,
                                        HasSubstr("no record is touched")))))
        << bit;
  }
}

// A change of each field of an entry, with a CRC that is right.
TEST_F(ProducerVerifierTest, EveryFieldOfASnapshotIsComparedWithTheBatches) {
  const ProducerSnapshot sound = Middle();
  ASSERT_EQ(sound.producers.size(), size_t{3});
  for (size_t i = 0; i < sound.producers.size(); ++i) {
    for (int field = 0; field < 8; ++field) {
      ProducerSnapshot wrong = sound;
      ProducerEntry& entry = wrong.producers[i];
      if (field == 0) entry.producer_id += 100;
      if (field == 1) ++entry.producer_epoch;
      if (field == 2) ++entry.last_sequence;
      if (field == 3) --entry.last_offset;
      if (field == 4) ++entry.offset_delta;
      if (field == 5) ++entry.timestamp_ms;
      if (field == 6) ++entry.coordinator_epoch;
      if (field == 7) {
        entry.transaction_first_offset =
            entry.transaction_first_offset < 0 ? 2 : -1;
      }
      PutSnapshot(wrong);
      const std::string found = Only();
      EXPECT_THAT(found, HasSubstr("the batches before it say otherwise"))
          << i << " " << field;
      EXPECT_THAT(found, HasSubstr("varve goes by this file: to have the "
                                   "batches read instead, run truncate -s 1"));
    }
  }
}

TEST_F(ProducerVerifierTest, DifferenceSaysProducerPlaceAndBothStates) {
  ProducerSnapshot wrong = Middle();
  const auto entry = std::ranges::find(wrong.producers, idempotent_.id,
                                       &ProducerEntry::producer_id);
  const int32_t due = entry->last_sequence++;
  PutSnapshot(wrong);
  const std::string position =
      std::to_string(10 + 46 * std::distance(wrong.producers.begin(), entry));
  EXPECT_THAT(
      Only(),
      AllOf(HasSubstr(".snapshot: position " + position + ": offset " +
                      std::to_string(wrong.offset)),
            HasSubstr("of producer 10"),
            HasSubstr("expected epoch 1, sequence " + std::to_string(due)),
            HasSubstr("found epoch 1, sequence " + std::to_string(due + 1))));
}

TEST_F(ProducerVerifierTest, OlderSnapshotUnderALaterNameIsFound) {
  ProducerSnapshot stale = SnapshotAt(snapshots_[2]);
  stale.offset = snapshots_[3];
  PutSnapshot(stale);
  EXPECT_THAT(Only(), HasSubstr("say otherwise of producer"));
}

// Producers expire; one with an open transaction never does.
TEST_F(ProducerVerifierTest, LackingProducerIsFoundIfItHasAnOpenTransaction) {
  for (const ProducerEntry& entry : Middle().producers) {
    const ProducerSnapshot sound = Middle();
    ProducerSnapshot lacking = sound;
    std::erase(lacking.producers, entry);
    PutSnapshot(lacking);
    if (entry.transaction_first_offset < 0) {
      EXPECT_THAT(Verify(), IsEmpty()) << entry.producer_id;
    } else {
      EXPECT_THAT(Only(), HasSubstr("a transaction open since offset"));
    }
    PutSnapshot(sound);
  }
}

TEST_F(ProducerVerifierTest, ProducerThatStandsInItTwiceIsFound) {
  ProducerSnapshot twice = Middle();
  twice.producers.push_back(twice.producers.front());
  PutSnapshot(twice);
  EXPECT_THAT(Only(), HasSubstr("found another one"));
}

TEST_F(ProducerVerifierTest, SnapshotBehindTheEndIsJudgedByHowTheLogWasLeft) {
  ProducerSnapshot beyond = SnapshotAt(end_);
  beyond.offset = end_ + 5;
  PutSnapshot(beyond);
  EXPECT_THAT(Only(), HasSubstr("the log ends before its offset"));
  inputs_.last_writer = LastWriter::kDied;
  EXPECT_THAT(Damage(), IsEmpty());
  EXPECT_THAT(Verify(),
              ElementsAre(Field(&VerifyFinding::what,
                                HasSubstr("the next open removes it"))));
  inputs_.last_writer = LastWriter::kStillOpen;
  EXPECT_THAT(Verify(), IsEmpty());
}

TEST_F(ProducerVerifierTest, SnapshotWithinABatchIsFound) {
  // Of two records, at offsets 4 and 5.
  PutSnapshot({.offset = 5});
  EXPECT_THAT(Only(), HasSubstr("its offset is within a batch"));
}

TEST_F(ProducerVerifierTest, MissingIndexIsFoundByItsMarkers) {
  const std::string sound = ReadBytes(IndexPath());
  std::filesystem::remove(IndexPath());
  const auto more = sound.size() / kEntrySize - 1;
  EXPECT_THAT(Only(),
              AllOf(HasSubstr("the transaction that the ABORT marker there "
                              "ends has no entry, and " +
                              std::to_string(more) + " more"),
                    HasSubstr("found none")));
}

TEST_F(ProducerVerifierTest, EachEntryThatIsMissingIsFoundWithItsOffset) {
  const std::string sound = ReadBytes(IndexPath());
  for (size_t at = 0; at < sound.size(); at += kEntrySize) {
    std::string lacking = sound;
    lacking.erase(at, kEntrySize);
    WriteBytes(IndexPath(), lacking);
    EXPECT_THAT(Only(),
                AllOf(HasSubstr("has no entry"),
                      HasSubstr("offset " + std::to_string(LoadBig64(
                                                sound.data() + at + 18)))));
  }
}

TEST_F(ProducerVerifierTest, EntryWithoutAMarkerIsFound) {
  const std::string sound = ReadBytes(IndexPath());
  std::string more = sound.substr(sound.size() - kEntrySize);
  const int64_t last = LoadBig64(more.data() + 18);
  StoreBig64(more.data() + 18, last + 1);
  WriteBytes(IndexPath(), sound + more);
  EXPECT_THAT(Only(), HasSubstr("an entry for which there is no ABORT marker"));
}

TEST_F(ProducerVerifierTest, EveryFieldOfAnEntryIsComparedWithTheBatches) {
  const std::string sound = ReadBytes(IndexPath());
  for (const auto& [field, by] :
       {std::pair{2, 1}, std::pair{10, -1}, std::pair{26, -1}}) {
    std::string wrong = sound;
    StoreBig64(wrong.data() + field, LoadBig64(wrong.data() + field) + by);
    WriteBytes(IndexPath(), wrong);
    EXPECT_THAT(Only(), HasSubstr("an entry that is not what the batches say"))
        << field;
  }
}

// The log goes on after the damage with what the next snapshot knows.
TEST_F(ProducerVerifierTest, DamagedBatchIsTheOnlyFinding) {
  for (const int64_t base : OffsetsOf(SegmentFileKind::kLog)) {
    const std::string path = PathTo(base, SegmentFileKind::kLog);
    const std::string sound = ReadBytes(path);
    for (const size_t at : {sound.size() / 10, sound.size() / 2}) {
      WriteBytes(path, WithBitFlipped(sound, 8 * at));
      EXPECT_THAT(Damage(),
                  Each(Field(&VerifyFinding::path,
                             testing::AnyOf(path, HasSubstr("seal")))))
          << base;
    }
    WriteBytes(path, sound);
  }
}

TEST_F(ProducerVerifierTest, WhatIsKnownWithoutTheFrontIsStillCompared) {
  // As after retention, with a snapshot at the front or without.
  const std::vector<int64_t> bases = OffsetsOf(SegmentFileKind::kLog);
  for (size_t i = 0; i < 2; ++i) {
    for (const std::string& name : NamesIn(
             path_ + "/orders-0",
             SegmentFileName(bases[i], SegmentFileKind::kLog).substr(0, 20))) {
      std::filesystem::remove(path_ + "/orders-0/" + name);
    }
    std::filesystem::remove(path_ + "/orders-0/" + SidecarFileName(bases[i]));
  }
  inputs_.checkpoint->log_start = bases[2];
  EXPECT_THAT(Verify(), IsEmpty());
  std::filesystem::remove(PathTo(bases[2], kSnapshot));
  EXPECT_THAT(Verify(), IsEmpty());
  ProducerSnapshot wrong = SnapshotAt(snapshots_[3]);
  for (ProducerEntry& entry : wrong.producers) {
    if (entry.producer_id == one_.id) ++entry.last_sequence;
  }
  PutSnapshot(wrong);
  EXPECT_THAT(Only(), HasSubstr("of producer 1"));
}

// Compaction leaves offsets out; what depends on them is not known then.
TEST_F(ProducerVerifierTest, GapEndsWhatIsKnownAndTheNextSnapshotBeginsIt) {
  const std::vector<int64_t> bases = OffsetsOf(SegmentFileKind::kLog);
  for (const std::string& name : NamesIn(
           path_ + "/orders-0",
           SegmentFileName(bases[2], SegmentFileKind::kLog).substr(0, 20))) {
    std::filesystem::remove(path_ + "/orders-0/" + name);
  }
  std::filesystem::remove(path_ + "/orders-0/" + SidecarFileName(bases[2]));
  inputs_.continuity = Continuity::kGapsAllowed;
  EXPECT_THAT(Damage(), IsEmpty());
  std::filesystem::remove(PathTo(bases[3], kSnapshot));
  EXPECT_THAT(Damage(), IsEmpty());
  // What comes after the gap is compared.
  ProducerSnapshot wrong = SnapshotAt(snapshots_.back());
  ++wrong.producers.back().timestamp_ms;
  PutSnapshot(wrong);
  EXPECT_THAT(Only(), HasSubstr("say otherwise"));
}

TEST_F(ProducerVerifierTest, RecoveryMakesThemAgainSoTheyAreNotes) {
  inputs_.last_writer = LastWriter::kDied;
  inputs_.checkpoint->recovery_point = 0;
  std::filesystem::remove(IndexPath());
  WriteBytes(PathTo(snapshots_[3], kSnapshot), "x");
  const std::vector<VerifyFinding> found = Verify();
  EXPECT_THAT(found,
              Each(Field(&VerifyFinding::severity, FindingSeverity::kNote)));
  EXPECT_THAT(found, Contains(Field(&VerifyFinding::what,
                                    HasSubstr("the file ends inside"))));
  EXPECT_THAT(found, Each(Field(&VerifyFinding::what,
                                HasSubstr("the next open makes it again"))));
}

TEST_F(ProducerVerifierTest, EntriesThatAnOpenWriterHasYetToWriteAreNoDamage) {
  inputs_.last_writer = LastWriter::kStillOpen;
  inputs_.checkpoint->recovery_point = indexes_[1];
  const std::string sound = ReadBytes(IndexPath());
  WriteBytes(IndexPath(), sound.substr(0, sound.size() - kEntrySize));
  std::filesystem::remove(PathTo(indexes_[2], kTxnIndex));
  EXPECT_THAT(Damage(), IsEmpty());
  // Below the recovery point all are written.
  inputs_.checkpoint->recovery_point = end_;
  EXPECT_EQ(Damage().size(), size_t{2});
  // In the middle none may be missing.
  inputs_.checkpoint->recovery_point = indexes_[1];
  WriteBytes(IndexPath(), sound.substr(kEntrySize));
  EXPECT_EQ(Damage().size(), size_t{1});
}

TEST_F(ProducerVerifierTest, OtherProgramsFilesAreNotesUnlessTheyAreDamaged) {
  inputs_.index_severity = FindingSeverity::kNote;
  ProducerSnapshot wrong = Middle();
  ++wrong.producers.front().last_sequence;
  PutSnapshot(wrong);
  std::filesystem::remove(IndexPath());
  EXPECT_THAT(Damage(), IsEmpty());
  EXPECT_EQ(Verify().size(), size_t{2});
  WriteBytes(PathTo(snapshots_[3], kSnapshot), "x");
  EXPECT_THAT(Only(), HasSubstr("the file ends inside"));
}

// A broker that copies another one's log appends several batches at once, and
// knows of a later transaction when it writes the entry of an earlier one.
TEST_F(ProducerVerifierTest, LaterStableOffsetOfABrokerIsNoFinding) {
  std::string later = ReadBytes(IndexPath());
  bool is_changed = false;
  for (size_t at = 0; at < later.size(); at += kEntrySize) {
    char* const stable = later.data() + at + 26;
    if (LoadBig64(stable) != LoadBig64(later.data() + at + 18) + 1) continue;
    StoreBig64(stable, LoadBig64(stable) + 2);
    is_changed = true;
  }
  ASSERT_TRUE(is_changed);
  WriteBytes(IndexPath(), later);
  EXPECT_THAT(Only(), HasSubstr("last stable offset"));
  inputs_.index_severity = FindingSeverity::kNote;
  EXPECT_THAT(Verify(), IsEmpty());
  inputs_.last_writer = LastWriter::kDied;
  inputs_.checkpoint->recovery_point = 0;
  EXPECT_THAT(Verify(), IsEmpty());
}

}  // namespace
}  // namespace varve
