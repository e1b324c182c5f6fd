// SPDX-License-Identifier: Apache-2.0

#include "bench/peers/peer_run.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/log/check.h"
#include "absl/strings/str_format.h"
#include "bench/peers/peer.h"
#include "bench/peers/peer_values.h"
#include "bench/peers/value_checksum.h"
#include "nlohmann/json.hpp"

namespace varve::bench {
namespace {

using ::nlohmann::json;

// Values of a batch when a log is filled that forgets batches.
constexpr int64_t kFillBatch = 1024;
// How many unsynced values, or point reads, go by between two looks at the
// clock.
constexpr int64_t kStride = 1024;

struct Work {
  std::string kind;
  std::string variant;
  std::string directory;
  int64_t record = 100;  // bytes of a value
  int64_t batch = 1;     // values
  int64_t records = 1'000'000;
  double seconds = 3;
};

class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() -
                                         start_)
        .count();
  }

 private:
  const std::chrono::steady_clock::time_point start_ =
      std::chrono::steady_clock::now();
};

// One variant, open, and what was appended to it.
class Session {
 public:
  Session(const PeerFacts& facts, const PeerVariant& variant, const Work& work)
      : facts_(facts),
        variant_(variant),
        work_(work),
        values_(static_cast<size_t>(work.record)),
        peer_(facts.open(variant, PlaceOf(work))) {}

  void MeasureAppend() {
    const int64_t stride =
        variant_.is_synced ? work_.batch : std::max(work_.batch, kStride);
    const Stopwatch watch;
    double seconds = 0;
    while (count_ < work_.records && seconds < work_.seconds) {
      AppendTo(std::min(count_ + stride, work_.records), work_.batch);
      seconds = watch.seconds();
    }
    peer_->Settle();
    CheckScan();
    Print("append", work_.batch, count_, seconds);
  }

  void MeasureReads() {
    const bool kept = facts_.batches == Batches::kKept;
    AppendTo(work_.records, kept ? work_.batch : kFillBatch);
    peer_->Settle();
    CheckScan();
    MeasureScan();
    MeasurePointReads();
  }

 private:
  // The files are given ample room: keys, pages that are half full, a log
  // beside them.
  static PeerPlace PlaceOf(const Work& work) {
    return {.directory = work.directory,
            .values_bytes_max = work.records * work.record,
            .files_bytes_max =
                (int64_t{256} << 20) + 4 * work.records * (work.record + 100)};
  }

  void AppendTo(int64_t end, int64_t batch) {
    while (count_ < end) {
      const int64_t size = std::min(batch, end - count_);
      batch_.clear();
      for (int64_t i = 0; i < size; ++i) {
        batch_.push_back(values_.at(count_ + i));
      }
      peer_->Append(batch_);
      count_ += size;
    }
  }

  ValueChecksum Expected() const {
    ValueChecksum checksum;
    for (int64_t i = 0; i < count_; ++i) checksum.Add(values_.at(i));
    return checksum;
  }

  void CheckScan() {
    expected_ = Expected();
    ValueChecksum found;
    peer_->Scan(found);
    CHECK_EQ(found.count(), count_) << "records that a scan found";
    CHECK(found == expected_) << "a scan read other bytes than were appended";
  }

  void MeasureScan() {
    int64_t records = 0;
    const Stopwatch watch;
    double seconds = 0;
    do {
      ValueChecksum found;
      peer_->Scan(found);
      CHECK(found == expected_);
      records += count_;
      seconds = watch.seconds();
    } while (seconds < work_.seconds);
    Print("scan", work_.batch, records, seconds);
  }

  void MeasurePointReads() {
    ValueChecksum ignored;
    for (int64_t i = 0; i < std::min<int64_t>(count_, 100'000); ++i) {
      peer_->Read(RandomIndex(-i, count_), ignored);
    }
    ValueChecksum found;
    const Stopwatch watch;
    double seconds = 0;
    do {
      for (int64_t i = 0; i < kStride; ++i) {
        peer_->Read(RandomIndex(found.count(), count_), found);
      }
      seconds = watch.seconds();
    } while (seconds < work_.seconds);
    ValueChecksum expected;
    for (int64_t i = 0; i < found.count(); ++i) {
      expected.Add(values_.at(RandomIndex(i, count_)));
    }
    CHECK(found == expected) << "point reads found other values";
    Print("point", work_.batch, found.count(), seconds);
  }

  void Print(std::string_view work, int64_t batch, int64_t records,
             double seconds) const {
    const json line = {
        {"work", work},
        {"variant", variant_.name},
        {"version", facts_.version},
        {"record", work_.record},
        {"batch", batch},
        {"synced", variant_.is_synced},
        {"survives",
         {{"kill", variant_.survives.kill},
          {"power_loss", variant_.survives.power_loss}}},
        {"appended", count_},
        {"checksum", absl::StrFormat("%016x", expected_.sum())},
        {"records", records},
        {"seconds", seconds},
    };
    std::cout << line.dump() << std::endl;
  }

  const PeerFacts& facts_;
  const PeerVariant& variant_;
  const Work& work_;
  const PeerValues values_;
  const std::unique_ptr<Peer> peer_;
  std::vector<std::string_view> batch_;
  int64_t count_ = 0;  // values appended
  ValueChecksum expected_;
};

const PeerVariant& FindVariant(const PeerFacts& facts, std::string_view name) {
  const auto found =
      std::find_if(facts.variants.begin(), facts.variants.end(),
                   [&](const PeerVariant& v) { return v.name == name; });
  CHECK(found != facts.variants.end()) << "no variant " << name;
  return *found;
}

}  // namespace

int RunPeer(int argc, char** argv, const PeerFacts& facts) {
  Work work;
  std::vector<std::string> names;
  for (const PeerVariant& variant : facts.variants) {
    names.emplace_back(variant.name);
  }
  CLI::App app("A peer that varve is compared with: " + facts.version);
  app.add_option("--work", work.kind, "append or read")
      ->required()
      ->check(CLI::IsMember({"append", "read"}));
  app.add_option("--variant", work.variant, "how it is used")
      ->required()
      ->check(CLI::IsMember(names));
  app.add_option("--directory", work.directory, "an empty one")
      ->required()
      ->check(CLI::ExistingDirectory);
  app.add_option("--record", work.record, "bytes of a value")
      ->check(CLI::Range(1, 1 << 16));
  app.add_option("--batch", work.batch, "values of a batch")
      ->check(CLI::Range(1, 1 << 16));
  app.add_option("--records", work.records, "values, at most")
      ->check(CLI::Range(1, 1 << 30));
  app.add_option("--seconds", work.seconds, "that each result takes, at most")
      ->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);

  Session session(facts, FindVariant(facts, work.variant), work);
  if (work.kind == "append") {
    session.MeasureAppend();
  } else {
    session.MeasureReads();
  }
  return 0;
}

}  // namespace varve::bench
