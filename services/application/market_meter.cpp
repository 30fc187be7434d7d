#include "application/market_meter.h"

#include <algorithm>

#include "application/introduction_moves.h"

namespace warmline::application {
namespace {

constexpr int kPage = 1'000;

// Calls `read` with a reader, a page at a time, until it says that there is no more.
template <typename Read>
absl::Status EachPage(RecordStore& store, base::StopSignal& stop, Read read) {
  while (true) {
    if (stop.IsSet()) return absl::CancelledError("stopped");
    auto reader = store.Read();
    if (!reader.ok()) return reader.status();
    absl::StatusOr<bool> more = read(**reader);
    if (!more.ok()) return more.status();
    if (!*more) return absl::OkStatus();
  }
}

}  // namespace

absl::StatusOr<MarketHealth> MeasureMarket(RecordStore& store, const domain::Pool& pool, absl::Time now,
                                           base::StopSignal& stop) {
  MarketCount count(pool, now);
  std::string after;
  auto status = EachPage(store, stop, [&](RecordReader& reader) -> absl::StatusOr<bool> {
    auto page = reader.ListNeeds(pool.id, "", after, kPage);
    if (!page.ok()) return page.status();
    for (const domain::Need& need : *page) count.Add(need);
    if (!page->empty()) after = page->back().id;
    return page->size() == kPage;
  });
  if (!status.ok()) return status;
  IntroductionQuery query;
  query.asked_since = now - kMarketMemory;
  query.after = IntroductionIdAt(now - kMarketMemory);
  query.limit = kPage;
  status = EachPage(store, stop, [&](RecordReader& reader) -> absl::StatusOr<bool> {
    auto page = reader.ListIntroductions(pool.id, query);
    if (!page.ok()) return page.status();
    for (const domain::Introduction& introduction : *page) count.Add(introduction);
    if (!page->empty()) query.after = page->back().id;
    return page->size() == kPage;
  });
  if (!status.ok()) return status;
  after.clear();
  status = EachPage(store, stop, [&](RecordReader& reader) -> absl::StatusOr<bool> {
    auto page = reader.ListMembers(pool.id, after, kPage);
    if (!page.ok()) return page.status();
    for (const domain::Member& member : *page) count.Add(member);
    if (!page->empty()) after = page->back().id;
    return page->size() == kPage;
  });
  if (!status.ok()) return status;
  return count.Finish();
}

MarketMeter::MarketMeter(RecordStore& store, MarketBoard& board, const Clock& clock, Metrics& metrics,
                         absl::Duration interval)
    : store_(store), board_(board), clock_(clock), metrics_(metrics), interval_(interval), thread_([this] {
        Loop();
      }) {}

MarketMeter::~MarketMeter() { Stop(); }

void MarketMeter::Stop() {
  stop_.Set();
  if (thread_.joinable()) thread_.join();
}

void MarketMeter::Loop() {
  for (absl::Duration rest = std::min(kFirstRest, interval_); !stop_.IsSetWithin(rest);) {
    const absl::Time began = absl::Now();
    (void)Measure();  // what could not be read is found the next time
    rest = std::max(interval_, kRestPerWork * (absl::Now() - began));
  }
}

bool MarketMeter::Measure() {
  std::vector<domain::Pool> pools;
  std::int64_t left_out = 0;
  std::string after;
  const auto status = EachPage(store_, stop_, [&](RecordReader& reader) -> absl::StatusOr<bool> {
    auto page = reader.ListPools(after, kPage);
    if (!page.ok()) return page.status();
    for (const domain::Pool& pool : *page) {
      if (pools.size() < kMaxPoolsMeasured) {
        pools.push_back(pool);
      } else {
        ++left_out;
      }
    }
    if (!page->empty()) after = page->back().id;
    return page->size() == kPage;
  });
  if (!status.ok()) return false;
  std::vector<std::string> measured;
  for (const domain::Pool& pool : pools) {
    const absl::Time now = clock_.Now();
    auto health = MeasureMarket(store_, pool, now, stop_);
    if (!health.ok()) return false;
    metrics_.MarketMeasured(pool.id, *health, now);
    board_.Put(pool.id, {now, *std::move(health)});
    measured.push_back(pool.id);
  }
  board_.Keep(measured);
  metrics_.MarketsMeasured(measured, left_out);
  return true;
}

}  // namespace warmline::application
