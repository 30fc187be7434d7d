#include "api/match_watch.h"

#include <absl/strings/escaping.h>
#include <absl/strings/str_join.h>

#include <set>
#include <utility>

#include "api/match_messages.h"
#include "api/watch.h"
#include "application/match_need.h"

namespace warmline::api {

namespace pb = warmline::v1;

namespace {

// How often it matches at most.
constexpr absl::Duration kBetweenMatches = absl::Seconds(1);

class MatchWatch final : public Watch<pb::MatchEvent> {
 public:
  MatchWatch(Environment& environment, grpc::CallbackServerContext* context, const pb::WatchMatchesRequest* request)
      : Watch(environment, context, "warmline.v1.MatchService/Watch", absl::Milliseconds(100)),
        token_(request->resume_token()) {
    pool_ = call().PoolTarget(request->parent(), "parent").pool;
    if (call().Authorize(request->actor(), pool_)) {
      domain::Violations violations;
      subject_ = SubjectOf(pool_, *request, violations);
      top_k_ = TopKOf(request->top_k(), violations);
      call().SetError(violations.ToStatus());
    }
    Begin();
  }

 private:
  // What an answer depends on, as far as it is known without matching.
  [[nodiscard]] std::pair<std::int64_t, std::int64_t> Basis() const {
    return {Newest(), application::EpochHour(environment().clock.Now())};
  }

  bool HasNews() override { return first_ || (Basis() != basis_ && absl::Now() - matched_ >= kBetweenMatches); }

  admission::WorkPool& Pool() override { return environment().matching; }

  void Work() override {
    basis_ = Basis();
    matched_ = absl::Now();
    auto answer = application::MatchNeed(environment().pools, call().caller(), pool_, subject_, {.top_k = top_k_},
                                         [this] { return call().StillWanted(); });
    if (!answer.ok()) {
      End(answer.status());
      return;
    }
    environment().metrics.Matched(answer->result.work.touched, answer->result.work.weighed,
                                  static_cast<std::int64_t>(answer->shown.size()), absl::Now() - matched_);
    std::set<std::string> helpers;
    for (const auto& shown : answer->shown) helpers.insert(shown.helper.id);
    const std::string token = TokenOf(answer->need_id, helpers);
    const bool known = first_ && token == token_;  // by the token of another stream
    pb::MatchEvent event;
    for (std::size_t i = 0; i < answer->shown.size(); ++i) {
      if (!told_.contains(answer->shown[i].helper.id)) event.add_appeared(static_cast<int>(i));
    }
    const bool tells = first_ ? !known : event.appeared_size() > 0;
    first_ = false;
    told_ = std::move(helpers);
    if (!tells) {
      GoOn();
      return;
    }
    event.set_resume_token(token);
    SetAnswer(call(), environment(), pool_, *answer, event.mutable_answer());
    Write(std::move(event));
  }

  // Says whether two answers name the same helpers, and nothing of who they are, since masked ones are among them.
  [[nodiscard]] std::string TokenOf(const std::string& need, const std::set<std::string>& helpers) const {
    const std::string text = pool_ + "\n" + need + "\n" + absl::StrJoin(helpers, "\n");
    return absl::WebSafeBase64Escape(environment().candidate_tokens.Mark(text));
  }

  application::NeedSubject subject_;
  int top_k_ = 0;
  bool first_ = true;
  std::pair<std::int64_t, std::int64_t> basis_;
  absl::Time matched_;
  std::set<std::string> told_;  // ids of the last answer
  const std::string token_;     // of the last answer of another stream
};

}  // namespace

grpc::ServerWriteReactor<pb::MatchEvent>* StartMatchWatch(Environment& environment,
                                                          grpc::CallbackServerContext* context,
                                                          const pb::WatchMatchesRequest* request) {
  return new MatchWatch(environment, context, request);
}

}  // namespace warmline::api
