#include "application/pools.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

#include <algorithm>

#include "application/pool_registry.h"
#include "domain/limits.h"

namespace warmline::application {

using domain::ErrorReason;

bool InMask(const std::vector<std::string>& mask, const char* field) {
  return std::find(mask.begin(), mask.end(), field) != mask.end();
}

void ValidateMask(const std::vector<std::string>& mask, const std::vector<std::string>& allowed,
                  domain::Violations& violations) {
  if (mask.empty())
    violations.Add("update_mask", absl::StrCat("is empty: name at least one of ", absl::StrJoin(allowed, ", ")));
  for (const std::string& field : mask) {
    if (!InMask(allowed, field.c_str())) {
      violations.Add("update_mask", absl::StrCat(domain::Quoted(field), " cannot be updated: name some of ",
                                                 absl::StrJoin(allowed, ", ")));
    }
  }
}

absl::StatusOr<domain::IntroductionRules> RulesOf(RecordReader& reader, const std::string& pool) {
  auto record = reader.GetPool(pool);
  if (!record.ok()) return record.status();
  if (!record->has_value()) return PoolNotFound(pool);
  return (*record)->policy.introductions;
}

absl::Status RequireRevision(std::int64_t expected, std::int64_t actual) {
  if (expected == 0 || expected == actual) return absl::OkStatus();
  return domain::MakeError(
      ErrorReason::kEtagMismatch,
      "the etag is not the current one, so somebody else changed the record: read it again, then write");
}

absl::Status RequirePool(RecordReader& reader, const std::string& pool) {
  auto head = reader.HeadRevision(pool);
  if (!head.ok()) return head.status();
  return *head == 0 ? PoolNotFound(pool) : absl::OkStatus();
}

absl::StatusOr<domain::Pool> CreatePool(WriteTransaction& tx, domain::Pool pool, absl::Time now) {
  domain::Violations violations;
  domain::ValidatePool(pool, "pool.", violations);
  if (!violations.empty()) return violations.ToStatus();
  auto known = tx.GetPool(pool.id);
  if (!known.ok()) return known.status();
  if (known->has_value()) {
    return domain::MakeError(ErrorReason::kPoolExists,
                             absl::StrCat("pools/", pool.id, " exists already: choose another id, or update it"));
  }
  auto all = tx.ListPools("", domain::kMaxPools);
  if (!all.ok()) return all.status();
  if (all->size() >= static_cast<std::size_t>(domain::kMaxPools)) {
    return domain::MakeError(ErrorReason::kLimitReached, absl::StrCat("there are ", domain::kMaxPools,
                                                                      " pools already, the most that one store holds"));
  }
  pool.policy.version = 1;
  pool.create_time = now;
  auto revision = tx.Put(pool);
  if (!revision.ok()) return revision.status();
  return pool;
}

absl::StatusOr<domain::Pool> UpdatePool(WriteTransaction& tx, const domain::Pool& pool,
                                        const std::vector<std::string>& mask, std::int64_t expected_revision) {
  auto known = tx.GetPool(pool.id);
  if (!known.ok()) return known.status();
  if (!known->has_value()) return PoolNotFound(pool.id);
  domain::Pool updated = **known;
  if (auto status = RequireRevision(expected_revision, updated.revision); !status.ok()) return status;
  domain::Violations violations;
  ValidateMask(mask, {"display_name", "policy"}, violations);
  if (InMask(mask, "display_name")) updated.display_name = pool.display_name;
  if (InMask(mask, "policy")) {
    const std::int64_t version = updated.policy.version;
    updated.policy = pool.policy;
    updated.policy.version = version + 1;
  }
  domain::ValidatePool(updated, "pool.", violations);
  if (!violations.empty()) return violations.ToStatus();
  auto revision = tx.Put(updated);
  if (!revision.ok()) return revision.status();
  return updated;
}

}  // namespace warmline::application
