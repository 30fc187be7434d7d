// How a configuration that cannot be used is told of. Pure.
#pragma once

#include <absl/status/status.h>

#include <string>

#include "domain/error.h"

namespace warmline::server {

// INVALID_ARGUMENT for one option or file: what is wrong with it, and the remedy.
[[nodiscard]] inline absl::Status Invalid(const std::string& field, const std::string& what) {
  domain::Violations violations;
  violations.Add(field, what);
  return violations.ToStatus();
}

}  // namespace warmline::server
