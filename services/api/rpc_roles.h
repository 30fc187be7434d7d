// Which roles may make which call: the one table. A call that is not in it may be made by nobody. What else admission
// has to know of a call follows from its roles and its place in the proto, so a new rpc has its lane from the start.
// Pure; thread-safe.
#pragma once

#include <string_view>

#include "admission/lane.h"
#include "application/access.h"

namespace warmline::api {

// `method` as "warmline.v1.MatchService/Match"; 0 for one that is not in the table.
[[nodiscard]] application::CallRoles RolesFor(std::string_view method);

struct RpcTraits {
  application::CallRoles roles = 0;
  admission::Lane lane = admission::Lane::kIntroductions;
  bool changes = true;   // may change what is stored, by the proto's `idempotency_level`
  bool streams = false;  // in either direction
  bool watch = false;    // goes on until one side ends it
  bool list = false;     // reads many records
};
// Of one that is not in the table: may be called by nobody.
[[nodiscard]] const RpcTraits& TraitsOf(std::string_view method);

}  // namespace warmline::api
