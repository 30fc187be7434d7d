#include "support/fault_world.h"

#include <absl/strings/str_cat.h>
#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>

#include <map>

#include "application/exploration_key.h"
#include "codec/resources.h"
#include "domain/revision.h"
#include "storage/postgres/store.h"
#include "support/oracle.h"
#include "support/random_world.h"

namespace warmline::testing {
namespace {

// A random member that the API takes.
domain::Member Valid(RandomWorld& random, const std::string& id) {
  while (true) {
    domain::Member member = random.Member(id);
    domain::Violations violations;
    domain::ValidateMember(member, "", violations);
    if (violations.empty()) return member;
  }
}

}  // namespace

bool FaultWorld::WaitUntilServing(const ServeProcess&, int port) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 50);
  return grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(port), grpc::InsecureChannelCredentials(), arguments)
      ->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(10));
}

void FaultWorld::Load() {
  pb::CreatePoolRequest create;
  *create.mutable_actor() = Operator();
  create.mutable_pool()->set_name("pools/p");
  create.mutable_pool()->set_display_name("P");
  create.set_request_id("create-the-pool");
  pb::WritePoolResponse created;
  const auto made = pb::PoolService::Stub(ChannelTo(0)).CreatePool(Context(0, 10'000).get(), create, &created);
  ASSERT_TRUE(made.ok()) << made.error_message();
  RandomWorld random(seed_);
  pb::MemberService::Stub stub(ChannelTo(0));
  pb::ImportResponse response;
  const auto context = Context(0, 30'000);
  const auto writer = stub.Import(context.get(), &response);
  pb::ImportRequest request;
  *request.mutable_actor() = Operator();
  request.set_parent("pools/p");
  request.set_vouch(true);
  for (const auto& id : ids_) *request.add_rows()->mutable_member() = codec::ToProto("p", Valid(random, id));
  writer->Write(request);
  writer->WritesDone();
  const auto status = writer->Finish();
  ASSERT_TRUE(status.ok()) << status.error_message();
  ASSERT_EQ(response.refused(), 0);
  for (int i = 0; i < kReplicas; ++i) {
    pb::MatchRequest match;
    *match.mutable_actor() = Operator();
    match.set_parent("pools/p");
    match.set_min_revision(response.revision());
    match.mutable_min_revision_wait()->set_seconds(10);
    *match.mutable_inline_need() = NeedOf(ids_[0], {"skill:sql"});
    pb::MatchResponse reached;
    const auto came = pb::MatchService::Stub(ChannelTo(i)).Match(Context(i, 15'000).get(), match, &reached);
    ASSERT_TRUE(came.ok()) << came.error_message();
  }
}

// Each write is retried, on any replica, until it is acknowledged or refused for good.
void FaultWorld::Write(int writer) {
  RandomWorld random(seed_ * 31 + static_cast<std::uint64_t>(writer));
  std::vector<pb::MemberService::Stub> stubs;
  for (int i = 0; i < kReplicas; ++i) stubs.emplace_back(ChannelTo(i));
  for (int n = 0; !stopping_; ++n) {
    const std::string mark = absl::StrCat("mark-", writer, "-", n);
    const int kind = random.Below(10);
    const domain::Member member = Valid(random, ids_[static_cast<std::size_t>(random.Below(kMembers))]);
    // Between few, so that ties are made and deleted again, and the oracle's work stays small.
    const domain::Connection tie = random.Connection(tied_);
    const domain::Block block = random.Block(tied_);
    while (!stopping_) {
      const int i = random.Below(kReplicas);
      auto& stub = stubs[static_cast<std::size_t>(i)];
      grpc::Status status;
      std::string revision;
      if (kind < 5) {
        pb::UpdateMemberRequest request;
        *request.mutable_actor() = Operator();
        *request.mutable_member() = codec::ToProto("p", member);
        request.mutable_member()->clear_etag();
        request.mutable_member()->set_display_name(mark);
        for (const char* field : {"display_name", "interests", "offer", "introduces", "evidence"})
          request.add_update_mask(field);
        pb::WriteMemberResponse response;
        status = stub.UpdateMember(Context(i, 2'000).get(), request, &response);
        revision = response.revision();
      } else if (kind < 7) {
        pb::CreateConnectionRequest request;
        *request.mutable_actor() = Operator();
        request.set_parent("pools/p");
        request.set_request_id("request-" + mark);
        *request.mutable_connection() = codec::ToProto("p", tie);
        pb::WriteConnectionResponse response;
        status = stub.CreateConnection(Context(i, 2'000).get(), request, &response);
        revision = response.revision();
      } else if (kind < 8) {
        pb::CreateBlockRequest request;
        *request.mutable_actor() = Operator();
        request.set_parent("pools/p");
        *request.mutable_block() = codec::ToProto("p", block);
        pb::WriteBlockResponse response;
        status = stub.CreateBlock(Context(i, 2'000).get(), request, &response);
        revision.clear();  // a block that is there already takes no revision: nothing to know it by
      } else if (n % 2 == 0) {
        pb::DeleteBlockRequest request;
        *request.mutable_actor() = Operator();
        request.set_name(absl::StrCat("pools/p/blocks/", block.blocker, "~", block.blocked));
        pb::DeleteResponse response;
        status = stub.DeleteBlock(Context(i, 2'000).get(), request, &response);
        revision = response.revision();
      } else {
        pb::DeleteConnectionRequest request;
        *request.mutable_actor() = Operator();
        request.set_name(absl::StrCat("pools/p/connections/", tie.a, "~", tie.b));
        pb::DeleteResponse response;
        status = stub.DeleteConnection(Context(i, 2'000).get(), request, &response);
        revision = response.revision();
      }
      if (status.ok()) {
        if (!revision.empty()) Note(revision, kind < 5 ? mark : "");
        break;
      }
      const auto code = status.error_code();
      if (code != grpc::StatusCode::UNAVAILABLE && code != grpc::StatusCode::DEADLINE_EXCEEDED &&
          code != grpc::StatusCode::RESOURCE_EXHAUSTED && code != grpc::StatusCode::CANCELLED) {
        // A tie that is there already, or is not: an answer like another. A defect is not.
        EXPECT_NE(code, grpc::StatusCode::INTERNAL) << status.error_message();
        EXPECT_NE(code, grpc::StatusCode::UNKNOWN) << status.error_message();
        break;
      }
      ++refused_;
      Sleep(5);
    }
    Sleep(2);
  }
}

void FaultWorld::Match(int matcher) {
  RandomWorld random(seed_ * 77 + static_cast<std::uint64_t>(matcher));
  std::vector<pb::MatchService::Stub> stubs;
  for (int i = 0; i < kReplicas; ++i) stubs.emplace_back(ChannelTo(i));
  for (int n = 0; !stopping_; ++n) {
    const int i = random.Below(kReplicas);
    domain::Need need = random.Need("", ids_);
    need.relaxations.clear();
    pb::MatchRequest request;
    *request.mutable_actor() = Operator();
    request.set_parent("pools/p");
    request.set_top_k(1 + random.Below(12));
    *request.mutable_inline_need() = codec::ToProto("p", need);
    request.mutable_inline_need()->clear_name();
    request.mutable_inline_need()->clear_etag();
    request.mutable_inline_need()->clear_create_time();
    Answer answer;
    domain::Violations violations;
    answer.need = codec::FromProto("p", request.inline_need(), "", violations);
    answer.need.id = domain::InlineNeedId(answer.need);
    answer.need.create_time = absl::UnixEpoch();
    answer.top_k = request.top_k();
    const auto status = stubs[static_cast<std::size_t>(i)].Match(Context(i, 2'000).get(), request, &answer.response);
    if (status.ok()) {
      const std::lock_guard lock(mutex_);
      answers_.push_back(std::move(answer));
    } else {
      const auto code = status.error_code();
      EXPECT_TRUE(code == grpc::StatusCode::UNAVAILABLE || code == grpc::StatusCode::DEADLINE_EXCEEDED ||
                  code == grpc::StatusCode::CANCELLED)
          << status.error_message();
    }
    Sleep(15);
  }
}

// Replays a change on whole records.
struct Replay {
  OracleWorld& world;
  void operator()(std::monostate) const {}
  void operator()(const domain::Pool& pool) const { world.policy = pool.policy; }
  void operator()(const domain::Member& member) const {
    std::erase_if(world.members, [&](const auto& m) { return m.id == member.id; });
    world.members.push_back(member);
  }
  void operator()(const domain::IntroductionChanged&) const { ADD_FAILURE() << "nobody asked"; }
  void operator()(const domain::IntroductionErased&) const { ADD_FAILURE() << "nobody asked"; }
  void operator()(const domain::Notice&) const { ADD_FAILURE() << "nobody was silent"; }
  void operator()(const domain::MemberErased&) const { ADD_FAILURE() << "nobody was erased"; }
  void operator()(const domain::Connection& tie) const {
    (*this)(domain::ConnectionDeleted{tie.a, tie.b});
    world.ties.push_back(tie);
  }
  void operator()(const domain::ConnectionDeleted& tie) const {
    std::erase_if(world.ties, [&](const auto& t) { return t.a == tie.a && t.b == tie.b; });
  }
  void operator()(const domain::Block& block) const {
    (*this)(domain::BlockDeleted{block.blocker, block.blocked});
    world.blocks.push_back(block);
  }
  void operator()(const domain::BlockDeleted& block) const {
    std::erase_if(world.blocks,
                  [&](const auto& b) { return b.blocker == block.blocker && b.blocked == block.blocked; });
  }
  void operator()(const domain::Need&) const {}
  void operator()(const domain::NeedDeleted&) const {}
  void operator()(const domain::Statistics& statistics) const { world.statistics = statistics; }
};

void FaultWorld::Verify() {
  storage::postgres::StoreOptions options;
  options.connection.conninfo = postgres_.ConnInfo(database_);
  auto store = storage::postgres::Store::Open(options);
  ASSERT_TRUE(store.ok()) << store.status();
  auto reader = (*store)->Read();
  ASSERT_TRUE(reader.ok());
  std::vector<domain::Change> log;
  while (true) {
    auto page = (*reader)->ListChanges("p", static_cast<std::int64_t>(log.size()), 5'000);
    ASSERT_TRUE(page.ok()) << page.status();
    if (page->empty()) break;
    for (auto& change : *page) {
      ASSERT_EQ(change.revision, static_cast<std::int64_t>(log.size()) + 1);  // no gap, nothing twice
      if (auto* statistics = std::get_if<domain::Statistics>(&change.body)) {
        auto whole = (*reader)->GetStatisticsOf("p", statistics->generation);
        ASSERT_TRUE(whole.ok() && whole->has_value()) << "too many generations for this test";
        *statistics = **std::move(whole);
      }
      log.push_back(std::move(change));
    }
  }
  const domain::RevisionTokens tokens((*store)->token_key(), (*store)->history());
  int lost = 0;
  for (const Acknowledged& a : acknowledged_) {
    const std::int64_t revision = tokens.Number("p", a.token).value_or(0);
    const bool there = revision >= 1 && revision <= static_cast<std::int64_t>(log.size());
    const auto* member =
        there ? std::get_if<domain::Member>(&log[static_cast<std::size_t>(revision - 1)].body) : nullptr;
    if (!there || (!a.mark.empty() && (member == nullptr || member->display_name != a.mark))) ++lost;
  }
  std::multimap<std::int64_t, const Answer*> by_revision;
  for (const Answer& answer : answers_) {
    const auto revision = tokens.Number("p", answer.response.revision());
    ASSERT_TRUE(revision.has_value());
    by_revision.emplace(*revision, &answer);
  }
  OracleWorld world;
  world.exploration_key = application::ExplorationKey((*store)->token_key(), "p");
  std::int64_t at = 0;
  int different = 0;
  for (const auto& [revision, answer] : by_revision) {
    ASSERT_LE(revision, static_cast<std::int64_t>(log.size()));
    for (; at < revision; ++at) std::visit(Replay{world}, log[static_cast<std::size_t>(at)].body);
    world.epoch_hour = answer->response.epoch();
    const OracleAnswer expected = BruteForce(world, answer->need, answer->top_k);
    bool same = static_cast<std::size_t>(answer->response.matches_size()) == expected.ranked.size();
    for (std::size_t k = 0; same && k < expected.ranked.size(); ++k) {
      const auto& match = answer->response.matches(static_cast<int>(k));
      same = match.helper() == "pools/p/members/" + expected.ranked[k].id && match.score() == expected.ranked[k].score;
    }
    if (!same && ++different <= 3) {
      std::printf("at revision %lld:\n", static_cast<long long>(revision));
      for (const auto& match : answer->response.matches())
        std::printf("  answered %s %u\n", match.helper().c_str(), match.score());
      for (const auto& match : expected.ranked)
        std::printf("  oracle   %s %llu\n", match.id.c_str(), static_cast<unsigned long long>(match.score));
    }
  }
  std::printf(
      "  %zu acknowledged writes, %d lost; %zu answers, %d different from the oracle at their revision; head revision "
      "%zu; %d calls refused and tried again\n",
      acknowledged_.size(), lost, answers_.size(), different, log.size(), refused_.load());
  EXPECT_EQ(lost, 0);
  EXPECT_EQ(different, 0);
  EXPECT_GT(acknowledged_.size(), 20U);
  EXPECT_GT(answers_.size(), 20U);
}

}  // namespace warmline::testing
