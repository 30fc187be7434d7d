// Files of rows to import: JSON Lines (the JSON form of warmline.v1.Row, or of a bare Member, Connection, Block or Need
// by its key) and CSV (docs/import.md lists the columns). One thread.
#pragma once

#include <absl/status/statusor.h>

#include <fstream>
#include <memory>
#include <optional>
#include <string>

#include "cli/csv.h"
#include "warmline/v1/member_service.pb.h"

namespace warmline::cli {

struct FileRow {
  std::int64_t line = 0;
  warmline::v1::Row row;
  std::string error;  // of reading it, with the remedy; then `row` is empty
  int column = 0;     // of the error; 0: unknown
};

class RowsFile {
 public:
  virtual ~RowsFile() = default;
  // The next row, good or bad; nothing at the end.
  [[nodiscard]] virtual std::optional<FileRow> Next() = 0;
  // Bytes read, and in all (0: unknown), for progress.
  [[nodiscard]] virtual std::int64_t bytes_read() = 0;
  [[nodiscard]] virtual std::int64_t bytes_total() const = 0;

  // By extension: .jsonl, .json, .ndjson or .csv. Errors name the path and the remedy.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<RowsFile>> Open(const std::string& path);
};

}  // namespace warmline::cli
