#include "application/forget_interests.h"

#include <absl/container/flat_hash_set.h>

#include <map>
#include <vector>

namespace warmline::application {
namespace {

struct Batch {
  std::vector<std::string> leaving;
  bool counted = false;
};

absl::Status Forget(WriteTransaction& tx, const PoolRegistry& pools, const std::string& pool, const Batch& batch) {
  // The index answers without the store where there is nothing to forget.
  if (!batch.counted && pools.InterestsWithout(pool, batch.leaving, nullptr).empty()) return absl::OkStatus();
  auto statistics = tx.GetStatistics(pool);
  if (!statistics.ok()) return statistics.status();
  if (!statistics->has_value()) return absl::OkStatus();
  domain::Statistics& newest = **statistics;
  const auto names = pools.InterestsWithout(pool, batch.leaving, &newest);
  if (names.empty()) return absl::OkStatus();
  const absl::flat_hash_set<std::string> gone(names.begin(), names.end());
  std::erase_if(newest.interests, [&](const auto& interest) { return gone.contains(interest.canonical); });
  for (domain::InterestStatistics& interest : newest.interests)
    std::erase_if(interest.relations, [&](const auto& relation) { return gone.contains(relation.canonical); });
  ++newest.generation;
  if (auto put = tx.Put(pool, newest); !put.ok()) return put.status();
  return tx.DropStatistics(pool, newest.generation);
}

}  // namespace

absl::Status ForgetInterestsOfErased(WriteTransaction& tx, const PoolRegistry& pools) {
  std::map<std::string, Batch> batches;
  for (const auto& [pool, change] : tx.changes()) {
    if (const auto* erased = std::get_if<domain::MemberErased>(&change.body))
      batches[pool].leaving.push_back(erased->id);
  }
  if (batches.empty()) return absl::OkStatus();
  for (const auto& [pool, change] : tx.changes()) {
    const auto batch = batches.find(pool);
    if (batch != batches.end() && std::holds_alternative<domain::Statistics>(change.body)) batch->second.counted = true;
  }
  for (const auto& [pool, batch] : batches) {
    if (auto status = Forget(tx, pools, pool, batch); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status ForgetInterests(WriteTransaction& tx, const PoolRegistry& pools, const std::string& pool) {
  return Forget(tx, pools, pool, {});
}

}  // namespace warmline::application
