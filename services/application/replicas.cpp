#include "application/replicas.h"

#include <algorithm>

#include "base/rcu.h"
#include "index/matcher.h"

namespace warmline::application {

Replicas::Replicas(ReplicaBoard* board, const PoolRegistry& pools, const Clock& clock, ReplicaSelf self)
    : board_(board), pools_(pools), clock_(clock), self_(std::move(self)), started_(clock.Now()) {}

void Replicas::Begin(std::string id) {
  {
    const std::lock_guard lock(mutex_);
    id_ = id;
  }
  if (board_ != nullptr) thread_ = std::thread([this, id = std::move(id)] { Loop(id); });
}

Replicas::~Replicas() { Stop(); }

void Replicas::Stop() {
  stop_.Set();
  if (thread_.joinable()) thread_.join();
}

ReplicaState Replicas::Self(const std::string& id) const {
  ReplicaState state;
  state.id = id;
  state.version = self_.version;
  state.started = started_;
  state.told = clock_.Now();
  state.not_ready = self_.not_ready();
  state.in_flight = self_.in_flight();
  state.staleness = pools_.MaxStaleness();
  std::vector<std::string> ids = pools_.PoolIds();
  std::sort(ids.begin(), ids.end());
  for (const std::string& pool : ids) {
    if (state.pools.size() == kMaxPoolsTold) break;
    const base::RcuReadGuard guard;
    const index::View* view = pools_.Find(pool);
    if (view == nullptr) continue;
    state.pools.push_back({pool, view->revision, view->epoch_hour, view->statistics->generation()});
  }
  return state;
}

void Replicas::Loop(const std::string& id) {
  do {
    // What cannot be told or heard now is in a moment: a listing says that it is not complete.
    if (!board_->Tell(Self(id)).ok()) continue;
    auto all = board_->Read(clock_.Now() - kTellLife);
    if (!all.ok()) continue;
    std::erase_if(*all, [&](const ReplicaState& state) { return state.id == id; });
    const std::lock_guard lock(mutex_);
    others_ = *std::move(all);
    heard_ = clock_.Now();
  } while (!stop_.IsSetWithin(kTellInterval));
  (void)board_->Leave(id);  // otherwise it is forgotten after kTellLife
}

Replicas::Listing Replicas::List() const {
  const absl::Time since = clock_.Now() - kTellLife;
  Listing listing;
  const std::lock_guard lock(mutex_);
  listing.replicas.push_back(Self(id_));
  listing.complete = heard_ >= since;
  for (const ReplicaState& other : others_) {
    if (other.told >= since) listing.replicas.push_back(other);
  }
  return listing;
}

}  // namespace warmline::application
