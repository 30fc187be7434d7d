// What an ask would be, as the index sees it: whom it is for, the way to them, and why. Lock-free; any thread.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <vector>

#include "application/match_need.h"
#include "domain/introduction.h"

namespace warmline::application {

// Whom to ask, as the caller named them.
struct AskTarget {
  std::string helper;      // id
  bool by_token = false;   // of a masked match
  std::string introducer;  // id; empty: the best one, where one is needed
  std::string message;     // empty: the ask's
  bool direct = false;     // without an introducer, where the door is open
};

struct PlannedTarget {
  domain::Introduction draft;  // all but id, times and state
  bool is_match = false;       // a helper whom the need reaches at all
  std::vector<domain::Rule> blocked_by;
};

struct AskPlan {
  std::string seeker;
  std::string need_id;
  std::vector<PlannedTarget> targets;
};

// Errors: those of ExplainPair; INVALID_ARGUMENT for an introducer where none is needed, or the same helper twice.
[[nodiscard]] absl::StatusOr<AskPlan> PlanAsk(const PoolRegistry& pools, const Caller& caller, const std::string& pool,
                                              const NeedSubject& subject, const std::vector<AskTarget>& targets,
                                              const std::string& message, absl::Time now);

}  // namespace warmline::application
