// SPDX-License-Identifier: Apache-2.0

// Verification of the files that say what producers have done.

#include "varve/log/verification/producer_verifier.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/broker_directory.h"
#include "tests/fixture/file_bytes.h"
#include "tests/fixture/scratch_directory.h"
#include "tests/log/verification/verified_transactions.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/metadata/continuity.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/metadata/partition_checkpoint.h"
#include "varve/log/metadata/topic_id.h"
#include "varve/log/producer/producer_batch.h"
#include "varve/log/producer/producer_snapshot.h"
#include "varve/log/producer/producer_states.h"
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
using ::testing::Not;

constexpr auto kSnapshot = SegmentFileKind::kSnapshot;

class ProducerVerifierTest : public VerifiedTransactions {};

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

// A broker knows as many as come in a day.
TEST(ProducerVerifierLimitTest, MoreProducersThanAreFollowedAreNoFinding) {
  const ScratchDirectory scratch;
  const BrokerDirectory broker(scratch / "broker");
  broker.AddPartition("t-0", TopicId(1, 2));
  ProducerStates states(ProducerVerifier::kProducersMax + 10);
  std::string log;
  int64_t next = 0;
  const auto append = [&](const BatchOptions& options) {
    log += BrokerBatch(next, {"v"}, 0, options);
    const auto batch =
        RecordBatch::Parse(std::string_view(log).substr(
                               log.size() - BrokerBatch(next, {"v"}).size()),
                           CrcCheck::kSkip);
    ASSERT_THAT(batch, IsOk());
    states.Note(
        *ProducerBatch::Read(*batch),
        {.base_offset = next, .timestamp_ms = batch->max_timestamp_ms()});
    ++next;
  };
  append({.producer_id = 0,
          .producer_epoch = 0,
          .base_sequence = 0,
          .transactional = Transactional::kYes});
  for (int64_t i = 1; i <= ProducerVerifier::kProducersMax; ++i)
    append({.producer_id = i, .producer_epoch = 0, .base_sequence = 0});
  append({.producer_id = 1, .producer_epoch = 0, .base_sequence = 1});
  broker.PutSegment("t-0", 0, log);
  broker.Put(BrokerDirectory::FileOf("t-0", next, SegmentFileKind::kSnapshot),
             states.Snapshot(next).Encode());
  const auto directory =
      FileSystem::Posix()->OpenDirectory(broker.PathOf("t-0"));
  const PartitionVerifyInputs inputs = {
      .checkpoint = PartitionCheckpoint{.recovery_point = next}};
  const auto verified = VerifyPartition(**directory, inputs);
  ASSERT_THAT(verified, IsOk());
  for (const VerifyFinding& finding : verified->findings)
    EXPECT_THAT(finding.path, Not(HasSubstr(".snapshot"))) << finding.what;
  // What is known since is compared.
  ProducerSnapshot wrong = states.Snapshot(next);
  for (ProducerEntry& entry : wrong.producers) {
    if (entry.producer_id == 1) ++entry.last_sequence;
  }
  broker.Put(BrokerDirectory::FileOf("t-0", next, SegmentFileKind::kSnapshot),
             wrong.Encode());
  EXPECT_THAT(VerifyPartition(**directory, inputs)->findings,
              Contains(Field(&VerifyFinding::what,
                             HasSubstr("say otherwise of producer 1"))));
}

}  // namespace
}  // namespace varve
