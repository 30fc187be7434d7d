// How long a seeker waits for a first answer, from the pool's own asks; it says when it does not know. And the inbox of
// a member. Over a reader.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "application/access.h"
#include "application/record_store.h"
#include "domain/introduction_visibility.h"

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

// Quartiles of the time from an ask until its helper's first answer. Asks that nobody answered are longer than all
// others, so a median that lies among them is not known: then there is no estimate.
[[nodiscard]] std::optional<AnswerEstimate> EstimateFrom(const std::vector<domain::Introduction>& asks, absl::Time now);
[[nodiscard]] absl::StatusOr<std::optional<AnswerEstimate>> EstimateAnswer(RecordReader& reader,
                                                                           const std::string& pool, absl::Time now);

// A page of what the caller has a part in; to an operator, of all, or of what the member of the query has. For a
// helper, the asks of seekers who help others themselves come first: with a credit that is bounded (reciprocity orders
// the inbox and nothing else, DESIGN section 10.6).
[[nodiscard]] absl::Status FillInbox(RecordReader& reader, const Caller& caller, const std::string& pool,
                                     const IntroductionQuery& query,
                                     const std::function<void(const domain::Introduction&, domain::Viewer)>& add,
                                     const std::function<void(const std::string& last)>& more);

// Help that counts, given by the seeker as helper or introducer: at most this many count.
inline constexpr int kMaxReciprocityCredit = 5;

}  // namespace warmline::application
