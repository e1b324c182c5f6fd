// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/shell/record_printer.h"

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "varve/log/batch/record_view.h"
#include "varve/tools/shell/record_format.h"
#include "varve/tools/shell/record_json.h"

namespace varve {

absl::Status RecordPrinter::Print(const RecordOrigin& origin,
                                  const RecordView& record) {
  CHECK_GT(left_, 0);
  --left_;
  if (format_.has_value()) {
    format_->Append(origin, record, output_.text());
  } else {
    Json json = {{"topic", origin.topic}, {"partition", origin.partition}};
    SetRecord(json, record);
    absl::StrAppend(&output_.text(), ToLine(json), "\n");
  }
  return output_.FlushIfLarge();
}

}  // namespace varve
