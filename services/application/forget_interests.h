// The statistics of a pool name interests. Those that no living helper has any more, since whoever had them is erased,
// go with the erasure: in the same transaction a new generation takes the place of all older ones. Numbers of the
// others stay as they were counted, so that matches change by nothing else.
#pragma once

#include <absl/status/status.h>

#include <string>

#include "application/pool_registry.h"
#include "application/record_store.h"

namespace warmline::application {

// Before the commit of a batch: for each pool in which it erases members. Errors: those of the store.
[[nodiscard]] absl::Status ForgetInterestsOfErased(WriteTransaction& tx, const PoolRegistry& pools);

// Where erasures on two replicas at once leave a name behind, that each thought the other's member still had: for a
// pool of which PoolRegistry::HasForgottenInterests says so.
[[nodiscard]] absl::Status ForgetInterests(WriteTransaction& tx, const PoolRegistry& pools, const std::string& pool);

}  // namespace warmline::application
