// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_QUICKSTART_QUICKSTART_PAGE_H_
#define VARVE_TOOLS_QUICKSTART_QUICKSTART_PAGE_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "varve/tools/shell/text_table.h"

namespace varve {

// What the quickstart prints: numbered headings, and under each a few aligned
// lines, cut to the width. In colour on a terminal, plain in a pipe.
//
// Thread safety: externally synchronized.
class QuickstartPage {
 public:
  QuickstartPage();

  void Title(std::string_view text);
  // Begins the next step.
  void Heading(std::string_view text);
  // A name and what it is: names stand in a column of their own.
  void Fact(std::string_view name, std::string_view text);
  // A line by itself; never cut.
  void Line(std::string_view text);
  void Table(const TextTable& table);

  // Columns that a line has below a heading.
  size_t width() const { return width_; }

 private:
  void Emphasized(std::string_view text);

  const bool on_terminal_;
  const size_t width_;
  int step_ = 0;
};

// `text` on one line: an unprintable character becomes a dot, and an ellipsis
// replaces what exceeds `width` columns.
std::string Shortened(std::string_view text, size_t width);

}  // namespace varve

#endif  // VARVE_TOOLS_QUICKSTART_QUICKSTART_PAGE_H_
