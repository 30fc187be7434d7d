#include "telemetry/prometheus_metrics.h"

#include <prometheus/text_serializer.h>

namespace warmline::telemetry {
namespace {

using prometheus::BuildCounter;
using prometheus::BuildGauge;
using prometheus::BuildHistogram;
using Buckets = prometheus::Histogram::BucketBoundaries;

const Buckets& Seconds() {
  static const Buckets buckets = {1e-5,   2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2,
                                  2.5e-2, 5e-2,   0.1,  0.25, 0.5,    1,    2.5,  5,      10};
  return buckets;
}

const Buckets& Counts() {
  static const Buckets buckets = {1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7};
  return buckets;
}

prometheus::Gauge& Gauge(prometheus::Registry& registry, const char* name, const char* help) {
  return BuildGauge().Name(name).Help(help).Register(registry).Add({});
}

prometheus::Counter& Counter(prometheus::Registry& registry, const char* name, const char* help) {
  return BuildCounter().Name(name).Help(help).Register(registry).Add({});
}

prometheus::Histogram& Histogram(prometheus::Registry& registry, const char* name, const char* help,
                                 const Buckets& buckets) {
  return BuildHistogram().Name(name).Help(help).Register(registry).Add({}, buckets);
}

prometheus::Counter& Followed(prometheus::Registry& registry, const char* source) {
  return BuildCounter()
      .Name("warmline_changes_followed_total")
      .Help("Changes of other replicas that were applied, by where they came from.")
      .Register(registry)
      .Add({{"source", source}});
}

prometheus::Counter& Audits(prometheus::Registry& registry, const char* result) {
  return BuildCounter()
      .Name("warmline_audit_entries_total")
      .Help("Entries of the audit log, by whether they were written or lost.")
      .Register(registry)
      .Add({{"result", result}});
}

}  // namespace

PrometheusMetrics::PrometheusMetrics(const std::string& version)
    : process_(registry_),
      memory_(registry_),
      market_(registry_),
      connections_(registry_),
      refused_(BuildCounter()
                   .Name("warmline_rpc_refused_total")
                   .Help("Work that was refused before it began, by reason and lane.")
                   .Register(registry_)),
      queue_waiting_(BuildGauge()
                         .Name("warmline_queue_waiting")
                         .Help("Pieces of work that wait, by queue and lane.")
                         .Register(registry_)),
      queue_age_(BuildGauge()
                     .Name("warmline_queue_age_seconds")
                     .Help("How long the oldest work of a lane has waited, by queue and lane.")
                     .Register(registry_)),
      writes_served_(Gauge(registry_, "warmline_writes_served",
                           "1 while the store takes writes and their queue moves, otherwise 0.")),
      failed_(BuildCounter()
                  .Name("warmline_rpc_errors_total")
                  .Help("Calls that ended with an error, by method and published reason.")
                  .Register(registry_)),
      audit_written_(Audits(registry_, "written")),
      audit_lost_(Audits(registry_, "lost")),
      matches_empty_(Counter(registry_, "warmline_match_empty_total", "Matches that found nobody.")),
      commit_seconds_(
          Histogram(registry_, "warmline_commit_seconds", "Time of one group commit, index included.", Seconds())),
      commit_items_(Histogram(registry_, "warmline_commit_items", "Writes in one group commit.", Counts())),
      commits_failed_(Counter(registry_, "warmline_commit_failed_total", "Group commits that were not kept.")),
      writes_waiting_(Gauge(registry_, "warmline_writes_waiting", "Writes that wait for a group commit.")),
      rows_kept_(BuildCounter()
                     .Name("warmline_import_rows_total")
                     .Help("Rows of imports, by result.")
                     .Register(registry_)
                     .Add({{"result", "kept"}})),
      rows_refused_(BuildCounter()
                        .Name("warmline_import_rows_total")
                        .Help("Rows of imports, by result.")
                        .Register(registry_)
                        .Add({{"result", "refused"}})),
      merge_seconds_(Histogram(registry_, "warmline_merge_seconds", "Time of one merge of index segments.", Seconds())),
      merge_pause_seconds_(Histogram(registry_, "warmline_merge_pause_seconds",
                                     "Time that writes waited for one merge of index segments.", Seconds())),
      store_reachable_(Gauge(registry_, "warmline_store_reachable",
                             "1 when the last look at the store's heads succeeded; 0: degraded, matches from memory.")),
      staleness_(Gauge(registry_, "warmline_replica_staleness_seconds",
                       "Time since the stalest pool was last known to hold everything that the store has.")),
      followed_feed_(Followed(registry_, "feed")),
      followed_log_(Followed(registry_, "log")),
      feed_gaps_(Counter(registry_, "warmline_feed_gaps_total",
                         "Times that the change log was read because the feed had a gap.")),
      feed_dropped_(Counter(registry_, "warmline_feed_dropped_rows_total",
                            "Changes that could not be told to other replicas through the feed.")),
      cache_reachable_(BuildGauge()
                           .Name("warmline_redis_reachable")
                           .Help("1, or 0 while the circuit breaker of this use of Redis is open.")
                           .Register(registry_)),
      catch_up_failed_(Counter(registry_, "warmline_catch_up_failed_total",
                               "Times that a pool could not be brought to the end of its change log.")),
      due_moves_(Counter(registry_, "warmline_introduction_due_moves_total",
                         "Expiries, ends of cool-downs and other moves of introductions that time made.")),
      due_moves_failed_(Counter(registry_, "warmline_introduction_due_moves_failed_total",
                                "Due moves of introductions that the store refused; they are tried again.")),
      event_batches_(Counter(registry_, "warmline_event_batches_total", "Batches of events that the webhook took.")),
      event_batches_failed_(Counter(registry_, "warmline_event_batches_failed_total",
                                    "Batches of events that the webhook did not take: sent again later.")),
      retention_announced_(Counter(registry_, "warmline_retention_announced_total",
                                   "Unused members and introductions whose erasure was announced.")),
      retention_erased_(
          Counter(registry_, "warmline_retention_erased_total", "Unused members and introductions that were erased.")),
      retention_failed_(Counter(registry_, "warmline_retention_failed_total",
                                "Unused members and introductions that could not be announced or erased: tried again "
                                "in an hour.")),
      index_built_seconds_(Histogram(registry_, "warmline_index_build_seconds",
                                     "Time to build one pool's index from the store.", Seconds())),
      index_build_failed_(
          Counter(registry_, "warmline_index_build_failed_total", "Indexes that could not be built from the store.")),
      snapshot_damaged_(BuildCounter()
                            .Name("warmline_snapshot_damaged_total")
                            .Help("Snapshots that could not be read whole, by cache and by what was wrong.")
                            .Register(registry_)),
      snapshot_loads_(BuildCounter()
                          .Name("warmline_snapshot_loads_total")
                          .Help("Times that an index was looked for in a cache, by cache and result.")
                          .Register(registry_)),
      snapshot_load_seconds_(
          Histogram(registry_, "warmline_snapshot_load_seconds", "Time to make one index from a snapshot.", Seconds())),
      snapshot_writes_(BuildCounter()
                           .Name("warmline_snapshot_writes_total")
                           .Help("Snapshots that were written, or not, by cache and result.")
                           .Register(registry_)),
      snapshot_write_seconds_(
          Histogram(registry_, "warmline_snapshot_write_seconds", "Time to write one snapshot.", Seconds())),
      snapshot_bytes_(Gauge(registry_, "warmline_snapshot_bytes", "Bytes of the snapshot that was written last.")),
      snapshot_sent_bytes_(Counter(registry_, "warmline_snapshot_sent_bytes_total",
                                   "Bytes of snapshots that the cache did not have already.")),
      snapshot_purges_pending_(Gauge(registry_, "warmline_snapshot_purges_pending",
                                     "Pools of whose erased members a snapshot may still hold something.")),
      erasure_cleaning_pending_(Gauge(registry_, "warmline_erasure_cleaning_pending",
                                      "1 while the store's files may still hold something of erased members.")),
      erasure_reserve_bytes_(Gauge(registry_, "warmline_erasure_reserve_bytes",
                                   "Room on the disk kept back for erasures; 0 with PostgreSQL.")),
      pools_(Gauge(registry_, "warmline_pools", "Pools that this process serves.")),
      members_(Gauge(registry_, "warmline_members", "Members in all pools.")),
      helpers_(Gauge(registry_, "warmline_helpers", "Members with an offer in all pools.")),
      index_bytes_(Gauge(registry_, "warmline_index_bytes", "Memory of the indexes of all pools.")),
      segments_(Gauge(registry_, "warmline_index_segments", "Segments of all indexes.")),
      dead_documents_(Gauge(registry_, "warmline_index_dead_documents",
                            "Helpers in segments who were changed or left since; a merge takes them out.")),
      open_needs_(Gauge(registry_, "warmline_open_needs", "Open needs in all pools.")),
      ties_(Gauge(registry_, "warmline_ties_directed", "Confirmed ties in all pools, each counted from both sides.")),
      epoch_lag_(
          Gauge(registry_, "warmline_epoch_lag_hours",
                "Hours by which the time-decayed parts of the most behind pool are late: 0, or 1 for a moment.")),
      calls_("warmline_rpc_seconds", "Time from the start of a call to its end, by method and status code.",
             {"code", "method"}, Seconds()),
      match_seconds_family_("warmline_match_seconds", "Time to find and rank the helpers of one need.", {}, Seconds()),
      match_touched_family_("warmline_match_touched",
                            "Candidates of one need that were found in lists of interests, ties and circles; the rest "
                            "was passed over by bounds.",
                            {}, Counts()),
      match_weighed_family_("warmline_match_weighed", "Helpers whose interests were weighed for one need.", {},
                            Counts()),
      match_seconds_(match_seconds_family_.Of("", "")),
      match_touched_(match_touched_family_.Of("", "")),
      match_weighed_(match_weighed_family_.Of("", "")) {
  BuildGauge()
      .Name("warmline_build_info")
      .Help("1, with the version of the program.")
      .Register(registry_)
      .Add({{"version", version}})
      .Set(1);
}

void PrometheusMetrics::CallEnded(const char* method, const char* code, absl::Duration took) {
  calls_.Of(code, method).Observe(absl::ToDoubleSeconds(took));
}

void PrometheusMetrics::CallFailed(const char* method, const std::string& reason) {
  failed_.Add({{"method", method}, {"reason", reason}}).Increment();
}

void PrometheusMetrics::Audited(bool kept) { (kept ? audit_written_ : audit_lost_).Increment(); }

void PrometheusMetrics::WorkRefused(const char* reason, const char* lane) {
  refused_.Add({{"reason", reason}, {"lane", lane}}).Increment();
}
void PrometheusMetrics::QueueSeen(const char* queue, const char* lane, std::int64_t waiting, absl::Duration oldest) {
  queue_waiting_.Add({{"queue", queue}, {"lane", lane}}).Set(static_cast<double>(waiting));
  queue_age_.Add({{"queue", queue}, {"lane", lane}}).Set(absl::ToDoubleSeconds(oldest));
}
void PrometheusMetrics::WritesServed(bool served) { writes_served_.Set(served ? 1 : 0); }

void PrometheusMetrics::Matched(std::int64_t touched, std::int64_t weighed, std::int64_t ranked, absl::Duration took) {
  match_seconds_.Observe(absl::ToDoubleSeconds(took));
  match_touched_.Observe(static_cast<double>(touched));
  match_weighed_.Observe(static_cast<double>(weighed));
  if (ranked == 0) matches_empty_.Increment();
}

void PrometheusMetrics::BatchCommitted(std::int64_t items, bool durable, absl::Duration took) {
  commit_seconds_.Observe(absl::ToDoubleSeconds(took));
  commit_items_.Observe(static_cast<double>(items));
  if (!durable) commits_failed_.Increment();
}

void PrometheusMetrics::WritesWaiting(std::int64_t count) { writes_waiting_.Set(static_cast<double>(count)); }

void PrometheusMetrics::RowsImported(std::int64_t kept, std::int64_t refused) {
  rows_kept_.Increment(static_cast<double>(kept));
  rows_refused_.Increment(static_cast<double>(refused));
}

void PrometheusMetrics::SegmentsMerged(absl::Duration took, absl::Duration pause) {
  merge_seconds_.Observe(absl::ToDoubleSeconds(took));
  merge_pause_seconds_.Observe(absl::ToDoubleSeconds(pause));
}

void PrometheusMetrics::StorePolled(bool reached, absl::Duration staleness) {
  store_reachable_.Set(reached ? 1 : 0);
  staleness_.Set(absl::ToDoubleSeconds(staleness));
}

void PrometheusMetrics::ChangesFollowed(std::int64_t changes, bool from_feed) {
  (from_feed ? followed_feed_ : followed_log_).Increment(static_cast<double>(changes));
}

void PrometheusMetrics::FeedGap() { feed_gaps_.Increment(); }

void PrometheusMetrics::FeedDropped(std::int64_t rows) { feed_dropped_.Increment(static_cast<double>(rows)); }

void PrometheusMetrics::CacheReachable(const char* use, bool reachable) {
  cache_reachable_.Add({{"use", use}}).Set(reachable ? 1 : 0);
}

void PrometheusMetrics::EventsSent(bool ok) { (ok ? event_batches_ : event_batches_failed_).Increment(); }
void PrometheusMetrics::RetentionDone(std::int64_t announced, std::int64_t erased, std::int64_t failed) {
  retention_announced_.Increment(static_cast<double>(announced));
  retention_erased_.Increment(static_cast<double>(erased));
  retention_failed_.Increment(static_cast<double>(failed));
}
void PrometheusMetrics::DueMoveMade(bool ok) { (ok ? due_moves_ : due_moves_failed_).Increment(); }
void PrometheusMetrics::CatchUpFailed() { catch_up_failed_.Increment(); }

void PrometheusMetrics::SnapshotDamaged(const char* cache, const char* what) {
  snapshot_damaged_.Add({{"cache", cache}, {"what", what}}).Increment();
}

void PrometheusMetrics::SnapshotLoaded(const char* cache, bool found, absl::Duration took) {
  snapshot_loads_.Add({{"cache", cache}, {"result", found ? "found" : "none"}}).Increment();
  if (found) snapshot_load_seconds_.Observe(absl::ToDoubleSeconds(took));
}

void PrometheusMetrics::SnapshotWritten(const char* cache, bool ok, absl::Duration took) {
  snapshot_writes_.Add({{"cache", cache}, {"result", ok ? "written" : "failed"}}).Increment();
  if (ok) snapshot_write_seconds_.Observe(absl::ToDoubleSeconds(took));
}

void PrometheusMetrics::SnapshotSaved(const char*, std::int64_t bytes, std::int64_t sent) {
  snapshot_bytes_.Set(static_cast<double>(bytes));
  snapshot_sent_bytes_.Increment(static_cast<double>(sent));
}

void PrometheusMetrics::ErasuresCleaned(bool clean, std::int64_t reserve_bytes) {
  erasure_cleaning_pending_.Set(clean ? 0 : 1);
  erasure_reserve_bytes_.Set(static_cast<double>(reserve_bytes));
}

void PrometheusMetrics::SnapshotPurgesPending(std::int64_t pools) {
  snapshot_purges_pending_.Set(static_cast<double>(pools));
}

void PrometheusMetrics::IndexBuilt(bool ok, absl::Duration took) {
  if (ok) {
    index_built_seconds_.Observe(absl::ToDoubleSeconds(took));
  } else {
    index_build_failed_.Increment();
  }
}

void PrometheusMetrics::PoolsHeld(const application::PoolTotals& totals) {
  pools_.Set(static_cast<double>(totals.pools));
  members_.Set(static_cast<double>(totals.members));
  helpers_.Set(static_cast<double>(totals.helpers));
  index_bytes_.Set(static_cast<double>(totals.bytes));
  segments_.Set(static_cast<double>(totals.segments));
  dead_documents_.Set(static_cast<double>(totals.dead_documents));
  open_needs_.Set(static_cast<double>(totals.open_needs));
  ties_.Set(static_cast<double>(totals.ties));
  epoch_lag_.Set(static_cast<double>(totals.epoch_lag_hours));
  memory_.Set(totals);
}

std::string PrometheusMetrics::Text() const {
  process_.Refresh();
  memory_.Refresh();
  std::vector<prometheus::MetricFamily> families = registry_.Collect();
  for (const auto* family : {&calls_, &match_seconds_family_, &match_touched_family_, &match_weighed_family_})
    families.push_back(family->Collect());
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace warmline::telemetry
