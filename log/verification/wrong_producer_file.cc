// SPDX-License-Identifier: Apache-2.0

#include "varve/log/verification/wrong_producer_file.h"

#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "varve/log/verification/finding_list.h"
#include "varve/log/verification/verify_finding.h"

namespace varve {
namespace {

constexpr std::string_view kMadeAgainText =
    "the next open makes it again, or removes it";

void Add(VerifyFinding finding, std::string_view outlook,
         FindingList& findings) {
  absl::StrAppend(&finding.what, "; no record is touched", outlook);
  findings.Add(std::move(finding));
}

}  // namespace

void AddUnreadable(VerifyFinding finding, WrongFileFate fate,
                   FindingList& findings) {
  if (fate == WrongFileFate::kMadeAgain)
    finding.severity = FindingSeverity::kNote;
  Add(std::move(finding),
      absl::StrCat(": ", fate == WrongFileFate::kMadeAgain
                             ? kMadeAgainText
                             : "the batches are read instead of it"),
      findings);
}

void AddUntrue(VerifyFinding finding, WrongFileFate fate,
               FindingList& findings) {
  switch (fate) {
    case WrongFileFate::kUsed:
      Add(std::move(finding),
          ", but varve goes by this file: to have the batches read instead, "
          "run truncate -s 1 on it while the store is closed",
          findings);
      return;
    case WrongFileFate::kMadeAgain:
      finding.severity = FindingSeverity::kNote;
      Add(std::move(finding), absl::StrCat(": ", kMadeAgainText), findings);
      return;
    case WrongFileFate::kBrokers:
      finding.severity = FindingSeverity::kNote;
      Add(std::move(finding), "", findings);
      return;
  }
}

}  // namespace varve
