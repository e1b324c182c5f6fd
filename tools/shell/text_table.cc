// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/shell/text_table.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace varve {
namespace {

// Columns that `text` takes: characters of UTF-8, about.
size_t WidthOf(const std::string& text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char byte) {
        return (static_cast<unsigned char>(byte) & 0xc0) != 0x80;
      }));
}

}  // namespace

TextTable::TextTable(std::vector<Column> columns)
    : columns_(std::move(columns)) {}

void TextTable::AddRow(std::vector<std::string> cells) {
  CHECK_EQ(cells.size(), columns_.size());
  rows_.push_back(std::move(cells));
}

std::string TextTable::Line(const std::vector<std::string>& cells,
                            const std::vector<size_t>& widths) const {
  std::string line;
  for (size_t i = 0; i < cells.size(); ++i) {
    const std::string padding(widths[i] - WidthOf(cells[i]), ' ');
    if (i > 0) line += "  ";
    line += columns_[i].align == Align::kRight
                ? absl::StrCat(padding, cells[i])
                : absl::StrCat(cells[i], padding);
  }
  absl::StripTrailingAsciiWhitespace(&line);
  return line;
}

std::string TextTable::ToString(const std::string& indent) const {
  std::vector<std::string> titles;
  std::vector<size_t> widths;
  for (const Column& column : columns_) {
    titles.push_back(column.title);
    widths.push_back(column.title.size());
  }
  for (const std::vector<std::string>& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], WidthOf(row[i]));
    }
  }
  std::string text;
  const std::string title_line = Line(titles, widths);
  if (!title_line.empty()) absl::StrAppend(&text, indent, title_line, "\n");
  for (const std::vector<std::string>& row : rows_) {
    absl::StrAppend(&text, indent, Line(row, widths), "\n");
  }
  return text;
}

}  // namespace varve
