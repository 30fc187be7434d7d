// What is unused is announced, and erased when its time comes; who comes back stays.
#include "application/retention.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "application/activity.h"
#include "application/introduction_moves.h"
#include "application/pools.h"
#include "storage/sqlite/store.h"
#include "support/child_process.h"
#include "telemetry/prometheus_metrics.h"

namespace warmline::application {
namespace {

using ::testing::ElementsAre;

constexpr char kPool[] = "p";
const absl::Time kStart = absl::FromUnixSeconds(1'800'000'000);
const absl::Duration kDay = absl::Hours(24);

class HandClock : public Clock {
 public:
  absl::Time Now() const override { return absl::FromUnixMicros(micros); }
  std::atomic<std::int64_t> micros{absl::ToUnixMicros(kStart)};
  void Go(absl::Duration by) { micros += absl::ToInt64Microseconds(by); }
};

class Retention : public ::testing::Test {
 protected:
  Retention() {
    directory_ = warmline::testing::TemporaryDirectory("retention");
    store_ = *storage::sqlite::Store::Open({.path = directory_ + "/warmline.db"});
    Write([&](WriteTransaction& tx) {
      domain::Pool pool;
      pool.id = kPool;
      pool.display_name = "P";
      pool.policy.retention.unused_after = kDay * 365;
      pool.policy.retention.notice = kDay * 30;
      return CreatePool(tx, pool, clock_.Now()).status();
    });
  }
  ~Retention() override {
    store_.reset();
    std::filesystem::remove_all(directory_);
  }

  void Write(const std::function<absl::Status(WriteTransaction&)>& run) {
    auto tx = store_->Begin();
    ASSERT_TRUE(tx.ok());
    ASSERT_TRUE(run(**tx).ok());
    ASSERT_TRUE((*tx)->Commit().ok());
  }
  void Join(const std::string& id) {
    Write([&](WriteTransaction& tx) {
      domain::Member member;
      member.id = id;
      member.kind = domain::MemberKind::kPerson;
      member.display_name = id;
      member.create_time = member.update_time = clock_.Now();
      return tx.Put(kPool, member).status();
    });
  }
  RetentionStep Member(const std::string& id) {
    RetentionStep step = RetentionStep::kNothing;
    Write([&](WriteTransaction& tx) {
      auto made = RetainMember(tx, kPool, id, clock_.Now());
      if (made.ok()) step = *made;
      return made.status();
    });
    return step;
  }
  RetentionStep Introduction(const std::string& id) {
    RetentionStep step = RetentionStep::kNothing;
    Write([&](WriteTransaction& tx) {
      auto made = RetainIntroduction(tx, kPool, id, clock_.Now());
      if (made.ok()) step = *made;
      return made.status();
    });
    return step;
  }
  std::optional<domain::Member> Read(const std::string& id) {
    auto reader = store_->Read();
    return *(*reader)->GetMember(kPool, id);
  }
  std::vector<domain::Notice> Notices() {
    std::vector<domain::Notice> notices;
    auto reader = store_->Read();
    const auto changes = (*reader)->ListChanges(kPool, 0, 10'000);
    for (const auto& change : *changes) {
      if (const auto* notice = std::get_if<domain::Notice>(&change.body)) notices.push_back(*notice);
    }
    return notices;
  }

  HandClock clock_;
  std::string directory_;
  std::unique_ptr<storage::sqlite::Store> store_;
};

TEST_F(Retention, AnUnusedMemberIsAnnouncedThenErased) {
  Join("amina");
  clock_.Go(kDay * 364);
  EXPECT_EQ(Member("amina"), RetentionStep::kNothing);
  clock_.Go(kDay);
  EXPECT_EQ(Member("amina"), RetentionStep::kAnnounced);
  EXPECT_EQ(Member("amina"), RetentionStep::kNothing);  // once
  const auto notices = Notices();
  ASSERT_EQ(notices.size(), 1U);
  EXPECT_EQ(notices[0].kind, domain::NoticeKind::kMemberRetention);
  EXPECT_EQ(notices[0].member, "amina");
  EXPECT_EQ(notices[0].due, clock_.Now() + kDay * 30);
  EXPECT_EQ(Read("amina")->erase_time, notices[0].due);
  clock_.Go(kDay * 30 - absl::Seconds(1));
  EXPECT_EQ(Member("amina"), RetentionStep::kNothing);
  clock_.Go(absl::Seconds(1));
  EXPECT_EQ(Member("amina"), RetentionStep::kErased);
  EXPECT_FALSE(Read("amina").has_value());
  EXPECT_TRUE(Notices().empty());  // the log names nobody who was erased
  EXPECT_EQ(Member("amina"), RetentionStep::kNothing);
}

TEST_F(Retention, WhoComesBackStays) {
  Join("amina");
  clock_.Go(kDay * 400);
  ASSERT_EQ(Member("amina"), RetentionStep::kAnnounced);
  clock_.Go(kDay * 10);
  Write([&](WriteTransaction& tx) { return Touch(tx, kPool, "amina", clock_.Now()); });
  EXPECT_FALSE(Read("amina")->erase_time.has_value());
  clock_.Go(kDay * 30);
  EXPECT_EQ(Member("amina"), RetentionStep::kNothing);
  EXPECT_TRUE(Read("amina").has_value());
}

TEST_F(Retention, APoolWithoutTheRuleErasesNothing) {
  Write([&](WriteTransaction& tx) {
    auto pool = **tx.GetPool(kPool);
    pool.policy.retention.unused_after.reset();
    return tx.Put(pool).status();
  });
  Join("amina");
  clock_.Go(kDay * 10'000);
  EXPECT_EQ(Member("amina"), RetentionStep::kNothing);
}

TEST_F(Retention, AnIntroductionIsErasedOnceNothingDependsOnIt) {
  Join("amina");
  Join("hana");
  domain::Introduction ended;
  ended.id = IntroductionIdAt(clock_.Now()) + "-00000001";
  ended.seeker = "amina";
  ended.helper = "hana";
  ended.need_id = "n";
  ended.state = domain::IntroductionState::kDeclined;
  ended.create_time = clock_.Now();
  ended.end_time = clock_.Now();
  ended.cool_until = clock_.Now() + kDay * 500;
  Write([&](WriteTransaction& tx) { return tx.Put(kPool, ended).status(); });
  clock_.Go(kDay * 400);
  EXPECT_EQ(Introduction(ended.id), RetentionStep::kNothing);  // it bars another ask still
  ended.cool_until.reset();
  Write([&](WriteTransaction& tx) { return tx.Put(kPool, ended).status(); });
  EXPECT_EQ(Introduction(ended.id), RetentionStep::kAnnounced);
  std::vector<std::string> told;
  for (const auto& notice : Notices()) {
    EXPECT_EQ(notice.introduction, ended.id);
    told.push_back(notice.member);
  }
  EXPECT_THAT(told, ElementsAre("amina", "hana"));
  clock_.Go(kDay * 30);
  EXPECT_EQ(Introduction(ended.id), RetentionStep::kErased);
  EXPECT_FALSE((*(*store_->Read())->GetIntroduction(kPool, ended.id)).has_value());
}

// The sweep finds by itself what is due, and goes on where another left off.
TEST_F(Retention, TheSweepDoesAllOfIt) {
  for (int i = 0; i < 3 * RetentionSweeper::kPage / 2; ++i) Join("old" + std::to_string(i));
  clock_.Go(kDay * 365);
  Join("young");
  telemetry::PrometheusMetrics metrics("test");
  WriteQueue writes(*store_, clock_, metrics, [](WriteQueue::Committed) {}, {});
  const auto left = [&] { return (*(*store_->Read())->ListMembers(kPool, "", 10'000)).size(); };
  const auto sweep_until = [&](const std::function<bool()>& done) {
    RetentionSweeper sweeper(*store_, writes, clock_, metrics, absl::Milliseconds(10));
    for (int i = 0; i < 6'000 && !done(); ++i) absl::SleepFor(absl::Milliseconds(10));
    EXPECT_TRUE(done());
  };
  sweep_until([&] { return Notices().size() == 3 * RetentionSweeper::kPage / 2; });
  clock_.Go(kDay * 30);
  sweep_until([&] { return left() == 1; });
  EXPECT_TRUE(Read("young").has_value());
}

}  // namespace
}  // namespace warmline::application
