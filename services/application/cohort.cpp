#include "application/cohort.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <map>
#include <set>

#include "application/introduction_moves.h"
#include "application/needs.h"
#include "application/pools.h"

namespace warmline::application {
namespace {

using assignment::Stage;

constexpr int kPage = 1'000;
// Of a pool: of one seeker only one is taken.
constexpr std::size_t kMaxNeedsRead = 10 * static_cast<std::size_t>(kMaxCohortNeeds);

// What the index gave for one need.
struct Candidates {
  std::vector<std::pair<std::string, std::uint32_t>> ranked;  // best first
  int asked_for = 0;
  [[nodiscard]] bool IsComplete() const { return static_cast<int>(ranked.size()) < asked_for; }
  // No candidate that is missing is worth more than this.
  [[nodiscard]] std::int64_t Bound() const { return ranked.empty() ? 0 : ranked.back().second; }
};

absl::StatusOr<std::vector<domain::Need>> ReadNeeds(RecordStore& store, const Caller& caller, const std::string& pool,
                                                    const std::vector<std::string>& ids, int max_needs) {
  auto reader = store.Read();
  if (!reader.ok()) return reader.status();
  if (auto status = RequirePool(**reader, pool); !status.ok()) return status;
  std::vector<domain::Need> needs;
  for (const std::string& id : ids) {
    auto need = FindNeed(**reader, caller, pool, id);
    if (!need.ok()) return need.status();
    if (need->state == domain::NeedState::kClosed) return NeedIsClosed(pool, id);
    needs.push_back(*std::move(need));
  }
  std::string after;
  while (ids.empty()) {
    auto page = (*reader)->ListNeeds(pool, "", after, kPage);
    if (!page.ok()) return page.status();
    for (domain::Need& need : *page) {
      if (need.state == domain::NeedState::kOpen) needs.push_back(std::move(need));
    }
    if (page->size() < kPage) break;
    if (needs.size() > kMaxNeedsRead) {
      return domain::MakeError(
          domain::ErrorReason::kLimitReached,
          absl::StrCat("the pool has more than ", kMaxNeedsRead, " open needs: name those of a part of it"));
    }
    after = page->back().id;
  }
  std::sort(needs.begin(), needs.end(), [](const auto& x, const auto& y) { return x.id < y.id; });
  // Two places of one seeker could go to the same helper, who is asked once only.
  std::set<std::string> seekers;
  std::string twice;
  std::erase_if(needs, [&](const domain::Need& need) {
    const bool first = seekers.insert(need.seeker).second;
    if (!first) twice = need.id;
    return !first;
  });
  if (!ids.empty() && !twice.empty()) {
    domain::Violations violations;
    violations.Add(
        "needs",
        absl::StrCat("needs/", twice, " is of a seeker who has another among them, or stands there twice: keep one"));
    return violations.ToStatus();
  }
  if (static_cast<int>(needs.size()) > max_needs) {
    return domain::MakeError(domain::ErrorReason::kLimitReached,
                             absl::StrCat("the cohort has ", needs.size(), " needs, and at most ", max_needs,
                                          " are assigned at once like this: name those of a part of it"));
  }
  return needs;
}

class Cohort {
 public:
  Cohort(RecordStore& store, const PoolRegistry& pools, const Caller& caller, const std::string& pool,
         const CohortOptions& options, const index::StopCheck& stop, const CohortProgress& progress)
      : store_(store),
        pools_(pools),
        caller_(caller),
        pool_(pool),
        options_(options),
        stop_(stop),
        progress_(progress) {}

  absl::StatusOr<CohortPlan> Run(std::vector<domain::Need> needs) {
    plan_.needs = std::move(needs);
    candidates_.resize(plan_.needs.size());
    std::vector<std::size_t> wanted(plan_.needs.size());
    for (std::size_t i = 0; i < wanted.size(); ++i) wanted[i] = i;
    int top_k = options_.top_k;
    while (true) {
      ++plan_.rounds;
      if (auto status = Fetch(wanted, top_k); !status.ok()) return status;
      if (auto status = MakeProblem(); !status.ok()) return status;
      auto made =
          assignment::MakePlan(plan_.problem, options_.plan, stop_, [&](double share) { Tell(0.5 + share / 2); });
      if (!made.ok()) return made.status();
      plan_.plan = *std::move(made);
      wanted = Unproved();
      if (wanted.empty()) break;
      top_k *= 4;
    }
    // Never claimed without having been checked.
    if (auto proved = assignment::VerifyPlan(plan_.problem, options_.plan, plan_.plan); !proved.ok()) {
      return domain::MakeError(
          domain::ErrorReason::kInternalDefect,
          absl::StrCat("the proof of the assignment does not hold: ", std::string(proved.message())));
    }
    plan_.proved_for_all = true;
    const assignment::Certificate& last = plan_.plan.stages.back().certificate;
    plan_.reasons =
        assignment::Explain(plan_.problem, {plan_.plan.chosen, plan_.plan.sum, last.seeker_price, last.helper_price});
    return std::move(plan_);
  }

 private:
  void Tell(double share) const {
    if (progress_) progress_(share, plan_.rounds);
  }

