// The key of a pool's bonuses of exploration (docs/matching.md). Pure; thread-safe.
#pragma once

#include <string>

#include "base/hmac.h"
#include "base/sip_hash.h"

namespace warmline::application {

// From the secret of the pool's store (RecordStore::token_key), so that all replicas have the same.
[[nodiscard]] inline base::SipKey ExplorationKey(const std::string& secret, const std::string& pool) {
  return base::SipKey::Of(base::HmacSha256(secret, "exploration\n" + pool));
}

}  // namespace warmline::application
