// The engine against the brute-force oracle: equal ids, order, scores, parts, reach, introducers, and counts per rule,
// over thousands of random pools that were partly loaded and partly changed afterwards.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "base/rcu.h"
#include "index/matcher.h"
#include "index/pool_index.h"
#include "index/snapshot.h"
#include "simulation/community.h"
#include "support/beside_writer.h"
#include "support/oracle.h"
#include "support/random_world.h"

namespace warmline::testing {
namespace {

int pools_compared = 0;
int answers_begun = 0;
int answers_equal = 0;
int snapshots_restored = 0;

// A world, and the index that should agree with it.
class Pair {
 public:
  Pair(std::uint64_t seed, int members) : random_(seed), changes_a_batch_(std::max(12, members / 20)) {
    world_.policy = random_.Policy();
    world_.epoch_hour = RandomWorld::kEpochHour;
    for (int i = 0; i < members; ++i) ids_.push_back("m" + std::to_string(i));
    domain::Pool pool;
    pool.id = "p";
    pool.policy = world_.policy;
    index_ = std::make_unique<index::PoolIndex>(pool, world_.epoch_hour - (random_.Chance(30) ? 5 : 0));
    if (random_.Chance(70)) merge_limit_ = static_cast<std::uint32_t>(1 + members / 40);
    if (merge_limit_) index_->LeaveLargeMerges(*merge_limit_);
    index_->SweepAfter(1);
    Load();
    if (random_.Chance(70)) Refresh();
    for (int batches = random_.Below(6); batches > 0; --batches) Change();
    if (random_.Chance(50)) Refresh();
    for (int batches = random_.Below(3); batches > 0; --batches) Change();
    index_->AdvanceEpoch(world_.epoch_hour);
  }

  void Compare() {
    for (int i = 0; i < 4; ++i) {
      ++answers_begun;
      const domain::Need need = random_.Need("need-" + std::to_string(i), ids_);
      const int k = 1 + random_.Below(12);
      const OracleAnswer expected = BruteForce(world_, need, k);
      const base::RcuReadGuard guard;
      // With counts every candidate is looked at; without, those that cannot enter are passed over. Both must be exact.
      const bool counted = random_.Chance(50);
      const auto actual =
          index::Match(index_->view(), need, {.top_k = k, .count_rules = counted}, [] { return absl::OkStatus(); });
      RC_ASSERT(actual.ok());
      RC_ASSERT(actual->counts_are_complete == (counted || expected.ranked.size() < static_cast<std::size_t>(k)));
      RC_ASSERT(!actual->counts_are_complete || actual->candidates == expected.candidates);
      for (int rule = 0; rule < domain::kRules && actual->counts_are_complete; ++rule) {
        const auto found = expected.removed.find(static_cast<domain::Rule>(rule));
        RC_ASSERT(actual->removed[static_cast<std::size_t>(rule)] ==
                  (found == expected.removed.end() ? 0 : found->second));
      }
      RC_ASSERT(actual->ranked.size() == expected.ranked.size());
      for (std::size_t j = 0; j < expected.ranked.size(); ++j)
        CompareOne(actual->ranked[j], expected.ranked[j], actual->weights);
      CompareExplanations(need);
      ++answers_equal;
    }
    ++pools_compared;
  }

 private:
  void CompareOne(const index::RankedHelper& actual, const OracleMatch& expected, const domain::Weights& weights) {
    RC_ASSERT(actual.id == expected.id);
    RC_ASSERT(actual.score == expected.score);
    RC_ASSERT(std::vector<std::uint64_t>(actual.parts.begin(), actual.parts.end()) == expected.parts);
    RC_ASSERT(actual.reach == expected.reach);
    RC_ASSERT(actual.introducer == expected.introducer);
    std::uint64_t sum = 0;  // reasons add up exactly
    for (std::size_t i = 0; i < actual.parts.size(); ++i) sum += ranking::Contribution(weights[i], actual.parts[i]);
    RC_ASSERT(sum == actual.score);
  }

  void CompareExplanations(const domain::Need& need) {
    for (const std::string& id : ids_) {
      if (random_.Below(static_cast<int>(ids_.size())) >= 20) continue;
      const auto expected = BlockedBy(world_, need, id);
      const auto actual = index::Explain(index_->view(), need, id);
      RC_ASSERT(actual.is_candidate == expected.has_value());
      if (expected) RC_ASSERT(actual.blocked_by == *expected);
    }
  }

