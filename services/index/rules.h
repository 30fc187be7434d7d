// The hard rules: who may not be matched, whatever the score (DESIGN section 4). Holds what it learned of sets during
// one query. Thread-safety: one RuleChecker belongs to one query of one thread, under a base::RcuReadGuard.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <optional>
#include <string_view>
#include <vector>

#include "index/query.h"
#include "network/neighbourhood.h"

namespace warmline::index {

// What the rules look at of one candidate.
struct Candidate {
  const HelperDocument* document = nullptr;
  const ranking::EvidenceParts* parts = nullptr;
  domain::Load load;                              // read once
  const network::Neighbour* neighbour = nullptr;  // null past the second degree
  bool shares_rare_interest = false;
};

class RuleChecker {
 public:
  RuleChecker(const View& view, const Query& query);

  // The first rule that removes the candidate, in the order of domain::Rule; nothing when it passes.
  [[nodiscard]] std::optional<domain::Rule> FirstBlocking(const Candidate& candidate);
  // Every rule that does.
  [[nodiscard]] std::vector<domain::Rule> AllBlocking(const Candidate& candidate);
  // The closest way in which the helper is open to this seeker; nothing when there is none.
  [[nodiscard]] static std::optional<domain::Reach> ReachOf(const Candidate& candidate);

 private:
  using SetVerdicts = absl::flat_hash_map<std::uint32_t, bool>;
  [[nodiscard]] bool Blocks(domain::Rule rule, const Candidate& candidate);
  [[nodiscard]] bool LanguageFits(std::uint32_t set);
  [[nodiscard]] bool PlaceFits(const HelperDocument& document);
  [[nodiscard]] bool PreferenceFits(std::uint32_t set);
  [[nodiscard]] bool Conflicts(std::uint32_t member) const;

  const View& view_;
  const Query& query_;
  const network::MemberFacts* seeker_ = nullptr;
  std::vector<std::string_view> seeker_conflicts_;
  std::vector<std::string_view> own_interests_;
  std::vector<std::string_view> languages_;
  SetVerdicts language_verdicts_;
  SetVerdicts place_verdicts_;
  SetVerdicts preference_verdicts_;
};

}  // namespace warmline::index
