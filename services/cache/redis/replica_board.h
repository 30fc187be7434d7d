// Where replicas tell of themselves in Redis: a hash "<prefix>:replicas", a field a replica, each a JSON object
// (docs/redis.md). One thread, as application::ReplicaBoard says.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "application/replicas.h"
#include "cache/redis/client.h"

namespace warmline::cache::redis {

class ReplicaBoard : public application::ReplicaBoard {
 public:
  // `history` is the store's: revisions of others cannot be compared with ours.
  ReplicaBoard(const Config& config, std::uint64_t history, const application::Clock& clock,
               application::Metrics& metrics);
  absl::Status Tell(const application::ReplicaState& state) override;
  absl::Status Leave(const std::string& id) override;
  // Also removes those that are gone.
  absl::StatusOr<std::vector<application::ReplicaState>> Read(absl::Time since) override;

 private:
  const std::uint64_t history_;
  Client client_;
};

}  // namespace warmline::cache::redis