  void Load() {
    index::PoolIndex::Loader loader(*index_);
    for (const std::string& id : ids_) {
      if (random_.Chance(30)) continue;  // comes later, as a change
      world_.members.push_back(random_.Member(id));
      loader.Add(world_.members.back());
    }
    for (int i = random_.Below(static_cast<int>(ids_.size()) * 2); i > 0; --i) {
      domain::Connection tie = random_.Connection(ids_);
      if (!Both(tie.a, tie.b) || TieAt(tie.a, tie.b) != world_.ties.end()) continue;
      world_.ties.push_back(tie);
      loader.Add(tie);
    }
    for (int i = random_.Below(4); i > 0; --i) {
      const domain::Block block = random_.Block(ids_);
      world_.blocks.push_back(block);
      loader.Add(block);
    }
    for (int i = random_.Below(6); i > 0; --i) {
      const domain::Block two = random_.Block(ids_);
      if (!Both(two.blocker, two.blocked)) continue;
      domain::Introduction ask;
      ask.seeker = two.blocker;
      ask.helper = two.blocked;
      ask.state = random_.Chance(50) ? domain::IntroductionState::kAccepted : domain::IntroductionState::kDeclined;
      if (!ask.IsOpen()) ask.cool_until = absl::UnixEpoch();
      world_.asks.push_back({ask.seeker, ask.helper, ask.IsOpen()});
      loader.Add(ask);
    }
    loader.Finish(1);
  }

  void Change() {
    std::vector<domain::Change> changes;
    for (int i = 1 + random_.Below(changes_a_batch_); i > 0; --i) {
      const int kind = random_.Below(10);
      domain::ChangeBody body;
      if (kind < 4) {
        body = PutMember();
      } else if (kind < 5) {
        body = EraseMember();
      } else if (kind < 8) {
        body = PutTie();
      } else if (kind < 9) {
        body = random_.Chance(60) ? PutBlock() : DeleteBlock();
      } else {
        body = ChangeAsk();
      }
      changes.push_back({++revision_, std::move(body)});
    }
    index_->Apply(changes);
    beside_.Go(*index_);
    if (random_.Chance(15)) MoveHouse();
  }

