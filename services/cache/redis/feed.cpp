#include "cache/redis/feed.h"

#include <absl/container/flat_hash_map.h>
#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <random>

#include "base/strings.h"
#include "cache/manifest.h"

namespace warmline::cache::redis {
namespace {

using application::LogRow;

// Rows that one entry tells, and entries read at once.
constexpr std::size_t kMaxRowsAnEntry = 1'000;
constexpr int kEntriesAtOnce = 200;
// Streams that nobody writes any longer go by themselves.
constexpr char kStreamLifeMs[] = "3600000";

// Rows in one value: for each u64 revision, u32 length, and the payload as in the change log.
std::string PackRows(const std::vector<const LogRow*>& rows) {
  std::string packed;
  for (const LogRow* row : rows) {
    const auto size = static_cast<std::uint32_t>(row->payload.size());
    packed.append(reinterpret_cast<const char*>(&row->revision), sizeof row->revision);
    packed.append(reinterpret_cast<const char*>(&size), sizeof size);
    packed.append(row->payload);
  }
  return packed;
}

bool UnpackRows(const std::string& pool, std::string_view packed, std::string_view sum, std::int64_t after,
                std::vector<LogRow>& rows) {
  if (HashOf(packed) != sum) return false;
  while (!packed.empty()) {
    LogRow row;
    std::uint32_t size = 0;
    if (packed.size() < sizeof row.revision + sizeof size) return false;
    std::memcpy(&row.revision, packed.data(), sizeof row.revision);
    std::memcpy(&size, packed.data() + sizeof row.revision, sizeof size);
    packed.remove_prefix(sizeof row.revision + sizeof size);
    if (packed.size() < size) return false;
    row.pool = pool;
    row.payload = packed.substr(0, size);
    packed.remove_prefix(size);
    if (row.revision > after) rows.push_back(std::move(row));
  }
  return true;
}

std::string RandomName() {
  std::random_device random;
  return absl::StrCat(absl::Hex(std::uint64_t{random()} << 32 | random(), absl::kZeroPad16), "-", getpid());
}

}  // namespace

Feed::Feed(const Config& config, std::uint64_t history, const application::Clock& clock, application::Metrics& metrics)
    : history_(history),
      clock_(clock),
      metrics_(metrics),
      me_(RandomName()),
      publisher_(config, "feed_publisher", clock, metrics),
      subscriber_(config, "feed_subscriber", clock, metrics),
      thread_([this] { Loop(); }) {}

Feed::~Feed() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

std::string Feed::StreamKey(const std::string& pool) const {
  return publisher_.Key(absl::StrCat("{", pool, "}:feed:", absl::Hex(history_)));
}

void Feed::Publish(std::vector<LogRow> rows) {
  std::size_t dropped = 0;
  {
    const std::lock_guard lock(mutex_);
    for (LogRow& row : rows) {
      waiting_bytes_ += row.payload.size();
      waiting_.push_back(std::move(row));
    }
    // The oldest go: whoever misses them reads the log.
    for (; waiting_.size() > kMaxWaiting || waiting_bytes_ > kMaxWaitingBytes; ++dropped) {
      waiting_bytes_ -= waiting_.front().payload.size();
      waiting_.pop_front();
    }
  }
  if (dropped > 0) metrics_.FeedDropped(static_cast<std::int64_t>(dropped));
  changed_.notify_one();
}

void Feed::Loop() {
  while (true) {
    std::vector<LogRow> rows;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      rows.assign(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(waiting_.end()));
      waiting_.clear();
      waiting_bytes_ = 0;
    }
    PublishBatch(rows);
  }
}

