#include "application/inbox.h"

#include <absl/container/flat_hash_map.h>

#include <algorithm>

namespace warmline::application {
namespace {

absl::StatusOr<int> CreditOf(RecordReader& reader, const std::string& pool, const std::string& member) {
  auto found = reader.GetMember(pool, member);
  if (!found.ok()) return found.status();
  if (!found->has_value()) return 0;
  std::int64_t credit = (*found)->thanks;
  for (const domain::Evidence& e : (*found)->evidence) {
    if (domain::Helps(e.outcome)) credit += e.count;
  }
  return static_cast<int>(std::min<std::int64_t>(credit, kMaxReciprocityCredit));
}

}  // namespace

absl::StatusOr<Inbox> ReadInbox(RecordReader& reader, const Caller& caller, const std::string& pool,
                                const IntroductionQuery& query) {
  auto page = reader.ListIntroductions(pool, query);
  if (!page.ok()) return page.status();
  Inbox inbox;
  if (page->size() == static_cast<std::size_t>(query.limit)) inbox.last = page->back().id;
  for (domain::Introduction& i : *page) {
    const domain::Viewer viewer = caller.IsOperator() ? domain::Viewer::kOperator : domain::ViewerOf(i, caller.member);
    if (viewer == domain::Viewer::kNobody) continue;
    if (caller.IsOperator() && !query.member.empty() && !i.Involves(query.member)) continue;
    inbox.introductions.push_back({std::move(i), viewer});
  }
  if (caller.audience != domain::Audience::kHelper) return inbox;
  absl::flat_hash_map<std::string, int> credits;
  for (const SeenIntroduction& seen : inbox.introductions) {
    if (credits.contains(seen.introduction.seeker)) continue;
    auto credit = CreditOf(reader, pool, seen.introduction.seeker);
    if (!credit.ok()) return credit.status();
    credits[seen.introduction.seeker] = *credit;
  }
  std::stable_sort(inbox.introductions.begin(), inbox.introductions.end(), [&](const auto& x, const auto& y) {
    return credits[x.introduction.seeker] > credits[y.introduction.seeker];
  });
  return inbox;
}

}  // namespace warmline::application
