// What a caller sees of admission: each token's places and rate, also through streams and watches; refusals that say
// when to come back; and that a storm of one token leaves health, writes and other tokens their share.
#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <absl/time/clock.h>
#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "support/health_probe.h"
#include "support/test_server.h"

namespace warmline::testing {
namespace {

using ::testing::HasSubstr;

// Tokens, all of an operator, with the limits that are given as JSON members.
class Tokens {
 public:
  explicit Tokens(const std::vector<std::pair<std::string, std::string>>& names_and_limits)
      : path_(::testing::TempDir() + "admission-tokens.json") {
    std::ofstream file(path_);
    file << R"({"tokens": [)";
    for (std::size_t i = 0; i < names_and_limits.size(); ++i) {
      const auto& [name, limits] = names_and_limits[i];
      file << (i == 0 ? "" : ", ") << R"({"name": ")" << name << R"(", "token": ")" << TokenOf(name)
           << R"(", "roles": ["operator"], "audiences": ["OPERATOR", "SEEKER"], "members": ["*"], "pools": ["*"])"
           << (limits.empty() ? "" : ", ") << limits << "}";
    }
    file << "]}";
  }
  ~Tokens() { std::remove(path_.c_str()); }
  static std::string TokenOf(const std::string& name) { return "the-token-of-" + name; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  const std::string path_;
};

std::unique_ptr<grpc::ClientContext> With(const std::string& name, int timeout_ms = 10'000) {
  auto context = std::make_unique<grpc::ClientContext>();
  context->AddMetadata("authorization", "Bearer " + Tokens::TokenOf(name));
  context->set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(timeout_ms));
  return context;
}

void Fill(const TestServer& server, const std::string& name) {
  pb::CreatePoolRequest create;
  *create.mutable_actor() = Operator();
  create.mutable_pool()->set_name("pools/p");
  create.mutable_pool()->set_display_name("P");
  create.set_request_id(FreshId());
  pb::WritePoolResponse pool;
  ASSERT_TRUE(server.pools().CreatePool(With(name).get(), create, &pool).ok());
  pb::ImportRequest request;
  *request.mutable_actor() = Operator();
  request.set_parent("pools/p");
  request.set_vouch(true);
  *request.add_rows() = SeekerRow("amina");
  for (int i = 0; i < 50; ++i) *request.add_rows() = HelperRow(absl::StrCat("h", i), {"skill:sql"});
  pb::ImportResponse response;
  const auto context = With(name);
  auto stub = server.members();
  const auto writer = stub.Import(context.get(), &response);
  ASSERT_TRUE(writer->Write(request));
  writer->WritesDone();
  ASSERT_TRUE(writer->Finish().ok());
}

pb::MatchRequest MatchOf(bool count_rules = false) {
  pb::MatchRequest request;
  *request.mutable_actor() = Operator();
  request.set_parent("pools/p");
  *request.mutable_inline_need() = NeedOf("amina", {"skill:sql"});
  request.set_count_rules(count_rules);
  return request;
}

TEST(TokenPlaces, AStreamCountsEachOfItsMessagesAgainstTheRate) {
  const Tokens tokens({{"slow", R"("calls_per_second": 5)"}, {"free", ""}});
  TestServer server([&](server::Config& config) { config.tokens_file = tokens.path(); });
  Fill(server, "free");
  auto stub = server.matches();
  const auto context = With("slow", 1'500);
  const absl::Time began = absl::Now();
  const auto stream = stub.MatchStream(context.get());
  int answers = 0;
  pb::MatchStreamResponse response;
  while (answers < 500 && stream->Write(MatchOf()) && stream->Read(&response)) ++answers;
  const grpc::Status status = stream->Finish();
  const double seconds = absl::ToDoubleSeconds(absl::Now() - began);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED) << "500 matches through a rate of 5 a second";
  EXPECT_GE(answers, 1);
  // A second's worth at once, then the rate.
  EXPECT_LE(answers, 5 + 5 * seconds + 1);
}

