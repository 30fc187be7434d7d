#include "bench/churn_workloads.h"

#include <absl/strings/str_cat.h>
#include <absl/time/clock.h>
#include <grpcpp/create_channel.h>

#include <fstream>

#include "support/churn.h"
#include "support/jwt_signer.h"

namespace warmline::bench {
namespace {

namespace pb = warmline::v1;
using testing::Operator;
using testing::TestServer;

class Lives : public Habit {
 public:
  Lives(TestServer& server, const testing::ChurnOptions& options) : churn_(server, options) {}
  void Run(std::int64_t times) override { churn_.Run(times); }
  [[nodiscard]] std::int64_t failures() const override { return churn_.failures(); }
  [[nodiscard]] std::string first_failure() const override { return churn_.first_failure(); }

 private:
  testing::Churn churn_;
};

// One thing at a time, by its number.
class Repeated : public Habit {
 public:
  using Once = std::function<grpc::Status(std::int64_t)>;
  explicit Repeated(Once once) : once_(std::move(once)) {}
  void Run(std::int64_t times) override {
    for (std::int64_t i = 0; i < times; ++i) {
      const grpc::Status status = once_(next_++);
      if (!status.ok() && failures_++ == 0) first_failure_ = status.error_message();
    }
  }
  [[nodiscard]] std::int64_t failures() const override { return failures_; }
  [[nodiscard]] std::string first_failure() const override { return first_failure_; }

 private:
  Once once_;
  std::int64_t next_ = 0;
  std::int64_t failures_ = 0;
  std::string first_failure_;
};

constexpr int kHelpers = 300;

void FillPool(TestServer& server) {
  std::vector<pb::Row> rows;
  for (int i = 0; i < kHelpers; ++i)
    rows.push_back(testing::HelperRow(absl::StrCat("h", i), {"skill:sql", absl::StrCat("hobby:h", i % 30)}));
  rows.push_back(testing::SeekerRow("amina"));
  server.Import(rows);
}

pb::MatchRequest MatchNumber(std::int64_t i) {
  pb::MatchRequest request;
  *request.mutable_actor() = testing::Acting(pb::SEEKER, "amina");
  request.set_parent("pools/p");
  *request.mutable_inline_need() = testing::NeedOf("amina", {"skill:sql", absl::StrCat("hobby:never-said-", i)});
  return request;
}

grpc::Status MatchAndExplain(TestServer& server, std::int64_t i) {
  const pb::MatchRequest request = MatchNumber(i);
  pb::MatchResponse response;
  if (auto status = server.matches().Match(server.Context().get(), request, &response); !status.ok()) return status;
  pb::ExplainRequest explain;
  *explain.mutable_actor() = Operator();
  explain.set_parent("pools/p");
  *explain.mutable_inline_need() = request.inline_need();
  explain.set_helper("pools/p/members/h7");
  pb::ExplainResponse explained;
  if (auto status = server.matches().Explain(server.Context().get(), explain, &explained); !status.ok()) return status;
  pb::SuggestInterestsRequest suggest;
  *suggest.mutable_actor() = Operator();
  suggest.set_parent("pools/p");
  suggest.set_prefix(absl::StrCat("h", i));
  pb::SuggestInterestsResponse suggested;
  return server.matches().SuggestInterests(server.Context().get(), suggest, &suggested);
}

// Refused for what they ask, for whom they ask it of, and at the door.
grpc::Status Refused(TestServer& server, std::int64_t i) {
  pb::MatchRequest request = MatchNumber(i);
  request.mutable_inline_need()->mutable_interests(0)->set_interest(absl::StrCat("no facet ", i));
  pb::MatchResponse response;
  if (server.matches().Match(server.Context().get(), request, &response).ok()) return {grpc::INTERNAL, "was taken"};
  pb::GetMemberRequest get;
  *get.mutable_actor() = Operator();
  get.set_name(absl::StrCat("pools/p/members/nobody-", i));
  pb::Member member;
  if (server.members().GetMember(server.Context().get(), get, &member).ok()) return {grpc::INTERNAL, "was found"};
  get.set_name(absl::StrCat("pools/nowhere-", i, "/members/nobody"));
  if (server.members().GetMember(server.Context().get(), get, &member).ok()) return {grpc::INTERNAL, "was found"};
  const auto context = server.ContextWith(absl::StrCat("wlt_no-such-token-", i));
  if (server.members().GetMember(context.get(), get, &member).ok()) return {grpc::INTERNAL, "was let in"};
  return grpc::Status::OK;
}

grpc::Status Connect(TestServer& server, std::int64_t i) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  pb::MatchService::Stub stub(grpc::CreateCustomChannel(absl::StrCat("127.0.0.1:", server.server().port()),
                                                        grpc::InsecureChannelCredentials(), arguments));
  pb::MatchResponse response;
  return stub.Match(server.Context().get(), MatchNumber(i), &response);
}

grpc::Status WatchAndLeave(TestServer& server, std::int64_t i) {
  pb::WatchMatchesRequest request;
  *request.mutable_actor() = testing::Acting(pb::SEEKER, "amina");
  request.set_parent("pools/p");
  *request.mutable_inline_need() = MatchNumber(i).inline_need();
  const auto context = server.Context();
  pb::MatchService::Stub stub(server.channel());
  const auto reader = stub.Watch(context.get(), request);
  pb::MatchEvent event;
  const bool came = reader->Read(&event);
  context->TryCancel();
  const grpc::Status status = reader->Finish();
  return came ? grpc::Status::OK : status;
}

// A member of many says something that nobody ever said.
grpc::Status Edit(TestServer& server, std::int64_t i) {
  pb::UpdateMemberRequest request;
  *request.mutable_actor() = Operator();
  const std::string id = absl::StrCat("h", i % kHelpers);
  *request.mutable_member() =
      testing::HelperRow(id, {"skill:sql", absl::StrCat("skill:said-once-", i), absl::StrCat("hobby:said-once-", i)})
          .member();
  request.mutable_member()->mutable_offer()->add_places(absl::StrCat("de/once-", i));
  request.mutable_member()->add_conflict_keys(absl::StrCat("once-", i));
  request.mutable_member()->set_name("pools/p/members/" + id);
  for (const char* field : {"interests", "offer", "conflict_keys"}) request.add_update_mask(field);
  pb::WriteMemberResponse response;
  return server.members().UpdateMember(server.Context().get(), request, &response);
}

grpc::Status ImportAndExport(TestServer& server, std::int64_t) {
  FillPool(server);
  pb::ExportRequest request;
  *request.mutable_actor() = Operator();
  request.set_parent("pools/p");
  const auto context = server.Context();
  pb::MemberService::Stub stub(server.channel());
  const auto reader = stub.Export(context.get(), request);
  pb::ExportResponse response;
  while (reader->Read(&response)) {
  }
  return reader->Finish();
}

grpc::Status MakePool(TestServer& server, std::int64_t i) {
  pb::CreatePoolRequest request;
  *request.mutable_actor() = Operator();
  request.mutable_pool()->set_name(absl::StrCat("pools/more-", i));
  request.mutable_pool()->set_display_name("More");
  request.set_request_id(absl::StrCat("more-pools-", i));
  pb::WritePoolResponse response;
  return server.pools().CreatePool(server.Context().get(), request, &response);
}

constexpr char kIssuer[] = "https://login.example";
constexpr char kAudience[] = "warmline";

testing::JwtSigner& Signer() {
  static testing::JwtSigner signer = testing::JwtSigner::Ec("ec-1");
  return signer;
}

void TakeTokens(server::Config& config) {
  config.jwt_issuer = kIssuer;
  config.jwt_audience = kAudience;
  config.jwt_jwks_file = config.data_dir + "/keys.json";
  std::ofstream(config.jwt_jwks_file) << nlohmann::json{{"keys", {Signer().PublicKey()}}}.dump();
}

grpc::Status ComeWithANewToken(TestServer& server, std::int64_t i) {
  const std::int64_t now = absl::ToUnixSeconds(absl::Now());
  const nlohmann::json claims = {{"iss", kIssuer},
                                 {"aud", kAudience},
                                 {"sub", absl::StrCat("portal-", i)},
                                 {"iat", now},
                                 {"exp", now + 600},
                                 {"warmline", {{"roles", {"reader"}}, {"audiences", {"OPERATOR"}}, {"pools", {"p"}}}}};
  pb::GetPoolRequest request;
  *request.mutable_actor() = Operator();
  request.set_name("pools/p");
  pb::Pool pool;
  return server.pools().GetPool(server.ContextWith(Signer().Sign(claims, "ES256")).get(), request, &pool);
}

Workload Habitual(const char* name, grpc::Status (*once)(TestServer&, std::int64_t), double share,
                  std::function<void(server::Config&)> adjust = {}) {
  return {name, std::move(adjust),
          [once](TestServer& server, const ChurnScale&) {
            FillPool(server);
            return std::make_unique<Repeated>([once, &server](std::int64_t i) { return once(server, i); });
          },
          share};
}

}  // namespace

