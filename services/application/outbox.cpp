#include "application/outbox.h"

#include <algorithm>

namespace warmline::application {
namespace {

constexpr absl::Duration kPoll = absl::Milliseconds(100);
// For how long a position is held: longer than one batch may take to be sent.
constexpr absl::Duration kHold = absl::Seconds(60);
// How often it is looked whether another still holds a pool.
constexpr absl::Duration kLook = absl::Seconds(1);
// After a failure, doubled each time.
constexpr absl::Duration kFirstPause = absl::Seconds(1);
constexpr absl::Duration kMaxPause = absl::Minutes(5);
// The position under this name says that events are sent from this store.
constexpr char kMark[] = "";

}  // namespace

Outbox::Outbox(RecordStore& store, PoolRegistry& pools, WriteQueue& writes, EventSink& sink, const Clock& clock,
               Metrics& metrics, std::string holder)
    : store_(store),
      pools_(pools),
      writes_(writes),
      sink_(sink),
      clock_(clock),
      metrics_(metrics),
      holder_(std::move(holder)),
      thread_([this] { Loop(); }) {}

Outbox::~Outbox() { Stop(); }

void Outbox::Stop() {
  stop_.Set();
  if (thread_.joinable()) thread_.join();
}

void Outbox::Loop() {
  absl::Duration pause = kFirstPause;
  absl::Duration wait;
  while (!stop_.IsSetWithin(wait)) {
    wait = kPoll;
    absl::Status status = enabled_ ? absl::OkStatus() : Enable();
    for (const std::string& pool : status.ok() ? pools_.PoolIds() : std::vector<std::string>()) {
      const auto sent = SendFrom(pool);
      if (!sent.ok()) status = sent.status();
      if (!status.ok()) break;
      if (*sent) wait = absl::ZeroDuration();
    }
    if (status.ok()) {
      pause = kFirstPause;
      continue;
    }
    wait = pause;
    pause = std::min(2 * pause, kMaxPause);
  }
  // Whoever goes on need not wait until the hold is over.
  for (const auto& [pool, until] : held_until_) {
    if (until <= clock_.Now()) continue;
    (void)Write(pool, [&, &id = pool](WriteTransaction& tx) -> absl::Status {
      auto position = tx.GetOutbox(id);
      if (!position.ok() || !position->has_value() || (*position)->holder != holder_) return position.status();
      (*position)->held_until = absl::UnixEpoch();
      return tx.PutOutbox(id, **position);
    });
  }
}

absl::Status Outbox::Enable() {
  std::vector<std::pair<std::string, std::int64_t>> heads;
  {
    auto reader = store_.Read();
    if (!reader.ok()) return reader.status();
    auto mark = (*reader)->GetOutbox(kMark);
    if (!mark.ok()) return mark.status();
    enabled_ = mark->has_value();
    if (enabled_) return absl::OkStatus();
    auto listed = (*reader)->ListHeads();
    if (!listed.ok()) return listed.status();
    heads = *std::move(listed);
  }
  for (const auto& [pool, head] : heads) {
    auto status = Write(pool, [&, &id = pool, revision = head](WriteTransaction& tx) -> absl::Status {
      auto known = tx.GetOutbox(id);
      if (!known.ok() || known->has_value()) return known.status();
      return tx.PutOutbox(id, {revision, "", absl::UnixEpoch()});
    });
    if (!status.ok()) return status;
  }
  auto status = Write("", [](WriteTransaction& tx) { return tx.PutOutbox(kMark, {0, "", absl::UnixEpoch()}); });
  enabled_ = status.ok();
  return status;
}

absl::StatusOr<bool> Outbox::SendFrom(const std::string& pool) {
  const std::int64_t newest = pools_.Revision(pool);
  if (const auto sent = sent_.find(pool); sent != sent_.end() && sent->second >= newest) return false;
  auto free = IsFree(pool);
  if (!free.ok() || !*free) return free;
  auto held = Hold(pool, 0);
  if (!held.ok()) return held.status();
  if (!held->has_value()) return false;
  std::int64_t after = (*held)->revision;
  sent_[pool] = after;
  bool any = false;
  while (after < newest && !stop_.IsSet()) {
    std::vector<domain::Change> changes;
    {
      auto reader = store_.Read();
      if (!reader.ok()) return reader.status();
      auto listed = (*reader)->ListChanges(pool, after, kMaxAtOnce);
      if (!listed.ok()) return listed.status();
      changes = *std::move(listed);
    }
    if (changes.empty()) break;
    const auto taken = sink_.Send(pool, changes);
    // What tells nothing to anybody is no batch.
    if (!taken.ok() || *taken > 0) metrics_.EventsSent(taken.ok());
    if (!taken.ok()) return taken.status();
    after = changes.back().revision;
    held = Hold(pool, after);
    if (!held.ok()) return held.status();
    if (!held->has_value()) return false;
    sent_[pool] = after;
    any = true;
  }
  return any;
}

absl::StatusOr<bool> Outbox::IsFree(const std::string& pool) {
  const auto look = others_.find(pool);
  if (look == others_.end()) return true;
  if (clock_.Now() < look->second) return false;
  auto reader = store_.Read();
  if (!reader.ok()) return reader.status();
  auto position = (*reader)->GetOutbox(pool);
  if (!position.ok()) return position.status();
  if (position->has_value() && (*position)->held_until > clock_.Now()) {
    look->second = clock_.Now() + kLook;
    return false;
  }
  others_.erase(look);
  return true;
}

absl::StatusOr<std::optional<OutboxPosition>> Outbox::Hold(const std::string& pool, std::int64_t revision) {
  std::optional<OutboxPosition> held;
  auto status = Write(pool, [&](WriteTransaction& tx) -> absl::Status {
    held.reset();
    auto known = tx.GetOutbox(pool);
    if (!known.ok()) return known.status();
    OutboxPosition position = known->value_or(OutboxPosition{0, "", absl::UnixEpoch()});
    const bool mine = position.holder == holder_;
    // Another may have taken it while this was sending: then its word counts, and what was sent is sent again.
    if (!mine && (position.held_until > clock_.Now() || revision != 0)) return absl::OkStatus();
    position.holder = holder_;
    position.held_until = clock_.Now() + kHold;
    position.revision = std::max(position.revision, revision);
    held = position;
    return tx.PutOutbox(pool, position);
  });
  if (!status.ok()) return status;
  if (held) {
    held_until_[pool] = held->held_until;
  } else {
    held_until_.erase(pool);
    others_[pool] = clock_.Now() + kLook;
  }
  return held;
}

absl::Status Outbox::Write(const std::string& pool, std::function<absl::Status(WriteTransaction&)> run) {
  WriteJob job;
  job.pool = pool;
  job.run = [run = std::move(run)](WriteTransaction& tx, absl::Time) { return run(tx); };
  return writes_.Run(std::move(job));
}

}  // namespace warmline::application
