#include "cli/cohort_file.h"

#include <absl/strings/ascii.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <map>
#include <set>

#include "cli/csv.h"
#include "domain/error.h"
#include "domain/names.h"

namespace warmline::cli {
namespace {

using assignment::Pair;

constexpr std::size_t kDecimals = 6;

// One row by the names of its columns; `error` collects the first thing that is wrong with it.
struct NamedRow {
  const std::string& path;
  const CsvRow& row;
  const std::map<std::string, std::size_t>& columns;
  std::string error = {};

  [[nodiscard]] std::string Text(const char* column) const {
    const auto found = columns.find(column);
    if (found == columns.end() || found->second >= row.fields.size()) return "";
    return std::string(absl::StripAsciiWhitespace(row.fields[found->second].text));
  }
  void Wrong(const char* column, const std::string& what) {
    if (error.empty())
      error = absl::StrCat(path, ":", row.line, ": ", column, " ", domain::Quoted(Text(column)), " ", what);
  }
  std::string Id(const char* column) {
    std::string text = Text(column);
    domain::Violations violations;
    domain::ValidateId(text, column, violations);
    if (!violations.empty()) Wrong(column, "is no id: give 1 to 64 of A-Z a-z 0-9 . _ -");
    return text;
  }
  std::int64_t Weight(const char* column) {
    const auto weight = ParseWeight(Text(column));
    if (!weight)
      Wrong(column, "is no weight: give a decimal from -4000 to 4000 with at most six digits after the point");
    return weight.value_or(0);
  }
  bool YesNo(const char* column) {
    const std::string text = absl::AsciiStrToLower(Text(column));
    if (text != "yes" && text != "no" && !text.empty()) Wrong(column, "is neither yes nor no");
    return text == "yes";
  }
};

// Calls `each` with every row of a file whose first line names its columns.
absl::Status ForEachRow(const std::string& path, const std::vector<std::string>& needed,
                        const std::vector<std::string>& allowed, const std::function<void(NamedRow&)>& each) {
  const auto wrong = [](const std::string& what) { return absl::InvalidArgumentError(what); };
  std::ifstream file(path);
  if (!file) return wrong(absl::StrCat(path, " cannot be read: check the path and its permissions"));
  CsvReader reader(file);
  auto header = reader.Next();
  if (!header) return wrong(absl::StrCat(path, " is empty: its first line names the columns"));
  std::map<std::string, std::size_t> columns;
  for (std::size_t i = 0; i < header->fields.size(); ++i) {
    const std::string name(absl::StripAsciiWhitespace(header->fields[i].text));
    if (std::find(allowed.begin(), allowed.end(), name) == allowed.end()) {
      std::string list;
      for (const auto& column : allowed) absl::StrAppend(&list, list.empty() ? "" : ", ", column);
      return wrong(absl::StrCat(path, ":1: there is no column ", domain::Quoted(name), ": use ", list));
    }
    columns[name] = i;
  }
  for (const std::string& column : needed) {
    if (!columns.contains(column)) return wrong(absl::StrCat(path, ":1: the column ", column, " is missing"));
  }
  while (auto row = reader.Next()) {
    NamedRow named{path, *row, columns};
    if (!row->error.empty()) return wrong(absl::StrCat(path, ":", row->line, ": ", row->error));
    if (row->fields.size() > header->fields.size())
      return wrong(absl::StrCat(path, ":", row->line, ": has ", row->fields.size(), " fields, and the first line ",
                                header->fields.size()));
    each(named);
    if (!named.error.empty()) return wrong(named.error);
  }
  return absl::OkStatus();
}

struct FilePair {
  std::string seeker;
  std::string helper;
  std::int64_t weight = 0;
  std::int64_t of_seeker = 0;
  std::int64_t of_helper = 0;
  bool fixed = false;
  bool forbidden = false;
};

absl::StatusOr<std::vector<FilePair>> ReadPairs(const std::string& path) {
  std::vector<FilePair> pairs;
  std::set<std::pair<std::string, std::string>> known;
  auto status = ForEachRow(
      path, {"seeker", "helper", "weight"},
      {"seeker", "helper", "weight", "seeker_preference", "helper_preference", "fixed", "forbidden"},
      [&](NamedRow& row) {
        FilePair pair;
        pair.seeker = row.Id("seeker");
        pair.helper = row.Id("helper");
        pair.weight = row.Weight("weight");
        pair.of_seeker = row.Text("seeker_preference").empty() ? pair.weight : row.Weight("seeker_preference");
        pair.of_helper = row.Text("helper_preference").empty() ? pair.weight : row.Weight("helper_preference");
        pair.fixed = row.YesNo("fixed");
        pair.forbidden = row.YesNo("forbidden");
        if (pair.fixed && pair.forbidden) row.Wrong("fixed", "is set beside forbidden: choose one of the two");
        if (!known.emplace(pair.seeker, pair.helper).second)
          row.Wrong("helper", absl::StrCat("stands beside ", pair.seeker, " twice: keep one row"));
        pairs.push_back(std::move(pair));
      });
  if (!status.ok()) return status;
  std::sort(pairs.begin(), pairs.end(), [](const FilePair& x, const FilePair& y) {
    return std::tie(x.seeker, x.helper) < std::tie(y.seeker, y.helper);
  });
  return pairs;
}

std::map<std::string, std::int32_t> Numbers(const std::vector<std::string>& ids) {
  std::map<std::string, std::int32_t> numbers;
  for (const std::string& id : ids) numbers.emplace(id, static_cast<std::int32_t>(numbers.size()));
  return numbers;
}

absl::Status ReadCapacities(const std::string& path, std::map<std::string, std::int32_t>& seekers,
                            std::map<std::string, std::int32_t>& helpers) {
  return ForEachRow(path, {"side", "member", "capacity"}, {"side", "member", "capacity"}, [&](NamedRow& row) {
    const std::string side = row.Text("side");
    std::int32_t capacity = 0;
    if (side != "seeker" && side != "helper") row.Wrong("side", "is neither seeker nor helper");
    if (!absl::SimpleAtoi(row.Text("capacity"), &capacity) || capacity < 0 || capacity > 10'000)
      row.Wrong("capacity", "is out of range: give 0 to 10000");
    auto& known = side == "seeker" ? seekers : helpers;
    if (!known.emplace(row.Id("member"), capacity).second) row.Wrong("member", "stands there twice: keep one row");
  });
}

}  // namespace

std::optional<std::int64_t> ParseWeight(const std::string& text) {
  const bool negative = !text.empty() && text[0] == '-';
  const std::string digits = text.substr(negative ? 1 : 0);
  const std::size_t point = digits.find('.');
  const std::string whole = digits.substr(0, point);
  std::string part = point == std::string::npos ? "" : digits.substr(point + 1);
  const auto all_digits = [](const std::string& s) {
    return std::all_of(s.begin(), s.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  if (whole.empty() || whole.size() > 4 || part.size() > kDecimals || !all_digits(whole) || !all_digits(part) ||
      (point != std::string::npos && part.empty()))
    return std::nullopt;
  part.resize(kDecimals, '0');
  std::int64_t weight = 0;
  if (!absl::SimpleAtoi(whole + part, &weight) || weight > 4'000 * kWeightScale) return std::nullopt;
  return negative ? -weight : weight;
}

std::string WeightText(std::int64_t weight) {
  const std::int64_t size = weight < 0 ? -weight : weight;
  std::string text = absl::StrCat(weight < 0 ? "-" : "", size / kWeightScale);
  if (size % kWeightScale == 0) return text;
  std::string part = std::to_string(size % kWeightScale);
  part.insert(0, kDecimals - part.size(), '0');
  while (part.back() == '0') part.pop_back();
  return text + "." + part;
}

absl::StatusOr<Cohort> ReadCohort(const CohortFiles& files) {
  auto pairs = ReadPairs(files.pairs);
  if (!pairs.ok()) return pairs.status();
  std::map<std::string, std::int32_t> seeker_capacity;
  std::map<std::string, std::int32_t> helper_capacity;
  if (!files.capacities.empty()) {
    if (auto status = ReadCapacities(files.capacities, seeker_capacity, helper_capacity); !status.ok()) return status;
  }
  for (const FilePair& pair : *pairs) {
    seeker_capacity.emplace(pair.seeker, 1);
    helper_capacity.emplace(pair.helper, 1);
  }
  Cohort cohort;
  for (const auto& [id, capacity] : seeker_capacity) {
    cohort.seekers.push_back(id);
    cohort.problem.seeker_capacity.push_back(capacity);
  }
  for (const auto& [id, capacity] : helper_capacity) {
    cohort.helpers.push_back(id);
    cohort.problem.helper_capacity.push_back(capacity);
  }
  const auto seekers = Numbers(cohort.seekers);
  const auto helpers = Numbers(cohort.helpers);
  for (const FilePair& from : *pairs) {
    const Pair pair{seekers.at(from.seeker), helpers.at(from.helper), from.weight};
    if (from.forbidden) {
      ++cohort.forbidden;
    } else if (from.fixed) {
      cohort.fixed.push_back(pair);
      if (--cohort.problem.seeker_capacity[static_cast<std::size_t>(pair.seeker)] < 0 ||
          --cohort.problem.helper_capacity[static_cast<std::size_t>(pair.helper)] < 0)
        return absl::InvalidArgumentError(absl::StrCat(files.pairs, ": ", from.seeker, " and ", from.helper,
                                                       " are fixed, but one of them has no place left: raise the "
                                                       "capacity, or take a fixed pair away"));
    } else if (files.min_weight && from.weight < *files.min_weight) {
      ++cohort.below_minimum;
    } else {
      cohort.problem.pairs.push_back(pair);
      cohort.preferences.of_seekers.push_back(from.of_seeker);
      cohort.preferences.of_helpers.push_back(from.of_helper);
    }
  }
  if (files.previous.empty()) return cohort;
  auto status = ForEachRow(files.previous, {"seeker", "helper"},
                           {"seeker", "helper", "weight", "how", "change", "second_choice", "second_weight", "loss"},
                           [&](NamedRow& row) {
                             const auto seeker = seekers.find(row.Text("seeker"));
                             const auto helper = helpers.find(row.Text("helper"));
                             // Who left is in no file any more.
                             if (seeker == seekers.end() || helper == helpers.end()) return;
                             cohort.previous.push_back({seeker->second, helper->second, 0});
                           });
  if (!status.ok()) return status;
  return cohort;
}

}  // namespace warmline::cli
