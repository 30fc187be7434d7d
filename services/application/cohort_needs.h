// The needs of a cohort as the store has them: those to be assigned, and those that keep an open ask. Any thread that
// may wait.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "application/access.h"
#include "application/record_store.h"

namespace warmline::application {

inline constexpr int kMaxCohortNeeds = 100'000;

// A need with an open ask: nobody else is asked for it.
struct KeptNeed {
  domain::Need need;
  std::string helper;
  std::string introduction;
  std::uint32_t score = 0;
};

struct CohortNeeds {
  std::vector<domain::Need> free;  // by id
  std::vector<KeptNeed> kept;      // by id of the need
};

// The named open needs, or where `ids` is empty, of each seeker of the pool the first open one; at most one of a
// seeker. Errors: INVALID_ARGUMENT for two needs of a seeker; NOT_FOUND (POOL_NOT_FOUND, NEED_NOT_FOUND);
// FAILED_PRECONDITION (NEED_IS_CLOSED); RESOURCE_EXHAUSTED (LIMIT_REACHED) for more than `max_needs`; those of the
// store.
[[nodiscard]] absl::StatusOr<CohortNeeds> ReadCohortNeeds(RecordStore& store, const Caller& caller,
                                                          const std::string& pool, const std::vector<std::string>& ids,
                                                          int max_needs);

}  // namespace warmline::application
