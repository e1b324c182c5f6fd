// SPDX-License-Identifier: Apache-2.0

#include "tests/faulty_file_system.h"

#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "log/errno_status.h"
#include "log/file_system.h"
#include "log/file_system_type.h"

namespace varve {
namespace {

class FaultyMapping final : public Mapping {
 public:
  FaultyMapping(FaultyFileSystem& files, std::string path,
                std::unique_ptr<Mapping> base)
      : Mapping(base->data(), base->size()),
        files_(files),
        path_(std::move(path)),
        base_(std::move(base)) {}

  absl::Status ProtectReadOnly() override {
    const absl::ReaderMutexLock passage(&files_.calls_under_way());
    absl::Status status = files_.Enter("Mapping::ProtectReadOnly", path_);
    return status.ok() ? base_->ProtectReadOnly() : status;
  }
  absl::Status Populate(size_t begin, size_t end) override {
    const absl::ReaderMutexLock passage(&files_.calls_under_way());
    absl::Status status = files_.Enter("Mapping::Populate", path_);
    return status.ok() ? base_->Populate(begin, end) : status;
  }
  absl::Status Sync(size_t begin, size_t end) override {
    const absl::ReaderMutexLock passage(&files_.calls_under_way());
    absl::Status status = files_.Enter("Mapping::Sync", path_);
    return status.ok() ? base_->Sync(begin, end) : status;
  }

 private:
  FaultyFileSystem& files_;
  const std::string path_;
  const std::unique_ptr<Mapping> base_;
};

class FaultyFile final : public File {
 public:
  FaultyFile(FaultyFileSystem& files, std::unique_ptr<File> base)
      : File(base->path()), files_(files), base_(std::move(base)) {}

  absl::StatusOr<int64_t> Size() override {
    const absl::ReaderMutexLock passage(&files_.calls_under_way());
    absl::Status status = files_.Enter("File::Size", path());
    if (!status.ok()) return status;
    return base_->Size();
  }

  absl::StatusOr<absl::Time> ModifiedAt() override {
    const absl::ReaderMutexLock passage(&files_.calls_under_way());
    absl::Status status = files_.Enter("File::ModifiedAt", path());
    if (!status.ok()) return status;
    return base_->ModifiedAt();
  }

  absl::StatusOr<size_t> ReadAt(int64_t position,
                                absl::Span<char> out) override {
    const absl::ReaderMutexLock passage(&files_.calls_under_way());
    absl::Status status = files_.Enter("File::ReadAt", path());
    if (!status.ok()) return status;
    return base_->ReadAt(position, out);
  }

  absl::Status WriteAt(int64_t position, std::string_view bytes) override {
    const absl::ReaderMutexLock passage(&files_.calls_under_way());
    const int64_t end = position + static_cast<int64_t>(bytes.size());
    absl::Status status = EnterAndGrow("File::WriteAt", end);
    return status.ok() ? base_->WriteAt(position, bytes) : status;
  }

  absl::Status Allocate(int64_t begin, int64_t end) override {
    const absl::ReaderMutexLock passage(&files_.calls_under_way());
    absl::Status status = EnterAndGrow("File::Allocate", end);
    return status.ok() ? base_->Allocate(begin, end) : status;
  }

  absl::Status Truncate(int64_t size) override {
    const absl::ReaderMutexLock passage(&files_.calls_under_way());
    absl::Status status = files_.Enter("File::Truncate", path());
    if (status.ok()) status = TakeSpaceFor(size, "File::Truncate");
    return status.ok() ? base_->Truncate(size) : status;
  }

  absl::Status Sync() override {
    const absl::ReaderMutexLock passage(&files_.calls_under_way());
    absl::Status status = files_.Enter("File::Sync", path());
    return status.ok() ? base_->Sync() : status;
  }
  absl::Status DropCache() override {
    const absl::ReaderMutexLock passage(&files_.calls_under_way());
    absl::Status status = files_.Enter("File::DropCache", path());
    if (!status.ok()) return status;
    const std::optional<std::string> disk = files_.TakeDisk(path());
    if (disk.has_value()) status = base_->Truncate(0);
    if (disk.has_value() && status.ok()) status = base_->WriteAt(0, *disk);
    return status.ok() ? base_->DropCache() : status;
  }

