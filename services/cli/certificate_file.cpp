#include "cli/certificate_file.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "base/hash.h"

namespace warmline::cli {
namespace {

using assignment::Stage;
using nlohmann::ordered_json;

constexpr char kFormat[] = "warmline-assignment-certificate";
constexpr int kVersion = 1;
constexpr std::uint64_t kMaxNumber = std::numeric_limits<std::int64_t>::max();

// Of everything that the proof is about, so that a proof is not held beside other files by mistake.
std::string DigestOf(const Cohort& cohort) {
  std::uint64_t hash = base::Hash64(kFormat);
  const auto add = [&hash](std::uint64_t value) { hash = base::Mix64(hash ^ value); };
  for (const auto* ids : {&cohort.seekers, &cohort.helpers}) {
    add(ids->size());
    for (const std::string& id : *ids) add(base::Hash64(id));
  }
  for (const auto* capacities : {&cohort.problem.seeker_capacity, &cohort.problem.helper_capacity}) {
    for (const std::int32_t capacity : *capacities) add(static_cast<std::uint64_t>(capacity));
  }
  for (const assignment::Pair& pair : cohort.problem.pairs) {
    add(static_cast<std::uint64_t>(pair.seeker) << 32 | static_cast<std::uint32_t>(pair.helper));
    add(static_cast<std::uint64_t>(pair.weight));
  }
  return absl::StrCat(absl::Hex(hash, absl::kZeroPad16));
}

absl::Status NoCertificate(const std::string& why) {
  return absl::InvalidArgumentError(absl::StrCat("this is no certificate of these files: ", why));
}

// Whether some number is a fraction or too large, which the library would turn into some integer.
bool HasOddNumber(const ordered_json& json) {
  if (json.is_structured()) return std::any_of(json.begin(), json.end(), HasOddNumber);
  return json.is_number_float() || (json.is_number_unsigned() && json.get<std::uint64_t>() > kMaxNumber);
}

absl::StatusOr<Stage> ReadStage(const Cohort& cohort, const ordered_json& json, bool everybody) {
  Stage stage;
  const std::string kind = json.at("kind");
  bool known = false;
  for (const auto k : {Stage::Kind::kEverybody, Stage::Kind::kFloorBound, Stage::Kind::kSum}) {
    if (kind != NameOf(k)) continue;
    stage.kind = k;
    known = true;
  }
  if (!known) return NoCertificate(absl::StrCat("there is no stage ", kind));
  if (json.contains("min_weight")) stage.min_weight = json.at("min_weight").get<std::int64_t>();
  stage.problem = assignment::ProblemOf(cohort.problem, stage.kind, stage.min_weight, everybody, &stage.pair_of);
  stage.certificate.value = json.at("value");
  for (const std::int64_t chosen : json.at("chosen").get<std::vector<std::int64_t>>()) {
    if (chosen < 0 || chosen > std::numeric_limits<std::int32_t>::max())
      return NoCertificate("it chooses pairs that are none");
    stage.certificate.chosen.push_back(static_cast<std::int32_t>(chosen));
  }
  stage.certificate.seeker_price = json.at("seeker_price").get<std::vector<std::int64_t>>();
  stage.certificate.helper_price = json.at("helper_price").get<std::vector<std::int64_t>>();
  return stage;
}

}  // namespace

std::string ToJson(const Cohort& cohort, const PlanProof& proof) {
  ordered_json json = {{"format", kFormat},
                       {"version", kVersion},
                       {"weight_scale", kWeightScale},
                       {"cohort", DigestOf(cohort)},
                       {"everybody_first", proof.options.everybody_first},
                       {"floor", proof.options.floor},
                       {"seekers_matched", proof.plan.seekers},
                       {"sum", proof.plan.sum}};
  if (proof.plan.floor) json["floor_weight"] = *proof.plan.floor;
  json["stages"] = ordered_json::array();
  for (const Stage& stage : proof.plan.stages) {
    ordered_json one = {{"kind", NameOf(stage.kind)}};
    if (stage.min_weight) one["min_weight"] = *stage.min_weight;
    one["bonus"] = stage.problem.bonus;
    one["value"] = stage.certificate.value;
    one["chosen"] = stage.certificate.chosen;
    one["seeker_price"] = stage.certificate.seeker_price;
    one["helper_price"] = stage.certificate.helper_price;
    json["stages"].push_back(std::move(one));
  }
  return json.dump() + "\n";
}

absl::StatusOr<PlanProof> ReadProof(const Cohort& cohort, const std::string& text) {
  // The library throws, and this is where it ends.
  try {
    const ordered_json json = ordered_json::parse(text);
    if (HasOddNumber(json)) return NoCertificate("one of its numbers is no whole number of 64 bits");
    if (json.at("format") != kFormat || json.at("version") != kVersion)
      return NoCertificate("its format is another, or of another version");
    if (json.at("cohort") != DigestOf(cohort))
      return NoCertificate("it was made for other pairs, capacities or weights, or another --min-weight");
    PlanProof proof;
    proof.options.everybody_first = json.at("everybody_first");
    proof.options.floor = json.at("floor");
    proof.plan.seekers = json.at("seekers_matched");
    proof.plan.sum = json.at("sum");
    if (json.contains("floor_weight")) proof.plan.floor = json.at("floor_weight").get<std::int64_t>();
    const bool everybody = proof.options.everybody_first || proof.options.floor;
    for (const ordered_json& one : json.at("stages")) {
      auto stage = ReadStage(cohort, one, everybody);
      if (!stage.ok()) return stage.status();
      proof.plan.stages.push_back(*std::move(stage));
    }
    if (proof.plan.stages.empty()) return NoCertificate("it has no stages");
    // What the last stage chose is the plan.
    const Stage& last = proof.plan.stages.back();
    std::set<std::int32_t> served;
    std::int64_t sum = 0;
    for (const std::int32_t e : last.certificate.chosen) {
      if (e < 0 || static_cast<std::size_t>(e) >= last.pair_of.size())
        return NoCertificate("it chooses pairs that are none");
      const std::int32_t index = last.pair_of[static_cast<std::size_t>(e)];
      proof.plan.chosen.push_back(index);
      served.insert(cohort.problem.pairs[static_cast<std::size_t>(index)].seeker);
      sum += cohort.problem.pairs[static_cast<std::size_t>(index)].weight;
    }
    if (sum != proof.plan.sum || static_cast<std::int64_t>(served.size()) != proof.plan.seekers)
      return NoCertificate("its sum, or its count of seekers, is not that of what it chooses");
    return proof;
  } catch (const nlohmann::json::exception& error) {
    return NoCertificate(error.what());
  }
}

}  // namespace warmline::cli
