#include "application/cohort.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <map>
#include <set>

#include "application/introduction_moves.h"
#include "base/hash.h"

namespace warmline::application {
namespace {

using assignment::Stage;

// A helper whom the index gave for a need.
struct Candidate {
  std::string helper;
  std::uint32_t score = 0;
  std::uint32_t of_helper = 0;  // what the helper thinks of the need
};

// What the index gave for one need.
struct Candidates {
  std::vector<Candidate> ranked;  // best first
  std::uint32_t last = 0;         // score of the last one that was given, left out or not
  bool complete = false;
  // No candidate that is missing is worth more than this.
  [[nodiscard]] std::int64_t Bound() const { return last; }
};

struct ByNeedId {
  bool operator()(const KeptNeed& one, const std::string& id) const { return one.need.id < id; }
  bool operator()(const std::string& id, const KeptNeed& one) const { return id < one.need.id; }
};

// The parts of a score that differ from need to need, weighted as in the score: what they share, and how close they
// are.
std::uint32_t HelpersView(const domain::Weights& weights, const ranking::Parts& parts) {
  ranking::Parts of_need{};
  for (const auto part : {domain::Part::kInterests, domain::Part::kCloseness})
    of_need[static_cast<std::size_t>(part)] = parts[static_cast<std::size_t>(part)];
  return ranking::Score(weights, of_need);
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
        progress_(progress),
        forbidden_(options.forbidden.begin(), options.forbidden.end()) {}

  absl::StatusOr<CohortPlan> Run(CohortNeeds needs) {
    plan_.kept = std::move(needs.kept);
    plan_.needs = std::move(needs.free);
    if (auto status = Fix(); !status.ok()) return status;
    candidates_.resize(plan_.needs.size());
    std::vector<std::size_t> wanted(plan_.needs.size());
    for (std::size_t i = 0; i < wanted.size(); ++i) wanted[i] = i;
    int top_k = options_.top_k;
    while (true) {
      ++plan_.rounds;
      if (auto status = Fetch(wanted, top_k); !status.ok()) return status;
      if (auto status = MakeProblem(); !status.ok()) return status;
      if (auto status = options_.proposer ? Settle() : Optimize(); !status.ok()) return status;
      wanted = options_.proposer ? Unsettled() : Unproved();
      if (wanted.empty()) break;
      top_k *= 4;
    }
    if (auto status = Check(); !status.ok()) return status;
    plan_.proved_for_all = true;
    for (const Candidates& c : candidates_)
      plan_.bounds.push_back(c.complete ? std::nullopt : std::optional(c.Bound()));
    return std::move(plan_);
  }

 private:
  void Tell(double share) const {
    if (progress_) progress_(share, plan_.rounds);
  }

  // Takes the fixed pairs out of the problem.
  absl::Status Fix() {
    domain::Violations violations;
    std::map<std::string, FixedPair> fixed;
    for (std::size_t n = 0; n < options_.fixed.size(); ++n) {
      const NeedAndHelper& pair = options_.fixed[n];
      const std::string field = absl::StrCat("fixed[", n, "]");
      const auto need = std::lower_bound(plan_.needs.begin(), plan_.needs.end(), pair.need,
                                         [](const domain::Need& one, const std::string& id) { return one.id < id; });
      const bool free = need != plan_.needs.end() && need->id == pair.need;
      const bool kept = std::binary_search(plan_.kept.begin(), plan_.kept.end(), pair.need, ByNeedId{});
      if (!free || fixed.contains(pair.need)) {
        violations.Add(
            absl::StrCat(field, ".need"),
            absl::StrCat("needs/", pair.need, " ",
                         free ? "stands there twice: keep one"
                         : kept
                             ? "has an open ask, which is kept: take it away here"
                             : "is not among the open needs that are assigned: name it there, or take it away here"));
        continue;
      }
      if (auto status = stop_(); !status.ok()) return status;
      auto explained = ExplainPair(pools_, caller_, pool_, {pair.need, {}}, pair.helper, false);
      if (!explained.ok()) return explained.status();
      if (!explained->found || !explained->explanation.blocked_by.empty()) {
        violations.Add(absl::StrCat(field, ".helper"),
                       absl::StrCat("members/", pair.helper, " cannot be matched with needs/", pair.need,
                                    explained->found ? ": a rule is against it; MatchService.Explain says which"
                                                     : ": they have nothing in common that the need asks for"));
        continue;
      }
      fixed[pair.need] = {*need, pair.helper, explained->found->helper.score};
      ++taken_[pair.helper];
    }
    if (taken_.empty()) return violations.ToStatus();
    auto reader = store_.Read();
    if (!reader.ok()) return reader.status();
    for (const auto& [helper, count] : taken_) {
      auto places = PlacesOf(**reader, helper);
      if (!places.ok()) return places.status();
      if (count > *places) {
        violations.Add("fixed", absl::StrCat("members/", helper, " stands there ", count, " times and has ", *places,
                                             " places left: fix fewer, or raise the capacity"));
      }
    }
    for (auto& [id, pair] : fixed) plan_.fixed.push_back(std::move(pair));
    std::erase_if(plan_.needs, [&](const domain::Need& need) { return fixed.contains(need.id); });
    return violations.ToStatus();
  }

  // Those that a helper has left.
  absl::StatusOr<int> PlacesOf(RecordReader& reader, const std::string& helper) const {
    auto member = reader.GetMember(pool_, helper);
    if (!member.ok()) return member.status();
    if (!member->has_value() || !(*member)->offer) return 0;
    const domain::Capacity& capacity = (*member)->offer->capacity;
    const domain::Load& load = (*member)->load;
    return std::max(0, std::min(capacity.open_asks - load.open_asks, capacity.asks_per_week - load.asks_this_week));
  }

  absl::Status Fetch(const std::vector<std::size_t>& wanted, int top_k) {
    for (std::size_t n = 0; n < wanted.size(); ++n) {
      const std::size_t i = wanted[n];
      const std::string& need = plan_.needs[i].id;
      auto answer = MatchNeed(pools_, caller_, pool_, {need, {}}, {.top_k = top_k, .count_rules = false}, stop_);
      if (!answer.ok()) return answer.status();
      Candidates& c = candidates_[i];
      fetched_ -= static_cast<std::int64_t>(c.ranked.size());
      c = {};
      c.complete = static_cast<int>(answer->shown.size()) < top_k;
      for (const ShownHelper& shown : answer->shown) {
        c.last = shown.helper.score;
        if (shown.helper.score < options_.min_score) {  // best first: what follows is left out as well
          c.complete = true;
          break;
        }
        if (forbidden_.contains({need, shown.helper.id})) continue;
        c.ranked.push_back(
            {shown.helper.id, shown.helper.score, HelpersView(answer->result.weights, shown.helper.parts)});
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

  absl::Status MakeProblem() {
    std::map<std::string, std::int32_t> numbers;
    for (const Candidates& c : candidates_) {
      for (const Candidate& candidate : c.ranked) numbers.emplace(candidate.helper, 0);
    }
    plan_.helpers.clear();
    plan_.preferences = {};
    plan_.preferences.seed = options_.seed;
    assignment::Problem problem;
    problem.seeker_capacity.assign(plan_.needs.size(), 1);
    auto reader = store_.Read();
    if (!reader.ok()) return reader.status();
    for (auto& [helper, number] : numbers) {
      number = static_cast<std::int32_t>(plan_.helpers.size());
      plan_.helpers.push_back(helper);
      auto places = PlacesOf(**reader, helper);
      if (!places.ok()) return places.status();
      const auto taken = taken_.find(helper);
      problem.helper_capacity.push_back(std::max(0, *places - (taken == taken_.end() ? 0 : taken->second)));
    }
    for (std::size_t i = 0; i < candidates_.size(); ++i) {
      std::vector<Candidate> by_id = candidates_[i].ranked;
      std::sort(by_id.begin(), by_id.end(), [](const auto& x, const auto& y) { return x.helper < y.helper; });
      for (const Candidate& candidate : by_id) {
        problem.pairs.push_back(
            {static_cast<std::int32_t>(i), numbers[candidate.helper], std::int64_t{candidate.score}});
        if (!options_.proposer) continue;
        plan_.preferences.of_seekers.push_back(candidate.score);
        plan_.preferences.of_helpers.push_back(candidate.of_helper);
        plan_.preferences.ties.push_back(base::Mix64(base::Hash64(plan_.needs[i].id)) ^ base::Hash64(candidate.helper));
      }
    }
    plan_.problem = std::move(problem);
    return absl::OkStatus();
  }

  absl::Status Optimize() {
    auto made = assignment::MakePlan(plan_.problem, options_.plan, stop_, [&](double share) { Tell(0.5 + share / 2); });
    if (!made.ok()) return made.status();
    plan_.plan = *std::move(made);
    plan_.chosen = plan_.plan.chosen;
    return absl::OkStatus();
  }

  absl::Status Settle() {
    auto made = assignment::SolveStable(plan_.problem, plan_.preferences, *options_.proposer, stop_);
    if (!made.ok()) return made.status();
    plan_.chosen = std::move(made->chosen);
    return absl::OkStatus();
  }

  // Never claimed without having been checked.
  absl::Status Check() {
    const auto defect = [](const std::string& why) {
      return domain::MakeError(domain::ErrorReason::kInternalDefect,
                               absl::StrCat("the proof of the assignment does not hold: ", why));
    };
    if (options_.proposer) {
      auto blocking = assignment::BlockingPairs(plan_.problem, plan_.preferences, plan_.chosen);
      if (!blocking.ok()) return blocking.status();
      if (!blocking->empty()) return defect("two would rather have each other");
      const std::vector<std::int64_t> no_seeker_prices(plan_.needs.size(), 0);
      const std::vector<std::int64_t> no_helper_prices(plan_.helpers.size(), 0);
      plan_.reasons = assignment::Explain(plan_.problem, {plan_.chosen, 0, no_seeker_prices, no_helper_prices});
      return absl::OkStatus();
    }
    if (auto proved = assignment::VerifyPlan(plan_.problem, options_.plan, plan_.plan); !proved.ok())
      return defect(std::string(proved.message()));
    const assignment::Certificate& last = plan_.plan.stages.back().certificate;
    plan_.reasons =
        assignment::Explain(plan_.problem, {plan_.chosen, plan_.plan.sum, last.seeker_price, last.helper_price});
    return absl::OkStatus();
  }

  // Needs that might rather have a candidate who was not fetched: who have nobody, or somebody whom they like no better
  // than they could like one who is missing.
  [[nodiscard]] std::vector<std::size_t> Unsettled() const {
    std::vector<std::int64_t> has(plan_.needs.size(), -1);
    for (const std::int32_t e : plan_.chosen) {
      const assignment::Pair& pair = plan_.problem.pairs[static_cast<std::size_t>(e)];
      has[static_cast<std::size_t>(pair.seeker)] = pair.weight;
    }
    std::vector<std::size_t> unsettled;
    for (std::size_t i = 0; i < candidates_.size(); ++i) {
      if (!candidates_[i].complete && has[i] <= candidates_[i].Bound()) unsettled.push_back(i);
    }
    return unsettled;
  }

  // Needs of which a candidate who was not fetched could change what a stage proves.
  [[nodiscard]] std::vector<std::size_t> Unproved() const {
    std::vector<std::size_t> unproved;
    for (std::size_t i = 0; i < candidates_.size(); ++i) {
      const Candidates& c = candidates_[i];
      const std::int64_t bound = c.Bound();
      if (c.complete) continue;
      for (const Stage& stage : plan_.plan.stages) {
        if (!assignment::HoldsBeyond(plan_.plan, stage, i, bound)) {
          unproved.push_back(i);
          break;
        }
      }
    }
    return unproved;
  }

  RecordStore& store_;
  const PoolRegistry& pools_;
  const Caller& caller_;
  const std::string& pool_;
  const CohortOptions& options_;
  const index::StopCheck& stop_;
  const CohortProgress& progress_;
  const std::set<NeedAndHelper> forbidden_;
  std::map<std::string, int> taken_;  // places, by fixed pairs
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
  auto needs = ReadCohortNeeds(store, caller, pool, ids, options.max_needs);
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
