// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/quickstart/quickstart_page.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <iostream>
#include <string>
#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "varve/tools/shell/text_table.h"

namespace varve {
namespace {

constexpr std::string_view kIndent = "   ";
constexpr size_t kWidthDefault = 80;
constexpr size_t kWidthMin = 60;
constexpr size_t kWidthMax = 120;

size_t TerminalWidth() {
  winsize size = {};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) {
    return kWidthDefault;
  }
  return std::clamp<size_t>(size.ws_col, kWidthMin, kWidthMax);
}

}  // namespace

QuickstartPage::QuickstartPage()
    : on_terminal_(isatty(STDOUT_FILENO) == 1),
      width_(TerminalWidth() - kIndent.size()) {}

void QuickstartPage::Emphasized(std::string_view text) {
  std::cout << (on_terminal_ ? absl::StrCat("\033[1m", text, "\033[0m")
                             : std::string(text))
            << "\n"
            << std::flush;
}

void QuickstartPage::Title(std::string_view text) { Emphasized(text); }

void QuickstartPage::Heading(std::string_view text) {
  std::cout << "\n";
  Emphasized(absl::StrCat(++step_, "  ", text));
}

void QuickstartPage::Fact(std::string_view name, std::string_view text) {
  Line(absl::StrFormat("%-11s%s", name, text));
}

void QuickstartPage::Line(std::string_view text) {
  std::cout << absl::StrCat(kIndent, text, "\n") << std::flush;
}

void QuickstartPage::Table(const TextTable& table) {
  std::cout << table.ToString(std::string(kIndent)) << std::flush;
}

std::string Shortened(std::string_view text, size_t width) {
  std::string line;
  for (char c : text) {
    const bool shown = absl::ascii_isprint(static_cast<unsigned char>(c));
    line += c == '\t' ? ' ' : shown ? c : '.';
    if (line.size() > width) {
      line.resize(width - std::min<size_t>(width, 3));
      return line + "...";
    }
  }
  return line;
}

}  // namespace varve
