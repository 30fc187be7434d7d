#include "application/outcome_evidence.h"

#include <absl/container/flat_hash_set.h>

#include <algorithm>

#include "domain/limits.h"

namespace warmline::application {
namespace {

using domain::Helps;
using domain::Introduction;
using domain::OutcomeKind;

// Two entries of one kind as one: at their mean time, so that the decayed sum changes least.
domain::Evidence Joined(const domain::Evidence& x, const domain::Evidence& y) {
  domain::Evidence joined = x;
  const double share = static_cast<double>(y.count) / (static_cast<double>(x.count) + y.count);
  joined.count = x.count + y.count;
  joined.time = absl::FromUnixSeconds(absl::ToUnixSeconds(x.time + (y.time - x.time) * share));
  if (x.response_time && y.response_time) {
    joined.response_time = absl::Trunc(*x.response_time * (1 - share) + *y.response_time * share, absl::Seconds(1));
  } else if (y.response_time) {
    joined.response_time = y.response_time;
  }
  return joined;
}

void JoinNearest(std::vector<domain::Evidence>& entries) {
  std::sort(entries.begin(), entries.end(), [](const auto& x, const auto& y) {
    return x.outcome != y.outcome ? x.outcome < y.outcome : x.time < y.time;
  });
  std::size_t best = 0;
  absl::Duration nearest = absl::InfiniteDuration();
  for (std::size_t i = 0; i + 1 < entries.size(); ++i) {
    if (entries[i].outcome != entries[i + 1].outcome) continue;
    if (entries[i].count > domain::kMaxEvidenceCount - entries[i + 1].count) continue;
    const absl::Duration apart = entries[i + 1].time - entries[i].time;
    if (apart < nearest) {
      nearest = apart;
      best = i;
    }
  }
  entries[best] = Joined(entries[best], entries[best + 1]);
  entries.erase(entries.begin() + static_cast<std::ptrdiff_t>(best) + 1);
}

// Help that `who` says they received: whom they praise. Also what a ring has taken out of evidence, so that nobody gets
// back in by the order of reports.
absl::StatusOr<std::vector<Introduction>> PraisesOf(RecordReader& reader, const std::string& pool,
                                                    const std::string& who, absl::Time since) {
  auto praises = reader.ListIntroductions(pool, {.role = IntroductionQuery::Role::kSeeker,
                                                 .member = who,
                                                 .helped_only = true,
                                                 .asked_since = since - absl::Hours(24 * 365),
                                                 .limit = kMaxPraisesFollowed});
  if (!praises.ok()) return praises;
  std::erase_if(*praises, [&](const Introduction& i) { return i.OutcomeBy(domain::Audience::kSeeker)->time < since; });
  // Of several of the same two, the one that counts.
  std::stable_partition(praises->begin(), praises->end(),
                        [](const Introduction& i) { return i.counted != OutcomeKind::kUnspecified; });
  return praises;
}

// The praises that lead from `from` to `to` in at most `steps`, breadth first; empty when none do.
absl::StatusOr<std::vector<Introduction>> PathOfPraise(RecordReader& reader, const std::string& pool,
                                                       const std::string& from, const std::string& to, int steps,
                                                       absl::Time since) {
  struct Reached {
    std::string member;
    std::vector<Introduction> way;
  };
  std::vector<Reached> front = {{from, {}}};
  absl::flat_hash_set<std::string> seen = {from};
  for (int step = 0; step < steps; ++step) {
    std::vector<Reached> next;
    for (const Reached& at : front) {
      auto praises = PraisesOf(reader, pool, at.member, since);
      if (!praises.ok()) return praises.status();
      for (Introduction& praise : *praises) {
        if (praise.helper != to && !seen.insert(praise.helper).second) continue;
        Reached reached = {praise.helper, at.way};
        reached.way.push_back(std::move(praise));
        if (reached.member == to) return reached.way;
        next.push_back(std::move(reached));
      }
    }
    front = std::move(next);
  }
  return std::vector<Introduction>();
}

// `helper` is at hand, and stored by the caller.
absl::Status Thank(WriteTransaction& tx, const std::string& pool, const std::string& introducer, int by,
                   domain::Member& helper) {
  if (introducer.empty() || by == 0) return absl::OkStatus();
  if (introducer == helper.id) {
    helper.thanks = std::max(0, helper.thanks + by);
    return absl::OkStatus();
  }
  auto member = tx.GetMember(pool, introducer);
  if (!member.ok()) return member.status();
  if (!member->has_value()) return absl::OkStatus();
  (*member)->thanks = std::max(0, (*member)->thanks + by);
  return tx.Put(pool, **member).status();
}

// Takes what an introduction that is not at hand counts for out of its helper's evidence.
absl::Status Uncount(WriteTransaction& tx, const std::string& pool, Introduction introduction, domain::Member& helper) {
  if (introduction.counted == OutcomeKind::kUnspecified) return absl::OkStatus();
  if (introduction.helper == helper.id) {
    RemoveEvidence(helper, introduction.counted, introduction.counted_time);
  } else {
    auto other = tx.GetMember(pool, introduction.helper);
    if (!other.ok()) return other.status();
    if (other->has_value()) {
      RemoveEvidence(**other, introduction.counted, introduction.counted_time);
      if (auto put = tx.Put(pool, **other); !put.ok()) return put.status();
    }
  }
  if (Helps(introduction.counted)) {
    if (auto status = Thank(tx, pool, introduction.introducer, -1, helper); !status.ok()) return status;
  }
  introduction.counted = OutcomeKind::kUnspecified;
  return tx.Put(pool, introduction).status();
}

// An earlier outcome of the same two within the period gives way.
absl::Status UncountEarlierOfPair(WriteTransaction& tx, const std::string& pool, const Introduction& introduction,
                                  absl::Time since, domain::Member& helper) {
  auto asks = tx.ListIntroductions(pool, {.role = IntroductionQuery::Role::kSeeker,
                                          .member = introduction.seeker,
                                          .asked_since = since - absl::Hours(24 * 365),
                                          .limit = kMaxPraisesFollowed * 8});
  if (!asks.ok()) return asks.status();
  for (const Introduction& i : *asks) {
    const bool counts = i.counted != OutcomeKind::kUnspecified && i.counted_time >= since;
    if (i.helper != introduction.helper || i.id == introduction.id || !counts) continue;
    if (auto status = Uncount(tx, pool, i, helper); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace

void AddEvidence(domain::Member& member, OutcomeKind kind, absl::Time time,
                 std::optional<absl::Duration> response_time) {
  member.evidence.push_back({kind, 1, time, response_time});
  while (member.evidence.size() > domain::kMaxEvidenceEntries) JoinNearest(member.evidence);
}

void RemoveEvidence(domain::Member& member, OutcomeKind kind, absl::Time time) {
  auto best = member.evidence.end();
  for (auto i = member.evidence.begin(); i != member.evidence.end(); ++i) {
    if (i->outcome != kind) continue;
    if (best == member.evidence.end() || absl::AbsDuration(i->time - time) < absl::AbsDuration(best->time - time))
      best = i;
  }
  if (best == member.evidence.end()) return;
  if (--best->count == 0) member.evidence.erase(best);
}

absl::Status CountOutcome(WriteTransaction& tx, const std::string& pool, const domain::IntroductionRules& rules,
                          OutcomeKind kind, absl::Time now, Introduction& introduction, domain::Member& helper) {
  const bool helped_before = Helps(introduction.counted);
  if (introduction.counted != OutcomeKind::kUnspecified)
    RemoveEvidence(helper, introduction.counted, introduction.counted_time);
  introduction.counted = OutcomeKind::kUnspecified;
  const absl::Time since = now - rules.pair_period;
  if (auto status = UncountEarlierOfPair(tx, pool, introduction, since, helper); !status.ok()) return status;
  bool counts = kind != OutcomeKind::kUnspecified;
  if (Helps(kind)) {
    auto ring = PathOfPraise(tx, pool, introduction.helper, introduction.seeker, kMaxRing - 1, since);
    if (!ring.ok()) return ring.status();
    for (const Introduction& praise : *ring) {
      if (auto status = Uncount(tx, pool, praise, helper); !status.ok()) return status;
    }
    counts = ring->empty();
  }
  if (counts) {
    introduction.counted = kind;
    introduction.counted_time = absl::FromUnixSeconds(absl::ToUnixSeconds(now));
    AddEvidence(helper, kind, introduction.counted_time, introduction.ResponseTime());
  }
  const int thanks = (Helps(introduction.counted) ? 1 : 0) - (helped_before ? 1 : 0);
  return Thank(tx, pool, introduction.introducer, thanks, helper);
}

}  // namespace warmline::application
