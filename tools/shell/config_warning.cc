// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/shell/config_warning.h"

#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "varve/log/metadata/config_warnings.h"
#include "varve/log/metadata/log_config.h"
#include "varve/tools/shell/exit_status.h"

namespace varve {

void PrintConfigWarnings(std::string_view topic, const LogConfig& config) {
  for (const std::string& warning : ConfigWarnings(config))
    PrintError(absl::StrCat("warning: ", topic, ": ", warning));
}

}  // namespace varve
