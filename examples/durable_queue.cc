// SPDX-License-Identifier: Apache-2.0

// A durable queue. A producer puts jobs in without waiting for the disk, and
// hears when each is safe; a worker does them, and commits how far it has come.
// The next run goes on there: after a crash a job may be done twice, and none
// that was safe is lost.
//
//   durable_queue DIRECTORY [JOB…]

#include <cstddef>
#include <cstdint>
#include <iostream>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "varve/api/log_store.h"

namespace {

// Each sync of the store covers all jobs that came during the one before it.
absl::Status Produce(varve::Partition& queue, absl::Span<char*> jobs) {
  for (const std::string job : jobs) {
    auto put = queue.AppendAsync(
        {.value = job},
        [job](const absl::StatusOr<varve::AppendResult>& durable) {
          // On a thread of the store: brief, or it holds up the next sync.
          std::cout << absl::StrCat(durable.ok() ? "safe " : "in doubt ", job,
                                    "\n");
        });
    if (!put.ok()) return put.status();
  }
  return absl::OkStatus();
}

// Does the jobs before `end` that no worker has done. It may run beside the
// producer: a job is read when it is safe.
absl::Status Work(varve::LogStore& store, const varve::Partition& queue,
                  int64_t end) {
  auto committed = store.CommittedOffset("workers", "jobs", 0);
  if (!committed.ok() && !absl::IsNotFound(committed.status()))
    return committed.status();
  int64_t next = committed.ok() ? committed->offset : queue.log_start();
  while (next < end) {
    if (absl::Status s = queue.WaitDurable(next); !s.ok()) return s;
    auto view = queue.Read(next);
    if (!view.ok()) return view.status();
    varve::RecordBatches::Records jobs = view->records();
    while (const varve::RecordView* job = jobs.Next())
      std::cout << absl::StrCat("done ", job->value().value_or(""), "\n");
    if (!jobs.status().ok()) return jobs.status();
    next = view->next_offset();
    absl::Status done = store.CommitOffset("workers", "jobs", 0, next);
    if (!done.ok()) return done;
  }
  return absl::OkStatus();
}

int Fail(const absl::Status& status) {
  std::cerr << status << '\n';
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "durable_queue DIRECTORY [JOB…]\n";
    return 2;
  }
  auto store = varve::LogStore::Open(argv[1]);
  if (!store.ok()) return Fail(store.status());
  absl::Status created = (*store)->CreateTopic("jobs");
  if (!created.ok() && !absl::IsAlreadyExists(created)) return Fail(created);
  auto queue = (*store)->partition("jobs", 0);
  if (!queue.ok()) return Fail(queue.status());

  absl::Status status = Produce(
      *queue, absl::MakeSpan(argv, static_cast<size_t>(argc)).subspan(2));
  if (status.ok()) status = Work(**store, *queue, queue->visible_end());
  // What was not called back yet is by the time it returns.
  status.Update((*store)->Close());
  return status.ok() ? 0 : Fail(status);
}