  absl::StatusOr<std::unique_ptr<Mapping>> Map(size_t size,
                                               MapAccess access) override {
    const absl::ReaderMutexLock passage(&files_.calls_under_way());
    absl::Status status = files_.Enter("File::Map", path());
    if (!status.ok()) return status;
    absl::StatusOr<std::unique_ptr<Mapping>> mapping = base_->Map(size, access);
    if (!mapping.ok()) return mapping.status();
    return std::make_unique<FaultyMapping>(files_, path(), *std::move(mapping));
  }

  absl::Status ShowIn(Mapping& mapping, int64_t begin, int64_t end) override {
    absl::Status status = files_.Enter("File::ShowIn", path());
    return status.ok() ? base_->ShowIn(mapping, begin, end) : status;
  }

  absl::Status Lock() override {
    const absl::ReaderMutexLock passage(&files_.calls_under_way());
    absl::Status status = files_.Enter("File::Lock", path());
    return status.ok() ? base_->Lock() : status;
  }

 private:
  absl::Status EnterAndGrow(std::string_view call, int64_t end) {
    absl::Status status = files_.Enter(call, path());
    if (!status.ok() || !files_.space_is_limited()) return status;
    const absl::StatusOr<int64_t> size = base_->Size();
    if (!size.ok()) return size.status();
    return end > *size ? files_.TakeSpace(end - *size, call, path()) : status;
  }

  absl::Status TakeSpaceFor(int64_t new_size, std::string_view call) {
    if (!files_.space_is_limited()) return absl::OkStatus();
    const absl::StatusOr<int64_t> size = base_->Size();
    if (!size.ok()) return size.status();
    return files_.TakeSpace(new_size - *size, call, path());
  }

  FaultyFileSystem& files_;
  const std::unique_ptr<File> base_;
};

class FaultyDirectory final : public Directory {
 public:
  FaultyDirectory(FaultyFileSystem& files, std::unique_ptr<Directory> base)
      : Directory(base->path()), files_(files), base_(std::move(base)) {}

  absl::StatusOr<std::unique_ptr<File>> OpenFile(std::string_view name,
                                                 OpenMode mode) override {
    const absl::ReaderMutexLock passage(&files_.calls_under_way());
    absl::Status status = Enter("Directory::OpenFile", name);
    if (!status.ok()) return status;
    absl::StatusOr<std::unique_ptr<File>> file = base_->OpenFile(name, mode);
    if (!file.ok()) return file.status();
    return std::make_unique<FaultyFile>(files_, *std::move(file));
  }

  absl::StatusOr<FileSystemType> Type() override {
    const absl::ReaderMutexLock passage(&files_.calls_under_way());
    absl::Status status = files_.Enter("Directory::Type", path());
    if (!status.ok()) return status;
    const std::optional<FileSystemType> pretended = files_.type();
    return pretended.has_value() ? *pretended : base_->Type();
  }

  absl::StatusOr<std::vector<DirectoryEntry>> List() override {
    const absl::ReaderMutexLock passage(&files_.calls_under_way());
    absl::Status status = files_.Enter("Directory::List", path());
    if (!status.ok()) return status;
    return base_->List();
  }

  absl::StatusOr<int64_t> DiskBytes() override {
    absl::Status status = files_.Enter("Directory::DiskBytes", path());
    if (!status.ok()) return status;
    return base_->DiskBytes();
  }

  absl::Status Rename(std::string_view from, std::string_view to) override {
    const absl::ReaderMutexLock passage(&files_.calls_under_way());
    absl::Status status = Enter("Directory::Rename", from);
    if (!status.ok()) return status;
    const int64_t freed = SizeOf(to);
    status = base_->Rename(from, to);
    return status.ok() ? files_.TakeSpace(-freed, "Directory::Rename", path())
                       : status;
  }

  absl::Status RemoveFile(std::string_view name) override {
    const absl::ReaderMutexLock passage(&files_.calls_under_way());
    absl::Status status = Enter("Directory::RemoveFile", name);
    if (!status.ok()) return status;
    const int64_t freed = SizeOf(name);
    status = base_->RemoveFile(name);
    return status.ok()
               ? files_.TakeSpace(-freed, "Directory::RemoveFile", path())
               : status;
  }

