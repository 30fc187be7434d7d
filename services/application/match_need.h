// Use case: match a need, or explain one pair, for a caller: the view, the need, and who may see what. Lock-free; any
// thread.
#pragma once

#include <absl/status/statusor.h>

#include <optional>
#include <string>

#include "application/access.h"
#include "application/pool_registry.h"
#include "index/matcher.h"

namespace warmline::application {

// A stored need by id, or one given with the call.
struct NeedSubject {
  std::string stored_id;
  std::optional<domain::Need> inline_need;
  // Ids that the need excludes besides, whoever may name them: those of masked matches, by their tokens.
  std::vector<std::string> excluded = {};
};

// What a match shows. A masked helper's id never leaves the server but as an opaque token.
struct ShownHelper {
  index::RankedHelper helper;
  bool masked = false;
};

struct MatchAnswer {
  std::string need_id;
  std::string seeker;
  index::MatchResult result;
  std::vector<ShownHelper> shown;
};

struct ExplainAnswer {
  std::string need_id;
  std::string seeker;
  index::Explanation explanation;
  std::optional<ShownHelper> shown;  // to the caller: absent to all but operators where a rule blocks
  std::optional<ShownHelper> found;  // the same, whatever blocks; not for showing
};

// The need, validated, and seen by the caller. Errors: INVALID_ARGUMENT, PERMISSION_DENIED, NOT_FOUND (NEED_NOT_FOUND,
// MEMBER_NOT_FOUND), FAILED_PRECONDITION (NEED_IS_CLOSED). The view's guard must be held.
[[nodiscard]] absl::StatusOr<domain::Need> ResolveNeed(const index::View& view, const Caller& caller,
                                                       const std::string& pool, NeedSubject subject);

// To all but operators, exclusions of members whom the caller may not name (application/naming.h) have no effect; those
// that only an introduction explains are looked up in the store, on this thread. Errors: those of ResolveNeed, of
// `stop` and of that look-up; NOT_FOUND (POOL_NOT_FOUND), UNAVAILABLE (REPLICA_STALE).
[[nodiscard]] absl::StatusOr<MatchAnswer> MatchNeed(const PoolRegistry& pools, const Caller& caller,
                                                    const std::string& pool, const NeedSubject& subject,
                                                    const index::MatchOptions& options, const index::StopCheck& stop);
// Errors: also NOT_FOUND (MEMBER_NOT_FOUND) for a helper that does not exist, or whom the caller may not name.
// `by_token`: the caller holds the token of a masked match. May look into the store as MatchNeed does.
[[nodiscard]] absl::StatusOr<ExplainAnswer> ExplainPair(const PoolRegistry& pools, const Caller& caller,
                                                        const std::string& pool, const NeedSubject& subject,
                                                        const std::string& helper, bool by_token);
// Whether matching the subject may wait for the store, so that a thread is needed that may.
[[nodiscard]] bool NeedsStore(const PoolRegistry& pools, const Caller& caller, const std::string& pool,
                              const NeedSubject& subject);

// The lower end of the bucket that a count of a masked helper is shown as: 0, 1, 3, 10, 30, 100.
[[nodiscard]] std::uint32_t Bucket(std::uint32_t count);

// The rule as the caller may see it: blocks, conflicts and pauses read NOT_AVAILABLE to all but operators.
[[nodiscard]] domain::Rule ShownRule(domain::Rule rule, const Caller& caller);

}  // namespace warmline::application
