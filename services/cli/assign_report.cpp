#include "cli/assign_report.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>
#include <absl/strings/str_replace.h>

#include <algorithm>
#include <map>
#include <set>

namespace warmline::cli {
namespace {

using assignment::Place;

constexpr int kBuckets = 20;

const char* WordsOf(Place place) {
  switch (place) {
    case Place::kMatched:
      return "chosen";
    case Place::kNoPair:
      return "nobody may be matched";
    case Place::kNoPlaces:
      return "no places";
    case Place::kOutbid:
      return "places are worth more to others";
  }
  return "";
}

std::string Escaped(const std::string& text) {
  return absl::StrReplaceAll(text, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}});
}

// How many pairs have which weight.
std::string Histogram(const std::vector<Assigned>& lines) {
  std::vector<std::int64_t> weights;
  for (const Assigned& line : lines) {
    if (!line.helper.empty()) weights.push_back(line.weight);
  }
  if (weights.empty()) return "";
  const auto [low, high] = std::minmax_element(weights.begin(), weights.end());
  const std::int64_t span = std::max<std::int64_t>(1, *high - *low);
  std::vector<int> counts(kBuckets, 0);
  for (const std::int64_t weight : weights)
    ++counts[static_cast<std::size_t>(std::min<std::int64_t>(kBuckets - 1, (weight - *low) * kBuckets / span))];
  const int most = *std::max_element(counts.begin(), counts.end());
  std::string bars;
  for (int i = 0; i < kBuckets; ++i) {
    const int count = counts[static_cast<std::size_t>(i)];
    const double height = 120.0 * count / most;
    absl::StrAppendFormat(&bars,
                          R"(<rect x="%d" y="%.1f" width="26" height="%.1f"><title>%d pairs from %s</title></rect>)",
                          40 + i * 30, 140 - height, height, count, WeightText(*low + span * i / kBuckets));
  }
  return absl::StrCat(R"(<svg viewBox="0 0 660 170" role="img" aria-label="Pairs by weight"><g fill="#0b5fa5">)", bars,
                      R"(</g><text x="40" y="160">)", WeightText(*low),
                      R"(</text><text x="636" y="160" text-anchor="end">)", WeightText(*high),
                      R"(</text><text x="36" y="26" text-anchor="end">)", most, "</text></svg>");
}

std::string Rows(const std::vector<Assigned>& lines, bool matched) {
  std::string rows;
  for (const Assigned& line : lines) {
    if (line.helper.empty() == matched) continue;
    absl::StrAppend(&rows, "<tr><td>", Escaped(line.seeker), "</td><td>", Escaped(line.helper), "</td><td class=n>",
                    matched ? WeightText(line.weight) : "", "</td><td>", Escaped(line.how), "</td><td>",
                    Escaped(line.change), "</td><td>", Escaped(line.second_choice), "</td><td class=n>",
                    line.second_choice.empty() ? "" : WeightText(line.second_weight), "</td><td class=n>", line.loss,
                    "</td></tr>\n");
  }
  return rows;
}

constexpr char kHead[] =
    "<tr><th>seeker</th><th>helper</th><th>weight</th><th>why</th><th>change</th><th>second choice</th><th>its "
    "weight</th>"
    "<th>the whole would lose</th></tr>";

}  // namespace

