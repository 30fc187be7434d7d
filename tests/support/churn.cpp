#include "support/churn.h"

#include <absl/strings/str_cat.h>

#include <thread>

namespace warmline::testing {
namespace {

std::string NameOf(const std::string& id) { return "pools/p/members/" + id; }

// Twelve words that no other message has.
std::string MessageOf(const std::string& id) {
  std::string text;
  for (int i = 0; i < 12; ++i) absl::StrAppend(&text, "word", i, "-", id, " ");
  return text;
}

}  // namespace

Churn::Churn(TestServer& server, const ChurnOptions& options) : server_(server), options_(options) {
  for (int i = 0; i < options.threads; ++i) clients_.push_back({i, 0, {}});
}

std::string Churn::first_failure() const {
  const std::lock_guard lock(mutex_);
  return first_failure_;
}

void Churn::Check(const char* what, const grpc::Status& status) {
  if (status.ok()) return;
  const std::lock_guard lock(mutex_);
  if (failures_++ == 0) first_failure_ = absl::StrCat(what, ": ", status.error_message());
}

void Churn::Run(std::int64_t lives) {
  const std::int64_t end = lives_ + lives;
  std::vector<std::thread> threads;
  threads.reserve(clients_.size());
  for (Client& client : clients_) {
    threads.emplace_back([&] {
      while (lives_ < end) Live(client);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

void Churn::Live(Client& client) {
  const std::int64_t number = client.born++;
  const std::string id = absl::StrCat("churn-", client.number, "-", number);
  const std::string before = client.living.empty() ? "" : client.living.back();
  Create(id, number);
  if (options_.ties && !before.empty()) Tie(id, before);
  if (options_.needs) Need(id, number);
  if (options_.matches) Match(id, number);
  if (options_.asks && !before.empty()) Ask(id, before, number);
  client.living.push_back(id);
  while (client.living.size() > static_cast<std::size_t>(options_.living)) {
    Erase(client.living.front());
    client.living.pop_front();
    ++lives_;
  }
}

void Churn::Create(const std::string& id, std::int64_t number) {
  pb::CreateMemberRequest request;
  *request.mutable_actor() = Operator();
  request.set_parent("pools/p");
  request.set_request_id("create-" + id);
  *request.mutable_member() = HelperRow(id, {"skill:sql", "hobby:climbing"}).member();
  request.set_member_id(id);
  if (options_.words) {
    pb::Member& member = *request.mutable_member();
    member.add_interests()->set_interest("skill:only-" + id);
    member.add_interests()->set_interest("profession:likewise-" + id);
    member.add_conflict_keys("household-" + id);
    member.mutable_offer()->add_places("de/place-" + id);
    member.mutable_offer()->add_seeker_interests("skill:sql");
    member.mutable_offer()->add_seeker_interests("skill:wanted-" + id);
    const auto letter = [&](std::int64_t n) { return static_cast<char>('a' + n % 26); };
    member.mutable_offer()->add_languages(std::string{letter(number), letter(number / 26), letter(number / 676)});
  }
  pb::WriteMemberResponse response;
  Check("CreateMember", server_.members().CreateMember(server_.Context().get(), request, &response));
  pb::ConfirmOfferRequest confirm;
  *confirm.mutable_actor() = Operator();
  confirm.set_name(NameOf(id));
  Check("ConfirmOffer", server_.members().ConfirmOffer(server_.Context().get(), confirm, &response));
}

void Churn::Tie(const std::string& id, const std::string& other) {
  pb::CreateConnectionRequest request;
  *request.mutable_actor() = Acting(pb::SEEKER, id);
  request.set_parent("pools/p");
  request.mutable_connection()->set_member_a(NameOf(id));
  request.mutable_connection()->set_member_b(NameOf(other));
  request.set_request_id("tie-of-" + id);
  pb::WriteConnectionResponse response;
  Check("CreateConnection", server_.members().CreateConnection(server_.Context().get(), request, &response));
  pb::ConfirmConnectionRequest confirm;
  *confirm.mutable_actor() = Acting(pb::SEEKER, other);
  confirm.set_name(response.connection().name());
  Check("ConfirmConnection", server_.members().ConfirmConnection(server_.Context().get(), confirm, &response));
}

void Churn::Need(const std::string& id, std::int64_t number) {
  pb::CreateNeedRequest request;
  *request.mutable_actor() = Acting(pb::SEEKER, id);
  request.set_parent("pools/p");
  *request.mutable_need() = NeedOf(id, {"skill:sql", absl::StrCat("skill:needed-", number)});
  request.set_need_id("need-of-" + id);
  request.set_request_id("need-of-" + id);
  pb::WriteNeedResponse response;
  Check("CreateNeed", server_.needs().CreateNeed(server_.Context().get(), request, &response));
}

void Churn::Match(const std::string& id, std::int64_t number) {
  pb::MatchRequest request;
  *request.mutable_actor() = Acting(pb::SEEKER, id);
  request.set_parent("pools/p");
  *request.mutable_inline_need() = NeedOf(id, {"skill:sql", absl::StrCat("hobby:never-said-", number)});
  pb::MatchResponse response;
  Check("Match", server_.matches().Match(server_.Context().get(), request, &response));
}

void Churn::Ask(const std::string& id, const std::string& helper, std::int64_t) {
  pb::RequestRequest request;
  *request.mutable_actor() = Acting(pb::SEEKER, id);
  request.set_parent("pools/p");
  *request.mutable_inline_need() = NeedOf(id, {"skill:sql"});
  request.add_targets()->set_helper(NameOf(helper));
  request.set_message(MessageOf(id));
  request.set_request_id("ask-of-" + id);
  pb::WriteIntroductionResponse response;
  pb::IntroductionService::Stub asks(server_.channel());
  Check("Request", asks.Request(server_.Context().get(), request, &response));
}

void Churn::Erase(const std::string& id) {
  pb::EraseMemberRequest request;
  *request.mutable_actor() = Operator();
  request.set_name(NameOf(id));
  pb::Erasure response;
  Check("EraseMember", server_.members().EraseMember(server_.Context().get(), request, &response));
}

}  // namespace warmline::testing
