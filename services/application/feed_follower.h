// Applies what other replicas tell through the feed, and goes to the change log where something is missing. One thread
// of its own, apart from the one that asks the store. Thread-safety: all calls from any thread.
#pragma once

#include <atomic>
#include <thread>

#include "application/change_feed.h"
#include "application/metrics.h"
#include "application/pool_registry.h"

namespace warmline::application {

class FeedFollower {
 public:
  FeedFollower(ChangeFeed& feed, RecordStore& store, PoolRegistry& pools, Metrics& metrics);
  ~FeedFollower();
  FeedFollower(const FeedFollower&) = delete;
  FeedFollower& operator=(const FeedFollower&) = delete;

  void Stop();

 private:
  void Loop();
  void Follow(const ChangeFeed::News& news);
  // False when the log must be read.
  bool ApplyFeed(const std::string& pool);

  ChangeFeed& feed_;
  RecordStore& store_;
  PoolRegistry& pools_;
  Metrics& metrics_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace warmline::application
