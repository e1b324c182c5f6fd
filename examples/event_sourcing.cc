// SPDX-License-Identifier: Apache-2.0

// Event sourcing: accounts are what their events come to. A change is an event
// that is appended only while its account is at the version that whoever wants
// the change has seen. Snapshots save a start from reading all events.
//
//   event_sourcing DIRECTORY ACCOUNT [AMOUNT VERSION]
//
// adds the amount, which may be negative, to an account at this version, and
// prints the account. One without events is at version 0.

#include <cstddef>
#include <cstdint>
#include <iostream>
#include <map>
#include <sstream>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/types/span.h"
#include "varve/api/cursor.h"
#include "varve/api/log_store.h"
#include "varve/api/partitioner.h"

namespace {

// A snapshot fits a batch, and old ones are freed by segments.
constexpr varve::TopicConfig kTopic = {
    .partitions = 4,
    .log = {.segment_bytes = 1 << 24, .max_message_bytes = 1 << 24}};
// Few, so that a short run shows it: a snapshot writes all accounts.
constexpr int64_t kEventsPerSnapshot = 3;

struct Account {
  int64_t balance = 0;
  int64_t version = 0;  // how many events it has had
};

// The accounts whose keys belong to one partition, where their events are in
// order. One thread at a time changes them, and nobody else appends there.
struct Accounts {
  varve::Partition events;
  varve::Partition snapshots;
  std::map<std::string, Account> all = {};
  int64_t next = 0;      // the first event that is not among them
  int64_t snapshot = 0;  // the first that is not in the snapshot
};

std::istringstream Numbers(const varve::RecordView& record) {
  return std::istringstream(std::string(record.value().value_or("")));
}

void Apply(const std::string& name, int32_t amount, Accounts& accounts) {
  Account& account = accounts.all[name];
  account = {account.balance + amount, account.version + 1};
}

// Rebuilds the accounts from the last snapshot and the events after it.
absl::Status Load(Accounts& accounts) {
  const varve::Partition& snapshots = accounts.snapshots;
  varve::Cursor snapshot(snapshots, snapshots.log_start());
  while (const varve::RecordView* saved = snapshot.Next()) {
    Account& account = accounts.all[std::string(saved->key().value_or(""))];
    if (!(Numbers(*saved) >> account.balance >> account.version >>
          accounts.next))
      return absl::DataLossError("a snapshot is not one of this program");
  }
  if (!snapshot.status().ok()) return snapshot.status();
  accounts.snapshot = accounts.next;

  varve::Cursor events(accounts.events, accounts.next);
  while (const varve::RecordView* event = events.Next()) {
    int32_t amount = 0;
    if (!(Numbers(*event) >> amount))
      return absl::DataLossError("an event is not one of this program");
    Apply(std::string(event->key().value_or("")), amount, accounts);
  }
  accounts.next = events.position();
  return events.status();
}

// A snapshot is one batch, so it is there as a whole or not at all.
absl::Status TakeSnapshot(Accounts& accounts) {
  varve::Partition& snapshots = accounts.snapshots;
  varve::RecordBatchBuilder batch({.size_max = snapshots.batch_size_max()});
  for (const auto& [name, account] : accounts.all) {
    const std::string saved =
        absl::StrCat(account.balance, " ", account.version, " ", accounts.next);
    absl::Status s = batch.Append({.key = name, .value = saved}, absl::Now());
    if (!s.ok()) return s;
  }
  auto where = snapshots.Append(batch.Finish());
  if (!where.ok()) return where.status();
  accounts.snapshot = accounts.next;
  return snapshots.TrimBefore(where->offset);  // without the earlier ones
}

// When it returns OK, the change survives a power loss. After an error of the
// store it may have been made or not: load the accounts again.
absl::Status Change(const std::string& name, int32_t amount, int64_t version,
                    Accounts& accounts) {
  const Account now = accounts.all[name];
  if (now.version != version)
    return absl::AbortedError(
        absl::StrCat(name, " is at version ", now.version));
  if (now.balance + amount < 0)
    return absl::FailedPreconditionError(absl::StrCat(name, " has too little"));
  const std::string value = absl::StrCat(amount);
  auto event = accounts.events.Append({.key = name, .value = value});
  if (!event.ok()) return event.status();
  Apply(name, amount, accounts);
  accounts.next = event->next_offset;
  if (accounts.next - accounts.snapshot < kEventsPerSnapshot)
    return absl::OkStatus();
  return TakeSnapshot(accounts);
}

absl::Status Run(const std::string& path, const std::string& name,
                 absl::Span<char*> change) {
  auto store = varve::LogStore::Open(path);
  if (!store.ok()) return store.status();
  for (const char* topic : {"events", "snapshots"}) {
    absl::Status made = (*store)->CreateTopic(topic, kTopic);
    if (!made.ok() && !absl::IsAlreadyExists(made)) return made;
  }
  const int32_t partition = varve::PartitionForKey(name, kTopic.partitions);
  auto events = (*store)->partition("events", partition);
  if (!events.ok()) return events.status();
  auto snapshots = (*store)->partition("snapshots", partition);
  if (!snapshots.ok()) return snapshots.status();

  Accounts accounts = {.events = *events, .snapshots = *snapshots};
  if (absl::Status s = Load(accounts); !s.ok()) return s;
  std::cout << "events replayed: " << accounts.next - accounts.snapshot << '\n';
  if (!change.empty()) {
    int32_t amount = 0;
    int64_t version = 0;
    if (!absl::SimpleAtoi(change[0], &amount) ||
        !absl::SimpleAtoi(change[1], &version))
      return absl::InvalidArgumentError("the amount or version is no number");
    absl::Status changed = Change(name, amount, version, accounts);
    if (!changed.ok()) return changed;
  }
  const Account& account = accounts.all[name];
  std::cout << name << " has " << account.balance << " at version "
            << account.version << '\n';
  return (*store)->Close();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 && argc != 5) {
    std::cerr << "event_sourcing DIRECTORY ACCOUNT [AMOUNT VERSION]\n";
    return 2;
  }
  const absl::Status status =
      Run(argv[1], argv[2],
          absl::MakeSpan(argv, static_cast<size_t>(argc)).subspan(3));
  if (!status.ok()) std::cerr << status << '\n';
  return status.ok() ? 0 : 1;
}
