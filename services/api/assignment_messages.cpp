#include "api/assignment_messages.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <map>

#include "api/idempotent_write.h"
#include "codec/resources.h"
#include "domain/limits.h"
#include "domain/names.h"
#include "domain/text.h"

namespace warmline::api {

namespace pb = warmline::v1;

namespace {

constexpr int kMaxAssignTopK = 1'000;
constexpr int kMaxAsks = 1'000;
constexpr int kMaxListedPairs = 100'000;

std::vector<application::NeedAndHelper> PairsOf(const std::string& pool,
                                                const google::protobuf::RepeatedPtrField<pb::NeedAndHelper>& pairs,
                                                const std::string& field, domain::Violations& violations) {
  std::vector<application::NeedAndHelper> result;
  if (pairs.size() > kMaxListedPairs) {
    violations.Add(field, absl::StrCat("has ", pairs.size(), " pairs: give at most ", kMaxListedPairs));
    return result;
  }
  for (int i = 0; i < pairs.size(); ++i) {
    const std::string at = absl::StrCat(field, "[", i, "]");
    result.push_back({codec::IdOf(pool, "needs", pairs[i].need(), absl::StrCat(at, ".need"), violations),
                      codec::IdOf(pool, "members", pairs[i].helper(), absl::StrCat(at, ".helper"), violations)});
  }
  return result;
}

void CheckMode(const pb::AssignRequest& request, domain::Violations& violations) {
  const bool stable = request.mode() == pb::AssignRequest::STABLE;
  if (!pb::AssignRequest::Mode_IsValid(request.mode()))
    violations.Add("mode", absl::StrCat(static_cast<int>(request.mode()), " is no mode: use OPTIMAL or STABLE"));
  if (request.floor() && request.best_sum()) violations.Add("floor", "is set beside best_sum: choose one of the two");
  const auto only_with = [&](bool set, const char* field, const char* mode) {
    if (set) violations.Add(field, absl::StrCat("is of mode ", mode, ": take it away, or choose that mode"));
  };
  only_with(stable && request.floor(), "floor", "OPTIMAL");
  only_with(stable && request.best_sum(), "best_sum", "OPTIMAL");
  only_with(stable && request.proof(), "proof", "OPTIMAL");
  only_with(!stable && request.helpers_propose(), "helpers_propose", "STABLE");
  only_with(!stable && request.seed() != 0, "seed", "STABLE");
  if (request.proof() && !request.validate_only()) {
    violations.Add("proof",
                   "is told on paper only: set validate_only, or take it away; the server checks the proof of what it "
                   "asks in any case");
  }
}

// The pair as far as the need says it.
pb::AssignedPair PairOf(const std::string& pool, const domain::Need& need, pb::AssignedPair::Place place) {
  pb::AssignedPair pair;
  pair.set_need(domain::ResourceName(pool, "needs", need.id));
  pair.set_seeker(domain::ResourceName(pool, "members", need.seeker));
  pair.set_place(place);
  return pair;
}

pb::AssignedPair FreePair(const AssignWish& wish, const application::CohortPlan& plan, std::size_t number) {
  const assignment::SeekerReason& reason = plan.reasons[number];
  pb::AssignedPair pair =
      PairOf(wish.pool, plan.needs[number], static_cast<pb::AssignedPair::Place>(static_cast<int>(reason.place) + 1));
  if (!reason.second) return pair;
  const assignment::Pair& second = plan.problem.pairs[static_cast<std::size_t>(reason.second->pair)];
  pair.set_second_choice(
      domain::ResourceName(wish.pool, "members", plan.helpers[static_cast<std::size_t>(second.helper)]));
  pair.set_second_score(static_cast<std::uint32_t>(second.weight));
  if (wish.options.proposer || reason.place != assignment::Place::kMatched) return pair;
  // More than a seeker without anybody weighs, no scores can.
  const std::int64_t bonus = plan.plan.stages.back().problem.bonus;
  const bool costs_a_seeker = bonus > 0 && reason.second->loss >= bonus / 2;
  pair.set_loss(costs_a_seeker ? -1 : reason.second->loss);
  return pair;
}

// Says of every pair what became of what was before.
void SetChanges(const AssignWish& wish, warmline::store::v1::AssignReply& reply) {
  if (wish.previous.empty()) return;
  std::map<std::string, std::string> before;
  for (const auto& [need, helper] : wish.previous) {
    before.emplace(domain::ResourceName(wish.pool, "needs", need), domain::ResourceName(wish.pool, "members", helper));
  }
  std::int64_t moved = 0;
  for (pb::AssignedPair& pair : *reply.mutable_pairs()->mutable_pairs()) {
    const auto had = before.find(pair.need());
    if (had == before.end()) {
      if (!pair.helper().empty()) pair.set_change(pb::AssignedPair::NEW);
      continue;
    }
    pair.set_change(had->second == pair.helper() ? pb::AssignedPair::SAME
                    : pair.helper().empty()      ? pb::AssignedPair::LOST
                                                 : pb::AssignedPair::MOVED);
    if (pair.change() != pb::AssignedPair::SAME) ++moved;
  }
  reply.mutable_summary()->set_moved(moved);
}

pb::ProofStage::Kind KindOf(assignment::Stage::Kind kind) {
  switch (kind) {
    case assignment::Stage::Kind::kEverybody:
      return pb::ProofStage::EVERYBODY;
    case assignment::Stage::Kind::kFloorBound:
      return pb::ProofStage::FLOOR_BOUND;
    case assignment::Stage::Kind::kSum:
      return pb::ProofStage::SUM;
  }
  return pb::ProofStage::KIND_UNSPECIFIED;
}

// Collects entries, and says them when a message is full.
class Parts {
 public:
  explicit Parts(const std::function<bool(pb::AssignProof)>& say) : say_(say) {}
  pb::AssignProof& part() { return part_; }
  void Counted() {
    if (++entries_ >= kProofEntriesAMessage) Flush();
  }
  void Flush() {
    if (entries_ > 0 && wanted_) wanted_ = say_(std::move(part_));
    part_ = {};
    entries_ = 0;
  }
  // One stage's numbers of one list; every message names the stage.
  template <typename Values, typename Add>
  void Numbers(int stage, const Values& values, const Add& add) {
    pb::ProofStage* current = nullptr;
    for (const auto value : values) {
      if (entries_ == 0 || current == nullptr) {
        current = part_.add_stages();
        current->set_stage(stage);
      }
      add(*current, value);
      Counted();
    }
  }

