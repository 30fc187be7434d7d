// Sends the changes of every pool to backend services: those of a pool in order, each at least once, from a position
// that the store keeps. Of several processes one sends a pool's at a time: it holds the position for a while, and only
// its holder moves it on. A pool that was there before events were ever sent begins with its next change.
// Thread-safety: Stop from any thread; the work is done on a thread of its own.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <string>
#include <thread>

#include "application/clock.h"
#include "application/event_sink.h"
#include "application/metrics.h"
#include "application/pool_registry.h"
#include "application/record_store.h"
#include "application/write_queue.h"
#include "base/stop_signal.h"

namespace warmline::application {

class Outbox {
 public:
  // Changes that are sent at once.
  static constexpr int kMaxAtOnce = 100;

  // `holder` names this process among those that share the store.
  Outbox(RecordStore& store, PoolRegistry& pools, WriteQueue& writes, EventSink& sink, const Clock& clock,
         Metrics& metrics, std::string holder);
  ~Outbox();
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;
  // Ends after the batch under way. Before the write queue stops.
  void Stop();

 private:
  void Loop();
  // Gives pools that are there already their first position, once for all.
  [[nodiscard]] absl::Status Enable();
  // True when something was sent.
  [[nodiscard]] absl::StatusOr<bool> SendFrom(const std::string& pool);
  // Whether no other process is known to hold it.
  [[nodiscard]] absl::StatusOr<bool> IsFree(const std::string& pool);
  // Takes or keeps the position, moved on to `revision` unless that is 0. Nothing where another holds it.
  [[nodiscard]] absl::StatusOr<std::optional<OutboxPosition>> Hold(const std::string& pool, std::int64_t revision);
  // Runs under the pool's lock, and waits for it.
  [[nodiscard]] absl::Status Write(const std::string& pool, std::function<absl::Status(WriteTransaction&)> run);

  RecordStore& store_;
  PoolRegistry& pools_;
  WriteQueue& writes_;
  EventSink& sink_;
  const Clock& clock_;
  Metrics& metrics_;
  const std::string holder_;
  bool enabled_ = false;
  // As far as this process knows: looked at again once a pool is past it.
  absl::flat_hash_map<std::string, std::int64_t> sent_;
  // Pools that this process holds, and until when.
  absl::flat_hash_map<std::string, absl::Time> held_until_;
  // Pools that others hold, and when to look again.
  absl::flat_hash_map<std::string, absl::Time> others_;
  base::StopSignal stop_;
  std::thread thread_;  // last: it uses the rest
};

}  // namespace warmline::application
