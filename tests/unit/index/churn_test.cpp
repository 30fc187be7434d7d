// Members who come and go leave nothing behind: an index of as many living members holds as much as before.
#include <gtest/gtest.h>
#include <malloc.h>

#include <atomic>
#include <thread>

#include "base/rcu.h"
#include "index/matcher.h"
#include "index/pool_index.h"
#include "index/snapshot.h"

namespace warmline::index {
namespace {

constexpr int kLiving = 500;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;  // everything takes twenty times as long, and the heap is another
#else
constexpr bool kSanitized = false;
#endif

std::string Id(int i) { return "a-member-with-a-long-id-" + std::to_string(i); }

domain::Interest InterestOf(const std::string& name) { return {name, name, 0.5}; }

// A member who says what nobody else says.
domain::Member MemberNumber(int i) {
  const std::string own = std::to_string(i);
  domain::Member member;
  member.id = Id(i);
  member.kind = domain::MemberKind::kPerson;
  member.interests = {InterestOf("skill:sql"), InterestOf("skill:only-" + own), InterestOf("profession:p-" + own)};
  member.conflict_keys = {"household-" + own};
  member.offer.emplace();
  member.offer->help_kinds = {domain::HelpKind::kAdvice};
  member.offer->capacity = {2, 2};
  member.offer->languages = {"en"};
  member.offer->places = {"de/place-" + own};
  member.offer->open_to = {domain::Reach::kPool};
  member.offer->seeker_interests = {InterestOf("skill:sql"), InterestOf("skill:wanted-" + own)};
  member.offer->confirmation = domain::Confirmation::kVouched;
  return member;
}

class Churn {
 public:
  Churn() : index_(PoolOf(), 490'000) { index_.LeaveLargeMerges(); }

  // One comes, is tied to the one before, blocks the one before that, needs help; the oldest is erased.
  void Live() {
    const int i = born_++;
    std::vector<domain::Change> changes = {Next(MemberNumber(i))};
    domain::Need need;
    need.id = "a-need-with-a-long-id-" + std::to_string(i);
    need.seeker = Id(i);
    need.interests = {InterestOf("skill:needed-" + std::to_string(i))};
    changes.push_back(Next(need));
    if (i > 1) {
      domain::Connection tie;
      tie.a = Id(i - 1);
      tie.b = Id(i);
      tie.strength = 0.5;
      tie.state = domain::ConnectionState::kConfirmed;
      changes.push_back(Next(tie));
      changes.push_back(Next(domain::Block{Id(i), Id(i - 2)}));
      changes.push_back(
          Next(domain::IntroductionChanged{"i", Id(i), Id(i - 1), domain::IntroductionState::kAwaitingHelper, 1, 0}));
    }
    index_.Apply(changes);
    if (i >= kLiving) {
      const std::vector<domain::Change> gone = {
          Next(domain::NeedDeleted{"a-need-with-a-long-id-" + std::to_string(i - kLiving)}),
          Next(domain::MemberErased{Id(i - kLiving), "", 0})};
      index_.Apply(gone);
    }
    if (auto merge = index_.StartMerge()) {
      merge->Run();
      index_.FinishMerge(*merge);
    }
    Sweep();
  }
  void Sweep() {
    if (auto sweep = index_.StartSweep()) {
      sweep->Run();
      (void)index_.FinishSweep(*sweep);
    }
  }
  PoolIndex& index() { return index_; }
  [[nodiscard]] int born() const { return born_; }

 private:
  static domain::Pool PoolOf() {
    domain::Pool pool;
    pool.id = "p";
    return pool;
  }
  domain::Change Next(domain::ChangeBody body) { return {++revision_, std::move(body)}; }

  PoolIndex index_;
  std::int64_t revision_ = 0;
  int born_ = 0;
};

std::int64_t Numbers(const IndexState& state) {
  std::int64_t numbers = 0;
  for (const auto* names :
       {&state.member_names, &state.need_names, &state.interest_names, &state.set_names, &state.combination_names})
    numbers += names->used + names->free;
  return numbers;
}

std::int64_t HeapBytes() {
  base::RcuSynchronize();
  const auto info = mallinfo2();
  return static_cast<std::int64_t>(info.uordblks + info.hblkhd);
}

TEST(Churn, ThoseWhoLeaveLeaveNothingBehind) {
  Churn churn;
  // Past the first compaction of ties, which comes after 4,096 rows.
  constexpr int kWarm = kSanitized ? 5'000 : 12'000;
  constexpr int kLives = kSanitized ? 2'000 : 24'000;
  while (churn.born() < kWarm) churn.Live();
  const IndexState before = churn.index().State();
  const std::int64_t heap_before = HeapBytes();
  while (churn.born() < kWarm + kLives) churn.Live();
  const IndexState after = churn.index().State();
  EXPECT_EQ(after.members, kLiving);
  EXPECT_EQ(after.member_names.used, kLiving);
  EXPECT_EQ(after.need_names.used, kLiving);
  EXPECT_LE(after.member_names.free + after.need_names.free, 4);
  // Each life brought 2 interests, 3 sets and 1 combination that no other has; a sweep waits for 1,024 more.
  EXPECT_LE(Numbers(after), kLiving * 8 + 2 * 1024 + 1024);
  EXPECT_LE(Numbers(after), Numbers(before) + 16);
  EXPECT_LE(after.bytes.All(), before.bytes.All() + before.bytes.All() / 4);
  // One life left 887 bytes before numbers went from name to name.
  const std::int64_t more = HeapBytes() - heap_before;
  RecordProperty("heap_bytes_per_life", std::to_string(more / kLives));
  if (!kSanitized) EXPECT_LE(more, kLives * 20);
}

// Whoever reads while numbers go from one to another sees each member with what is theirs.
TEST(Churn, ReadersNeverSeeOneUnderTheNumberOfAnother) {
  Churn churn;
  churn.index().SweepAfter(1);
  while (churn.born() < 300) churn.Live();
  std::atomic<bool> done{false};
  std::atomic<std::int64_t> seen{0};
  const auto read = [&] {
    domain::Need need;
    need.id = "n";
    need.seeker = "nobody";
    need.help_kinds = {domain::HelpKind::kAdvice};
    need.interests = {InterestOf("skill:sql")};
    while (!done) {
      const base::RcuReadGuard guard;
      const auto found = Match(churn.index().view(), need, {.top_k = 20}, [] { return absl::OkStatus(); });
      ASSERT_TRUE(found.ok());
      ASSERT_EQ(found->ranked.size(), 20U);
      for (const RankedHelper& helper : found->ranked) {
        ASSERT_EQ(helper.profession, "profession:p-" + helper.id.substr(Id(0).size() - 1));
        ASSERT_EQ(helper.shared.size(), 1U);
        ++seen;
      }
    }
  };
  std::thread one(read);
  std::thread two(read);
  while (churn.born() < (kSanitized ? 900 : 3'000)) churn.Live();
  done = true;
  one.join();
  two.join();
  EXPECT_GT(seen, 0);
}

// What a snapshot names stays what it is until the snapshot is written.
TEST(Churn, ASnapshotHoldsOffTheSweep) {
  Churn churn;
  while (churn.born() < 100) churn.Live();
  churn.index().SweepAfter(1);
  domain::Member member = MemberNumber(50);
  member.interests = {InterestOf("skill:sql")};
  {
    const SnapshotSource source(churn.index());
    const std::vector<domain::Change> changes = {{1'000, member}};
    churn.index().Apply(changes);
    EXPECT_EQ(churn.index().StartSweep(), nullptr);
    std::string all;
    ASSERT_TRUE(source
                    .Write([&](const PieceId&, const std::string& bytes) {
                      all += bytes;
                      return absl::OkStatus();
                    })
                    .ok());
    EXPECT_NE(all.find("skill:only-50"), std::string::npos);
  }
  churn.Sweep();
  std::string all;
  const SnapshotSource source(churn.index());
  ASSERT_TRUE(source
                  .Write([&](const PieceId&, const std::string& bytes) {
                    all += bytes;
                    return absl::OkStatus();
                  })
                  .ok());
  EXPECT_EQ(all.find("skill:only-50"), std::string::npos);
  EXPECT_NE(all.find("skill:only-51"), std::string::npos);
}

// The number of an erased member is soon another's; their row is no more in a snapshot for that.
TEST(Churn, ANumberOfAnotherHidesNoErasedRow) {
  domain::Pool pool;
  PoolIndex index(pool, 490'000);
  std::vector<domain::Change> changes;
  for (int i = 0; i < 400; ++i) changes.push_back({i + 1, MemberNumber(i)});
  changes[7].body = [] {
    domain::Member marked = MemberNumber(7);
    marked.offer->capacity = {0x2a2a, 0x2b2b};
    return marked;
  }();
  index.Apply(changes);
  const std::string capacity = "\x2a\x2a\x2b\x2b";
  const auto holds = [&] {
    std::string all;
    const SnapshotSource source(index);
    EXPECT_TRUE(source
                    .Write([&](const PieceId&, const std::string& bytes) {
                      all += bytes;
                      return absl::OkStatus();
                    })
                    .ok());
    return all.find(capacity) != std::string::npos;
  };
  EXPECT_TRUE(holds());
  const std::vector<domain::Change> erase = {{401, domain::MemberErased{Id(7), "", 0}}};
  index.Apply(erase);
  EXPECT_FALSE(holds());
  const std::vector<domain::Change> come = {{402, MemberNumber(400)}};
  index.Apply(come);
  {
    const base::RcuReadGuard guard;
    EXPECT_EQ(index.view().tables->members.size(), 400U);  // in the same place
  }
  EXPECT_FALSE(holds());
}

}  // namespace
}  // namespace warmline::index
