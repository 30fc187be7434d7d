// Snapshots of an index: what stands in them, and bytes that are damaged. That a restored index answers like the oracle
// is part of match_oracle_test.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>

#include "base/rcu.h"
#include "index/matcher.h"
#include "index/snapshot.h"
#include "support/random_world.h"

namespace warmline::testing {
namespace {

using index::PieceId;
using index::PoolIndex;
using index::SnapshotRestorer;
using index::SnapshotSource;
using Pieces = std::vector<std::pair<PieceId, std::string>>;

Pieces PiecesOf(const SnapshotSource& source) {
  Pieces pieces;
  EXPECT_TRUE(source
                  .Write([&](const PieceId& id, std::string bytes) {
                    pieces.emplace_back(id, std::move(bytes));
                    return absl::OkStatus();
                  })
                  .ok());
  return pieces;
}

std::unique_ptr<PoolIndex> MakeIndex(RandomWorld& random, int members, const std::vector<std::string>& ids) {
  domain::Pool pool;
  pool.id = "p";
  auto index = std::make_unique<PoolIndex>(pool, RandomWorld::kEpochHour);
  PoolIndex::Loader loader(*index);
  for (int i = 0; i < members; ++i) loader.Add(random.Member(ids[static_cast<std::size_t>(i)]));
  for (int i = 0; i < members; ++i) {
    const domain::Connection tie = random.Connection(ids);
    if (tie.a != tie.b) loader.Add(tie);
  }
  for (int i = 0; i < 3; ++i) loader.Add(random.Block(ids));
  for (int i = 0; i < 6; ++i) {
    domain::Introduction ask;
    ask.seeker = ids[static_cast<std::size_t>(random.Below(members))];
    ask.helper = ids[static_cast<std::size_t>(random.Below(members))];
    ask.state = i % 2 == 0 ? domain::IntroductionState::kAwaitingHelper : domain::IntroductionState::kDeclined;
    if (!ask.IsOpen()) ask.cool_until = absl::UnixEpoch();
    loader.Add(ask);
    if (i == 3) loader.Add(ask);  // the same two, twice
  }
  for (int i = 0; i < 3; ++i) loader.Add(random.Need("need" + std::to_string(i), ids));
  loader.Finish(1);
  return index;
}

std::vector<std::string> Ids(int count) {
  std::vector<std::string> ids;
  for (int i = 0; i < count; ++i) ids.push_back("member-" + std::to_string(i));
  return ids;
}

absl::StatusOr<std::unique_ptr<PoolIndex>> Restore(const Pieces& pieces) {
  domain::Pool pool;
  pool.id = "p";
  SnapshotRestorer restorer(pool);
  for (const auto& [id, bytes] : pieces) {
    const auto status = restorer.Add(id, {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
    if (!status.ok()) return status;
  }
  return restorer.Finish(1, RandomWorld::kEpochHour, nullptr);
}

RC_GTEST_PROP(Snapshot, ASnapshotOfARestoredIndexIsTheSame, (std::uint64_t seed)) {
  RandomWorld random(seed);
  const auto ids = Ids(400);
  const auto index = MakeIndex(random, 1 + random.Below(400), ids);
  const Pieces pieces = PiecesOf(SnapshotSource(*index));
  const auto restored = Restore(pieces);
  RC_ASSERT(restored.ok());
  RC_ASSERT(PiecesOf(SnapshotSource(**restored)) == pieces);
}

// Bytes that were changed, cut, left out or put in another order are refused, or make an index that is wrong but whole:
// nothing is read that is not there. (Checksums keep such bytes away; this is the wall behind them.)
RC_GTEST_PROP(Snapshot, DamageIsRefusedOrHarmless, (std::uint64_t seed)) {
  RandomWorld random(seed);
  const auto ids = Ids(320);
  const auto index = MakeIndex(random, 1 + random.Below(320), ids);
  Pieces pieces = PiecesOf(SnapshotSource(*index));
  for (int i = 1 + random.Below(3); i > 0; --i) {
    const auto which = static_cast<std::size_t>(random.Below(static_cast<int>(pieces.size())));
    std::string& bytes = pieces[which].second;
    switch (random.Below(4)) {
      case 0:
        if (!bytes.empty())
          bytes[static_cast<std::size_t>(random.Below(static_cast<int>(bytes.size())))] ^=
              static_cast<char>(1 << random.Below(8));
        break;
      case 1:
        bytes.resize(static_cast<std::size_t>(random.Below(static_cast<int>(bytes.size()) + 1)));
        break;
      case 2:
        pieces.erase(pieces.begin() + static_cast<std::ptrdiff_t>(which));
        break;
      default:
        std::swap(pieces[which].second,
                  pieces[static_cast<std::size_t>(random.Below(static_cast<int>(pieces.size())))].second);
    }
    if (pieces.empty()) break;
  }
  auto restored = Restore(pieces);
  if (!restored.ok()) return;
  for (int i = 0; i < 5; ++i) {
    const domain::Need need = random.Need("n", ids);
    const base::RcuReadGuard guard;
    (void)index::Match((*restored)->view(), need, {.top_k = 10, .count_rules = true}, [] { return absl::OkStatus(); });
  }
}

TEST(Snapshot, APieceWithoutBytesIsRefusedOrHarmless) {
  RandomWorld random(17);
  const auto index = MakeIndex(random, 60, Ids(60));
  const Pieces whole = PiecesOf(SnapshotSource(*index));
  int refused = 0;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    Pieces pieces = whole;
    pieces[i].second.clear();
    refused += Restore(pieces).ok() ? 0 : 1;
  }
  EXPECT_GT(refused, 5);
}

TEST(Snapshot, AnErasedMemberStandsInNoPiece) {
  RandomWorld random(11);
  const auto ids = Ids(300);
  const auto index = MakeIndex(random, 299, ids);
  domain::Member member = random.Member("unmistakable-id-4711");
  member.interests = {domain::Interest{"skill:unmistakable", "skill:unmistakable", 0.8}};
  member.offer.emplace();
  const std::vector<domain::Change> put = {{2, member}};
  index->Apply(put);
  const auto holding = [&](const std::string& mark) {
    int pieces = 0;
    for (const auto& [id, bytes] : PiecesOf(SnapshotSource(*index))) {
      if (bytes.find(mark) != std::string::npos) ++pieces;
    }
    return pieces;
  };
  EXPECT_EQ(holding("unmistakable-id-4711"), 1);
  const SnapshotSource before(*index);
  const std::vector<domain::Change> erase = {{3, domain::MemberErased{"unmistakable-id-4711", "", 0}}};
  index->Apply(erase);
  EXPECT_EQ(holding("unmistakable-id-4711"), 0);
  // One that was taken before and is written after says that it is of no use.
  EXPECT_TRUE(absl::IsAborted(before.Write([](const PieceId&, const std::string&) { return absl::OkStatus(); })));
}

// Also what the member had before, and what nobody had but members who are erased together.
TEST(Snapshot, WhatOnlyErasedMembersHadStandsInNoPiece) {
  RandomWorld random(12);
  const auto ids = Ids(300);
  const auto index = MakeIndex(random, 299, ids);
  const auto made = [&](const std::string& id, const std::string& mark) {
    domain::Member member = random.Member(id);
    member.interests = {domain::Interest{"skill:" + mark, "skill:" + mark, 0.8}};
    member.conflict_keys = {"key-" + mark};
    member.offer.emplace();
    member.offer->places = {"de/" + mark};
    member.offer->seeker_interests = {domain::Interest{"wish:" + mark, "wish:" + mark, 1.0}};
    return member;
  };
  domain::Need need = random.Need("need-unmistakable", {"x-1"});
  need.seeker = "x-1";
  const std::vector<domain::Change> put = {{2, made("x-1", "unmistakable-before")},
                                           {3, made("x-1", "unmistakable-now")},
                                           {4, made("x-2", "unmistakable-now")},
                                           {5, made("x-3", "shared")},
                                           {6, made("x-2", "shared")},
                                           {7, need}};
  index->Apply(put);
  const std::vector<domain::Change> counted = {{8, index->CountStatistics(1)}};
  index->Apply(counted);
  const auto pieces_with = [&](const std::string& mark) {
    int pieces = 0;
    for (const auto& [id, bytes] : PiecesOf(SnapshotSource(*index))) pieces += bytes.find(mark) != std::string::npos;
    return pieces;
  };
  EXPECT_GT(pieces_with("unmistakable"), 0);
  EXPECT_EQ(index->InterestsWithout({}, nullptr).size(), 0U);
  const std::vector<std::string> leaving = {"x-1"};
  EXPECT_EQ(index->InterestsWithout(leaving, nullptr), std::vector<std::string>{"skill:unmistakable-now"});
  domain::Statistics forgetting = index->CountStatistics(2);
  std::erase_if(forgetting.interests,
                [](const auto& i) { return i.canonical.find("unmistakable") != std::string::npos; });
  const std::vector<domain::Change> erase = {{9, domain::MemberErased{"x-1", "", 0}}, {10, forgetting}};
  index->Apply(erase);
  auto sweep = index->SweepNow();
  ASSERT_NE(sweep, nullptr);
  sweep->Run();
  EXPECT_GT(index->FinishSweep(*sweep).value_or(0), 0U);
  EXPECT_EQ(pieces_with("unmistakable"), 0);
  EXPECT_GT(pieces_with("shared"), 0);
  // And the index from such pieces goes on: names come back under other numbers.
  auto restored = Restore(PiecesOf(SnapshotSource(*index)));
  ASSERT_TRUE(restored.ok()) << restored.status();
  const std::vector<domain::Change> again = {{11, made("x-4", "unmistakable-now")}};
  (*restored)->Apply(again);
  index->Apply(again);
  const base::RcuReadGuard guard;
  const auto go_on = [] { return absl::OkStatus(); };
  domain::Need asks = random.Need("n", ids);
  asks.interests = {domain::Interest{"skill:unmistakable-now", "skill:unmistakable-now", 1.0}};
  const auto mine = index::Match(index->view(), asks, {.top_k = 10, .count_rules = true}, go_on);
  const auto theirs = index::Match((*restored)->view(), asks, {.top_k = 10, .count_rules = true}, go_on);
  ASSERT_TRUE(mine.ok() && theirs.ok());
  EXPECT_EQ(mine->candidates, theirs->candidates);
  EXPECT_GT(mine->candidates, 0);
}

TEST(Snapshot, AChangeOfOneMemberChangesFewPieces) {
  RandomWorld random(13);
  const auto ids = Ids(40'000);
  const auto index = MakeIndex(random, 40'000, ids);
  const Pieces before = PiecesOf(SnapshotSource(*index));
  const std::vector<domain::Change> put = {{2, random.Member("member-7")}};
  index->Apply(put);
  const Pieces after = PiecesOf(SnapshotSource(*index));
  std::set<std::string> known;
  for (const auto& [id, bytes] : before) known.insert(bytes);
  std::size_t fresh = 0;
  for (const auto& [id, bytes] : after) fresh += known.contains(bytes) ? 0 : bytes.size();
  std::size_t all = 0;
  for (const auto& [id, bytes] : after) all += bytes.size();
  EXPECT_GT(all, 2'000'000U);
  EXPECT_LT(fresh, all / 8);
}

}  // namespace
}  // namespace warmline::testing