TEST(TokenPlaces, ATokenCannotTakeEveryPlace) {
  const Tokens tokens({{"greedy", R"("max_in_flight": 3, "max_watches": 2)"}, {"other", ""}});
  TestServer server([&](server::Config& config) { config.tokens_file = tokens.path(); });
  Fill(server, "other");
  auto stub = server.matches();
  std::vector<std::unique_ptr<grpc::ClientContext>> contexts;
  std::vector<std::unique_ptr<grpc::ClientReaderWriter<pb::MatchRequest, pb::MatchStreamResponse>>> streams;
  pb::MatchStreamResponse response;
  for (int i = 0; i < 3; ++i) {
    contexts.push_back(With("greedy"));
    streams.push_back(stub.MatchStream(contexts.back().get()));
    ASSERT_TRUE(streams.back()->Write(MatchOf()) && streams.back()->Read(&response));
  }
  pb::MatchResponse match;
  const grpc::Status refused = stub.Match(With("greedy").get(), MatchOf(), &match);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(ReasonOf(refused), "CALL_RATE_EXCEEDED");
  EXPECT_TRUE(HasRetryInfo(refused));
  EXPECT_THAT(refused.error_message(), HasSubstr("max_in_flight"));
  EXPECT_TRUE(stub.Match(With("other").get(), MatchOf(), &match).ok());
  streams.front()->WritesDone();
  EXPECT_TRUE(streams.front()->Finish().ok());
  for (int i = 0; i < 200 && !stub.Match(With("greedy").get(), MatchOf(), &match).ok(); ++i)
    absl::SleepFor(absl::Milliseconds(10));
  EXPECT_TRUE(stub.Match(With("greedy").get(), MatchOf(), &match).ok()) << "a place that was given back";
  for (auto& context : contexts) context->TryCancel();
  streams[1]->Finish();
  streams[2]->Finish();
}

