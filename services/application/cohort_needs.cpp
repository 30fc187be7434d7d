#include "application/cohort_needs.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <map>
#include <set>

#include "application/needs.h"
#include "application/pools.h"

namespace warmline::application {
namespace {

constexpr int kPage = 1'000;
// Of a pool: of one seeker only one is taken.
constexpr std::size_t kMaxNeedsRead = 10 * static_cast<std::size_t>(kMaxCohortNeeds);

absl::StatusOr<std::vector<domain::Need>> ReadNeeds(RecordReader& reader, const Caller& caller, const std::string& pool,
                                                    const std::vector<std::string>& ids) {
  std::vector<domain::Need> needs;
  for (const std::string& id : ids) {
    auto need = FindNeed(reader, caller, pool, id);
    if (!need.ok()) return need.status();
    if (need->state == domain::NeedState::kClosed) return NeedIsClosed(pool, id);
    needs.push_back(*std::move(need));
  }
  std::string after;
  while (ids.empty()) {
    auto page = reader.ListNeeds(pool, "", after, kPage);
    if (!page.ok()) return page.status();
    const bool last = page->size() < kPage;
    if (!last) after = page->back().id;
    for (domain::Need& need : *page) {
      if (need.state == domain::NeedState::kOpen) needs.push_back(std::move(need));
    }
    if (last) break;
    if (needs.size() > kMaxNeedsRead) {
      return domain::MakeError(
          domain::ErrorReason::kLimitReached,
          absl::StrCat("the pool has more than ", kMaxNeedsRead, " open needs: name those of a part of it"));
    }
  }
  std::sort(needs.begin(), needs.end(), [](const auto& x, const auto& y) { return x.id < y.id; });
  // Two places of one seeker could go to the same helper, who is asked once only.
  std::set<std::string> seekers;
  std::string twice;
  std::erase_if(needs, [&](const domain::Need& need) {
    const bool first = seekers.insert(need.seeker).second;
    if (!first) twice = need.id;
    return !first;
  });
  if (!ids.empty() && !twice.empty()) {
    domain::Violations violations;
    violations.Add(
        "needs",
        absl::StrCat("needs/", twice, " is of a seeker who has another among them, or stands there twice: keep one"));
    return violations.ToStatus();
  }
  return needs;
}

// The open ask of each need that has one.
absl::StatusOr<std::map<std::string, domain::Introduction>> OpenAsks(RecordReader& reader, const std::string& pool) {
  std::map<std::string, domain::Introduction> asks;
  IntroductionQuery query;
  query.open_only = true;
  query.limit = kPage;
  while (true) {
    auto page = reader.ListIntroductions(pool, query);
    if (!page.ok()) return page.status();
    const bool last = page->size() < kPage;
    if (!last) query.after = page->back().id;
    for (domain::Introduction& ask : *page) {
      std::string need = ask.need_id;
      if (!need.empty()) asks.emplace(std::move(need), std::move(ask));
    }
    if (last) return asks;
  }
}

}  // namespace

absl::StatusOr<CohortNeeds> ReadCohortNeeds(RecordStore& store, const Caller& caller, const std::string& pool,
                                            const std::vector<std::string>& ids, int max_needs) {
  auto reader = store.Read();
  if (!reader.ok()) return reader.status();
  if (auto status = RequirePool(**reader, pool); !status.ok()) return status;
  auto needs = ReadNeeds(**reader, caller, pool, ids);
  if (!needs.ok()) return needs.status();
  if (static_cast<int>(needs->size()) > max_needs) {
    return domain::MakeError(domain::ErrorReason::kLimitReached,
                             absl::StrCat("the cohort has ", needs->size(), " needs, and at most ", max_needs,
                                          " are assigned at once like this: name those of a part of it"));
  }
  const auto asks = OpenAsks(**reader, pool);
  if (!asks.ok()) return asks.status();
  CohortNeeds result;
  for (domain::Need& need : *needs) {
    const auto ask = asks->find(need.id);
    if (ask == asks->end()) {
      result.free.push_back(std::move(need));
    } else {
      result.kept.push_back({std::move(need), ask->second.helper, ask->second.id, ask->second.score});
    }
  }
  return result;
}

}  // namespace warmline::application