void Feed::PublishBatch(const std::vector<LogRow>& rows) {
  std::map<std::string, std::vector<const LogRow*>> by_pool;
  for (const LogRow& row : rows) by_pool[row.pool].push_back(&row);
  std::vector<Arguments> tells;
  std::vector<Arguments> rings;
  for (auto& [pool, all] : by_pool) {
    const std::string key = StreamKey(pool);
    // Rows before an erasure may hold the member, whom its own write changes before it takes them away: the log has
    // them without, and whoever finds the gap reads it.
    const auto erases = std::find_if(all.rbegin(), all.rend(), [](const LogRow* row) { return row->erases; });
    if (erases != all.rend()) all.erase(all.begin(), erases.base() - 1);
    for (std::size_t at = 0; at < all.size(); at += kMaxRowsAnEntry) {
      const std::vector<const LogRow*> some(
          all.begin() + static_cast<std::ptrdiff_t>(at),
          all.begin() + static_cast<std::ptrdiff_t>(std::min(all.size(), at + kMaxRowsAnEntry)));
      // What was told before of a member who is erased now must not stay.
      if (std::any_of(some.begin(), some.end(), [](const LogRow* row) { return row->erases; }))
        tells.push_back({"XTRIM", key, "MAXLEN", "0"});
      const std::string packed = PackRows(some);
      tells.push_back({"XADD", key, "MAXLEN", "~", absl::StrCat(kMaxEntries), absl::StrCat(some.back()->revision, "-0"),
                       "rows", packed, "sum", HashOf(packed)});
    }
    tells.push_back({"PEXPIRE", key, kStreamLifeMs});
    rings.push_back({"XADD", publisher_.Key("bell"), "MAXLEN", "~", absl::StrCat(kMaxEntries), "*", "pool", pool,
                     "writer", me_, "revision", absl::StrCat(all.back()->revision)});
  }
  const auto told = publisher_.Pipeline(tells);
  std::int64_t lost = told.ok() ? 0 : static_cast<std::int64_t>(rows.size());
  for (std::size_t i = 0; told.ok() && i < told->size(); ++i) lost += (*told)[i].IsError() ? 1 : 0;
  // An entry that came late (its revision is below the last) is not kept, and neither is one where something else
  // stands under the key: such a stream is begun anew. The bell rings all the same: who finds
  // less than it says reads the log.
  if (lost > 0) {
    metrics_.FeedDropped(lost);
    std::vector<Arguments> heals;
    for (std::size_t i = 0; told.ok() && i < told->size(); ++i) {
      if ((*told)[i].IsError() && tells[i][0] == "XADD") {
        heals.push_back({"UNLINK", tells[i][1]});
        heals.push_back(tells[i]);
      }
    }
    if (!heals.empty()) (void)publisher_.Pipeline(heals);
  }
  const auto rung = publisher_.Pipeline(rings);
  if (rung.ok() && !rung->empty() && rung->front().IsError() &&
      absl::StartsWith(base::AbslView(rung->front().text()), "WRONGTYPE"))
    (void)publisher_.Do({"UNLINK", publisher_.Key("bell")});
}

absl::StatusOr<std::vector<application::ChangeFeed::News>> Feed::Wait(absl::Duration at_most) {
  const std::string bell = subscriber_.Key("bell");
  if (heard_.empty()) {
    // From the newest entry on: what was told before is found by asking the store.
    auto last = subscriber_.Do({"XREVRANGE", bell, "+", "-", "COUNT", "1"});
    if (!last.ok()) return last.status();
    if (last->IsError()) return absl::UnavailableError(absl::StrCat("Redis: ", std::string(last->text())));
    heard_ = last->size() == 0 ? "0-0" : std::string((*last)[0][0].text());
  }
  auto reply = subscriber_.DoWithin({"XREAD", "COUNT", absl::StrCat(kEntriesAtOnce), "BLOCK",
                                     absl::StrCat(absl::ToInt64Milliseconds(at_most)), "STREAMS", bell, heard_},
                                    at_most + subscriber_.config().command_timeout);
  if (!reply.ok()) {
    heard_.clear();  // another server may have taken over, with other entries
    return reply.status();
  }
  if (reply->IsError()) {
    heard_.clear();
    return absl::UnavailableError(absl::StrCat("Redis: ", std::string(reply->text())));
  }
  absl::flat_hash_map<std::string, std::int64_t> newest;
  if (reply->size() > 0) {
    const ReplyView entries = (*reply)[0][1];
    for (std::size_t i = 0; i < entries.size(); ++i) {
      heard_ = std::string(entries[i][0].text());
      const ReplyView fields = entries[i][1];
      std::int64_t revision = 0;
      if (fields.size() < 6 || fields[3].text() == me_ ||
          !absl::SimpleAtoi(base::AbslView(fields[5].text()), &revision))
        continue;
      std::int64_t& of_pool = newest[std::string(fields[1].text())];
      of_pool = std::max(of_pool, revision);
    }
  }
  std::vector<News> news;
  news.reserve(newest.size());
  for (auto& [pool, revision] : newest) news.push_back({pool, revision});
  return news;
}

absl::StatusOr<std::vector<LogRow>> Feed::Read(const std::string& pool, std::int64_t after) {
  auto reply = subscriber_.Do(
      {"XREAD", "COUNT", absl::StrCat(kEntriesAtOnce), "STREAMS", StreamKey(pool), absl::StrCat(after, "-0")});
  if (!reply.ok()) return reply.status();
  if (reply->IsError()) return absl::UnavailableError(absl::StrCat("Redis: ", std::string(reply->text())));
  std::vector<LogRow> rows;
  if (reply->size() == 0) return rows;
  const ReplyView entries = (*reply)[0][1];
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const ReplyView fields = entries[i][1];
    if (fields.size() < 4 || !UnpackRows(pool, fields[1].text(), fields[3].text(), after, rows))
      return absl::UnavailableError("an entry of the feed cannot be read");
  }
  return rows;
}

}  // namespace warmline::cache::redis
