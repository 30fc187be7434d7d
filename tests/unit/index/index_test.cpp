#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/rcu.h"
#include "index/attribute_sets.h"
#include "index/matcher.h"
#include "index/pool_index.h"
#include "index/suggest.h"
#include "simulation/community.h"

namespace warmline::index {
namespace {

HelperRow Row(std::uint32_t member, std::vector<HelperTerm> terms) {
  HelperRow row;
  row.document.member = member;
  row.terms = std::move(terms);
  return row;
}

TEST(Segment, KeepsDocumentsInOrderOfMember) {
  Segment segment({Row(9, {{1, 10}, {2, 20}}), Row(3, {{2, 30}}), Row(5, {})});
  ASSERT_EQ(segment.size(), 3U);
  EXPECT_EQ(segment.Find(3), 0U);
  EXPECT_EQ(segment.Find(9), 2U);
  EXPECT_EQ(segment.Find(4), std::nullopt);
  EXPECT_EQ(segment.Level(2, 0), 30);
  EXPECT_EQ(segment.Level(2, 2), 20);
  EXPECT_EQ(segment.Level(1, 0), 0);
  EXPECT_TRUE(segment.postings(7).documents.empty());
}

TEST(Segment, TheDeadAreSeenByOlderViewsOnly) {
  Segment segment({Row(1, {}), Row(2, {})});
  segment.Kill(0, 7);
  EXPECT_TRUE(segment.LivesAt(0, 6));
  EXPECT_FALSE(segment.LivesAt(0, 7));
  EXPECT_TRUE(segment.LivesAt(1, 100));
}

TEST(Segment, MergeDropsTheDead) {
  Segment a({Row(1, {{1, 11}}), Row(5, {{1, 15}})});
  Segment b({Row(3, {{1, 13}, {2, 23}}), Row(5, {{1, 55}})});
  a.Kill(1, 2);  // member 5 has a newer document in b
  const auto merged = Segment::Merge(a, b);
  ASSERT_EQ(merged->size(), 3U);
  EXPECT_EQ(merged->Level(1, 0), 11);
  EXPECT_EQ(merged->Level(1, 1), 13);
  EXPECT_EQ(merged->Level(1, 2), 55);
  EXPECT_EQ(merged->Level(2, 1), 23);
}

TEST(Segment, FindGallops) {
  std::vector<HelperRow> rows;
  for (std::uint32_t i = 0; i < 1'000; ++i) rows.push_back(Row(i * 3, {}));
  const Segment segment(std::move(rows));
  std::uint32_t from = 0;
  for (std::uint32_t member = 0; member < 3'100; ++member) {
    const auto found = segment.Find(member, &from);
    ASSERT_EQ(found.has_value(), member % 3 == 0 && member < 3'000) << member;
  }
}

TEST(AttributeSets, OrderAndRepetitionDoNotMatter) {
  AttributeSets sets;
  const base::RcuReadGuard guard;
  EXPECT_EQ(sets.Intern({}), 0U);
  const auto ab = sets.Intern({"b", "a", "b"});
  EXPECT_EQ(sets.Intern({"a", "b"}), ab);
  EXPECT_EQ(sets.Contents(ab), (std::vector<std::string_view>{"a", "b"}));
  EXPECT_TRUE(sets.Contents(0).empty());
  EXPECT_TRUE(Intersects(sets.Contents(ab), {"b", "c"}));
  EXPECT_FALSE(Intersects(sets.Contents(ab), {"c"}));
}

domain::Pool MadePool() {
  domain::Pool pool;
  pool.id = "p";
  pool.display_name = "P";
  return pool;
}

std::vector<domain::Change> Helpers(const simulation::Community& community, int from, int to) {
  std::vector<domain::Change> changes;
  for (int i = from; i < to; ++i) changes.push_back({i + 1, community.HelperAt(i)});
  return changes;
}

TEST(PoolIndex, SegmentsStayFew) {
  const simulation::Community community({.helpers = 4'000});
  PoolIndex index(MadePool(), 490'000);
  for (int i = 0; i < 4'000; ++i) index.Apply(Helpers(community, i, i + 1));
  const IndexState state = index.State();
  EXPECT_EQ(state.members, 4'000);
  EXPECT_EQ(state.helpers, 4'000);
  EXPECT_LE(state.segments, 13);
}

TEST(PoolIndex, SuggestsByPrefixAndByCompany) {
  const simulation::Community community({.helpers = 2'000});
  PoolIndex index(MadePool(), 490'000);
  index.Apply(Helpers(community, 0, 2'000));
  const std::vector<domain::Change> refresh = {{9'999, index.CountStatistics(1)}};
  index.Apply(refresh);
  const base::RcuReadGuard guard;
  const auto typed = SuggestInterests(index.view(), "Profession:P1", {}, 5);
  ASSERT_EQ(typed.size(), 5U);
  for (std::size_t i = 0; i < typed.size(); ++i) {
    EXPECT_EQ(typed[i].interest.rfind("profession:p1", 0), 0U);
    if (i > 0) EXPECT_GE(typed[i - 1].helpers, typed[i].helpers);
  }
  const auto bare = SuggestInterests(index.view(), "p10", {}, 5);
  ASSERT_FALSE(bare.empty());
  EXPECT_EQ(bare[0].interest.rfind("profession:p10", 0), 0U);
  const auto related = SuggestInterests(index.view(), "", {"profession:p0"}, 5);
  ASSERT_FALSE(related.empty());
  EXPECT_TRUE(related[0].related);
  EXPECT_TRUE(SuggestInterests(index.view(), "no such thing", {}, 5).empty());
  EXPECT_EQ(SuggestInterests(index.view(), "", {}, 3).size(), 3U);  // the most used
}

// Readers match without locks while a writer changes, erases and merges; each answer is of one view.
TEST(PoolIndex, ReadersWhileWriting) {
  const simulation::Community community({.helpers = 1'000, .ties_per_member = 6});
  PoolIndex index(MadePool(), 490'000);
  index.Apply(Helpers(community, 0, 1'000));
  std::atomic<bool> stop{false};
  std::atomic<std::int64_t> answers{0};
  std::vector<std::thread> readers;
  for (int t = 0; t < 2; ++t) {
    readers.emplace_back([&, t] {
      for (int i = t; !stop; ++i) {
        const domain::Need need = community.NeedAt(i % 100);
        const base::RcuReadGuard guard;
        const View& view = index.view();
        const auto first = Match(view, need, {.top_k = 10}, [] { return absl::OkStatus(); });
        const auto second = Match(view, need, {.top_k = 10}, [] { return absl::OkStatus(); });
        ASSERT_TRUE(first.ok() && second.ok());
        ASSERT_EQ(first->candidates, second->candidates);  // the same view gives the same answer
        ++answers;
      }
    });
  }
  for (int i = 0; i < 600 || answers < 50; ++i) {
    std::vector<domain::Change> changes = Helpers(community, i % 1'000, i % 1'000 + 1);
    for (const auto& tie : community.TiesOf(i % 1'000)) changes.push_back({0, tie});
    if (i % 10 == 3) changes.push_back({0, domain::MemberErased{"h" + std::to_string((i * 7) % 1'000)}});
    if (i % 50 == 9) index.AdvanceEpoch(490'000 + i);
    index.Apply(changes);
  }
  stop = true;
  for (auto& reader : readers) reader.join();
}

TEST(Match, StopsWhenTold) {
  const simulation::Community community({.helpers = 30'000});
  PoolIndex index(MadePool(), 490'000);
  PoolIndex::Loader loader(index);
  for (int i = 0; i < 30'000; ++i) loader.Add(community.HelperAt(i));
  loader.Finish(1);
  const base::RcuReadGuard guard;
  domain::Need need = community.NeedAt(1);
  need.interests = {{"skill:s0", "skill:s0", 1.0}, {"skill:s5", "skill:s5", 1.0}, {"skill:s10", "skill:s10", 1.0}};
  const auto result = Match(index.view(), need, {.top_k = 10}, [] { return absl::CancelledError("stop"); });
  EXPECT_EQ(result.status().code(), absl::StatusCode::kCancelled);
}

}  // namespace
}  // namespace warmline::index
