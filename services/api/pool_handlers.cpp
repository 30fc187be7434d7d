#include "api/pool_handlers.h"

#include <algorithm>
#include <map>

#include "api/idempotent_write.h"
#include "api/page_token.h"
#include "api/validation.h"
#include "application/pools.h"
#include "application/refresh_statistics.h"
#include "base/rcu.h"
#include "codec/resources.h"
#include "codec/time.h"
#include "domain/introduction_moves.h"
#include "domain/names.h"

namespace warmline::api {

namespace pb = warmline::v1;
using application::RecordReader;
using application::WriteTransaction;

namespace {

// How soon it pays to ask again for a market that was not counted yet.
constexpr absl::Duration kAskMarketAgain = absl::Seconds(5);

void ToProto(const application::Quantiles& quantiles, pb::DurationQuantiles* message) {
  codec::SetDuration(quantiles.median, message->mutable_median());
  codec::SetDuration(quantiles.p90, message->mutable_p90());
  codec::SetDuration(quantiles.longest, message->mutable_longest());
}

void ToProto(const application::MarketCounted& counted, pb::MarketHealth* message) {
  const application::MarketHealth& health = counted.health;
  codec::SetTime(counted.at, message->mutable_measure_time());
  message->set_needs_open(health.needs_open);
  message->set_needs_waiting(health.needs_waiting);
  if (health.waiting) ToProto(*health.waiting, message->mutable_waiting());
  message->set_needs_due(health.needs_due);
  message->set_needs_answered_in_time(health.needs_answered_in_time);
  for (std::size_t i = 0; i < health.asks.size(); ++i) {
    if (health.asks[i] > 0)
      (*message->mutable_asks())[domain::StateName(static_cast<domain::IntroductionState>(i))] = health.asks[i];
  }
  message->set_answered(health.answered);
  message->set_accepted(health.accepted);
  if (health.first_answer) ToProto(*health.first_answer, message->mutable_first_answer());
  message->set_outcomes(health.outcomes);
  message->set_helped(health.helped);
  message->set_helpers(health.helpers);
  message->set_proven(health.proven);
  message->set_load_gini(health.load_gini);
  message->set_newcomers(health.newcomers);
  message->set_newcomers_reached(health.newcomers_reached);
  for (const application::InterestBalance& balance : health.interests) {
    pb::InterestBalance* entry = message->add_interests();
    entry->set_interest(balance.interest);
    entry->set_needs(balance.needs);
    entry->set_helpers(balance.helpers);
    entry->set_proven(balance.proven);
  }
}

// Authorises an operator for a pool.
bool ForOperator(Call& call, const pb::Actor& actor, const std::string& pool, const char* what) {
  if (!call.Authorize(actor, pool)) return false;
  call.SetError(application::RequireOperator(call.caller(), what));
  return call.error().ok();
}

}  // namespace

PoolHandlers::Reactor* PoolHandlers::CreatePool(Context* context, const pb::CreatePoolRequest* request,
                                                pb::WritePoolResponse* response) {
  auto call = Call::Start(environment_, context, "warmline.v1.PoolService/CreatePool");
  domain::Violations violations;
  domain::Pool pool = codec::FromProto(request->pool(), "pool.", violations);
  Complete(pool, "pool.", violations);
  const std::string id = pool.id;
  if (ForOperator(*call, request->actor(), id, "creating a pool")) call->SetError(violations.ToStatus());
  return WriteOnce(call, id, {}, request, response,
                   [response, pool = std::move(pool), call = call.get()](WriteTransaction& tx, absl::Time now,
                                                                         std::string*) -> absl::Status {
                     auto created = application::CreatePool(tx, pool, now);
                     if (!created.ok()) return created.status();
                     *response->mutable_pool() = codec::ToProto(*created);
                     response->set_revision(call->Token(created->revision));
                     return absl::OkStatus();
                   });
}

PoolHandlers::Reactor* PoolHandlers::GetPool(Context* context, const pb::GetPoolRequest* request, pb::Pool* response) {
  auto call = Call::Start(environment_, context, "warmline.v1.PoolService/GetPool");
  const Target target = call->PoolTarget(request->name(), "name");
  ForOperator(*call, request->actor(), target.pool, "reading a pool");
  return call->Read([=](RecordReader& reader) -> absl::Status {
    auto pool = reader.GetPool(target.pool);
    if (!pool.ok()) return pool.status();
    if (!pool->has_value()) return application::PoolNotFound(target.pool);
    *response = codec::ToProto(**pool);
    return absl::OkStatus();
  });
}

PoolHandlers::Reactor* PoolHandlers::ListPools(Context* context, const pb::ListPoolsRequest* request,
                                               pb::ListPoolsResponse* response) {
  auto call = Call::Start(environment_, context, "warmline.v1.PoolService/ListPools");
  domain::Violations violations;
  const int size = PageSize(request->page_size(), violations);
  std::string after;
  if (ForOperator(*call, request->actor(), "", "listing pools")) {
    after = AfterToken(*call, "", request->page_token(), violations);
    call->SetError(violations.ToStatus());
  }
  return call->Read([=, raw = call.get()](RecordReader& reader) -> absl::Status {
    std::string at = after;
    while (response->pools_size() < size) {  // pools that the token does not allow are passed over
      auto page = reader.ListPools(at, size);
      if (!page.ok()) return page.status();
      if (page->empty()) return absl::OkStatus();
      for (const auto& pool : *page) {
        at = pool.id;
        if (raw->grant().AllowsPool(pool.id)) *response->add_pools() = codec::ToProto(pool);
        if (response->pools_size() == size) break;
      }
    }
    response->set_next_page_token(MakePageToken(*raw, "", at));
    return absl::OkStatus();
  });
}

PoolHandlers::Reactor* PoolHandlers::UpdatePool(Context* context, const pb::UpdatePoolRequest* request,
                                                pb::WritePoolResponse* response) {
  auto call = Call::Start(environment_, context, "warmline.v1.PoolService/UpdatePool");
  const Target target = call->PoolTarget(request->pool().name(), "pool.name");
  domain::Violations violations;
  domain::Pool pool = codec::FromProto(request->pool(), "pool.", violations);
  if (ForOperator(*call, request->actor(), target.pool, "updating a pool")) call->SetError(violations.ToStatus());
  return call->Write(
      target.pool, {},
      [=, raw = call.get()](WriteTransaction& tx, absl::Time) -> absl::Status {
        auto updated = application::UpdatePool(tx, pool, {request->update_mask().begin(), request->update_mask().end()},
                                               pool.revision);
        if (!updated.ok()) return updated.status();
        *response->mutable_pool() = codec::ToProto(*updated);
        response->set_revision(raw->Token(updated->revision));
        return absl::OkStatus();
      },
      request->validate_only());
}

PoolHandlers::Reactor* PoolHandlers::RefreshStatistics(Context* context, const pb::RefreshStatisticsRequest* request,
                                                       pb::WritePoolResponse* response) {
  auto call = Call::Start(environment_, context, "warmline.v1.PoolService/RefreshStatistics");
  const Target target = call->PoolTarget(request->name(), "name");
  ForOperator(*call, request->actor(), target.pool, "refreshing statistics");
  return call->Write(target.pool, {}, [=, raw = call.get()](WriteTransaction& tx, absl::Time) -> absl::Status {
    auto revision = application::RefreshStatistics(tx, raw->environment().pools, target.pool);
    if (!revision.ok()) return revision.status();
    auto pool = tx.GetPool(target.pool);
    if (!pool.ok()) return pool.status();
    if (pool->has_value()) *response->mutable_pool() = codec::ToProto(**pool);
    response->set_revision(raw->Token(*revision));
    return absl::OkStatus();
  });
}

PoolHandlers::Reactor* PoolHandlers::GetIndexState(Context* context, const pb::GetIndexStateRequest* request,
                                                   pb::IndexState* response) {
  auto call = Call::Start(environment_, context, "warmline.v1.PoolService/GetIndexState");
  const Target target = call->PoolTarget(request->name(), "name");
  ForOperator(*call, request->actor(), target.pool, "reading the state of an index");
  return call->Read([=, raw = call.get()](RecordReader&) -> absl::Status {
    auto state = raw->environment().pools.State(target.pool);
    if (!state.ok()) return state.status();
    {
      const base::RcuReadGuard guard;
      const index::View* view = raw->environment().pools.Find(target.pool);
      response->set_revision(raw->Token(view->revision));
      response->set_epoch(view->epoch_hour);
      response->set_policy_version(view->pool->policy.version);
      response->set_statistics_generation(view->statistics->generation());
    }
    response->set_members(state->members);
    response->set_helpers(state->helpers);
    response->set_interests(state->interests);
    response->set_directed_ties(state->directed_ties);
    response->set_open_needs(state->open_needs);
    response->set_segments(state->segments);
    response->set_dead_documents(state->dead_documents);
    response->set_bytes(state->bytes.All());
    return absl::OkStatus();
  });
}

PoolHandlers::Reactor* PoolHandlers::GetMarketHealth(Context* context, const pb::GetMarketHealthRequest* request,
                                                     pb::MarketHealth* response) {
  auto call = Call::Start(environment_, context, "warmline.v1.PoolService/GetMarketHealth");
  const Target target = call->PoolTarget(request->name(), "name");
  if (!ForOperator(*call, request->actor(), target.pool, "reading the health of a market"))
    return call->Finish(call->error());
  if (const auto counted = environment_.market.Find(target.pool)) {
    ToProto(*counted, response);
    return call->Finish(absl::OkStatus());
  }
  const base::RcuReadGuard guard;
  if (environment_.pools.Find(target.pool) == nullptr) return call->Finish(application::PoolNotFound(target.pool));
  return call->Finish(domain::MakeError(
      domain::ErrorReason::kMarketNotMeasured,
      "this pool's market was not counted yet: try again; of more than 100 pools the first 100 by id are counted",
      kAskMarketAgain));
}

PoolHandlers::Reactor* PoolHandlers::ListReplicas(Context* context, const pb::ListReplicasRequest* request,
                                                  pb::ListReplicasResponse* response) {
  auto call = Call::Start(environment_, context, "warmline.v1.PoolService/ListReplicas");
  if (!ForOperator(*call, request->actor(), "", "listing replicas")) return call->Finish(call->error());
  const application::Replicas::Listing listing = environment_.replicas->List();
  std::map<std::string, std::int64_t> newest;
  for (const auto& replica : listing.replicas) {
    for (const auto& pool : replica.pools) newest[pool.pool] = std::max(newest[pool.pool], pool.revision);
  }
  response->set_complete(listing.complete);
  for (const auto& replica : listing.replicas) {
    pb::Replica* entry = response->add_replicas();
    entry->set_id(replica.id);
    entry->set_version(replica.version);
    codec::SetTime(replica.started, entry->mutable_start_time());
    codec::SetTime(replica.told, entry->mutable_tell_time());
    entry->set_not_ready(replica.not_ready);
    entry->set_in_flight(replica.in_flight);
    codec::SetDuration(replica.staleness, entry->mutable_staleness());
    for (const auto& state : replica.pools) {
      if (!call->grant().AllowsPool(state.pool)) continue;
      pb::ReplicaPool* pool = entry->add_pools();
      pool->set_name(domain::PoolName(state.pool));
      pool->set_revision(call->Token(state.pool, state.revision));
      pool->set_behind(newest[state.pool] - state.revision);
      pool->set_epoch(state.epoch_hour);
      pool->set_statistics_generation(state.statistics_generation);
    }
  }
  return call->Finish(absl::OkStatus());
}

}  // namespace warmline::api