  absl::Status Sync() override {
    const absl::ReaderMutexLock passage(&files_.calls_under_way());
    absl::Status status = files_.Enter("Directory::Sync", path());
    return status.ok() ? base_->Sync() : status;
  }

  absl::StatusOr<std::unique_ptr<Directory>> OpenDirectory(
      std::string_view name) override {
    const absl::ReaderMutexLock passage(&files_.calls_under_way());
    absl::Status status = Enter("Directory::OpenDirectory", name);
    if (!status.ok()) return status;
    absl::StatusOr<std::unique_ptr<Directory>> directory =
        base_->OpenDirectory(name);
    if (!directory.ok()) return directory.status();
    return std::make_unique<FaultyDirectory>(files_, *std::move(directory));
  }

  absl::Status CreateDirectory(std::string_view name) override {
    const absl::ReaderMutexLock passage(&files_.calls_under_way());
    absl::Status status = Enter("Directory::CreateDirectory", name);
    return status.ok() ? base_->CreateDirectory(name) : status;
  }

  absl::Status RemoveDirectory(std::string_view name) override {
    const absl::ReaderMutexLock passage(&files_.calls_under_way());
    absl::Status status = Enter("Directory::RemoveDirectory", name);
    return status.ok() ? base_->RemoveDirectory(name) : status;
  }

 private:
  absl::Status Enter(std::string_view call, std::string_view name) {
    return files_.Enter(call, absl::StrCat(path(), "/", name));
  }

  // 0 when there is no such file.
  int64_t SizeOf(std::string_view name) {
    absl::StatusOr<std::unique_ptr<File>> file =
        base_->OpenFile(name, OpenMode::kRead);
    return file.ok() ? (*file)->Size().value_or(0) : 0;
  }

