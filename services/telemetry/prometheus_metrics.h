// Metrics for Prometheus. The names and labels are listed in tests/golden/metrics.txt; no label carries a
// member's id, and free text only where application/market_health.h says so. Thread-safety: all calls from any thread.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <string>

#include "application/metrics.h"
#include "telemetry/connection_metrics.h"
#include "telemetry/market_metrics.h"
#include "telemetry/memory_metrics.h"
#include "telemetry/process_metrics.h"
#include "telemetry/striped_histogram.h"

namespace warmline::telemetry {

class PrometheusMetrics : public application::Metrics {
 public:
  explicit PrometheusMetrics(const std::string& version);

  void CallEnded(const char* method, const char* code, absl::Duration took) override;
  void WorkRefused(const char* reason, const char* lane) override;
  void QueueSeen(const char* queue, const char* lane, std::int64_t waiting, absl::Duration oldest) override;
  void WritesServed(bool served) override;
  void ConnectionsHeld(const char* port, std::int64_t open, std::int64_t strangers) override {
    connections_.Held(port, open, strangers);
  }
  void ConnectionRefused(const char* port, const char* reason) override { connections_.Refused(port, reason); }
  void CallFailed(const char* method, const std::string& reason) override;
  void Audited(bool kept) override;
  void Matched(std::int64_t touched, std::int64_t weighed, std::int64_t ranked, absl::Duration took) override;
  void BatchCommitted(std::int64_t items, bool durable, absl::Duration took) override;
  void WritesWaiting(std::int64_t count) override;
  void RowsImported(std::int64_t kept, std::int64_t refused) override;
  void SegmentsMerged(absl::Duration took, absl::Duration pause) override;
  void StorePolled(bool reached, absl::Duration staleness) override;
  void ChangesFollowed(std::int64_t changes, bool from_feed) override;
  void FeedGap() override;
  void FeedDropped(std::int64_t rows) override;
  void CacheReachable(const char* use, bool reachable) override;
  void CatchUpFailed() override;
  void DueMoveMade(bool ok) override;
  void EventsSent(bool ok) override;
  void RetentionDone(std::int64_t announced, std::int64_t erased, std::int64_t failed) override;
  void SnapshotDamaged(const char* cache, const char* what) override;
  void SnapshotLoaded(const char* cache, bool found, absl::Duration took) override;
  void SnapshotWritten(const char* cache, bool ok, absl::Duration took) override;
  void SnapshotSaved(const char* cache, std::int64_t bytes, std::int64_t sent) override;
  void SnapshotPurgesPending(std::int64_t pools) override;
  void ErasuresCleaned(bool clean, std::int64_t reserve_bytes) override;
  void IndexBuilt(bool ok, absl::Duration took) override;
  void PoolsHeld(const application::PoolTotals& totals) override;
  void MarketMeasured(const std::string& pool, const application::MarketHealth& health, absl::Time now) override {
    market_.Set(pool, health, now);
  }
  void MarketsMeasured(const std::vector<std::string>& pools, std::int64_t left_out) override {
    market_.KeepOnly(pools, left_out);
  }

  // Everything, in the text exposition format.
  [[nodiscard]] std::string Text() const;

 private:
  prometheus::Registry registry_;
  ProcessMetrics process_;
  MemoryMetrics memory_;
  MarketMetrics market_;
  ConnectionMetrics connections_;
  prometheus::Family<prometheus::Counter>& refused_;
  prometheus::Family<prometheus::Gauge>& queue_waiting_;
  prometheus::Family<prometheus::Gauge>& queue_age_;
  prometheus::Gauge& writes_served_;
  prometheus::Family<prometheus::Counter>& failed_;
  prometheus::Counter& audit_written_;
  prometheus::Counter& audit_lost_;
  prometheus::Counter& matches_empty_;
  prometheus::Histogram& commit_seconds_;
  prometheus::Histogram& commit_items_;
  prometheus::Counter& commits_failed_;
  prometheus::Gauge& writes_waiting_;
  prometheus::Counter& rows_kept_;
  prometheus::Counter& rows_refused_;
  prometheus::Histogram& merge_seconds_;
  prometheus::Histogram& merge_pause_seconds_;
  prometheus::Gauge& store_reachable_;
  prometheus::Gauge& staleness_;
  prometheus::Counter& followed_feed_;
  prometheus::Counter& followed_log_;
  prometheus::Counter& feed_gaps_;
  prometheus::Counter& feed_dropped_;
  prometheus::Family<prometheus::Gauge>& cache_reachable_;
  prometheus::Counter& catch_up_failed_;
  prometheus::Counter& due_moves_;
  prometheus::Counter& due_moves_failed_;
  prometheus::Counter& event_batches_;
  prometheus::Counter& event_batches_failed_;
  prometheus::Counter& retention_announced_;
  prometheus::Counter& retention_erased_;
  prometheus::Counter& retention_failed_;
  prometheus::Histogram& index_built_seconds_;
  prometheus::Counter& index_build_failed_;
  prometheus::Family<prometheus::Counter>& snapshot_damaged_;
  prometheus::Family<prometheus::Counter>& snapshot_loads_;
  prometheus::Histogram& snapshot_load_seconds_;
  prometheus::Family<prometheus::Counter>& snapshot_writes_;
  prometheus::Histogram& snapshot_write_seconds_;
  prometheus::Gauge& snapshot_bytes_;
  prometheus::Counter& snapshot_sent_bytes_;
  prometheus::Gauge& snapshot_purges_pending_;
  prometheus::Gauge& erasure_cleaning_pending_;
  prometheus::Gauge& erasure_reserve_bytes_;
  prometheus::Gauge& pools_;
  prometheus::Gauge& members_;
  prometheus::Gauge& helpers_;
  prometheus::Gauge& index_bytes_;
  prometheus::Gauge& segments_;
  prometheus::Gauge& dead_documents_;
  prometheus::Gauge& open_needs_;
  prometheus::Gauge& ties_;
  prometheus::Gauge& epoch_lag_;

  // What every call observes.
  StripedHistogramFamily calls_;
  StripedHistogramFamily match_seconds_family_;
  StripedHistogramFamily match_touched_family_;
  StripedHistogramFamily match_weighed_family_;
  StripedHistogram& match_seconds_;
  StripedHistogram& match_touched_;
  StripedHistogram& match_weighed_;
};

}  // namespace warmline::telemetry
