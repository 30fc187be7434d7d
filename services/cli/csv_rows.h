// Columns of a CSV file as rows: members, or connections, by the header. docs/import.md lists the columns. One thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/csv.h"

namespace warmline::cli {

struct FileRow;

class CsvColumns {
 public:
  // An unknown or missing column is an error.
  [[nodiscard]] static CsvColumns FromHeader(const CsvRow& header);
  [[nodiscard]] const std::string& error() const { return error_; }
  [[nodiscard]] int error_column() const { return error_column_; }
  // Fills `result.row`, or `result.error` and `result.column`.
  void Read(const CsvRow& row, FileRow& result) const;

 private:
  // Puts a field's text into the row; returns what is wrong, or "".
  using Setter = std::function<std::string(const std::string&, FileRow&)>;
  std::vector<Setter> setters_;
  std::vector<std::string> names_;
  std::string error_;
  int error_column_ = 0;
};

}  // namespace warmline::cli
