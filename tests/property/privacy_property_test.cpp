// Random pools, policies and needs: whatever a seeker excludes, the answer is that without the ids that they may not
// name, and every helper that it shows by name is one whom they may. RC_PARAMS=seed=… replays.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <filesystem>

#include "application/match_need.h"
#include "application/naming.h"
#include "base/rcu.h"
#include "storage/sqlite/store.h"
#include "support/child_process.h"
#include "support/random_world.h"
#include "telemetry/prometheus_metrics.h"

namespace warmline::testing {
namespace {

constexpr char kPool[] = "p";

// A pool of a few members, of whom one acts; ids of some more, who are not there.
class Pool {
 public:
  explicit Pool(RandomWorld& random) {
    domain::Pool pool;
    pool.id = kPool;
    pool.policy = random.Policy();
    pool.policy.second_degree_visibility = random.Chance(40) ? domain::Visibility::kNamed : domain::Visibility::kMasked;
    named_ = pool.policy.second_degree_visibility == domain::Visibility::kNamed;
    auto tx = store_->Begin();
    RC_ASSERT(tx.ok() && (*tx)->Put(pool).ok());
    for (int i = 0; i < 12; ++i) {
      ids.push_back("m" + std::to_string(i));
      members_.push_back(random.Member(ids.back()));
      RC_ASSERT((*tx)->Put(kPool, members_.back()).ok());
    }
    for (int i = 0; i < 10; ++i) {
      domain::Connection tie = random.Connection(ids);
      if (tie.a == tie.b) continue;
      RC_ASSERT((*tx)->Put(kPool, tie).ok());
      std::erase_if(ties_, [&](const auto& t) { return t.a == tie.a && t.b == tie.b; });
      ties_.push_back(tie);
    }
    RC_ASSERT((*tx)->Commit().ok());
    tx->reset();
    RC_ASSERT(pools.Load().ok());
    for (int i = 0; i < 6; ++i) ids.push_back("x" + std::to_string(i));
  }
  ~Pool() {
    store_.reset();
    std::filesystem::remove_all(directory_);
  }

  // As the documentation says it, for a pool that masks.
  [[nodiscard]] bool MayName(const std::string& who, const std::string& id) const {
    for (const auto& tie : ties_) {
      if (tie.state != domain::ConnectionState::kConfirmed) continue;
      if ((tie.a == who && tie.b == id) || (tie.b == who && tie.a == id)) return true;
    }
    for (const auto& member : members_) {
      if (member.id != id) continue;
      if (id == who) return true;
      if (!member.offer || !member.offer->IsConfirmed()) return false;
      const auto& open_to = member.offer->open_to;
      return std::find(open_to.begin(), open_to.end(), domain::Reach::kPool) != open_to.end();
    }
    return false;
  }
  [[nodiscard]] bool named() const { return named_; }

  std::vector<std::string> ids;

 private:
  const std::string directory_ = TemporaryDirectory("privacy");
  application::SystemClock clock_;
  telemetry::PrometheusMetrics metrics_{"test"};
  std::unique_ptr<storage::sqlite::Store> store_ =
      *storage::sqlite::Store::Open({.path = directory_ + "/warmline.db", .synchronous = "OFF"});
  std::vector<domain::Member> members_;
  std::vector<domain::Connection> ties_;
  bool named_ = false;

 public:
  application::PoolRegistry pools{*store_, clock_, metrics_};
};

std::string Text(const application::MatchAnswer& answer) {
  std::string text;
  for (const auto& shown : answer.shown)
    text += shown.helper.id + (shown.masked ? " masked " : " ") + std::to_string(shown.helper.score) + "\n";
  for (const auto count : answer.result.removed) text += std::to_string(count) + " ";
  return text + std::to_string(answer.result.candidates);
}

RC_GTEST_PROP(Exclusions, CountForWhomTheSeekerMayNameAlone, (std::uint64_t seed)) {
  RandomWorld random(seed);
  Pool pool(random);
  for (int round = 0; round < 4; ++round) {
    domain::Need need = random.Need("", std::vector<std::string>(pool.ids.begin(), pool.ids.begin() + 12));
    need.id.clear();
    need.constraints.exclude_members.clear();
    domain::Violations violations;
    domain::ValidateNeed(need, "", violations);
    if (!violations.empty()) continue;
    const application::Caller seeker{domain::Audience::kSeeker, need.seeker};
    std::vector<std::string> nameable;
    for (const std::string& id : pool.ids) {
      bool may = false;
      {
        const base::RcuReadGuard guard;
        may = application::Naming(*pool.pools.Find(kPool), seeker, &need).MayName(id);
      }
      if (!pool.named()) RC_ASSERT(may == pool.MayName(need.seeker, id));
      if (pool.MayName(need.seeker, id)) RC_ASSERT(may);  // NAMED only shows more
      if (may) nameable.push_back(id);
      if (random.Chance(50)) need.constraints.exclude_members.push_back(id);
    }
    // The same need, by its id, without the guesses: stored ones keep their id whatever they exclude.
    const auto answer = [&](const application::Caller& caller, const std::vector<std::string>& excluded) {
      const base::RcuReadGuard guard;
      domain::Need known = need;
      known.id = domain::InlineNeedId(need);
      known.create_time = absl::UnixEpoch();
      known.constraints.exclude_members = excluded;
      auto result = index::Match(*pool.pools.Find(kPool), known, {.top_k = 20, .count_rules = true}, {});
      RC_ASSERT(result.ok());
      application::MatchAnswer made{known.id, known.seeker, *std::move(result), {}};
      for (auto& helper : made.result.ranked) {
        const bool masked = !application::IsShownByName(*pool.pools.Find(kPool), caller, helper);
        made.shown.push_back({helper, masked});
      }
      return made;
    };
    std::vector<std::string> kept;
    for (const std::string& id : need.constraints.exclude_members) {
      if (std::find(nameable.begin(), nameable.end(), id) != nameable.end()) kept.push_back(id);
    }
    const auto got =
        application::MatchNeed(pool.pools, seeker, kPool, {"", need, {}}, {.top_k = 20, .count_rules = true}, {});
    RC_ASSERT(got.ok());
    RC_ASSERT(Text(*got) == Text(answer(seeker, kept)));
    for (const auto& shown : got->shown) {
      const bool may = std::find(nameable.begin(), nameable.end(), shown.helper.id) != nameable.end();
      RC_ASSERT(shown.masked == !may);
    }
    const application::Caller all{domain::Audience::kOperator, ""};
    const auto operated =
        application::MatchNeed(pool.pools, all, kPool, {"", need, {}}, {.top_k = 20, .count_rules = true}, {});
    RC_ASSERT(operated.ok());
    RC_ASSERT(Text(*operated) == Text(answer(all, need.constraints.exclude_members)));
  }
}

}  // namespace
}  // namespace warmline::testing
