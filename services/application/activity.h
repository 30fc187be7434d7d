// That members did something, for whoever must know whether they are still there. Runs inside a write transaction.
#pragma once

#include <absl/status/status.h>

#include <string>

#include "application/record_store.h"

namespace warmline::application {

// The member did something: what announced their erasure is forgotten.
void MarkActive(domain::Member& member, absl::Time now);

// Keeps that the member is active, to the day, so that a busy day is one write; what announced their erasure is
// forgotten. A member who does not exist is left alone.
[[nodiscard]] absl::Status Touch(WriteTransaction& tx, const std::string& pool, const std::string& member,
                                 absl::Time now);

}  // namespace warmline::application
