#include "cli/rows_file.h"

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <google/protobuf/util/json_util.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "cli/csv_rows.h"
#include "domain/text.h"

namespace warmline::cli {
namespace {

constexpr std::size_t kMaxLineBytes = 4 * 1024 * 1024;

class FileBase : public RowsFile {
 public:
  explicit FileBase(const std::string& path) : input_(path) {
    std::error_code error;
    const auto size = std::filesystem::file_size(path, error);
    total_ = error ? 0 : static_cast<std::int64_t>(size);
  }
  std::int64_t bytes_read() override { return input_.eof() ? total_ : static_cast<std::int64_t>(input_.tellg()); }
  std::int64_t bytes_total() const override { return total_; }
  [[nodiscard]] bool good() const { return input_.good(); }

 protected:
  std::ifstream input_;
  std::int64_t total_ = 0;
};

class JsonLinesFile : public FileBase {
 public:
  using FileBase::FileBase;

  std::optional<FileRow> Next() override {
    std::string line;
    while (std::getline(input_, line)) {
      ++number_;
      if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
      FileRow result;
      result.line = number_;
      if (line.size() > kMaxLineBytes) {
        result.error = absl::StrCat("the line has ", line.size(), " bytes: at most ", kMaxLineBytes);
      } else if (domain::CountCodePoints(line) < 0) {
        result.error = "is not valid UTF-8: save the file as UTF-8";
      } else if (const auto status = google::protobuf::util::JsonStringToMessage(line, &result.row); !status.ok()) {
        result.error = absl::StrCat(
            "is not a row in JSON: ", FirstLine(std::string(status.message())),
            " (write, for example, {\"member\": {\"name\": \"ada\", \"kind\": \"PERSON\", \"displayName\": \"Ada\"}})");
        result.row.Clear();
      }
      return result;
    }
    return std::nullopt;
  }

 private:
  static std::string FirstLine(const std::string& text) { return text.substr(0, text.find('\n')); }
  std::int64_t number_ = 0;
};

class CsvFile : public FileBase {
 public:
  explicit CsvFile(const std::string& path) : FileBase(path), reader_(input_) {}

  std::optional<FileRow> Next() override {
    if (!columns_) {
      auto header = reader_.Next();
      if (!header) return std::nullopt;
      columns_ = CsvColumns::FromHeader(*header);
      if (!columns_->error().empty()) {
        FileRow result;
        result.line = header->line;
        result.error = columns_->error();
        result.column = columns_->error_column();
        broken_ = true;
        return result;
      }
    }
    if (broken_) return std::nullopt;
    auto row = reader_.Next();
    if (!row) return std::nullopt;
    FileRow result;
    result.line = row->line;
    if (!row->error.empty()) {
      result.error = row->error;
      result.column = row->error_column;
    } else {
      columns_->Read(*row, result);
    }
    return result;
  }

 private:
  CsvReader reader_;
  std::optional<CsvColumns> columns_;
  bool broken_ = false;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RowsFile>> RowsFile::Open(const std::string& path) {
  std::unique_ptr<FileBase> file;
  if (absl::EndsWith(path, ".csv")) {
    file = std::make_unique<CsvFile>(path);
  } else if (absl::EndsWith(path, ".jsonl") || absl::EndsWith(path, ".ndjson") || absl::EndsWith(path, ".json")) {
    file = std::make_unique<JsonLinesFile>(path);
  } else {
    return absl::InvalidArgumentError(absl::StrCat(path, " is neither .jsonl nor .csv: rename it by what it holds"));
  }
  if (!file->good())
    return absl::NotFoundError(
        absl::StrCat("cannot read ", path, " (", std::strerror(errno), "): check the path and its permissions"));
  return file;
}

}  // namespace warmline::cli
