// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_FORKED_WRITER_H_
#define VARVE_TESTS_FORKED_WRITER_H_

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <new>
#include <random>
#include <string>
#include <utility>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "api/log_store.h"
#include "gtest/gtest.h"
#include "log/durability.h"
#include "log/record_batch_builder.h"

namespace varve {

// Processes that write a store, one after the other, for those who follow it
// from another one: they roll all the time, trim, close it or are killed.
//
// The process that forks them has to have one thread.
class ForkedWriter {
 public:
  // How a writer trims.
  enum class Trims {
    kNone,
    kBehindTheReader,  // never what it has not read
    kAnywhere,
  };

  // What the processes tell each other, beside the store.
  struct Progress {
    // Memory ordering: relaxed would do; they order nothing, and what they say
    // may be late.
    std::atomic<int64_t> rolls = 0;
    std::atomic<int64_t> trims = 0;
    std::atomic<int64_t> deleted_segments = 0;
    std::atomic<int64_t> reader_at = 0;
  };

  // Every byte of a record follows from its offset.
  static std::string ValueOf(int64_t offset) {
    std::mt19937_64 random(static_cast<uint64_t>(offset));
    std::string value(random() % 150, '\0');
    for (char& byte : value) byte = static_cast<char>('!' + random() % 90);
    return absl::StrCat(offset, ":", value);
  }

  // Makes a store at `path` with the topic "t" of one partition, whose segments
  // hold a few records each.
  explicit ForkedWriter(std::string path) : path_(std::move(path)) {
    void* memory = mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED);
    progress_ = new (memory) Progress();
    auto store = LogStore::Open(path_);
    CHECK_OK(store.status());
    TopicConfig config;
    config.log.segment_bytes = 1000;
    config.log.index_interval_bytes = 300;
    CHECK_OK((*store)->CreateTopic("t", config));
    CHECK_OK((*store)->Close());
  }
  ForkedWriter(const ForkedWriter&) = delete;
  ForkedWriter& operator=(const ForkedWriter&) = delete;
  ~ForkedWriter() { munmap(progress_, sizeof(Progress)); }

  void Start(uint64_t seed, Trims trims) {
    writer_ = fork();
    CHECK_GE(writer_, 0);
    if (writer_ == 0) Write(seed, trims);
  }
  void Kill() const { kill(writer_, SIGKILL); }

  // Whether it has ended, by itself and well or by `Kill`.
  bool HasEnded() const {
    int how = 0;
    if (waitpid(writer_, &how, WNOHANG) == 0) return false;
    const bool killed = WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL;
    EXPECT_TRUE(killed || (WIFEXITED(how) && WEXITSTATUS(how) == 0)) << how;
    return true;
  }

  // What the writers have left, when there is none.
  int64_t EndOfTheLog() const {
    auto store = LogStore::Open(path_);
    CHECK_OK(store.status());
    const int64_t end = (*store)->partition("t", 0)->visible_end();
    CHECK_OK((*store)->Close());
    return end;
  }

  const std::string& path() const { return path_; }
  Progress& progress() const { return *progress_; }

 private:
  static void AppendOne(Partition& partition, std::mt19937_64& random) {
    const int64_t next = partition.visible_end();
    RecordBatchBuilder builder;
    for (auto i = static_cast<int64_t>(random() % 3); i >= 0; --i) {
      const int64_t offset = next + builder.record_count();
      const std::string value = ValueOf(offset);
      CHECK_OK(builder.Append({.value = value}, 1000 + offset));
    }
    const Durability durability =
        random() % 50 == 0 ? Durability::kSynced : Durability::kMemory;
    CHECK_OK(partition.Append(builder.Finish(), durability).status());
  }

  void Trim(Partition& partition, Trims trims, std::mt19937_64& random) const {
    const int64_t segments = partition.segment_count();
    const int64_t end = trims == Trims::kAnywhere ? partition.visible_end()
                                                  : progress_->reader_at.load();
    const auto less = static_cast<int64_t>(random() % 50);
    CHECK_OK(partition.TrimBefore(std::max<int64_t>(end - less, 0)));
    ++progress_->trims;
    progress_->deleted_segments += segments - partition.segment_count();
  }

  // A writer's whole life, unless it is killed before.
  [[noreturn]] void Write(uint64_t seed, Trims trims) const {
    std::mt19937_64 random(seed);
    auto store = LogStore::Open(path_);
    CHECK_OK(store.status());
    auto partition = (*store)->partition("t", 0);
    CHECK_OK(partition.status());
    for (int i = 0; i < 600; ++i) {
      const int64_t segments = partition->segment_count();
      AppendOne(*partition, random);
      if (partition->segment_count() > segments) ++progress_->rolls;
      if (trims != Trims::kNone && random() % 100 == 0)
        Trim(*partition, trims, random);
    }
    CHECK_OK((*store)->Close());
    _exit(0);
  }

  const std::string path_;
  Progress* progress_;  // shared with the writers
  pid_t writer_ = -1;
};

}  // namespace varve

#endif  // VARVE_TESTS_FORKED_WRITER_H_
