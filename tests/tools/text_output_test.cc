// SPDX-License-Identifier: Apache-2.0

// The helpers of the programs' output: units, tables, JSON, shortened lines.

#include <optional>
#include <string_view>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "varve/tools/quickstart/quickstart_page.h"
#include "varve/tools/shell/copy_progress.h"
#include "varve/tools/shell/human_units.h"
#include "varve/tools/shell/record_json.h"
#include "varve/tools/shell/text_table.h"

namespace varve {
namespace {

TEST(HumanUnitsTest, CountsHaveCommas) {
  EXPECT_EQ(HumanCount(0), "0");
  EXPECT_EQ(HumanCount(999), "999");
  EXPECT_EQ(HumanCount(1000), "1,000");
  EXPECT_EQ(HumanCount(-1234567), "-1,234,567");
  EXPECT_EQ(HumanCount(-999), "-999");
}

TEST(HumanUnitsTest, OneIsNotMany) {
  EXPECT_EQ(CountOf(1, "record"), "1 record");
  EXPECT_EQ(CountOf(0, "record"), "0 records");
}

TEST(HumanUnitsTest, BytesAreScaledByThousands) {
  EXPECT_EQ(HumanBytes(0), "0 B");
  EXPECT_EQ(HumanBytes(999), "999 B");
  EXPECT_EQ(HumanBytes(1000), "1.0 kB");
  EXPECT_EQ(HumanBytes(99'960), "100 kB");
  EXPECT_EQ(HumanBytes(999'600), "1.0 MB");
  EXPECT_EQ(HumanBytes(27'000'000), "27.0 MB");
}

TEST(HumanUnitsTest, RatesAndTimesFitTheirSize) {
  EXPECT_EQ(HumanRate(1'000'000, absl::Seconds(2)), "500 k");
  EXPECT_EQ(HumanRate(5, absl::Seconds(1)), "5");
  EXPECT_EQ(HumanRate(0, absl::ZeroDuration()), "0");
  EXPECT_EQ(HumanTime(absl::Milliseconds(12)), "12 ms");
  EXPECT_EQ(HumanTime(absl::Milliseconds(830)), "0.83 s");
  EXPECT_EQ(HumanTime(absl::Seconds(125)), "2 m 05 s");
}

TEST(CopyProgressTest, SaysWhatHowMuchOfWhatAndHowFast) {
  EXPECT_EQ(CopyProgressText("orders",
                             {.done = 1'200'000'000, .total = 4'000'000'000},
                             absl::Seconds(4)),
            "orders: 1.2 GB of about 4.0 GB, 300 MB/s");
  EXPECT_EQ(CopyProgressText("backup", {}, absl::ZeroDuration()),
            "backup: 0 B of about 0 B, 0 B/s");
}

TEST(TextTableTest, ColumnsAreAlignedAndLinesHaveNoTrailingBlanks) {
  TextTable table({{.title = "NAME"}, {.title = "N", .align = Align::kRight}});
  table.AddRow({"a", "1000"});
  table.AddRow({"longer", "1"});
  EXPECT_EQ(table.ToString(" "),
            " NAME       N\n a       1000\n longer     1\n");
}

TEST(TextTableTest, UntitledTableHasNoTitleLine) {
  TextTable table({{}, {}});
  table.AddRow({"a", ""});
  EXPECT_EQ(table.ToString(), "a\n");
}

TEST(RecordJsonTest, BytesThatAreNoTextAreBase64UnderAnotherName) {
  Json object;
  SetBytes(object, "a", "text");
  SetBytes(object, "b", "\xff\xfe");
  SetBytes(object, "c", std::nullopt);
  EXPECT_EQ(ToLine(object), R"({"a":"text","b_base64":"//4=","c":null})");
}

TEST(ShortenedTest, KeepsTheWidthAndShowsNoControlCharacters) {
  EXPECT_EQ(Shortened("a\tb\x01\xff", 10), "a b..");
  EXPECT_EQ(Shortened("0123456789", 10), "0123456789");
  EXPECT_EQ(Shortened("0123456789a", 10), "0123456...");
}

}  // namespace
}  // namespace varve
