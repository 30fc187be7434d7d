// The hard rules: who may not be matched, whatever the score (DESIGN section 4). Remembers verdicts on combinations of
// attributes during one query. Thread-safety: one RuleChecker belongs to one thread at a time, under a
// base::RcuReadGuard.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "index/query.h"
#include "network/neighbourhood.h"

namespace warmline::index {

// What the rules look at of one candidate.
struct Candidate {
  const Segment* segment = nullptr;
  std::uint32_t doc = 0;
  std::uint32_t member = 0;
  ranking::EvidenceParts parts;
  domain::Load load;                              // read once
  const network::Neighbour* neighbour = nullptr;  // null past the second degree
  bool shares_rare_interest = false;

  [[nodiscard]] const HelperFilter& filter() const { return segment->filter(doc); }
  [[nodiscard]] RowView row() const { return segment->row(doc); }
};

class RuleChecker {
 public:
  // Forgets the query before. Both must outlive the checks.
  void Prepare(const View& view, const Query& query);

  // The first of the rules that come before CAPACITY, which need no more than the filter.
  [[nodiscard]] std::optional<domain::Rule> FirstBlocking(const HelperFilter& filter);
  // The first rule that removes the candidate, in the order of DESIGN section 4 (docs/matching.md); nothing when it
  // passes.
  [[nodiscard]] std::optional<domain::Rule> FirstBlocking(const Candidate& candidate);
  // Every rule that does.
  [[nodiscard]] std::vector<domain::Rule> AllBlocking(const Candidate& candidate);
  // The closest way in which the helper is open to this seeker; nothing when there is none.
  [[nodiscard]] static std::optional<domain::Reach> ReachOf(const Candidate& candidate);

 private:
  struct Verdict {
    bool language = false;
    bool place = false;  // without `remote`
    bool preference = false;
  };
  [[nodiscard]] bool Blocks(domain::Rule rule, const HelperFilter& filter);
  [[nodiscard]] bool Blocks(domain::Rule rule, const Candidate& candidate);
  [[nodiscard]] Verdict VerdictOn(std::uint32_t attributes);
  [[nodiscard]] Verdict Judge(const Attributes& attributes) const;
  [[nodiscard]] bool Conflicts(std::uint32_t member) const;

  const View* view_ = nullptr;
  const Query* query_ = nullptr;
  network::FactsView seeker_;
  std::vector<std::string_view> seeker_conflicts_;
  std::vector<std::string_view> own_interests_;
  std::vector<std::string_view> languages_;
  // By number of attributes: the query it was judged for, times eight, plus the verdict's three bits.
  std::vector<std::uint64_t> remembered_;
  std::uint64_t query_number_ = 0;
};

}  // namespace warmline::index
