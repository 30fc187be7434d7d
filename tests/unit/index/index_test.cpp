#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>
#include <tuple>

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
  row.member = member;
  row.terms = std::move(terms);
  return row;
}

// The capacity stands for the static score.
HelperRow Worth(HelperRow row, std::uint16_t score) {
  row.open_capacity = score;
  return row;
}

std::uint32_t ByCapacity(const RowView& row) { return row.open_capacity(); }

TEST(Row, KeepsEverything) {
  HelperRow row = Row(0xfedcba98, {{70'000, 1}, {5, 255}, {65'535, 3}, {65'536, 4}});
  row.profession = 65'536;
  row.open_capacity = 10'000;
  row.week_capacity = 3;
  row.involvement = 6;
  row.evidence = {UINT32_MAX, 1, 128, 490'000, 7, 300, 489'999, 1'440};
  std::vector<std::uint8_t> packed = {1, 2, 3};
  PackRow(row, packed);
  const RowView view(packed.data() + 3);
  EXPECT_EQ(view.member(), 0xfedcba98);
  EXPECT_EQ(view.open_capacity(), 10'000);
  EXPECT_EQ(view.week_capacity(), 3);
  EXPECT_EQ(view.involvement(), 6);
  EXPECT_EQ(view.terms(), 4U);
  EXPECT_EQ(view.profession(), 65'536U);
  EXPECT_EQ(view.Level(5), 255);
  EXPECT_EQ(view.Level(65'535), 3);
  EXPECT_EQ(view.Level(65'536), 4);
  EXPECT_EQ(view.Level(70'000), 1);
  EXPECT_EQ(view.Level(6), 0);
  const ranking::EvidenceMass e = view.evidence();
  EXPECT_EQ(std::tie(e.helped, e.unhelpful, e.silent, e.as_of_hour), std::tuple(UINT32_MAX, 1U, 128U, 490'000U));
  EXPECT_EQ(std::tie(e.helped_count, e.outcome_count, e.last_helped_hour, e.response_minutes),
            std::tuple(7U, 300U, 489'999U, 1'440U));
}

TEST(Row, WithoutEvidenceSaysNothingIsKnown) {
  std::vector<std::uint8_t> packed;
  PackRow(Row(1, {}), packed);
  const ranking::EvidenceMass e = RowView(packed.data()).evidence();
  EXPECT_EQ(e.outcome_count, 0U);
  EXPECT_EQ(e.last_helped_hour, ranking::kUnknown);
  EXPECT_EQ(e.response_minutes, ranking::kUnknown);
  EXPECT_EQ(RowView(packed.data()).profession(), kNone);
}

TEST(Segment, TheBestStandFirst) {
  const std::vector<HelperRow> rows = {Worth(Row(9, {{1, 10}, {2, 20}}), 5), Worth(Row(3, {{2, 30}}), 7),
                                       Worth(Row(5, {}), 5)};
  const auto segment = Segment::Build(rows, ByCapacity);
  ASSERT_EQ(segment->size(), 3U);
  EXPECT_EQ(segment->Find(3), 0U);
  EXPECT_EQ(segment->Find(5), 1U);
  EXPECT_EQ(segment->Find(9), 2U);
  EXPECT_EQ(segment->Find(4), std::nullopt);
  EXPECT_EQ(segment->row(0).Level(2), 30);
  EXPECT_EQ(segment->row(2).Level(2), 20);
  EXPECT_EQ(segment->row(0).Level(1), 0);
}

TEST(Segment, TheDeadAreSeenByOlderViewsOnly) {
  const auto segment = Segment::Build(std::vector{Row(1, {}), Row(2, {}), Row(3, {})}, ByCapacity);
  segment->Kill(0, 7);
  segment->Kill(2, 9);
  EXPECT_TRUE(segment->LivesAt(0, 6));
  EXPECT_FALSE(segment->LivesAt(0, 7));
  EXPECT_FALSE(segment->LivesAt(0, 8));
  EXPECT_TRUE(segment->LivesAt(2, 8));
  EXPECT_FALSE(segment->LivesAt(2, 9));
  EXPECT_TRUE(segment->LivesAt(1, 100));
}

TEST(Segment, MergeDropsTheDeadAndFollowsTheDying) {
  const std::vector segments = {
      Segment::Build(std::vector{Row(1, {{1, 11}}), Row(5, {{1, 15}}), Row(7, {})}, ByCapacity),
      Segment::Build(std::vector{Row(3, {{1, 13}, {2, 23}}), Row(5, {{1, 55}})}, ByCapacity)};
  segments[0]->Kill(1, 2);  // member 5 has a newer document in the other
  std::vector<std::uint32_t> seen;
  const auto merged = Segment::Merge(segments, ByCapacity, seen);
  segments[0]->Kill(2, 3);  // member 7, while the merge ran
  for (std::size_t i = 0; i < segments.size(); ++i) merged->FollowDeaths(*segments[i], seen[i]);
  ASSERT_EQ(merged->size(), 4U);
  EXPECT_EQ(merged->row(*merged->Find(1)).Level(1), 11);
  EXPECT_EQ(merged->row(*merged->Find(3)).Level(2), 23);
  EXPECT_EQ(merged->row(*merged->Find(5)).Level(1), 55);
  EXPECT_TRUE(merged->LivesAt(*merged->Find(5), 4));
  EXPECT_FALSE(merged->LivesAt(*merged->Find(7), 4));
  EXPECT_EQ(merged->dead(), 1U);
}

// Members close together are found through an array, far apart by searching.
TEST(Segment, FindsMembersNearAndFar) {
  for (const std::uint32_t step : {1U, 3U}) {
    std::vector<HelperRow> rows;
    for (std::uint32_t i = 0; i < 1'000; ++i) rows.push_back(Worth(Row(100 + i * step, {}), i * 7 % 1'000));
    const auto segment = Segment::Build(rows, ByCapacity);
    for (std::uint32_t member = 0; member < 3'200; ++member) {
      const auto found = segment->Find(member);
      ASSERT_EQ(found.has_value(), member >= 100 && (member - 100) % step == 0 && (member - 100) / step < 1'000)
          << member;
      if (found) ASSERT_EQ(segment->row(*found).member(), member);
    }
  }
}

TEST(Postings, CursorsSkipOverChunks) {
  std::vector<HelperRow> rows;
  std::vector<std::uint32_t> expected;  // documents with term 9
  for (std::uint32_t i = 0; i < 200'000; ++i) {
    HelperRow row = Row(i, {{4, 1}});
    if (i % 37 == 5 && i / 65'536 != 1) {
      row.terms.push_back({9, static_cast<std::uint8_t>(1 + i % 255)});
      expected.push_back(i);
    }
    rows.push_back(std::move(row));
  }
  const auto segment = Segment::Build(rows, [](const auto&) { return 1; });
  const Postings::List list = segment->postings()->list(9);
  EXPECT_EQ(list.size, expected.size());
  EXPECT_EQ(list.chunks.size(), 3U);  // none in the second
  EXPECT_EQ(segment->postings()->list(5).size, 0U);
  for (const std::uint32_t step : {1U, 30U, 1'000U, 90'000U}) {
    PostingCursor cursor(list);
    for (std::uint32_t doc = 0; doc < 210'000; doc += step) {
      cursor.SkipTo(doc);
      const auto next = std::lower_bound(expected.begin(), expected.end(), doc);
      ASSERT_EQ(cursor.document(), next == expected.end() ? PostingCursor::kEnd : *next) << doc << " by " << step;
    }
  }
  std::vector<std::uint32_t> walked;
  PostingCursor cursor(list);
  for (std::uint32_t end = 4'096; end < 204'096; end += 4'096) {
    if (cursor.document() >= end) continue;
    cursor.ForEachBefore(end, [&](std::uint32_t doc, std::uint8_t level) {
      ASSERT_LT(doc, end);
      ASSERT_EQ(level, 1 + doc % 255);
      walked.push_back(doc);
    });
  }
  EXPECT_EQ(walked, expected);
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
        // The same view gives the same answer.
        ASSERT_EQ(first->ranked.size(), second->ranked.size());
        for (std::size_t j = 0; j < first->ranked.size(); ++j) ASSERT_EQ(first->ranked[j].id, second->ranked[j].id);
        ++answers;
      }
    });
  }
  for (int i = 0; i < 600 || answers < 50; ++i) {
    std::vector<domain::Change> changes = Helpers(community, i % 1'000, i % 1'000 + 1);
    for (const auto& tie : community.TiesOf(i % 1'000)) changes.push_back({0, tie});
    if (i % 10 == 3) changes.push_back({0, domain::MemberErased{"h" + std::to_string((i * 7) % 1'000), "", 0}});
    if (i % 50 == 9) index.AdvanceEpoch(490'000 + i);
    index.Apply(changes);
  }
  stop = true;
  for (auto& reader : readers) reader.join();
}

// Helpers whom every list of a need names, own and related: lists of one own term that are gone through at different
// times count each by itself, and all together more than the whole score is worth. None of them may be lost.
TEST(Match, ManyListsOfOneHelperAreNeverTooManyToCount) {
  constexpr int kOwn = 3;
  constexpr std::array<std::uint8_t, 4> kDiscounts = {40, 60, 80, 100};
  const auto own = [](int i) { return "skill:own" + std::to_string(i); };
  const auto related = [](int i, std::size_t j) {
    return "skill:related" + std::to_string(i) + "-" + std::to_string(j);
  };
  const auto helper = [](int number) {
    domain::Member member;
    member.id = "m" + std::to_string(10'000 + number);
    domain::Offer& offer = member.offer.emplace();
    offer.help_kinds = {domain::HelpKind::kAdvice};
    offer.capacity = {1, 1};
    offer.open_to = {domain::Reach::kPool};
    offer.confirmation = domain::Confirmation::kSelfConfirmed;
    return member;
  };
  const auto add = [](domain::Member& member, const std::string& name, double strength) {
    member.interests.push_back({name, name, strength});
  };
  domain::Pool pool = MadePool();
  pool.policy.weights = {};
  pool.policy.weights[0] = domain::kOne;  // interests alone: documents stand in order of member
  PoolIndex index(pool, 490'000);
  {
    PoolIndex::Loader loader(index);
    for (int i = 0; i < 12'000; ++i) {
      domain::Member member = helper(i);
      if (i < 40) {  // good enough to raise the threshold
        for (int o = 0; o < kOwn; ++o) add(member, own(o), 0.9);
      } else if (i >= 9'000 && i < 9'100) {  // in every list
        for (int o = 0; o < kOwn; ++o) {
          add(member, own(o), 1.0);
          for (std::size_t j = 0; j < kDiscounts.size(); ++j) add(member, related(o, j), 1.0);
        }
      } else if (i % 3 == 0 && i < 9'000) {  // makes related lists the longer the less they count: each a step apart
        const std::array<bool, 4> in = {true, i / 3 % 5 < 2, i / 3 % 3 == 0, i / 3 % 4 == 0};
        for (int o = 0; o < kOwn; ++o) {
          add(member, own(o), 0.2);
          for (std::size_t j = 0; j < in.size(); ++j) {
            if (in[j]) add(member, related(o, j), 1.0);
          }
        }
      }
      loader.Add(member);
    }
    domain::Statistics statistics;
    statistics.generation = 1;
    statistics.helpers = 12'000;
    for (int o = 0; o < kOwn; ++o) {
      domain::InterestStatistics entry{own(o), 3'000, {}};
      for (std::size_t j = kDiscounts.size(); j-- > 0;) {
        entry.relations.push_back({related(o, j), kDiscounts[j]});
        statistics.interests.push_back({related(o, j), 1'000, {}});
      }
      statistics.interests.push_back(entry);
    }
    loader.Set(statistics);
    loader.Finish(1);
  }
  domain::Need need;
  need.id = "n";
  need.seeker = "nobody";
  need.help_kinds = {domain::HelpKind::kAdvice};
  for (int o = 0; o < kOwn; ++o) need.interests.push_back({own(o), own(o), 1.0});
  const base::RcuReadGuard guard;
  const auto result = Match(index.view(), need, {.top_k = 10}, [] { return absl::OkStatus(); });
  ASSERT_TRUE(result.ok());
  ASSERT_EQ(result->ranked.size(), 10U);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(result->ranked[static_cast<std::size_t>(i)].id, "m" + std::to_string(19'000 + i));
    EXPECT_EQ(result->ranked[static_cast<std::size_t>(i)].score, domain::kOne);
  }
}

TEST(Row, BytesThatAreNoRowAreRefused) {
  std::vector<std::uint8_t> packed;
  PackRow(Row(1, {{3, 200}}), packed);
  EXPECT_TRUE(RowView::IsSound(packed, 2, 4));
  EXPECT_FALSE(RowView::IsSound(packed, 1, 4));  // nobody has that number
  EXPECT_FALSE(RowView::IsSound(packed, 2, 3));  // there is no such term
  std::vector<std::uint8_t> involved = packed;
  involved[11] = domain::kInvolvements;  // no involvement
  EXPECT_FALSE(RowView::IsSound(involved, 2, 4));
  packed.pop_back();
  EXPECT_FALSE(RowView::IsSound(packed, 2, 4));
}

TEST(Match, StopsWhenTold) {
  const simulation::Community community({.helpers = 40'000});
  PoolIndex index(MadePool(), 490'000);
  PoolIndex::Loader loader(index);
  for (int i = 0; i < 40'000; ++i) loader.Add(community.HelperAt(i));
  loader.Finish(1);
  const base::RcuReadGuard guard;
  domain::Need need = community.NeedAt(1);
  need.interests = {{"skill:s0", "skill:s0", 1.0}, {"skill:s5", "skill:s5", 1.0}, {"skill:s10", "skill:s10", 1.0}};
  const auto result =
      Match(index.view(), need, {.top_k = 10, .count_rules = true}, [] { return absl::CancelledError("stop"); });
  EXPECT_EQ(result.status().code(), absl::StatusCode::kCancelled);
}

}  // namespace
}  // namespace warmline::index
