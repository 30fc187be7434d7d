// A reader of CSV (RFC 4180): quoted fields, doubled quotes, line breaks inside quotes; says where each row and field
// stands. One thread.
#pragma once

#include <absl/status/statusor.h>

#include <istream>
#include <optional>
#include <string>
#include <vector>

namespace warmline::cli {

inline constexpr std::size_t kMaxCsvFieldBytes = 1024 * 1024;
inline constexpr std::size_t kMaxCsvFields = 256;

struct CsvField {
  std::string text;
  int column = 1;  // of its first character in the line, counted in bytes from 1
};

struct CsvRow {
  std::int64_t line = 1;  // where it begins, counted from 1
  std::vector<CsvField> fields;
  // What is wrong with the row, with its column; the reader goes on after it.
  std::string error;
  int error_column = 0;
};

class CsvReader {
 public:
  explicit CsvReader(std::istream& input) : input_(input) {}
  // The next row; nothing at the end. Empty lines are passed over.
  [[nodiscard]] std::optional<CsvRow> Next();

 private:
  // Reads one row from line_ on, and more lines inside quotes.
  void ParseRow(CsvRow& row);

  std::istream& input_;
  std::string line_;
  std::int64_t number_ = 0;
};

}  // namespace warmline::cli
