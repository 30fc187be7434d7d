#include "cache/redis/replica_board.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

namespace warmline::cache::redis {
namespace {

using Json = nlohmann::json;
using application::ReplicaState;

// When nobody tells any longer, the hash goes by itself.
constexpr char kHashLifeMs[] = "60000";

std::string Write(const ReplicaState& state, std::uint64_t history) {
  Json pools = Json::array();
  for (const auto& pool : state.pools) {
    pools.push_back({{"pool", pool.pool},
                     {"revision", pool.revision},
                     {"epoch_hour", pool.epoch_hour},
                     {"statistics_generation", pool.statistics_generation}});
  }
  return Json{{"history", history},
              {"version", state.version},
              {"started_ms", absl::ToUnixMillis(state.started)},
              {"told_ms", absl::ToUnixMillis(state.told)},
              {"not_ready", state.not_ready},
              {"in_flight", state.in_flight},
              {"staleness_ms", absl::ToInt64Milliseconds(state.staleness)},
              {"pools", pools}}
      .dump(-1, ' ', false, Json::error_handler_t::replace);
}

// When the replica told it, also where the rest is not understood; the beginning of time for what is no JSON of ours.
absl::Time ToldAt(const Json& json) {
  const bool ours = json.is_object() && json.contains("told_ms") && json["told_ms"].is_number_integer();
  return ours ? absl::FromUnixMillis(json["told_ms"].get<std::int64_t>()) : absl::UnixEpoch();
}

// Nothing for what is no replica of this store.
std::optional<ReplicaState> Parse(const std::string& id, const Json& json, std::uint64_t history) {
  // The library would convert a number that is too large, or a fraction, to some integer.
  for (const char* key : {"history", "started_ms", "in_flight", "staleness_ms"})
    if (!json.is_object() || !json.contains(key) || !json[key].is_number_integer()) return std::nullopt;
  ReplicaState state;
  state.id = id;
  try {
    if (json.at("history").get<std::uint64_t>() != history) return std::nullopt;
    state.version = json.at("version");
    state.started = absl::FromUnixMillis(json.at("started_ms"));
    state.told = ToldAt(json);
    state.not_ready = json.at("not_ready");
    state.in_flight = json.at("in_flight");
    state.staleness = absl::Milliseconds(json.at("staleness_ms").get<std::int64_t>());
    for (const Json& pool : json.at("pools")) {
      if (state.pools.size() == application::kMaxPoolsTold) break;
      for (const char* key : {"revision", "epoch_hour", "statistics_generation"})
        if (!pool.at(key).is_number_integer()) return std::nullopt;
      state.pools.push_back(
          {pool.at("pool"), pool.at("revision"), pool.at("epoch_hour"), pool.at("statistics_generation")});
    }
  } catch (const Json::exception&) {  // of another version, or damaged
    return std::nullopt;
  }
  return state;
}

}  // namespace

ReplicaBoard::ReplicaBoard(const Config& config, std::uint64_t history, const application::Clock& clock,
                           application::Metrics& metrics)
    : history_(history), client_(config, "replicas", clock, metrics) {}

absl::Status ReplicaBoard::Tell(const ReplicaState& state) {
  const std::string key = client_.Key("replicas");
  auto replies = client_.Pipeline({{"HSET", key, state.id, Write(state, history_)}, {"PEXPIRE", key, kHashLifeMs}});
  return replies.ok() ? absl::OkStatus() : replies.status();
}

absl::Status ReplicaBoard::Leave(const std::string& id) {
  return client_.Do({"HDEL", client_.Key("replicas"), id}).status();
}

absl::StatusOr<std::vector<ReplicaState>> ReplicaBoard::Read(absl::Time since) {
  const std::string key = client_.Key("replicas");
  auto reply = client_.Do({"HGETALL", key});
  if (!reply.ok()) return reply.status();
  std::vector<ReplicaState> states;
  Arguments gone = {"HDEL", key};
  for (std::size_t i = 0; i + 1 < reply->size(); i += 2) {
    const std::string id((*reply)[i].text());
    const Json json = Json::parse((*reply)[i + 1].text(), nullptr, /*allow_exceptions=*/false);
    if (const absl::Time told = ToldAt(json); told >= since) {
      if (auto state = Parse(id, json, history_)) states.push_back(*std::move(state));
    } else if (told < since - application::kTellLife) {
      gone.push_back(id);
    }
  }
  if (gone.size() > 2) (void)client_.Do(gone);  // the next one tries again
  std::sort(states.begin(), states.end(), [](const auto& x, const auto& y) { return x.id < y.id; });
  if (states.size() > application::kMaxReplicas) states.resize(application::kMaxReplicas);
  return states;
}

}  // namespace warmline::cache::redis
