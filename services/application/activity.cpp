#include "application/activity.h"

namespace warmline::application {

void MarkActive(domain::Member& member, absl::Time now) {
  member.last_active = now;
  member.erase_time.reset();
}

absl::Status Touch(WriteTransaction& tx, const std::string& pool, const std::string& member, absl::Time now) {
  auto found = tx.GetMember(pool, member);
  if (!found.ok()) return found.status();
  if (!found->has_value()) return absl::OkStatus();
  domain::Member& touched = **found;
  const bool known = touched.last_active && now - *touched.last_active < absl::Hours(24);
  if (known && !touched.erase_time) return absl::OkStatus();
  MarkActive(touched, now);
  return tx.Put(pool, touched).status();
}

}  // namespace warmline::application
