// How long a seeker waits for a first answer, from the pool's own asks; it says when it does not know. Over a reader.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "application/record_store.h"

namespace warmline::application {

struct AnswerEstimate {
  std::int32_t asks = 0;  // that the quartiles are of
  absl::Duration lower;
  absl::Duration median;
  absl::Duration upper;
  std::uint32_t answered = 0;  // share of the asks that were answered at all, units of 2^-20
};

// Fewer asks than this say nothing.
inline constexpr int kMinAsksToEstimate = 20;
// Those that are looked at: of the last month, and only if they say nothing of half a year.
inline constexpr int kMaxAsksToEstimate = 2'000;
inline constexpr absl::Duration kEstimateMemory = absl::Hours(24 * 180);

// Quartiles of the time from an ask until its helper's first answer, of asks that were answered or expired (an ask that
// was taken back says nothing). Those that expired are longer than all others, so a median that lies among them is not
// known: then there is no estimate.
[[nodiscard]] std::optional<AnswerEstimate> EstimateFrom(const std::vector<domain::Introduction>& asks, absl::Time now);
[[nodiscard]] absl::StatusOr<std::optional<AnswerEstimate>> EstimateAnswer(RecordReader& reader,
                                                                           const std::string& pool, absl::Time now);

}  // namespace warmline::application
