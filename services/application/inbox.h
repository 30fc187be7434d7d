// The inbox of a member: what they have a part in. Over a reader.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <vector>

#include "application/access.h"
#include "application/introduction_moves.h"
#include "application/record_store.h"

namespace warmline::application {

// Help that counts, given by a seeker as helper or introducer: at most this much of it counts for them.
inline constexpr int kMaxReciprocityCredit = 5;

struct Inbox {
  std::vector<SeenIntroduction> introductions;
  std::string last;  // where the next page begins; empty after the last one
};

// A page of what the caller has a part in; to an operator, of all, or of what the member of the query has. For a
// helper, the asks of seekers who help others themselves come first: with a credit that is bounded (reciprocity orders
// the inbox and nothing else, DESIGN section 10.6).
[[nodiscard]] absl::StatusOr<Inbox> ReadInbox(RecordReader& reader, const Caller& caller, const std::string& pool,
                                              const IntroductionQuery& query);

}  // namespace warmline::application
