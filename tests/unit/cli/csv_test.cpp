#include "cli/csv.h"

#include <gtest/gtest.h>

#include <sstream>

namespace warmline::cli {
namespace {

std::vector<CsvRow> ReadAll(const std::string& text) {
  std::istringstream input(text);
  CsvReader reader(input);
  std::vector<CsvRow> rows;
  while (auto row = reader.Next()) rows.push_back(*row);
  return rows;
}

TEST(Csv, ReadsQuotesCommasAndLineBreaks) {
  const auto rows = ReadAll("\xEF\xBB\xBFid,name\r\n1,\"Ada, \"\"the\"\" first\nlady\"\r\n\n2,\n");
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].fields[0].text, "id");
  EXPECT_EQ(rows[1].fields[1].text, "Ada, \"the\" first\nlady");
  EXPECT_EQ(rows[1].fields[1].column, 3);
  EXPECT_EQ(rows[2].line, 5);
  EXPECT_EQ(rows[2].fields.size(), 2U);
  EXPECT_EQ(rows[2].fields[1].text, "");
}

TEST(Csv, NamesLineAndColumnOfAFaultAndGoesOn) {
  const auto rows = ReadAll("a,b\n1,x\"y\n2,\"x\"y\n3,z\n4,\"open\n");
  ASSERT_EQ(rows.size(), 5U);
  EXPECT_EQ(rows[1].error_column, 4);
  EXPECT_EQ(rows[1].line, 2);
  EXPECT_EQ(rows[2].error_column, 6);
  EXPECT_TRUE(rows[3].error.empty());
  EXPECT_EQ(rows[4].error_column, 3);
}

}  // namespace
}  // namespace warmline::cli
