// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_SHELL_TEXT_TABLE_H_
#define VARVE_TOOLS_SHELL_TEXT_TABLE_H_

#include <string>
#include <vector>

namespace varve {

// The side of its column on which a cell is.
enum class Align { kLeft, kRight };

// Rows of text in aligned columns, two blanks between them.
//
// Thread safety: externally synchronized.
class TextTable {
 public:
  struct Column {
    std::string title;
    Align align = Align::kLeft;
  };

  explicit TextTable(std::vector<Column> columns);

  // Precondition: a cell for each column.
  void AddRow(std::vector<std::string> cells);

  // Every line ends with a line feed, and begins with `indent`. Untitled
  // columns alone: no line of titles.
  std::string ToString(const std::string& indent = "") const;

 private:
  std::string Line(const std::vector<std::string>& cells,
                   const std::vector<size_t>& widths) const;

  const std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace varve

#endif  // VARVE_TOOLS_SHELL_TEXT_TABLE_H_
