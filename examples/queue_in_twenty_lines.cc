// SPDX-License-Identifier: Apache-2.0

#include <iostream>

#include "varve/api/cursor.h"
#include "varve/api/log_store.h"

int Fail(const absl::Status& status) { return std::cerr << status << '\n', 1; }

// queue_in_twenty_lines DIRECTORY [JOB…]
int main(int argc, char** argv) {
  auto store = varve::LogStore::Open(argc > 1 ? argv[1] : "queue");
  if (!store.ok()) return Fail(store.status());
  absl::Status status = (*store)->CreateTopic("jobs");
  if (!status.ok() && !absl::IsAlreadyExists(status)) return Fail(status);
  auto queue = (*store)->partition("jobs", 0);
  if (!queue.ok()) return Fail(queue.status());

  for (int i = 2; i < argc; ++i) {
    auto put = queue->Append({.value = argv[i]});
    if (!put.ok()) return Fail(put.status());
    // From here on the job survives a power loss.
  }

  auto done = (*store)->CommittedOffset("workers", "jobs", 0);
  if (!done.ok() && !absl::IsNotFound(done.status()))
    return Fail(done.status());
  varve::Cursor jobs(*queue, done.ok() ? done->offset : queue->log_start());
  while (const varve::RecordView* job = jobs.Next()) {
    std::cout << "doing " << job->value().value_or("") << '\n';
    status = (*store)->CommitOffset("workers", "jobs", 0, jobs.position());
    if (!status.ok()) return Fail(status);
    // From here on it is done, and no later run does it again.
  }
  return jobs.status().ok() ? 0 : Fail(jobs.status());
}
