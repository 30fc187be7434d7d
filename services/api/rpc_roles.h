// Which roles may make which call: the one table. A call that is not in it may be made by nobody. Pure.
#pragma once

#include <string_view>

#include "application/access.h"

namespace warmline::api {

// `method` as "warmline.v1.MatchService/Match"; 0 for one that is not in the table.
[[nodiscard]] application::CallRoles RolesFor(std::string_view method);

// Whether a call may change something, by the proto's `idempotency_level`; true for one that is not known.
[[nodiscard]] bool HasSideEffects(std::string_view method);

}  // namespace warmline::api
