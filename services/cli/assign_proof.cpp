#include "cli/assign_proof.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "cli/output_text.h"

namespace warmline::cli {

namespace pb = warmline::v1;

using assignment::Stage;

namespace {

absl::Status Wrong(std::string_view what) { return absl::InvalidArgumentError(std::string(what)); }

Stage::Kind KindOf(pb::ProofStage::Kind kind) {
  return kind == pb::ProofStage::EVERYBODY     ? Stage::Kind::kEverybody
         : kind == pb::ProofStage::FLOOR_BOUND ? Stage::Kind::kFloorBound
                                               : Stage::Kind::kSum;
}

}  // namespace

void AssignProof::Add(const pb::AssignProof& part) {
  for (const auto& need : part.needs()) {
    needs_.push_back(LastPart(need.need()));
    bounds_.push_back(need.bound());
  }
  for (const auto& helper : part.helpers()) {
    helpers_.push_back(LastPart(helper.helper()));
    places_.push_back(helper.places());
  }
  for (const auto& pair : part.pairs()) pairs_.push_back({pair.need(), pair.helper(), std::int64_t{pair.score()}});
  for (const auto& stage : part.stages()) stages_[stage.stage()].MergeFrom(stage);
}

absl::Status AssignProof::Assemble(const pb::AssignRequest& request) {
  cohort_ = {};
  cohort_.seekers = needs_;
  cohort_.helpers = helpers_;
  if (!std::is_sorted(needs_.begin(), needs_.end()) || !std::is_sorted(helpers_.begin(), helpers_.end()))
    return Wrong("its needs or helpers are not in order");
  cohort_.problem.seeker_capacity.assign(needs_.size(), 1);
  cohort_.problem.helper_capacity = places_;
  cohort_.problem.pairs = pairs_;
  if (auto status = assignment::Validate(cohort_.problem); !status.ok()) return status;
  proof_ = {};
  proof_.options = {!request.best_sum(), request.floor()};
  const bool everybody = proof_.options.everybody_first || proof_.options.floor;
  for (const auto& [number, from] : stages_) {
    Stage stage;
    stage.kind = KindOf(from.kind());
    if (from.has_min_score()) stage.min_weight = from.min_score();
    stage.problem = assignment::ProblemOf(cohort_.problem, stage.kind, stage.min_weight, everybody, &stage.pair_of);
    stage.certificate.value = from.value();
    for (const std::int32_t e : from.chosen()) {
      const auto at = std::lower_bound(stage.pair_of.begin(), stage.pair_of.end(), e);
      if (at == stage.pair_of.end() || *at != e) return Wrong("a stage chooses a pair that it leaves out");
      stage.certificate.chosen.push_back(static_cast<std::int32_t>(at - stage.pair_of.begin()));
    }
    stage.certificate.seeker_price.assign(from.need_prices().begin(), from.need_prices().end());
    stage.certificate.helper_price.assign(from.helper_prices().begin(), from.helper_prices().end());
    proof_.plan.stages.push_back(std::move(stage));
  }
  if (stages_.empty()) return Wrong("it has no stages");
  std::set<std::int32_t> served;
  for (const std::int32_t e : stages_.rbegin()->second.chosen()) {
    proof_.plan.chosen.push_back(e);
    proof_.plan.sum += pairs_[static_cast<std::size_t>(e)].weight;
    served.insert(pairs_[static_cast<std::size_t>(e)].seeker);
  }
  proof_.plan.seekers = static_cast<std::int64_t>(served.size());
  proof_.plan.floor = proof_.plan.stages.back().min_weight;
  return absl::OkStatus();
}

absl::Status AssignProof::CheckBounds() const {
  for (std::size_t i = 0; i < needs_.size(); ++i) {
    if (bounds_[i] < 0) continue;
    for (const Stage& stage : proof_.plan.stages) {
      if (!assignment::HoldsBeyond(proof_.plan, stage, i, bounds_[i]))
        return Wrong(absl::StrCat("need ", needs_[i], " could be better off with a pair that was not looked at"));
    }
  }
  return absl::OkStatus();
}

absl::Status AssignProof::Check(const pb::AssignRequest& request, const pb::AssignSummary& summary, std::int64_t fixed,
                                std::int64_t fixed_score) {
  if (auto status = Assemble(request); !status.ok()) return status;
  if (auto status = assignment::VerifyPlan(cohort_.problem, proof_.options, proof_.plan); !status.ok()) return status;
  if (auto status = CheckBounds(); !status.ok()) return status;
  if (proof_.plan.sum + fixed_score != summary.score_sum() || proof_.plan.seekers + fixed != summary.matched())
    return Wrong("it proves another choice than the summary tells");
  return absl::OkStatus();
}

std::string AssignProof::PairsCsv() const {
  std::ostringstream csv;
  csv << "seeker,helper,weight\n";
  for (const assignment::Pair& pair : pairs_) {
    csv << needs_[static_cast<std::size_t>(pair.seeker)] << "," << helpers_[static_cast<std::size_t>(pair.helper)]
        << "," << WeightText(pair.weight) << "\n";
  }
  return csv.str();
}

std::string AssignProof::PlacesCsv() const {
  std::ostringstream csv;
  csv << "side,member,capacity\n";
  for (const std::string& need : needs_) csv << "seeker," << need << ",1\n";
  for (std::size_t j = 0; j < helpers_.size(); ++j) csv << "helper," << helpers_[j] << "," << places_[j] << "\n";
  return csv.str();
}

}  // namespace warmline::cli