std::vector<Workload> LivesOfMembers() {
  std::vector<Workload> all;
  const auto add = [&](const char* name, testing::ChurnOptions options) {
    all.push_back({name, {}, [options](TestServer& server, const ChurnScale& scale) mutable {
                     options.threads = scale.threads;
                     options.living = std::max(2, scale.living / scale.threads);
                     return std::make_unique<Lives>(server, options);
                   }});
  };
  add("churn_all", {});
  testing::ChurnOptions none;
  none.words = none.ties = none.needs = none.asks = none.matches = false;
  add("churn_members", none);
  for (const auto& [name, part] :
       {std::pair("churn_words", &testing::ChurnOptions::words), std::pair("churn_ties", &testing::ChurnOptions::ties),
        std::pair("churn_needs", &testing::ChurnOptions::needs),
        std::pair("churn_asks", &testing::ChurnOptions::asks)}) {
    testing::ChurnOptions one = none;
    one.*part = true;
    add(name, one);
  }
  return all;
}

std::vector<Workload> OtherHabits() {
  return {Habitual("habit_matches", MatchAndExplain, 2),
          Habitual("habit_refused", Refused, 2),
          Habitual("habit_connections", Connect, 1),
          Habitual("habit_watches", WatchAndLeave, 1),
          Habitual("habit_edits", Edit, 1),
          Habitual("habit_imports", ImportAndExport, 0.02),
          Habitual("habit_tokens", ComeWithANewToken, 2, TakeTokens),
          Habitual("habit_pools", MakePool, 0.2)};
}

}  // namespace warmline::bench
