#include "application/naming.h"

#include <algorithm>

#include "application/ask_rules.h"
#include "domain/introduction_visibility.h"
#include "index/rules.h"

namespace warmline::application {
namespace {

using domain::Introduction;
using Role = IntroductionQuery::Role;

bool IsNamed(const domain::Policy& policy, bool is_contact, bool open_door, domain::Reach reach) {
  if (is_contact || open_door) return true;
  return policy.second_degree_visibility == domain::Visibility::kNamed &&
         (reach == domain::Reach::kSecondDegree || reach == domain::Reach::kCircle);
}

absl::StatusOr<std::vector<Introduction>> InRole(RecordReader& reader, const std::string& pool, Role role,
                                                 const std::string& member) {
  return reader.ListIntroductions(pool, {.role = role, .member = member, .limit = kMaxHistory});
}

}  // namespace

bool IsShownByName(const index::View& view, const Caller& caller, const index::RankedHelper& helper) {
  const bool contact = helper.parts[static_cast<std::size_t>(domain::Part::kCloseness)] == domain::kOne;
  return caller.IsOperator() || IsNamed(view.pool->policy, contact, helper.open_door, helper.reach);
}

Naming::Naming(const index::View& view, const Caller& caller, const domain::Need* need)
    : view_(view), caller_(caller), need_(need) {
  if (caller.IsOperator()) return;
  const auto self = view.tables->members.Find(caller.member);
  if (!self) return;
  const network::TieList ties(*view.ties, view.tables->members, *self, view.sequence);
  for (std::size_t i = 0; i < ties.size(); ++i) contacts_.push_back(ties[i].to);
  std::sort(contacts_.begin(), contacts_.end());
  named_policy_ = view.pool->policy.second_degree_visibility == domain::Visibility::kNamed;
  if (!named_policy_) return;
  near_.Collect(*view.ties, view.tables->members, *self, view.sequence, view.pool->policy.second_degree_decay);
  if (need == nullptr) return;
  index::MakeQuery(view, *need, query_);
  weigher_.Prepare(query_);
}

bool Naming::IsContact(std::uint32_t member) const {
  return std::binary_search(contacts_.begin(), contacts_.end(), member);
}

bool Naming::IsHelperShown(std::uint32_t member) {
  for (const index::SegmentState& state : view_.segments) {
    const index::Segment& segment = *state.segment;
    const auto doc = segment.Find(member);
    if (!doc || !segment.LivesAt(*doc, view_.sequence)) continue;
    const index::HelperFilter& filter = segment.filter(*doc);
    if ((filter.flags & index::kFlagConfirmed) == 0) return false;  // never agreed to be seen
    index::Candidate candidate;
    candidate.segment = &segment;
    candidate.doc = *doc;
    candidate.member = member;
    if (named_policy_) {
      candidate.neighbour = near_.Find(member);
      candidate.shares_rare_interest = need_ != nullptr && weigher_.Weigh(segment.row(*doc)).own_rare;
    }
    const bool open_door = (filter.open_to & domain::BitOf(domain::Reach::kPool)) != 0;
    const auto reach = index::RuleChecker::ReachOf(candidate).value_or(domain::Reach::kUnspecified);
    return IsNamed(view_.pool->policy, false, open_door, reach);
  }
  return false;
}

bool Naming::MayName(std::string_view id) {
  if (caller_.IsOperator()) return true;
  const auto member = view_.tables->members.Find(id);
  if (!member || !view_.tables->members.facts(*member).Read(view_.sequence).exists) return false;
  return id == caller_.member || IsContact(*member) || IsHelperShown(*member);
}

absl::StatusOr<Acquaintances> AcquaintancesOf(RecordReader& reader, const std::string& pool,
                                              const std::string& member) {
  using domain::IntroductionField;
  Acquaintances known;
  for (const Role role : {Role::kSeeker, Role::kIntroducer, Role::kHelper}) {
    auto introductions = InRole(reader, pool, role, member);
    if (!introductions.ok()) return introductions.status();
    for (const Introduction& i : *introductions) {
      const domain::Viewer viewer = domain::ViewerOf(i, member);
      if (domain::Sees(viewer, IntroductionField::kSeeker, i)) known.insert(i.seeker);
      if (domain::Sees(viewer, IntroductionField::kHelper, i)) known.insert(i.helper);
      if (domain::Sees(viewer, IntroductionField::kIntroducer, i) && !i.introducer.empty()) known.insert(i.introducer);
    }
  }
  return known;
}

bool DropGuesses(const index::View& view, const Caller& caller, const Acquaintances* known, domain::Need& need) {
  auto& excluded = need.constraints.exclude_members;
  if (caller.IsOperator() || excluded.empty()) return true;
  Naming naming(view, caller, &need);
  std::vector<std::string> kept;
  for (const std::string& id : excluded) {
    const bool proved = naming.MayName(id);
    if (!proved && known == nullptr) return false;
    if (proved || known->contains(id)) kept.push_back(id);
  }
  excluded = std::move(kept);
  return true;
}

}  // namespace warmline::application
