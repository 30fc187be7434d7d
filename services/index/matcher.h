// Exact top-k of a need over one view, and the explanation of one pair. Definition: DESIGN section 4 and
// docs/matching.md. Thread-safety: pure over a view; any number of threads, each under a base::RcuReadGuard that
// outlives the view's use.
#pragma once

#include <absl/status/statusor.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "domain/limits.h"
#include "domain/need.h"
#include "index/search.h"
#include "index/view.h"
#include "ranking/score.h"

namespace warmline::index {

struct SharedInterest {
  std::string need_interest;       // as typed in the need
  std::string related;             // canonical, where the helper has a related one; else empty
  std::uint32_t contribution = 0;  // its share of the part INTERESTS, floored by itself
  bool rare = false;
};

struct RankedHelper {
  std::string id;
  std::uint32_t score = 0;
  ranking::Parts parts{};
  std::vector<SharedInterest> shared;  // in the order of the need
  domain::Reach reach = domain::Reach::kUnspecified;
  bool open_door = false;                   // open to the whole pool, whichever way is the closest
  std::string introducer;                   // id; for SECOND_DEGREE
  std::vector<std::uint8_t> tie_strengths;  // levels on the way
  ranking::EvidenceMass evidence;
  domain::MemberKind kind = domain::MemberKind::kUnspecified;
  std::string profession;  // canonical; may be empty
  domain::Load load;       // as read for this answer
};

struct MatchOptions {
  int top_k = domain::kDefaultTopK;
  // Count all candidates and find the first blocking rule of each, even of those that cannot enter the answer.
  bool count_rules = false;
};

// What, with the recorded load, determines an answer (DESIGN section 10.5).
struct AnswerBasis {
  std::int64_t revision = 0;
  std::int64_t epoch_hour = 0;
  std::int64_t policy_version = 0;
  std::int64_t statistics_generation = 0;
};

struct MatchResult {
  std::vector<RankedHelper> ranked;  // best first; equal scores by id in byte order
  // Candidates, and by domain::Rule each at the first rule that removed it. Complete when asked for, or when fewer than
  // top_k match; otherwise those that cannot enter the answer are not looked at, and both say nothing.
  std::int64_t candidates = 0;
  std::array<std::int64_t, domain::kRules> removed{};
  bool counts_are_complete = false;
  SearchCounts work;
  domain::Weights weights{};
  std::vector<domain::SoftConstraint> relaxed;
  AnswerBasis basis;
};

struct Explanation {
  bool is_helper = false;
  bool is_candidate = false;
  std::vector<domain::Rule> blocked_by;
  std::optional<RankedHelper> match;  // as if no rule blocked; absent when not a candidate
  domain::Weights weights{};
  AnswerBasis basis;
};

// The `top_k` best helpers. Errors: only those of `stop`.
[[nodiscard]] absl::StatusOr<MatchResult> Match(const View& view, const domain::Need& need, const MatchOptions& options,
                                                const StopCheck& stop);

// One pair, whether or not it would be matched. `helper` is a member id; one that is no helper gives is_helper = false.
[[nodiscard]] Explanation Explain(const View& view, const domain::Need& need, std::string_view helper);

}  // namespace warmline::index
