// The inside of a simulated market: whom it knows, and what happens in it (market.cpp), and what its people do
// (market_actions.cpp). Thread-safety: one thread.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include <deque>
#include <functional>
#include <optional>
#include <queue>
#include <string>
#include <tuple>
#include <vector>

#include "application/access.h"
#include "application/pool_registry.h"
#include "simulation/market.h"
#include "simulation/market_ledger.h"
#include "simulation/market_people.h"

namespace warmline::simulation {

inline const std::string kMarketPool = "market";
// A seeker who got nowhere looks again after this.
inline constexpr absl::Duration kSeekerReturns = absl::Hours(24 * 2);

class HandClock : public application::Clock {
 public:
  absl::Time Now() const override { return now; }
  absl::Time now = absl::FromUnixSeconds(1'798'761'600);  // 2027-01-01
};

class Market {
 public:
  Market(application::RecordStore& store, application::Metrics& metrics, const MarketOptions& options)
      : options_(options),
        people_(options),
        ledger_(options, clock_.now),
        store_(store),
        pools_(store, clock_, metrics, absl::InfiniteDuration()) {
    // The store is new, and its secret another each time: the same seed must give the same.
    pools_.FixExploration(std::string(16, 'm'));
  }

  [[nodiscard]] absl::StatusOr<MarketReport> Play(const std::function<bool(int)>& progress);

 private:
  enum class Kind { kClose, kForward, kLook, kOutcome, kSeek };
  struct Event {
    absl::Time time;
    std::int64_t number = 0;  // of events at one time, the first made
    Kind kind = Kind::kSeek;
    std::string id;  // of the need, introduction or helper
    friend bool operator>(const Event& x, const Event& y) {
      return std::tie(x.time, x.number) > std::tie(y.time, y.number);
    }
  };
  struct Need {
    std::string seeker;
    absl::Time since;
    std::uint64_t rounds = 0;
    bool by_giver = false;
    bool answered = false;
    bool helped = false;
    bool closed = false;
    absl::flat_hash_set<std::string> live;  // introductions that the seeker waits for
  };
  struct Ask {
    std::string need;
    std::string helper;
    std::optional<absl::Time> reached;
    bool answered = false;
  };
  using Action = std::function<absl::Status(application::WriteTransaction&)>;

  void At(absl::Time time, Kind kind, std::string id) { events_.push({time, event_++, kind, std::move(id)}); }

  // Runs each by itself in one transaction; those that a rule refuses change nothing.
  [[nodiscard]] absl::Status Write(const std::vector<Action>& actions);
  [[nodiscard]] absl::Status Open();

  [[nodiscard]] absl::Status CountStatistics();
  // A member, and their ties to those who are there already.
  void Join(std::int64_t number, bool newcomer, std::vector<Action>& actions);
  [[nodiscard]] absl::Status PlayDay(int day);
  void Arrive(std::vector<Action>& arrivals);
  [[nodiscard]] absl::Status PlayStep();
  [[nodiscard]] Action ActionOf(const Event& event);
  [[nodiscard]] absl::Status Close(application::WriteTransaction& tx, const std::string& id,
                                   domain::CloseReason reason);
  [[nodiscard]] absl::Status Forward(application::WriteTransaction& tx, const std::string& id);
  // A helper looks into the inbox, and answers what stands first in it.
  [[nodiscard]] absl::Status Look(application::WriteTransaction& tx, const std::string& helper);
  [[nodiscard]] std::int64_t AsksThisWeek(const std::string& helper);
  void ScheduleLook(const std::string& helper);
  // What came of it: the seeker says so, or else the helper.
  [[nodiscard]] absl::Status Conclude(application::WriteTransaction& tx, const std::string& id);
  // Matches a need, and prepares to ask the best.
  [[nodiscard]] absl::Status Seek(const std::string& id, std::vector<Action>& asks);
  // What the people learn of an introduction that moved, and when they will do something about it.
  void Follow(const domain::IntroductionChanged& moved);
  // Of an introduction, in the same words whatever its id.
  [[nodiscard]] std::string Key(const std::string& id) const;

  const MarketOptions options_;
  HandClock clock_;
  MarketPeople people_;
  MarketLedger ledger_;
  application::RecordStore& store_;
  application::PoolRegistry pools_;
  std::int64_t members_ = 0;
  std::int64_t need_ = 0;
  std::int64_t event_ = 0;
  std::uint64_t looks_ = 0;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  absl::flat_hash_map<std::int64_t, std::vector<domain::Connection>> ties_;  // of who has not joined yet
  absl::flat_hash_map<std::string, Need> needs_;
  absl::flat_hash_map<std::string, std::string> seeking_;  // seeker to open need
  absl::flat_hash_map<std::string, Ask> asks_;
  absl::flat_hash_map<std::string, std::deque<absl::Time>> asked_;  // each helper in the last seven days
  absl::flat_hash_set<std::string> looking_;
  absl::flat_hash_set<std::string> ignored_;
  absl::flat_hash_set<std::string> givers_;
};

// What may go wrong in a market without anything being wrong: a rule refuses, or somebody was faster.
[[nodiscard]] bool IsRefusal(const absl::Status& status);

}  // namespace warmline::simulation
