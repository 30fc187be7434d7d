// Checks of what a cluster's replicas stand on, each with its result and, where it fails, the remedy: the database and
// Redis. For `warmline doctor`; one thread.
#pragma once

#include <string>
#include <vector>

#include "server/config.h"

namespace warmline::server {

struct DeploymentCheck {
  std::string name;
  bool good = false;
  std::string detail;
};

// Of what the configuration names; nothing on the embedded profile. Writes a key of its own to Redis, and removes it.
[[nodiscard]] std::vector<DeploymentCheck> CheckDeployment(const Config& config);

}  // namespace warmline::server
