// Evidence, from dated outcomes to the parts of the score. Pure functions; thread-safe. Formulas: docs/matching.md,
// "Evidence".
#pragma once

#include <cstdint>
#include <vector>

#include "domain/member.h"
#include "domain/pool.h"

namespace warmline::ranking {

// Absent times and means.
inline constexpr std::uint32_t kUnknown = UINT32_MAX;

// A helper's evidence, summed with decay up to its newest entry: all that later hours need.
// Exponential decay carries a sum from one time to another by one factor, so the entries need not be kept.
struct EvidenceMass {
  std::uint32_t helped = 0;        // decayed outcomes that helped, units of 2^-20; saturates at 4,095
  std::uint32_t unhelpful = 0;     // answered, but not helpful
  std::uint32_t silent = 0;        // never answered
  std::uint32_t as_of_hour = 0;    // hours since 1970 of the newest entry
  std::uint32_t helped_count = 0;  // undecayed; saturates
  std::uint32_t outcome_count = 0;
  std::uint32_t last_helped_hour = kUnknown;
  std::uint32_t response_minutes = kUnknown;  // mean, weighted by count
};

// The time-decayed parts of one helper at one epoch, in units of 2^-20.
struct EvidenceParts {
  std::uint32_t helpfulness = 0;
  std::uint32_t responsiveness = 0;
  std::uint32_t novelty = 0;  // how little is known: the bound of exploration
};

[[nodiscard]] EvidenceMass SumEvidence(const std::vector<domain::Evidence>& entries, const domain::Policy& policy);
[[nodiscard]] EvidenceParts PartsAt(const EvidenceMass& mass, const domain::Policy& policy, std::int64_t epoch_hour);

// Whether a helper passes a gate. `gate` is resolved: not kUnspecified.
[[nodiscard]] bool PassesGate(domain::EvidenceGate gate, const EvidenceMass& mass, std::uint32_t helpfulness,
                              const domain::Policy& policy);

}  // namespace warmline::ranking
