// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_QUICKSTART_QUICKSTART_COMPACTION_H_
#define VARVE_TOOLS_QUICKSTART_QUICKSTART_COMPACTION_H_

#include <string>

#include "absl/status/status.h"
#include "varve/tools/quickstart/quickstart_page.h"
#include "varve/tools/quickstart/quickstart_text.h"

namespace varve {

// A step of the quickstart: the text in a topic that is compacted by key, so
// that the last line of each key is left. Prints what happened.
//
// Errors: those of LogStore; DataLoss when the last line of a key is not there.
absl::Status ShowCompaction(const std::string& directory,
                            const QuickstartText& text, QuickstartPage& page);

}  // namespace varve

#endif  // VARVE_TOOLS_QUICKSTART_QUICKSTART_COMPACTION_H_
