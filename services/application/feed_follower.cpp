#include "application/feed_follower.h"

#include <absl/time/clock.h>

#include "application/index_builder.h"

namespace warmline::application {
namespace {

constexpr absl::Duration kWait = absl::Milliseconds(500);
// While the feed is away; the store is asked every second all the same.
constexpr absl::Duration kPauseAfterFailure = absl::Milliseconds(100);

}  // namespace

FeedFollower::FeedFollower(ChangeFeed& feed, RecordStore& store, PoolRegistry& pools, Metrics& metrics)
    : feed_(feed), store_(store), pools_(pools), metrics_(metrics), thread_([this] { Loop(); }) {}

FeedFollower::~FeedFollower() { Stop(); }

void FeedFollower::Stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

void FeedFollower::Loop() {
  while (!stopping_) {
    const auto told = feed_.Wait(kWait);
    if (!told.ok()) {
      absl::SleepFor(kPauseAfterFailure);
      continue;
    }
    for (const ChangeFeed::News& news : *told) Follow(news);
  }
}

void FeedFollower::Follow(const ChangeFeed::News& news) {
  // An entry that was lost while it was the newest leaves no gap in what follows; the bell's revision tells.
  if (ApplyFeed(news.pool) && pools_.Revision(news.pool) >= news.revision) return;
  metrics_.FeedGap();
  if (!pools_.CatchUp(news.pool).ok()) metrics_.CatchUpFailed();
}

bool FeedFollower::ApplyFeed(const std::string& pool) {
  while (true) {
    const std::int64_t revision = pools_.Revision(pool);
    if (revision == 0) return false;
    const auto rows = feed_.Read(pool, revision);
    if (!rows.ok()) return false;
    if (rows->empty()) return true;  // somebody told of what is here already
    std::vector<domain::Change> changes;
    bool statistics = false;
    for (const LogRow& row : *rows) {
      auto body = store_.DecodeLogRow(pool, row.payload);
      if (!body.ok()) return false;
      statistics = statistics || std::holds_alternative<domain::Statistics>(*body);
      changes.push_back({row.revision, *std::move(body)});
    }
    if (statistics) {
      auto reader = store_.Read();
      if (!reader.ok() || !FillStatistics(**reader, pool, changes).ok()) return false;
    }
    const auto count = static_cast<std::int64_t>(changes.size());
    if (!pools_.Follow(pool, std::move(changes))) return false;
    metrics_.ChangesFollowed(count, true);
  }
}

}  // namespace warmline::application