  // Goes on with an index made from a snapshot of this one, as a replica that starts does.
  void MoveHouse() {
    const index::SnapshotSource source(*index_);
    index::SnapshotRestorer restorer(source.pool());
    if (random_.Chance(50)) restorer.Reserve(static_cast<std::uint32_t>(ids_.size()));
    const auto written = source.Write([&](const index::PieceId& id, const std::string& bytes) {
      return restorer.Add(id, {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
    });
    RC_ASSERT(written.ok());
    const std::int64_t epoch = [&] {
      const base::RcuReadGuard guard;
      return index_->view().epoch_hour;
    }();
    auto restored =
        restorer.Finish(source.revision(), epoch, world_.statistics.generation > 0 ? &world_.statistics : nullptr);
    RC_ASSERT(restored.ok());
    beside_.Forget();
    index_ = *std::move(restored);
    if (merge_limit_) index_->LeaveLargeMerges(*merge_limit_);
    index_->SweepAfter(1);
    ++snapshots_restored;
  }

  void Refresh() {
    world_.statistics = index_->CountStatistics(world_.statistics.generation + 1);
    CheckStatistics();
    const std::vector<domain::Change> changes = {{++revision_, world_.statistics}};
    index_->Apply(changes);
  }

  void CheckStatistics() {
    std::map<std::string, std::int64_t> having;
    std::int64_t helpers = 0;
    for (const auto& member : world_.members) {
      if (!member.offer) continue;
      ++helpers;
      std::set<std::string> names;
      for (const auto& interest : member.interests) names.insert(world_.policy.Resolve(interest.canonical));
      for (const auto& name : names) ++having[name];
    }
    RC_ASSERT(world_.statistics.helpers == helpers);
    RC_ASSERT(world_.statistics.interests.size() == having.size());
    for (const auto& entry : world_.statistics.interests) RC_ASSERT(having[entry.canonical] == entry.helpers);
  }

  domain::ChangeBody PutMember() {
    const std::string& id = ids_[static_cast<std::size_t>(random_.Below(static_cast<int>(ids_.size())))];
    const domain::Member member = random_.Member(id);
    std::erase_if(world_.members, [&](const auto& m) { return m.id == id; });
    world_.members.push_back(member);
    return member;
  }

  domain::ChangeBody EraseMember() {
    if (world_.members.empty()) return std::monostate();
    const std::string id =
        world_.members[static_cast<std::size_t>(random_.Below(static_cast<int>(world_.members.size())))].id;
    std::erase_if(world_.members, [&](const auto& m) { return m.id == id; });
    std::erase_if(world_.ties, [&](const auto& t) { return t.a == id || t.b == id; });
    std::erase_if(world_.blocks, [&](const auto& b) { return b.blocker == id || b.blocked == id; });
    std::erase_if(world_.asks, [&](const auto& a) { return a.seeker == id || a.helper == id; });
    return domain::MemberErased{id, "", 0};
  }

  domain::ChangeBody PutTie() {
    const domain::Connection tie = random_.Connection(ids_);
    if (!Both(tie.a, tie.b)) return std::monostate();
    const auto known = TieAt(tie.a, tie.b);
    if (known != world_.ties.end()) world_.ties.erase(known);
    if (random_.Chance(25)) return domain::ConnectionDeleted{tie.a, tie.b};
    world_.ties.push_back(tie);
    return tie;
  }

  domain::ChangeBody PutBlock() {
    const domain::Block block = random_.Block(ids_);
    if (!Both(block.blocker, block.blocked)) return std::monostate();
    world_.blocks.push_back(block);
    return block;
  }

  domain::ChangeBody DeleteBlock() {
    if (world_.blocks.empty()) return std::monostate();
    const domain::Block block = world_.blocks.back();
    std::erase_if(world_.blocks,
                  [&](const auto& b) { return b.blocker == block.blocker && b.blocked == block.blocked; });
    return domain::BlockDeleted{block.blocker, block.blocked};
  }

  // A new ask of two members, which often is not their first; or one that goes on: it cools down, or is over.
  domain::ChangeBody ChangeAsk() {
    if (!world_.asks.empty() && random_.Chance(50)) {
      const std::size_t which = static_cast<std::size_t>(random_.Below(static_cast<int>(world_.asks.size())));
      OracleAsk& ask = world_.asks[which];
      domain::IntroductionChanged changed = {"i", ask.seeker, ask.helper, domain::IntroductionState::kDeclined, 0, 0};
      (ask.open ? changed.more_open : changed.more_cooling) = -1;
      if (ask.open && random_.Chance(60)) {
        ask.open = false;
        changed.more_cooling = 1;
      } else {
        world_.asks.erase(world_.asks.begin() + static_cast<std::ptrdiff_t>(which));
      }
      return changed;
    }
    const domain::Block two = random_.Block(ids_);
    if (!Both(two.blocker, two.blocked)) return std::monostate();
    world_.asks.push_back({two.blocker, two.blocked, true});
    return domain::IntroductionChanged{"i", two.blocker, two.blocked, domain::IntroductionState::kAwaitingHelper, 1, 0};
  }

  bool Both(const std::string& a, const std::string& b) const {
    return std::count_if(world_.members.begin(), world_.members.end(),
                         [&](const auto& m) { return m.id == a || m.id == b; }) == 2;
  }

  std::vector<domain::Connection>::iterator TieAt(const std::string& a, const std::string& b) {
    return std::find_if(world_.ties.begin(), world_.ties.end(), [&](const auto& t) { return t.a == a && t.b == b; });
  }

  RandomWorld random_;
  OracleWorld world_;
  std::vector<std::string> ids_;
  std::unique_ptr<index::PoolIndex> index_;
  std::int64_t revision_ = 1;
  int changes_a_batch_;
  std::optional<std::uint32_t> merge_limit_;
  BesideTheWriter beside_{random_};
};

RC_GTEST_PROP(MatchOracle, EqualIdsOrderScoresAndCounts, (std::uint64_t seed)) {
  Pair(seed, 2 + static_cast<int>(seed % 40)).Compare();
}

// Pools large enough for blocks, posting lists in chunks, and pruning; the vocabulary is small, so lists are long.
TEST(MatchOracle, LargePoolsAreEqual) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    try {
      Pair(seed, 600 + static_cast<int>(seed) * 400).Compare();
    } catch (const rc::detail::CaseResult& failed) {
      FAIL() << "seed " << seed << ": " << failed.description;
    }
  }
  EXPECT_GT(BesideTheWriter::merges_finished, 5);
  EXPECT_GT(BesideTheWriter::names_freed, 100);
}

// More documents than one chunk of postings holds.
TEST(MatchOracle, ChunksAreCrossedAlike) {
  for (const auto mode : {simulation::Mode::kCorrelated, simulation::Mode::kAdversarial}) {
    const simulation::Community community({.helpers = 100'000, .seed = 5, .mode = mode});
    OracleWorld world;
    world.epoch_hour = RandomWorld::kEpochHour;
    domain::Pool pool;
    index::PoolIndex index(pool, world.epoch_hour);
    {
      index::PoolIndex::Loader loader(index);
      for (int i = 0; i < 100'000; ++i) {
        world.members.push_back(community.HelperAt(i));
        loader.Add(world.members.back());
      }
      loader.Finish(1);
    }
    world.statistics = index.CountStatistics(1);
    const std::vector<domain::Change> statistics = {{2, world.statistics}};
    index.Apply(statistics);
    for (int i = 0; i < 2; ++i) {
      const OracleAnswer expected = BruteForce(world, community.NeedAt(i), 10);
      const base::RcuReadGuard guard;
      const auto actual = index::Match(index.view(), community.NeedAt(i), {.top_k = 10, .count_rules = i % 2 == 1},
                                       [] { return absl::OkStatus(); });
      ASSERT_TRUE(actual.ok());
      if (i % 2 == 1) ASSERT_EQ(actual->candidates, expected.candidates);
      ASSERT_EQ(actual->ranked.size(), expected.ranked.size());
      for (std::size_t j = 0; j < expected.ranked.size(); ++j) {
        ASSERT_EQ(actual->ranked[j].id, expected.ranked[j].id);
        ASSERT_EQ(actual->ranked[j].score, expected.ranked[j].score);
      }
    }
  }
}

// Hubs: more ties than the neighbourhood looks at.
void CompareHub(std::uint64_t seed) {
  SCOPED_TRACE(seed);
  RandomWorld random(seed);
  OracleWorld world;
  world.epoch_hour = RandomWorld::kEpochHour;
  std::vector<std::string> ids;
  for (int i = 0; i < 400; ++i) ids.push_back("m" + std::to_string(i));
  domain::Pool pool;
  index::PoolIndex index(pool, world.epoch_hour);
  index::PoolIndex::Loader loader(index);
  for (const auto& id : ids) {
    world.members.push_back(random.Member(id));
    loader.Add(world.members.back());
  }
  for (int i = 1; i < 400; ++i) {
    for (const int hub : {0, 1}) {
      if (i == hub) continue;
      domain::Connection tie;
      std::tie(tie.a, tie.b) = std::minmax(ids[static_cast<std::size_t>(hub)], ids[static_cast<std::size_t>(i)]);
      tie.strength = 0.25 * (1 + random.Below(4));
      tie.state = domain::ConnectionState::kConfirmed;
      if (hub == 1 && i == 1) continue;
      world.ties.push_back(tie);
      loader.Add(tie);
    }
  }
  loader.Finish(1);
  domain::Need need = random.Need("n", {ids[0], ids[1], ids[5]});
  const OracleAnswer expected = BruteForce(world, need, 50);
  const base::RcuReadGuard guard;
  const auto actual =
      index::Match(index.view(), need, {.top_k = 50, .count_rules = true}, [] { return absl::OkStatus(); });
  ASSERT_TRUE(actual.ok());
  ASSERT_EQ(actual->candidates, expected.candidates);
  ASSERT_EQ(actual->ranked.size(), expected.ranked.size());
  for (std::size_t j = 0; j < expected.ranked.size(); ++j) {
    ASSERT_EQ(actual->ranked[j].id, expected.ranked[j].id);
    ASSERT_EQ(actual->ranked[j].score, expected.ranked[j].score);
  }
}

TEST(MatchOracle, HubsAreCutAlike) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) CompareHub(seed);
}

TEST(MatchOracle, Report) {
  EXPECT_GT(snapshots_restored, pools_compared / 10);
  std::printf("oracle: %d random pools, %d of them moved through snapshots, %d answers compared, %d mismatches\n",
              pools_compared, snapshots_restored, answers_begun, answers_begun - answers_equal);
  EXPECT_GE(pools_compared, 1);
  EXPECT_EQ(answers_begun, answers_equal);
}

}  // namespace
}  // namespace warmline::testing
