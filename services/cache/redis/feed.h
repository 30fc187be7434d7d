// The change feed in Redis: a stream a pool, whose entries are named by the last revision that they tell, and one
// stream, the bell, on which everybody hears whose pool has news. Both are bounded; docs/redis.md is the schema.
// Thread-safety: as application::ChangeFeed says.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "application/change_feed.h"
#include "application/clock.h"
#include "application/metrics.h"
#include "cache/redis/client.h"

namespace warmline::cache::redis {

class Feed : public application::ChangeFeed {
 public:
  // `history` is the store's.
  Feed(const Config& config, std::uint64_t history, const application::Clock& clock, application::Metrics& metrics);
  // Publishes what waits, if Redis is there.
  ~Feed() override;

  void Publish(std::vector<application::LogRow> rows) override;
  absl::StatusOr<std::vector<News>> Wait(absl::Duration at_most) override;
  absl::StatusOr<std::vector<application::LogRow>> Read(const std::string& pool, std::int64_t after) override;

  // Entries that a stream keeps, about; and rows that may wait to be published.
  static constexpr int kMaxEntries = 10'000;
  static constexpr std::size_t kMaxWaiting = 20'000;
  static constexpr std::size_t kMaxWaitingBytes = std::size_t{64} << 20;

 private:
  void Loop();
  void PublishBatch(const std::vector<application::LogRow>& rows);
  [[nodiscard]] std::string StreamKey(const std::string& pool) const;

  const std::uint64_t history_;
  const application::Clock& clock_;
  application::Metrics& metrics_;
  const std::string me_;
  Client publisher_;   // the publishing thread's
  Client subscriber_;  // of who waits and reads
  std::string heard_;  // the last entry of the bell that was read; the subscriber's
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<application::LogRow> waiting_;  // guarded by mutex_
  std::size_t waiting_bytes_ = 0;            // of their payloads; guarded by mutex_
  bool stopping_ = false;                    // guarded by mutex_
  std::thread thread_;
};

}  // namespace warmline::cache::redis
