// What a store keeps of introductions, and how they are found.
#include <utility>

#include "conformance/record_store_suite.h"
#include "support/random_world.h"

namespace warmline::testing {
namespace {

using application::WriteTransaction;

void Commit(application::RecordStore& store, const std::function<void(WriteTransaction&)>& write) {
  auto tx = store.Begin();
  ASSERT_TRUE(tx.ok()) << tx.status();
  write(**tx);
  ASSERT_TRUE((*tx)->Commit().ok());
}

domain::Introduction Ask(const std::string& id, const std::string& seeker, const std::string& helper,
                         std::int64_t asked_seconds) {
  domain::Introduction ask;
  ask.id = id;
  ask.ask = id;
  ask.seeker = seeker;
  ask.helper = helper;
  ask.introducer = "bo";
  ask.need_id = "inline-1";
  ask.reach = domain::Reach::kSecondDegree;
  ask.state = domain::IntroductionState::kAwaitingIntroducer;
  ask.message = "متن کوتاه";
  ask.message_sketch = 0xfedcba9876543210ULL;
  ask.reasons = {{domain::Part::kExploration, 7, 9}};
  ask.exchanges = {{"why?", absl::FromUnixSeconds(9), "because", absl::FromUnixSeconds(10)}};
  ask.outcomes = {{domain::Audience::kHelper, domain::OutcomeKind::kHelped, "n", absl::FromUnixSeconds(11)}};
  ask.create_time = absl::FromUnixSeconds(asked_seconds);
  ask.ask_time = ask.create_time;
  ask.expire_time = ask.create_time + absl::Seconds(100);
  ask.week_until = ask.create_time + absl::Seconds(500);
  return ask;
}

std::vector<std::string> IdsOf(const absl::StatusOr<std::vector<domain::Introduction>>& list) {
  std::vector<std::string> ids;
  if (!list.ok()) return {std::string(list.status().message())};
  for (const auto& i : *list) ids.push_back(i.id);
  return ids;
}

TEST_P(RecordStoreSuite, IntroductionsAreFoundByPartStateAndTime) {
  using Query = application::IntroductionQuery;
  using Ids = std::vector<std::string>;
  Commit(store(), [](WriteTransaction& tx) {
    domain::Pool pool;
    pool.id = "p";
    pool.display_name = "P";
    ASSERT_TRUE(tx.Put(pool).ok());
  });
  Commit(store(), [&](WriteTransaction& tx) {
    domain::Introduction first = Ask("i1", "amina", "carla", 1'000);
    domain::Introduction second = Ask("i2", "amina", "dora", 2'000);
    domain::Introduction draft = Ask("i3", "amina", "eve", 0);
    draft.state = domain::IntroductionState::kDrafted;
    draft.ask_time = draft.expire_time = draft.week_until = std::nullopt;
    domain::Introduction other = Ask("i4", "zoe", "carla", 3'000);
    other.state = domain::IntroductionState::kConcluded;
    other.outcomes = {{domain::Audience::kSeeker, domain::OutcomeKind::kHelped, "", absl::FromUnixSeconds(3'100)}};
    other.counted = domain::OutcomeKind::kHelped;
    other.counted_time = absl::FromUnixSeconds(3'100);
    other.week_until = std::nullopt;
    other.reports = {{"carla", "zoe", "rude", absl::FromUnixSeconds(3'200)}};
    for (auto* i : {&first, &second, &draft, &other}) ASSERT_TRUE(tx.Put("p", *i).ok());
    EXPECT_TRUE(first.stored_open);
    // Seen at once by the transaction itself.
    EXPECT_EQ(IdsOf(tx.ListIntroductions("p", {.role = Query::Role::kHelper, .member = "carla", .limit = 10})),
              (Ids{"i1", "i4"}));
    first.state = domain::IntroductionState::kDeclined;
    first.cool_until = absl::FromUnixSeconds(5'000);
    ASSERT_TRUE(tx.Put("p", first).ok());
    EXPECT_EQ((*tx.GetIntroduction("p", "i1"))->state, domain::IntroductionState::kDeclined);
  });
  Reopen();
  auto opened = store().Read();
  application::RecordReader& reader = **opened;
  const auto second = *reader.GetIntroduction("p", "i2");
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(second->message, "متن کوتاه");
  EXPECT_EQ(second->message_sketch, 0xfedcba9876543210ULL);
  EXPECT_EQ(second->reasons[0].part, domain::Part::kExploration);
  EXPECT_EQ(second->exchanges[0].answer_time, absl::FromUnixSeconds(10));
  EXPECT_EQ(second->outcomes[0].reported_by, domain::Audience::kHelper);
  EXPECT_EQ(second->introducer, "bo");
  EXPECT_TRUE(second->stored_open);
  EXPECT_FALSE((*reader.GetIntroduction("p", "i9")).has_value());
  const auto list = [&](const Query& query) { return IdsOf(reader.ListIntroductions("p", query)); };
  EXPECT_EQ(list({.limit = 10}), (Ids{"i1", "i2", "i3", "i4"}));
  EXPECT_EQ(list({.after = "i2", .limit = 1}), (Ids{"i3"}));
  EXPECT_EQ(list({.role = Query::Role::kSeeker, .member = "amina", .limit = 10}), (Ids{"i1", "i2", "i3"}));
  EXPECT_EQ(list({.role = Query::Role::kIntroducer, .member = "bo", .limit = 10}), (Ids{"i1", "i2", "i3", "i4"}));
  EXPECT_EQ(list({.role = Query::Role::kIntroducer, .member = "", .limit = 10}), (Ids{}));
  EXPECT_EQ(list({.open_only = true, .limit = 10}), (Ids{"i2"}));
  EXPECT_EQ(list({.bars_only = true, .limit = 10}), (Ids{"i1", "i2"}));
  EXPECT_EQ(list({.drafts_only = true, .limit = 10}), (Ids{"i3"}));
  EXPECT_EQ(list({.helped_only = true, .limit = 10}), (Ids{"i4"}));
  EXPECT_EQ(list({.reported_only = true, .limit = 10}), (Ids{"i4"}));
  EXPECT_EQ(list({.asked_since = absl::FromUnixSeconds(2'000), .limit = 10}), (Ids{"i2", "i4"}));
  using Due = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(*reader.ListDueIntroductions(absl::FromUnixSeconds(1'499), 10), (Due{}));
  EXPECT_EQ(*reader.ListDueIntroductions(absl::FromUnixSeconds(1'500), 10), (Due{{"p", "i1"}}));
  EXPECT_EQ(*reader.ListDueIntroductions(absl::FromUnixSeconds(9'000), 10), (Due{{"p", "i1"}, {"p", "i2"}}));
  EXPECT_EQ(*reader.ListDueIntroductions(absl::FromUnixSeconds(9'000), 1), (Due{{"p", "i1"}}));
  // The log says how many bars there are more or fewer, each time.
  std::vector<std::pair<int, int>> deltas;
  const auto log = reader.ListChanges("p", 1, 100);
  for (const auto& change : *log) {
    const auto& changed = std::get<domain::IntroductionChanged>(change.body);
    deltas.emplace_back(changed.more_open, changed.more_cooling);
  }
  EXPECT_EQ(deltas, (std::vector<std::pair<int, int>>{{1, 0}, {1, 0}, {0, 0}, {0, 0}, {-1, 1}}));
  opened->reset();
  // Whoever leaves takes theirs along, and stays in nobody's row of the log.
  Commit(store(), [&](WriteTransaction& tx) {
    domain::Member member = RandomWorld(7).Member("amina");
    ASSERT_TRUE(tx.Put("p", member).ok());
    ASSERT_TRUE(tx.EraseMember("p", "amina", absl::FromUnixSeconds(9'000)).ok());
    EXPECT_EQ(IdsOf(tx.ListIntroductions("p", {.limit = 10})), (Ids{"i4"}));
  });
}

TEST_P(RecordStoreSuite, NoticesErasedIntroductionsAndTheOutboxAreKept) {
  Commit(store(), [](WriteTransaction& tx) {
    domain::Pool pool;
    pool.id = "p";
    pool.display_name = "P";
    ASSERT_TRUE(tx.Put(pool).ok());
    domain::Introduction ask = Ask("i1", "amina", "carla", 1'000);
    ask.erase_time = absl::FromUnixSeconds(7'777);
    ASSERT_TRUE(tx.Put("p", ask).ok());
    const domain::Notice notice{domain::NoticeKind::kIntroductionRetention, "amina", "i1",
                                absl::FromUnixSeconds(7'777)};
    ASSERT_EQ(*tx.Put("p", notice), 3);
    EXPECT_FALSE((*tx.GetOutbox("p")).has_value());
    ASSERT_TRUE(tx.PutOutbox("p", {2, "one", absl::FromUnixSeconds(50)}).ok());
    ASSERT_TRUE(tx.PutOutbox("", {0, "", absl::UnixEpoch()}).ok());
    ASSERT_TRUE(tx.BeginItem().ok());
    ASSERT_TRUE(tx.PutOutbox("p", {3, "two", absl::FromUnixSeconds(60)}).ok());
    EXPECT_EQ((*tx.GetOutbox("p"))->holder, "two");
    ASSERT_TRUE(tx.RollbackItem().ok());
  });
  Reopen();
  {
    auto reader = store().Read();
    const auto outbox = *(*reader)->GetOutbox("p");
    ASSERT_TRUE(outbox.has_value());
    EXPECT_EQ(outbox->revision, 2);
    EXPECT_EQ(outbox->holder, "one");
    EXPECT_EQ(outbox->held_until, absl::FromUnixSeconds(50));
    EXPECT_TRUE((*(*reader)->GetOutbox("")).has_value());
    EXPECT_EQ((*(*reader)->GetIntroduction("p", "i1"))->erase_time, absl::FromUnixSeconds(7'777));
    const auto log = *(*reader)->ListChanges("p", 2, 10);
    ASSERT_EQ(log.size(), 1U);
    const auto& notice = std::get<domain::Notice>(log[0].body);
    EXPECT_EQ(notice.kind, domain::NoticeKind::kIntroductionRetention);
    EXPECT_EQ(notice.member, "amina");
    EXPECT_EQ(notice.introduction, "i1");
    EXPECT_EQ(notice.due, absl::FromUnixSeconds(7'777));
  }
  Commit(store(), [](WriteTransaction& tx) {
    ASSERT_EQ(*tx.DeleteIntroduction("p", "i1"), 4);
    EXPECT_FALSE((*tx.GetIntroduction("p", "i1")).has_value());
    ASSERT_TRUE(tx.PutOutbox("p", {4, "two", absl::FromUnixSeconds(70)}).ok());
    domain::Member member = RandomWorld(7).Member("amina");
    ASSERT_TRUE(tx.Put("p", member).ok());
    ASSERT_TRUE(tx.EraseMember("p", "amina", absl::FromUnixSeconds(9'000)).ok());
  });
  auto reader = store().Read();
  EXPECT_EQ((*(*reader)->GetOutbox("p"))->revision, 4);
  EXPECT_EQ(IdsOf((*reader)->ListIntroductions("p", {.limit = 10})), std::vector<std::string>{});
  const auto log = *(*reader)->ListChanges("p", 2, 10);
  ASSERT_GE(log.size(), 2U);
  EXPECT_TRUE(std::holds_alternative<std::monostate>(log[0].body)) << "a notice outlived whom it was for";
  EXPECT_EQ(std::get<domain::IntroductionErased>(log[1].body).id, "i1");
}

}  // namespace
}  // namespace warmline::testing
