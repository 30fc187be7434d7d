#include "application/retention.h"

#include <algorithm>

#include "application/introduction_moves.h"
#include "application/members.h"
#include "application/pools.h"
#include "application/record_keys.h"

namespace warmline::application {
namespace {

// A pool's rule, where it has one.
absl::StatusOr<std::optional<domain::Policy>> PolicyOf(RecordReader& reader, const std::string& pool) {
  auto found = reader.GetPool(pool);
  if (!found.ok()) return found.status();
  if (!found->has_value()) return PoolNotFound(pool);
  if (!(*found)->policy.retention.unused_after) return std::optional<domain::Policy>();
  return std::optional((*found)->policy);
}

RetentionStep DueOf(const domain::Member& member, const domain::Retention& retention, absl::Time now) {
  const bool unused = now - member.LastUsed() >= *retention.unused_after;
  if (!unused) return member.erase_time ? RetentionStep::kKept : RetentionStep::kNothing;
  if (!member.erase_time) return RetentionStep::kAnnounced;
  return *member.erase_time <= now ? RetentionStep::kErased : RetentionStep::kNothing;
}

RetentionStep DueOf(const domain::Introduction& introduction, const domain::Policy& policy, absl::Time now) {
  // While it bars another ask, counts in a week, or decides whether an outcome of the same two counts, it is in use.
  if (!introduction.HasEnded() || introduction.Bars() || introduction.week_until) return RetentionStep::kNothing;
  const absl::Duration used = std::max(*policy.retention.unused_after, policy.introductions.pair_period);
  if (now - introduction.end_time.value_or(introduction.create_time) < used) return RetentionStep::kNothing;
  if (!introduction.erase_time) return RetentionStep::kAnnounced;
  return *introduction.erase_time <= now ? RetentionStep::kErased : RetentionStep::kNothing;
}

}  // namespace

absl::StatusOr<RetentionStep> RetainMember(WriteTransaction& tx, const std::string& pool, const std::string& id,
                                           absl::Time now) {
  auto policy = PolicyOf(tx, pool);
  if (!policy.ok()) return policy.status();
  if (!policy->has_value()) return RetentionStep::kNothing;
  auto found = tx.GetMember(pool, id);
  if (!found.ok()) return found.status();
  if (!found->has_value()) return RetentionStep::kNothing;
  domain::Member& member = **found;
  const RetentionStep step = DueOf(member, (*policy)->retention, now);
  if (step == RetentionStep::kErased) {
    auto erased = EraseMember(tx, {domain::Audience::kOperator, ""}, pool, id, now);
    if (!erased.ok()) return erased.status();
  } else if (step == RetentionStep::kAnnounced) {
    member.erase_time = now + (*policy)->retention.notice;
    if (auto put = tx.Put(pool, member); !put.ok()) return put.status();
    auto told = tx.Put(pool, domain::Notice{domain::NoticeKind::kMemberRetention, id, "", member.erase_time});
    if (!told.ok()) return told.status();
  } else if (step == RetentionStep::kKept) {
    member.erase_time.reset();
    if (auto put = tx.Put(pool, member); !put.ok()) return put.status();
  }
  return step;
}

absl::StatusOr<RetentionStep> RetainIntroduction(WriteTransaction& tx, const std::string& pool, const std::string& id,
                                                 absl::Time now) {
  auto policy = PolicyOf(tx, pool);
  if (!policy.ok()) return policy.status();
  if (!policy->has_value()) return RetentionStep::kNothing;
  auto found = tx.GetIntroduction(pool, id);
  if (!found.ok()) return found.status();
  if (!found->has_value()) return RetentionStep::kNothing;
  domain::Introduction& introduction = **found;
  const RetentionStep step = DueOf(introduction, **policy, now);
  if (step == RetentionStep::kErased) {
    if (auto erased = tx.DeleteIntroduction(pool, id); !erased.ok()) return erased.status();
  } else if (step == RetentionStep::kAnnounced) {
    introduction.erase_time = now + (*policy)->retention.notice;
    if (auto put = tx.Put(pool, introduction); !put.ok()) return put.status();
    // Both sides hear of it.
    for (const std::string& side : {introduction.seeker, introduction.helper}) {
      auto told =
          tx.Put(pool, domain::Notice{domain::NoticeKind::kIntroductionRetention, side, id, introduction.erase_time});
      if (!told.ok()) return told.status();
    }
  }
  return step;
}

RetentionSweeper::RetentionSweeper(RecordStore& store, WriteQueue& writes, const Clock& clock, Metrics& metrics,
                                   absl::Duration interval)
    : store_(store), writes_(writes), clock_(clock), metrics_(metrics), interval_(interval), thread_([this] {
        Loop();
      }) {}

RetentionSweeper::~RetentionSweeper() { Stop(); }

void RetentionSweeper::Stop() {
  stop_.Set();
  if (thread_.joinable()) thread_.join();
}

void RetentionSweeper::Loop() {
  do {
    (void)Sweep();  // what is left is found the next time
  } while (!stop_.IsSetWithin(interval_));
}

bool RetentionSweeper::Sweep() {
  std::string after;
  while (true) {
    std::vector<domain::Pool> pools;
    {
      auto reader = store_.Read();
      if (!reader.ok()) return false;
      auto listed = (*reader)->ListPools(after, kPage);
      if (!listed.ok()) return false;
      pools = *std::move(listed);
    }
    for (const domain::Pool& pool : pools) {
      if (!pool.policy.retention.unused_after) continue;
      if (!SweepMembers(pool) || !SweepIntroductions(pool)) return false;
    }
    if (pools.size() < kPage) return true;
    after = pools.back().id;
  }
}

bool RetentionSweeper::SweepMembers(const domain::Pool& pool) {
  std::string after;
  while (!stop_.IsSet()) {
    std::vector<domain::Member> page;
    {
      auto reader = store_.Read();
      if (!reader.ok()) return false;
      auto listed = (*reader)->ListMembers(pool.id, after, kPage);
      if (!listed.ok()) return false;
      page = *std::move(listed);
    }
    for (const domain::Member& member : page) {
      if (DueOf(member, pool.policy.retention, clock_.Now()) == RetentionStep::kNothing) continue;
      if (!Do(pool.id, {ErasureKeyOf(pool.id, member.id)},
              [&](auto& tx, absl::Time now) { return RetainMember(tx, pool.id, member.id, now); }))
        return false;
    }
    if (page.size() < kPage) return true;
    after = page.back().id;
  }
  return false;
}

// Ids are in order of age, so that what is too young to have ended long ago need not be read.
bool RetentionSweeper::SweepIntroductions(const domain::Pool& pool) {
  const std::string young = IntroductionIdAt(clock_.Now() - *pool.policy.retention.unused_after);
  IntroductionQuery query;
  query.limit = kPage;
  while (!stop_.IsSet()) {
    std::vector<domain::Introduction> page;
    {
      auto reader = store_.Read();
      if (!reader.ok()) return false;
      auto listed = (*reader)->ListIntroductions(pool.id, query);
      if (!listed.ok()) return false;
      page = *std::move(listed);
    }
    for (const domain::Introduction& i : page) {
      if (i.id >= young) return true;
      if (DueOf(i, pool.policy, clock_.Now()) == RetentionStep::kNothing) continue;
      if (!Do(pool.id, {}, [&](auto& tx, absl::Time now) { return RetainIntroduction(tx, pool.id, i.id, now); }))
        return false;
    }
    if (page.size() < kPage) return true;
    query.after = page.back().id;
  }
  return false;
}

bool RetentionSweeper::Do(const std::string& pool, std::vector<RecordKey> reads, Step step) {
  RetentionStep taken = RetentionStep::kNothing;
  WriteJob job;
  job.pool = pool;
  job.reads = std::move(reads);
  job.run = [&](WriteTransaction& tx, absl::Time now) -> absl::Status {
    auto made = step(tx, now);
    if (made.ok()) taken = *made;
    return made.status();
  };
  const absl::Status status = writes_.Run(std::move(job));
  metrics_.RetentionDone(status.ok() && taken == RetentionStep::kAnnounced ? 1 : 0,
                         status.ok() && taken == RetentionStep::kErased ? 1 : 0, status.ok() ? 0 : 1);
  // One that cannot be done must not keep the others from their turn.
  return !absl::IsUnavailable(status) && !absl::IsResourceExhausted(status);
}

}  // namespace warmline::application