  absl::Status Fetch(const std::vector<std::size_t>& wanted, int top_k) {
    for (std::size_t n = 0; n < wanted.size(); ++n) {
      const std::size_t i = wanted[n];
      auto answer =
          MatchNeed(pools_, caller_, pool_, {plan_.needs[i].id, {}}, {.top_k = top_k, .count_rules = false}, stop_);
      if (!answer.ok()) return answer.status();
      Candidates& c = candidates_[i];
      fetched_ -= static_cast<std::int64_t>(c.ranked.size());
      c = {};
      c.asked_for = top_k;
      for (const ShownHelper& shown : answer->shown) {
        if (shown.helper.score < options_.min_score) break;  // best first: what follows is left out as well
        c.ranked.emplace_back(shown.helper.id, shown.helper.score);
      }
      fetched_ += static_cast<std::int64_t>(c.ranked.size());
      if (fetched_ > kMaxCohortPairs) {
        return domain::MakeError(domain::ErrorReason::kLimitReached,
                                 absl::StrCat("the cohort needs more than ", kMaxCohortPairs,
                                              " pairs: raise min_score, or assign it in parts"));
      }
      if (n % 64 == 0) Tell(0.5 * static_cast<double>(n) / static_cast<double>(wanted.size()));
    }
    return absl::OkStatus();
  }

  // Places are those that a helper has left.
  absl::Status MakeProblem() {
    std::map<std::string, std::int32_t> numbers;
    for (const Candidates& c : candidates_) {
      for (const auto& [helper, score] : c.ranked) numbers.emplace(helper, 0);
    }
    plan_.helpers.clear();
    assignment::Problem problem;
    problem.seeker_capacity.assign(plan_.needs.size(), 1);
    auto reader = store_.Read();
    if (!reader.ok()) return reader.status();
    for (auto& [helper, number] : numbers) {
      number = static_cast<std::int32_t>(plan_.helpers.size());
      plan_.helpers.push_back(helper);
      auto member = (*reader)->GetMember(pool_, helper);
      if (!member.ok()) return member.status();
      std::int32_t places = 0;
      if (member->has_value() && (*member)->offer) {
        const domain::Capacity& capacity = (*member)->offer->capacity;
        const domain::Load& load = (*member)->load;
        places =
            std::max(0, std::min(capacity.open_asks - load.open_asks, capacity.asks_per_week - load.asks_this_week));
      }
      problem.helper_capacity.push_back(places);
    }
    for (std::size_t i = 0; i < candidates_.size(); ++i) {
      const std::size_t first = problem.pairs.size();
      for (const auto& [helper, score] : candidates_[i].ranked) {
        problem.pairs.push_back({static_cast<std::int32_t>(i), numbers[helper], std::int64_t{score}});
      }
      std::sort(problem.pairs.begin() + static_cast<std::ptrdiff_t>(first), problem.pairs.end(),
                [](const auto& x, const auto& y) { return x.helper < y.helper; });
    }
    plan_.problem = std::move(problem);
    return absl::OkStatus();
  }

  // Needs of which a candidate who was not fetched could change what a stage proves. A missing pair costs at least the
  // seeker's price, as helpers' prices are 0 or more; the proof holds while it is worth no more.
  [[nodiscard]] std::vector<std::size_t> Unproved() const {
    std::vector<std::size_t> unproved;
    for (std::size_t i = 0; i < candidates_.size(); ++i) {
      const Candidates& c = candidates_[i];
      const std::int64_t bound = c.Bound();
      if (c.IsComplete()) continue;
      for (const Stage& stage : plan_.plan.stages) {
        if (!Holds(stage, i, bound)) {
          unproved.push_back(i);
          break;
        }
      }
    }
    return unproved;
  }

  [[nodiscard]] bool Holds(const Stage& stage, std::size_t seeker, std::int64_t bound) const {
    const std::int64_t price = stage.certificate.seeker_price[seeker];
    switch (stage.kind) {
      case Stage::Kind::kEverybody:
        return price >= 0;
      case Stage::Kind::kFloorBound:
        // No missing pair is above the floor, or else it would be free of charge and in nobody's gap.
        return bound <= *plan_.plan.floor;
      case Stage::Kind::kSum:
        return bound < plan_.plan.floor.value_or(0) || price >= bound;
    }
    return false;
  }

  RecordStore& store_;
  const PoolRegistry& pools_;
  const Caller& caller_;
  const std::string& pool_;
  const CohortOptions& options_;
  const index::StopCheck& stop_;
  const CohortProgress& progress_;
  std::vector<Candidates> candidates_;
  std::int64_t fetched_ = 0;  // candidates of all needs
  CohortPlan plan_;
};

}  // namespace

absl::StatusOr<CohortPlan> PlanCohort(RecordStore& store, const PoolRegistry& pools, const Caller& caller,
                                      const std::string& pool, const std::vector<std::string>& ids,
                                      const CohortOptions& options, const index::StopCheck& stop,
                                      const CohortProgress& progress) {
  if (auto status = RequireOperator(caller, "assigning a cohort"); !status.ok()) return status;
  auto needs = ReadNeeds(store, caller, pool, ids, options.max_needs);
  if (!needs.ok()) return needs.status();
  return Cohort(store, pools, caller, pool, options, stop, progress).Run(*std::move(needs));
}

absl::StatusOr<std::vector<domain::Introduction>> AskCohort(WriteTransaction& tx, const std::string& pool,
                                                            const std::vector<AskPlan>& asks,
                                                            const std::string& request_id, absl::Time now) {
  std::vector<domain::Introduction> made;
  for (std::size_t i = 0; i < asks.size(); ++i) {
    auto introduction = RequestIntroduction(tx, pool, asks[i], absl::StrCat(request_id, "/", i), now);
    if (!introduction.ok()) {
      const absl::Status& why = introduction.status();
      absl::Status named(why.code(), absl::StrCat("needs/", asks[i].need_id, ": ", std::string(why.message())));
      why.ForEachPayload([&](absl::string_view url, const absl::Cord& payload) { named.SetPayload(url, payload); });
      return named;
    }
    made.push_back(*std::move(introduction));
  }
  return made;
}

}  // namespace warmline::application
