// A need, translated for one view: terms with weights, weights of the parts, and the constraints that bind. Valid while
// the need, the view and a base::RcuReadGuard live; memory is reused from one need to the next.
// Thread-safety: one Query belongs to one thread at a time.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/sip_hash.h"
#include "domain/need.h"
#include "index/view.h"

namespace warmline::index {

// An interest of the need itself.
struct OwnTerm {
  std::string_view typed;
  std::string_view canonical;  // after the pool's synonyms
  std::uint32_t term = kNone;  // kNone: no helper ever had it
  std::uint8_t level = 0;      // in the need, 1..255
  std::uint64_t weight = 0;    // weight of the interest (units of 2^-20) times its level
  bool rare = false;           // a circle
};

// A list of postings that counts for an own term: its own, or a related one at a discount.
struct QueryTerm {
  std::uint32_t term = 0;
  std::uint32_t own = 0;         // index into Query::own
  std::uint32_t discount = 256;  // units of 1/256; 256 for the own term itself
};

struct Query {
  std::vector<OwnTerm> own;        // in the order of the need
  std::vector<QueryTerm> terms;    // at most domain::kMaxQueryTerms; grouped by own term, own list first
  std::uint64_t total_weight = 0;  // sum of own weights
  domain::Weights weights{};
  int shift = 0;                                         // EpochColumns::ShiftOf
  const domain::NeedConstraints* constraints = nullptr;  // the need's, or the relaxed ones below
  domain::NeedConstraints relaxed_constraints;
  std::vector<domain::SoftConstraint> relaxed;
  domain::EvidenceGate gate = domain::EvidenceGate::kNone;
  std::uint16_t help_kinds = 0;
  std::uint32_t seeker = kNone;         // kNone: no tie, block or conflict names this seeker
  base::SipHash13 exploration;          // ranking::ExplorationOf the need
  std::vector<std::uint32_t> excluded;  // member numbers, sorted
};

void MakeQuery(const View& view, const domain::Need& need, Query& query);

// The part INTERESTS from the sum over own terms of weight times level (0..255): floor(sum * 2^20 / (255 * total)).
[[nodiscard]] std::uint32_t InterestsPart(std::uint64_t sum, std::uint64_t total_weight);

// The level at which a posting counts for an own term: floor(level * discount / 256).
[[nodiscard]] constexpr std::uint8_t CountedLevel(std::uint8_t level, std::uint32_t discount) {
  return static_cast<std::uint8_t>(level * discount / 256);
}

}  // namespace warmline::index
