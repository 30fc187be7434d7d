// What an assignment says to people: a CSV of who has whom and why, and a page that stands for itself. Pure.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "assignment/explain.h"
#include "cli/cohort_file.h"

namespace warmline::cli {

// One line of the report.
struct Assigned {
  std::string seeker;
  std::string helper;  // empty: nobody
  std::int64_t weight = 0;
  std::string how;            // "chosen", "fixed"; of who has nobody, why
  std::string change;         // against what was before: "kept", "new", "moved", "lost"; empty without it
  std::string second_choice;  // of the seeker, by weight, of those that they do not have
  std::int64_t second_weight = 0;
  // What the whole would lose at least if the seeker had the second choice: a weight, or "a seeker", who would then
  // have nobody.
  std::string loss;
};

struct AssignmentSummary {
  std::string mode;  // "optimal", "stable, seekers propose"
  std::int64_t seekers = 0;
  std::int64_t matched = 0;
  std::int64_t sum = 0;
  std::optional<std::int64_t> floor;
  std::string proof;  // one sentence
};

// `chosen` are indices of the cohort's pairs; `reasons` of each seeker, or none; a loss of `seeker_worth` or more (0:
// none is) is that of a seeker.
[[nodiscard]] std::vector<Assigned> MakeReport(const Cohort& cohort, const std::vector<std::int32_t>& chosen,
                                               const std::vector<assignment::SeekerReason>& reasons,
                                               std::int64_t seeker_worth);
void WriteCsv(const std::vector<Assigned>& lines, std::ostream& out);
[[nodiscard]] std::string ToHtml(const AssignmentSummary& summary, const std::vector<Assigned>& lines);

}  // namespace warmline::cli
