// PoolIndex::Loader: fills an empty index at once.
#include <algorithm>
#include <iterator>

#include "base/rcu.h"
#include "index/pool_index.h"

namespace warmline::index {

void PoolIndex::Loader::Add(const domain::Member& member) {
  Batch batch;  // nothing was published yet: no reader holds an older version
  batch.sequence = 0;
  batch.next.pool = index_.view().pool;
  index_.Apply(batch, member);
  std::move(batch.rows.begin(), batch.rows.end(), std::back_inserter(rows_));
  for (auto& free : batch.retire) free();
}

void PoolIndex::Loader::Add(const domain::Connection& connection) {
  if (connection.state != domain::ConnectionState::kConfirmed) return;  // as PoolIndex::Apply
  const std::uint32_t a = index_.tables_.members.Intern(connection.a);
  const std::uint32_t b = index_.tables_.members.Intern(connection.b);
  edges_.push_back({a, b, domain::StrengthLevel(connection.strength)});
}

void PoolIndex::Loader::Add(const domain::Block& block) {
  Batch batch;
  index_.Apply(batch, block);
  for (auto& free : batch.retire) free();
}

void PoolIndex::Loader::Add(const domain::Need& need) {
  Batch batch;
  index_.WriteNeed(batch, need.id, std::make_shared<domain::Need>(need));
  for (auto& free : batch.retire) free();
}

void PoolIndex::Loader::Add(const domain::Introduction& introduction) {
  Batch batch;
  domain::Introduction fresh = introduction;
  fresh.stored_open = fresh.stored_cooling = false;
  index_.Apply(batch, domain::ChangeOf(fresh));
  for (auto& free : batch.retire) free();
}

void PoolIndex::Loader::Set(const domain::Statistics& statistics) {
  statistics_ = std::make_shared<StatisticsTable>(statistics, index_.tables_.terms);
}

void PoolIndex::Loader::Finish(std::int64_t revision) {
  Batch batch;
  {
    const base::RcuReadGuard guard;
    batch.next = index_.view();
  }
  batch.sequence = ++batch.next.sequence;
  batch.next.revision = revision;
  if (statistics_ != nullptr) batch.next.statistics = statistics_;
  batch.next.ties = index_.graph_.Build(edges_);
  batch.rows = std::move(rows_);
  index_.AddSegment(batch);
  index_.Publish(batch);
}

}  // namespace warmline::index
