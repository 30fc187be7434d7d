// The replicas that serve the same store, as they tell of themselves: for people who watch a cluster, and for nothing
// that a match or a write depends on. Thread-safety: Replicas: List from any thread, Stop by one; a board is one
// thread's.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "application/clock.h"
#include "application/pool_registry.h"
#include "base/stop_signal.h"

namespace warmline::application {

inline constexpr std::size_t kMaxReplicas = 1'000;
inline constexpr std::size_t kMaxPoolsTold = 100;
inline constexpr absl::Duration kTellInterval = absl::Seconds(5);
// A replica that did not tell of itself for so long is gone.
inline constexpr absl::Duration kTellLife = absl::Seconds(15);

struct ReplicaPoolState {
  std::string pool;
  std::int64_t revision = 0;
  std::int64_t epoch_hour = 0;
  std::int64_t statistics_generation = 0;
};

struct ReplicaState {
  std::string id;
  std::string version;
  absl::Time started;
  absl::Time told;
  std::string not_ready;  // empty: it takes calls
  std::int64_t in_flight = 0;
  absl::Duration staleness;
  std::vector<ReplicaPoolState> pools;  // the first kMaxPoolsTold by id
};

// Port: where replicas of one store tell of themselves. Errors: UNAVAILABLE.
class ReplicaBoard {
 public:
  virtual ~ReplicaBoard() = default;
  virtual absl::Status Tell(const ReplicaState& state) = 0;
  // That it ends.
  virtual absl::Status Leave(const std::string& id) = 0;
  // All that told of themselves since `since`, at most kMaxReplicas, by id.
  virtual absl::StatusOr<std::vector<ReplicaState>> Read(absl::Time since) = 0;
};

// What a replica knows of itself besides its pools.
struct ReplicaSelf {
  std::string version;
  std::function<std::string()> not_ready;
  std::function<std::int64_t()> in_flight;
};

class Replicas {
 public:
  // `board` may be null: then this replica knows of no other.
  Replicas(ReplicaBoard* board, const PoolRegistry& pools, const Clock& clock, ReplicaSelf self);
  ~Replicas();
  // From here on it tells of itself under this name, which no other replica has. Once.
  void Begin(std::string id);
  Replicas(const Replicas&) = delete;
  Replicas& operator=(const Replicas&) = delete;

  struct Listing {
    std::vector<ReplicaState> replicas;  // this one first
    bool complete = false;               // whether others were heard of, in kTellLife
  };
  [[nodiscard]] Listing List() const;
  void Stop();

 private:
  void Loop(const std::string& id);
  [[nodiscard]] ReplicaState Self(const std::string& id) const;

  ReplicaBoard* const board_;
  const PoolRegistry& pools_;
  const Clock& clock_;
  const ReplicaSelf self_;
  const absl::Time started_;
  mutable std::mutex mutex_;
  std::string id_;                           // guarded by mutex_; does not change once others are told
  std::vector<ReplicaState> others_;         // guarded by mutex_
  absl::Time heard_ = absl::InfinitePast();  // guarded by mutex_
  base::StopSignal stop_;
  std::thread thread_;  // last: it uses the rest
};

}  // namespace warmline::application
