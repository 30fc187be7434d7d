// One reply for everything that is wrong with a request: what reading it found, and what the domain's rules find
// besides. Pure.
#pragma once

#include <string>

#include "domain/error.h"
#include "domain/member.h"
#include "domain/need.h"
#include "domain/pool.h"

namespace warmline::api {

inline void Validate(const domain::Member& r, const std::string& at, domain::Violations& v) {
  domain::ValidateMember(r, at, v);
}
inline void Validate(const domain::Connection& r, const std::string& at, domain::Violations& v) {
  domain::ValidateConnection(r, at, v);
}
inline void Validate(const domain::Block& r, const std::string& at, domain::Violations& v) {
  domain::ValidateBlock(r, at, v);
}
inline void Validate(const domain::Need& r, const std::string& at, domain::Violations& v) {
  domain::ValidateNeed(r, at, v);
}
inline void Validate(const domain::Pool& r, const std::string& at, domain::Violations& v) {
  domain::ValidatePool(r, at, v);
}

// When reading `resource` found violations, adds those of the domain's rules; without any, the use case checks them
// itself.
template <typename Resource>
void Complete(const Resource& resource, const std::string& prefix, domain::Violations& violations) {
  if (violations.empty()) return;
  domain::Violations rules;
  Validate(resource, prefix, rules);
  violations.Absorb(rules);
}

}  // namespace warmline::api
