// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/shell/exit_status.h"

#include <iostream>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "varve/log/metadata/lock_conflict.h"

namespace varve {
namespace {

std::string WayOut(const absl::Status& status, std::string_view written) {
  switch (status.code()) {
    case absl::StatusCode::kResourceExhausted:
      return "make room there, or raise the limit, and try again; nothing that "
             "was acknowledged is lost";
    case absl::StatusCode::kPermissionDenied:
      return "this user must be allowed to read it, and to write it for what "
             "changes the store; a read-only file system is enough for the "
             "rest";
    case absl::StatusCode::kOutOfRange:
      return "\"varve topics describe\" shows what there is";
    case absl::StatusCode::kDataLoss:
      return "\"varve verify\" lists all that is damaged";
    case absl::StatusCode::kFailedPrecondition:
      if (IsLockConflict(status)) {
        return absl::StrCat("end the other program first, or choose another ",
                            written);
      }
      if (absl::EndsWith(status.message(), "Not a directory")) {
        return "choose a directory";
      }
      return "";
    default:
      return "";
  }
}

}  // namespace

std::string ErrorText(const absl::Status& status, std::string_view written) {
  const std::string_view message = status.message();
  const std::string way_out = WayOut(status, written);
  if (way_out.empty() || (absl::StrContains(message, ";") &&
                          !absl::IsFailedPrecondition(status))) {
    return std::string(message);
  }
  return absl::StrCat(message, "; ", way_out);
}

void PrintError(std::string_view message) {
  std::cerr << absl::StrCat("varve: ", message, "\n") << std::flush;
}

int FailWith(const absl::Status& status, std::string_view written) {
  PrintError(ErrorText(status, written));
  return absl::IsInvalidArgument(status) ? kExitUsage : kExitFailure;
}

int UsageError(std::string_view message) {
  PrintError(message);
  return kExitUsage;
}

}  // namespace varve