  FaultyFileSystem& files_;
  const std::unique_ptr<Directory> base_;
};

}  // namespace

FaultyFileSystem::FaultyFileSystem(FileSystem* base) : base_(base) {}
FaultyFileSystem::~FaultyFileSystem() = default;

void FaultyFileSystem::FailCall(int64_t number, int error, Repeat repeat) {
  absl::MutexLock lock(&mutex_);
  faults_.push_back({.number = number, .error = error, .repeat = repeat});
}

void FaultyFileSystem::FailCallsNamed(std::string_view prefix, int error,
                                      Repeat repeat) {
  absl::MutexLock lock(&mutex_);
  faults_.push_back(
      {.prefix = std::string(prefix), .error = error, .repeat = repeat});
}

void FaultyFileSystem::StopFailing() {
  absl::MutexLock lock(&mutex_);
  faults_.clear();
}

void FaultyFileSystem::LimitSpace(int64_t bytes) {
  absl::MutexLock lock(&mutex_);
  space_left_ = bytes;
}

void FaultyFileSystem::KillAt(int64_t number) {
  absl::MutexLock lock(&mutex_);
  kill_at_ = number;
}

void FaultyFileSystem::PretendDisk(const std::string& path, std::string bytes) {
  absl::MutexLock lock(&mutex_);
  disks_.insert_or_assign(path, std::move(bytes));
}

std::optional<std::string> FaultyFileSystem::TakeDisk(const std::string& path) {
  absl::MutexLock lock(&mutex_);
  auto disk = disks_.extract(path);
  if (disk.empty()) return std::nullopt;
  return std::move(disk.mapped());
}

void FaultyFileSystem::PretendType(FileSystemType type) {
  absl::MutexLock lock(&mutex_);
  type_ = type;
}

std::optional<FileSystemType> FaultyFileSystem::type() const {
  absl::MutexLock lock(&mutex_);
  return type_;
}

void FaultyFileSystem::UnlimitSpace() {
  absl::MutexLock lock(&mutex_);
  space_left_.reset();
}

int64_t FaultyFileSystem::call_count() const {
  absl::MutexLock lock(&mutex_);
  return static_cast<int64_t>(calls_.size());
}

std::vector<std::string> FaultyFileSystem::calls() const {
  absl::MutexLock lock(&mutex_);
  return calls_;
}

void FaultyFileSystem::ForgetCalls() {
  absl::MutexLock lock(&mutex_);
  calls_.clear();
}

absl::StatusOr<std::unique_ptr<Directory>> FaultyFileSystem::OpenDirectory(
    const std::string& path) {
  const absl::ReaderMutexLock passage(&calls_under_way_);
  absl::Status status = Enter("FileSystem::OpenDirectory", path);
  if (!status.ok()) return status;
  absl::StatusOr<std::unique_ptr<Directory>> directory =
      base_->OpenDirectory(path);
  if (!directory.ok()) return directory.status();
  return std::make_unique<FaultyDirectory>(*this, *std::move(directory));
}

absl::Status FaultyFileSystem::CreateDirectories(const std::string& path) {
  const absl::ReaderMutexLock passage(&calls_under_way_);
  absl::Status status = Enter("FileSystem::CreateDirectories", path);
  return status.ok() ? base_->CreateDirectories(path) : status;
}

bool FaultyFileSystem::Hits(const Fault& fault, int64_t number,
                            std::string_view text) {
  if (fault.number < 0) return absl::StartsWith(text, fault.prefix);
  return fault.repeat == Repeat::kForever ? number >= fault.number
                                          : number == fault.number;
}

void FaultyFileSystem::RunBefore(std::string_view prefix,
                                 std::function<void()> action) {
  absl::MutexLock lock(&mutex_);
  action_number_ = -1;
  action_prefix_ = std::string(prefix);
  action_ = std::move(action);
}

void FaultyFileSystem::RunBefore(int64_t number, std::function<void()> action) {
  absl::MutexLock lock(&mutex_);
  action_number_ = number;
  action_ = std::move(action);
}

void FaultyFileSystem::RunActionBefore(std::string_view text) {
  std::function<void()> action;
  {
    absl::MutexLock lock(&mutex_);
    const bool is_due =
        action_number_ < 0
            ? absl::StartsWith(text, action_prefix_)
            : action_number_ == static_cast<int64_t>(calls_.size());
    if (action_ == nullptr || !is_due) return;
    action = std::exchange(action_, nullptr);
  }
  action();
}

absl::Status FaultyFileSystem::Enter(std::string_view call,
                                     std::string_view path) {
  const std::string text = absl::StrCat(call, " ", path);
  RunActionBefore(text);
  absl::MutexLock lock(&mutex_);
  const auto number = static_cast<int64_t>(calls_.size());
  calls_.push_back(text);
  if (number == kill_at_) raise(SIGKILL);
  if (!hold_prefix_.empty() && absl::StartsWith(text, hold_prefix_)) {
    hold_prefix_.clear();
    is_held_ = true;
    mutex_.Await(absl::Condition(
        +[](bool* held) { return !*held; }, &is_held_));
  }
  const auto fault =
      std::find_if(faults_.begin(), faults_.end(),
                   [&](const Fault& f) { return Hits(f, number, text); });
  if (fault == faults_.end()) return absl::OkStatus();
  const int error = fault->error;
  if (fault->repeat == Repeat::kOnce) faults_.erase(fault);
  return ErrnoStatus(error, call, path);
}

void FaultyFileSystem::HoldCallNamed(std::string_view prefix) {
  absl::MutexLock lock(&mutex_);
  hold_prefix_ = std::string(prefix);
}

void FaultyFileSystem::AwaitHeld() {
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(&is_held_));
}

void FaultyFileSystem::LetGo() {
  absl::MutexLock lock(&mutex_);
  is_held_ = false;
}

absl::Status FaultyFileSystem::TakeSpace(int64_t bytes, std::string_view call,
                                         std::string_view path) {
  absl::MutexLock lock(&mutex_);
  if (!space_left_.has_value()) return absl::OkStatus();
  if (bytes > 0 && bytes > *space_left_) {
    return ErrnoStatus(ENOSPC, call, path);
  }
  *space_left_ -= bytes;
  return absl::OkStatus();
}

bool FaultyFileSystem::space_is_limited() const {
  absl::MutexLock lock(&mutex_);
  return space_left_.has_value();
}

}  // namespace varve