std::vector<Assigned> MakeReport(const Cohort& cohort, const std::vector<std::int32_t>& chosen,
                                 const std::vector<assignment::SeekerReason>& reasons, std::int64_t seeker_worth) {
  std::set<std::pair<std::int32_t, std::int32_t>> before;
  std::set<std::int32_t> had;
  for (const assignment::Pair& pair : cohort.previous) {
    before.emplace(pair.seeker, pair.helper);
    had.insert(pair.seeker);
  }
  const auto change_of = [&](std::int32_t seeker, std::int32_t helper) -> std::string {
    if (before.empty()) return "";
    if (before.contains({seeker, helper})) return "kept";
    return had.contains(seeker) ? "moved" : "new";
  };
  std::vector<Assigned> lines;
  std::set<std::int32_t> matched;
  const auto add = [&](const assignment::Pair& pair, const char* how) {
    const auto i = static_cast<std::size_t>(pair.seeker);
    Assigned line;
    line.seeker = cohort.seekers[i];
    line.helper = cohort.helpers[static_cast<std::size_t>(pair.helper)];
    line.weight = pair.weight;
    line.how = how;
    line.change = change_of(pair.seeker, pair.helper);
    lines.push_back(std::move(line));
    matched.insert(pair.seeker);
  };
  for (const assignment::Pair& pair : cohort.fixed) add(pair, "fixed");
  for (const std::int32_t e : chosen) add(cohort.problem.pairs[static_cast<std::size_t>(e)], WordsOf(Place::kMatched));
  for (std::size_t i = 0; i < cohort.seekers.size(); ++i) {
    const auto seeker = static_cast<std::int32_t>(i);
    if (matched.contains(seeker)) continue;
    Assigned line;
    line.seeker = cohort.seekers[i];
    line.how = WordsOf(i < reasons.size() && reasons[i].place != Place::kMatched ? reasons[i].place : Place::kNoPair);
    if (had.contains(seeker)) line.change = "lost";
    lines.push_back(std::move(line));
  }
  std::map<std::string, std::size_t> numbers;
  for (std::size_t i = 0; i < cohort.seekers.size(); ++i) numbers[cohort.seekers[i]] = i;
  for (Assigned& line : lines) {
    const std::size_t i = numbers[line.seeker];
    if (line.how == "fixed" || i >= reasons.size() || !reasons[i].second) continue;
    const assignment::Pair& second = cohort.problem.pairs[static_cast<std::size_t>(reasons[i].second->pair)];
    line.second_choice = cohort.helpers[static_cast<std::size_t>(second.helper)];
    line.second_weight = second.weight;
    const std::int64_t loss = reasons[i].second->loss;
    if (line.how != WordsOf(Place::kMatched)) continue;
    line.loss = seeker_worth > 0 && loss >= seeker_worth ? "a seeker" : WeightText(loss);
  }
  std::sort(lines.begin(), lines.end(), [](const Assigned& x, const Assigned& y) {
    return std::tie(x.seeker, x.helper) < std::tie(y.seeker, y.helper);
  });
  return lines;
}

// Ids and words need no quotes.
void WriteCsv(const std::vector<Assigned>& lines, std::ostream& out) {
  out << "seeker,helper,weight,how,change,second_choice,second_weight,loss\n";
  for (const Assigned& line : lines) {
    out << line.seeker << "," << line.helper << "," << (line.helper.empty() ? "" : WeightText(line.weight)) << ","
        << line.how << "," << line.change << "," << line.second_choice << ","
        << (line.second_choice.empty() ? "" : WeightText(line.second_weight)) << "," << line.loss << "\n";
  }
}

std::string ToHtml(const AssignmentSummary& summary, const std::vector<Assigned>& lines) {
  const std::string out_rows = Rows(lines, false);
  return absl::StrCat(
      "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width\"><title>Assignment</title>\n<style>body{font:15px/1.5 "
      "sans-serif;color:#1e293b;max-width:1000px;margin:2em auto;padding:0 "
      "1em}table{border-collapse:collapse;width:100%}"
      "th,td{text-align:left;padding:.25em .6em;border-bottom:1px solid "
      "#e2e8f0}.n{text-align:right;font-variant-numeric:"
      "tabular-nums}svg{max-width:660px;font-size:12px}</style>\n<h1>Assignment</h1>\n<p>",
      Escaped(summary.mode), ": <b>", summary.matched, "</b> of <b>", summary.seekers,
      "</b> seekers have somebody; the weights add up to <b>", WeightText(summary.sum), "</b>",
      summary.floor ? absl::StrCat("; the least is ", WeightText(*summary.floor)) : "", ".</p>\n<p>",
      Escaped(summary.proof), "</p>\n<h2>Pairs by weight</h2>\n", Histogram(lines),
      out_rows.empty() ? "" : absl::StrCat("\n<h2>Who has nobody, and why</h2>\n<table>", kHead, out_rows, "</table>"),
      "\n<h2>Who has whom</h2>\n<table>", kHead, Rows(lines, true), "</table>\n</html>\n");
}

}  // namespace warmline::cli