 private:
  const std::function<bool(pb::AssignProof)>& say_;
  pb::AssignProof part_;
  int entries_ = 0;
  bool wanted_ = true;
};

}  // namespace

AssignWish AssignWishOf(const std::string& pool, const pb::AssignRequest& request, domain::Violations& violations) {
  AssignWish wish;
  wish.pool = pool;
  for (int i = 0; i < request.needs_size(); ++i)
    wish.needs.push_back(codec::IdOf(pool, "needs", request.needs(i), absl::StrCat("needs[", i, "]"), violations));
  CheckMode(request, violations);
  wish.options.plan = {!request.best_sum(), request.floor()};
  if (request.mode() == pb::AssignRequest::STABLE)
    wish.options.proposer = request.helpers_propose() ? assignment::Proposer::kHelper : assignment::Proposer::kSeeker;
  wish.options.seed = request.seed() == 0 ? 1 : request.seed();
  wish.options.min_score = request.min_score();
  wish.options.fixed = PairsOf(pool, request.fixed(), "fixed", violations);
  wish.options.forbidden = PairsOf(pool, request.forbidden(), "forbidden", violations);
  wish.previous = PairsOf(pool, request.previous(), "previous", violations);
  if (request.top_k() < 0 || request.top_k() > kMaxAssignTopK) {
    violations.Add("top_k", absl::StrCat(request.top_k(), " is out of range: give 1 to ", kMaxAssignTopK, ", or 0 for ",
                                         application::kDefaultCohortTopK));
  }
  if (request.top_k() > 0) wish.options.top_k = request.top_k();
  if (request.validate_only()) return wish;
  wish.options.max_needs = kMaxAsks;
  domain::CheckText(request.message(), "message", domain::kMaxMessageCharacters, true, true, violations);
  ValidateRequestId(request.request_id(), violations);
  return wish;
}

warmline::store::v1::AssignReply AssignReplyOf(const AssignWish& wish, const application::CohortPlan& plan,
                                               std::int64_t helpers_of_pool) {
  std::vector<pb::AssignedPair> pairs;
  for (std::size_t i = 0; i < plan.needs.size(); ++i) pairs.push_back(FreePair(wish, plan, i));
  std::int64_t sum = 0;
  for (const std::int32_t e : plan.chosen) {
    const assignment::Pair& pair = plan.problem.pairs[static_cast<std::size_t>(e)];
    pb::AssignedPair& message = pairs[static_cast<std::size_t>(pair.seeker)];
    message.set_helper(domain::ResourceName(wish.pool, "members", plan.helpers[static_cast<std::size_t>(pair.helper)]));
    message.set_score(static_cast<std::uint32_t>(pair.weight));
    sum += pair.weight;
  }
  for (const application::FixedPair& fixed : plan.fixed) {
    pb::AssignedPair& message = pairs.emplace_back(PairOf(wish.pool, fixed.need, pb::AssignedPair::FIXED));
    message.set_helper(domain::ResourceName(wish.pool, "members", fixed.helper));
    message.set_score(fixed.score);
    sum += fixed.score;
  }
  for (const application::KeptNeed& kept : plan.kept) {
    pb::AssignedPair& message = pairs.emplace_back(PairOf(wish.pool, kept.need, pb::AssignedPair::KEPT));
    message.set_helper(domain::ResourceName(wish.pool, "members", kept.helper));
    message.set_score(kept.score);
    message.set_introduction(domain::ResourceName(wish.pool, "introductions", kept.introduction));
  }
  std::sort(pairs.begin(), pairs.end(), [](const auto& x, const auto& y) { return x.need() < y.need(); });
  warmline::store::v1::AssignReply reply;
  pb::AssignSummary* summary = reply.mutable_summary();
  summary->set_needs(static_cast<std::int64_t>(pairs.size()));
  summary->set_matched(static_cast<std::int64_t>(plan.chosen.size() + plan.fixed.size()));
  summary->set_kept(static_cast<std::int64_t>(plan.kept.size()));
  summary->set_score_sum(sum);
  if (plan.plan.floor) summary->set_floor(*plan.plan.floor);
  summary->set_proved(plan.proved_for_all);
  summary->set_pairs_looked_at(static_cast<std::int64_t>(plan.problem.pairs.size()));
  summary->set_pairs_possible(static_cast<std::int64_t>(plan.needs.size()) * helpers_of_pool);
  summary->set_rounds(plan.rounds);
  for (pb::AssignedPair& pair : pairs) *reply.mutable_pairs()->add_pairs() = std::move(pair);
  SetChanges(wish, reply);
  return reply;
}

void TellProof(const AssignWish& wish, const application::CohortPlan& plan,
               const std::function<bool(pb::AssignProof)>& say) {
  Parts parts(say);
  for (std::size_t i = 0; i < plan.needs.size(); ++i) {
    pb::ProofNeed* need = parts.part().add_needs();
    need->set_need(domain::ResourceName(wish.pool, "needs", plan.needs[i].id));
    need->set_bound(plan.bounds[i].value_or(-1));
    parts.Counted();
  }
  for (std::size_t j = 0; j < plan.helpers.size(); ++j) {
    pb::ProofHelper* helper = parts.part().add_helpers();
    helper->set_helper(domain::ResourceName(wish.pool, "members", plan.helpers[j]));
    helper->set_places(plan.problem.helper_capacity[j]);
    parts.Counted();
  }
  for (const assignment::Pair& from : plan.problem.pairs) {
    pb::ProofPair* pair = parts.part().add_pairs();
    pair->set_need(from.seeker);
    pair->set_helper(from.helper);
    pair->set_score(static_cast<std::uint32_t>(from.weight));
    parts.Counted();
  }
  for (std::size_t n = 0; n < plan.plan.stages.size(); ++n) {
    const assignment::Stage& from = plan.plan.stages[n];
    const int number = static_cast<int>(n);
    pb::ProofStage* stage = parts.part().add_stages();
    stage->set_stage(number);
    stage->set_kind(KindOf(from.kind));
    if (from.min_weight) stage->set_min_score(*from.min_weight);
    stage->set_bonus(from.problem.bonus);
    stage->set_value(from.certificate.value);
    parts.Counted();
    parts.Numbers(number, from.certificate.chosen, [&](pb::ProofStage& to, std::int32_t e) {
      to.add_chosen(from.pair_of[static_cast<std::size_t>(e)]);
    });
    parts.Numbers(number, from.certificate.seeker_price,
                  [](pb::ProofStage& to, std::int64_t price) { to.add_need_prices(price); });
    parts.Numbers(number, from.certificate.helper_price,
                  [](pb::ProofStage& to, std::int64_t price) { to.add_helper_prices(price); });
  }
  parts.Flush();
}

}  // namespace warmline::api
