#include "cli/csv.h"

namespace warmline::cli {

std::optional<CsvRow> CsvReader::Next() {
  while (std::getline(input_, line_)) {
    ++number_;
    if (number_ == 1 && line_.rfind("\xEF\xBB\xBF", 0) == 0) line_.erase(0, 3);  // a byte order mark
    if (line_.empty() || line_ == "\r") continue;
    CsvRow row;
    row.line = number_;
    ParseRow(row);
    return row;
  }
  return std::nullopt;
}

void CsvReader::ParseRow(CsvRow& row) {
  const auto fail = [&](std::size_t at, const char* what) {
    row.error = what;
    row.error_column = static_cast<int>(at) + 1;
  };
  std::size_t at = 0;
  while (true) {
    CsvField field;
    field.column = static_cast<int>(at) + 1;
    if (at < line_.size() && line_[at] == '"') {
      ++at;
      while (true) {
        const std::size_t quote = line_.find('"', at);
        if (quote == std::string::npos) {
          field.text.append(line_, at);
          if (field.text.size() > kMaxCsvFieldBytes)
            return fail(0, "a field is longer than 1 MiB: a quote that opens it may lack its end");
          if (!std::getline(input_, line_))
            return fail(static_cast<std::size_t>(field.column) - 1,
                        "a quote is opened here and never closed: close it, or double it inside a quoted field");
          ++number_;
          field.text += '\n';
          at = 0;
          continue;
        }
        field.text.append(line_, at, quote - at);
        at = quote + 1;
        if (at < line_.size() && line_[at] == '"') {  // a doubled quote stands for one
          field.text += '"';
          ++at;
          continue;
        }
        break;
      }
      if (at < line_.size() && line_[at] == '\r') ++at;
      if (at < line_.size() && line_[at] != ',')
        return fail(at, "text follows a closing quote: put a comma between, or quote the whole field");
    } else {
      std::size_t end = std::min(line_.find(',', at), line_.size());
      const bool crlf = end == line_.size() && end > at && line_[end - 1] == '\r';
      if (crlf) --end;
      field.text = line_.substr(at, end - at);
      if (const std::size_t quote = field.text.find('"'); quote != std::string::npos)
        return fail(at + quote,
                    "a quote stands inside a field that is not quoted: quote the whole field and double the quote");
      at = crlf ? end + 1 : end;
    }
    row.fields.push_back(std::move(field));
    if (row.fields.size() > kMaxCsvFields) return fail(at, "has more than 256 fields");
    if (at >= line_.size()) return;
    ++at;  // the comma
  }
}

}  // namespace warmline::cli