TEST(TokenPlaces, WatchesCountAndHavePlacesOfTheirOwn) {
  const Tokens tokens({{"greedy", R"("max_watches": 2)"}, {"other", ""}});
  TestServer server([&](server::Config& config) {
    config.tokens_file = tokens.path();
    config.max_watches = 3;
  });
  Fill(server, "other");
  auto stub = server.members();
  pb::WatchMembersRequest request;
  *request.mutable_actor() = Operator();
  request.set_parent("pools/p");
  const auto open = [&](const std::string& name, std::vector<std::unique_ptr<grpc::ClientContext>>& contexts,
                        std::vector<std::unique_ptr<grpc::ClientReader<pb::MemberEvent>>>& watches) {
    contexts.push_back(With(name, 20'000));
    watches.push_back(stub.Watch(contexts.back().get(), request));
    watches.back()->WaitForInitialMetadata();  // it is open, or has ended
  };
  std::vector<std::unique_ptr<grpc::ClientContext>> contexts;
  std::vector<std::unique_ptr<grpc::ClientReader<pb::MemberEvent>>> watches;
  for (int i = 0; i < 3; ++i) open("greedy", contexts, watches);
  pb::MemberEvent event;
  EXPECT_FALSE(watches[2]->Read(&event));
  const grpc::Status of_token = watches[2]->Finish();
  EXPECT_EQ(ReasonOf(of_token), "CALL_RATE_EXCEEDED") << of_token.error_message();
  EXPECT_THAT(of_token.error_message(), HasSubstr("max_watches"));
  open("other", contexts, watches);
  open("other", contexts, watches);
  EXPECT_FALSE(watches[4]->Read(&event));
  const grpc::Status of_server = watches[4]->Finish();
  EXPECT_EQ(ReasonOf(of_server), "OVERLOADED");
  EXPECT_TRUE(HasRetryInfo(of_server));
  pb::MatchResponse match;
  EXPECT_TRUE(server.matches().Match(With("greedy").get(), MatchOf(), &match).ok()) << "watches take no place of calls";
  for (auto& context : contexts) context->TryCancel();
  for (const int i : {0, 1, 3}) watches[static_cast<std::size_t>(i)]->Finish();
}

TEST(Refusals, SayWhenToComeBackInDetailsAndInTheTrailer) {
  const Tokens tokens({{"slow", R"("calls_per_second": 1)"}, {"free", ""}});
  TestServer server([&](server::Config& config) { config.tokens_file = tokens.path(); });
  Fill(server, "free");
  grpc::Status status;
  std::unique_ptr<grpc::ClientContext> context;
  pb::MatchResponse match;
  for (int i = 0; i < 5 && status.ok(); ++i) {
    context = With("slow");
    status = server.matches().Match(context.get(), MatchOf(), &match);
  }
  ASSERT_EQ(ReasonOf(status), "CALL_RATE_EXCEEDED");
  EXPECT_TRUE(HasRetryInfo(status));
  const auto& trailers = context->GetServerTrailingMetadata();
  const auto pushback = trailers.find("grpc-retry-pushback-ms");
  ASSERT_NE(pushback, trailers.end());
  int ms = 0;
  EXPECT_TRUE(absl::SimpleAtoi(absl::string_view(pushback->second.data(), pushback->second.size()), &ms));
  EXPECT_GE(ms, 1);
}

TEST(Deadlines, ACallThatIsLateAlreadyDoesNothing) {
  TestServer server;
  server.CreatePool();
  pb::CreateMemberRequest request;
  *request.mutable_actor() = Operator();
  request.set_parent("pools/p");
  *request.mutable_member() = SeekerRow("late").member();
  request.set_request_id(FreshId());
  pb::WriteMemberResponse written;
  const auto context = server.Context(-1'000);
  EXPECT_EQ(server.members().CreateMember(context.get(), request, &written).error_code(),
            grpc::StatusCode::DEADLINE_EXCEEDED);
  pb::GetMemberRequest get;
  *get.mutable_actor() = Operator();
  get.set_name("pools/p/members/late");
  pb::Member member;
  EXPECT_EQ(server.members().GetMember(server.Context().get(), get, &member).error_code(), grpc::StatusCode::NOT_FOUND);
}

// A flood of matches by one token, from many threads, while another token reads and writes: everything that the other
// asks for is answered, and the flood is told when to come back. How fast is measured by bench_overload.
TEST(Storm, LeavesWritesHealthAndOtherTokensTheirShare) {
  const Tokens tokens({{"flood", ""}, {"other", ""}});
  TestServer server([&](server::Config& config) {
    config.tokens_file = tokens.path();
    config.match_threads = 1;
  });
  Fill(server, "other");
  std::atomic<bool> stop{false};
  std::atomic<int> answered{0};
  std::atomic<int> refused{0};
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 24; ++t) {
    threads.emplace_back([&] {
      auto stub = server.matches();
      while (!stop) {
        pb::MatchResponse match;
        const grpc::Status status = stub.Match(With("flood", 40).get(), MatchOf(true), &match);
        if (status.ok()) {
          ++answered;
        } else if (status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED) {
          refused += HasRetryInfo(status) ? 1 : 0;
          wrong += HasRetryInfo(status) ? 0 : 1;
        } else if (status.error_code() != grpc::StatusCode::DEADLINE_EXCEEDED) {
          ++wrong;
        }
      }
    });
  }
  for (int i = 0; i < 30; ++i) {
    pb::MatchResponse match;
    EXPECT_TRUE(server.matches().Match(With("other").get(), MatchOf(), &match).ok()) << i;
    pb::UpdateMemberRequest update;
    *update.mutable_actor() = Operator();
    update.mutable_member()->set_name("pools/p/members/amina");
    update.mutable_member()->set_display_name(absl::StrCat("Amina ", i));
    update.add_update_mask("display_name");
    pb::WriteMemberResponse written;
    EXPECT_TRUE(server.members().UpdateMember(With("other").get(), update, &written).ok()) << i;
    EXPECT_EQ(server.Page("/readyz"), "ok\n") << "a storm must not take a replica out of load balancing";
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(answered, 0);
  EXPECT_EQ(wrong, 0);
  const std::string metrics = server.Page("/metrics");
  EXPECT_THAT(metrics, HasSubstr("warmline_queue_age_seconds{lane=\"matches\",queue=\"matching\"}"));
}

TEST(WritesHealth, IsANameOfItsOwn) {
  TestServer server;
  const auto channel = server.channel();
  for (int i = 0; i < 100 && ProbeHealth(channel, "warmline.v1.writes") != 1; ++i)
    absl::SleepFor(absl::Milliseconds(50));
  EXPECT_EQ(ProbeHealth(channel, "warmline.v1.writes"), 1) << "SERVING";
  EXPECT_EQ(ProbeHealth(channel, ""), 1);
  server.server().BeginDrain();
  for (int i = 0; i < 100 && ProbeHealth(channel, "warmline.v1.writes") != 2; ++i)
    absl::SleepFor(absl::Milliseconds(50));
  EXPECT_EQ(ProbeHealth(channel, "warmline.v1.writes"), 2) << "NOT_SERVING";
}

}  // namespace
}  // namespace warmline::testing
