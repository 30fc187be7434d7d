#include "api/match_watch.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

#include <set>
#include <utility>

#include "api/match_messages.h"
#include "api/page_token.h"
#include "api/watch.h"
#include "application/match_need.h"
#include "base/hmac.h"
#include "domain/need.h"

namespace warmline::api {

namespace pb = warmline::v1;

namespace {

// How often it matches at most.
constexpr absl::Duration kBetweenMatches = absl::Seconds(1);

class MatchWatch final : public Watch<pb::MatchEvent> {
 public:
  MatchWatch(Environment& environment, grpc::CallbackServerContext* context, const pb::WatchMatchesRequest* request)
      : Watch(environment, context, "warmline.v1.MatchService/Watch", absl::Milliseconds(100)),
        is_resumed_(!request->resume_token().empty()) {
    pool_ = call().PoolTarget(request->parent(), "parent").pool;
    if (call().Authorize(request->actor(), pool_)) {
      domain::Violations violations;
      subject_ = SubjectOf(pool_, *request, violations);
      top_k_ = TopKOf(request->top_k(), violations);
      if (violations.empty()) ReadToken(request->resume_token(), violations);
      call().SetError(violations.ToStatus());
      if (call().error().ok()) call().SetError(ReadExcluded(call(), pool_, request->exclude_candidates(), subject_));
    }
    Begin();
  }

 private:
  // What an answer depends on, as far as it is known without matching.
  [[nodiscard]] std::pair<std::int64_t, std::int64_t> Basis() const {
    return {Newest(), application::EpochHour(environment().clock.Now())};
  }

  bool HasNews() override { return first_ || (Basis() != basis_ && absl::Now() - matched_ >= kBetweenMatches); }

  // A member's need may name others, whom the store has to look up.
  admission::WorkPool& Pool() override {
    return call().caller().IsOperator() ? environment().matching : environment().reads;
  }

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
    const std::string mark = MarkOf(helpers);
    const bool known = first_ && is_resumed_ && mark == mark_;  // by the token of another stream
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
    event.set_resume_token(MakeResumeToken(call(), filter_, mark));
    SetAnswer(call(), environment(), pool_, *answer, event.mutable_answer());
    Write(std::move(event));
  }

  // Sets what tokens are bound to, the need and how many are watched, and reads the one that was given.
  void ReadToken(const std::string& token, domain::Violations& violations) {
    const std::string need = subject_.inline_need ? domain::InlineNeedId(*subject_.inline_need) : subject_.stored_id;
    filter_ = absl::StrCat(need, "\n", top_k_);
    if (token.empty()) return;
    if (auto mark = PlaceOfToken(call(), filter_, token)) {
      mark_ = *std::move(mark);
      return;
    }
    violations.Add("resume_token", absl::StrCat(domain::Quoted(token),
                                                " is not of this caller's watch of this need and top_k: watch "
                                                "without it"));
  }

  // Says whether two answers name the same helpers. It leaves the server sealed only, since masked ones are among them.
  [[nodiscard]] static std::string MarkOf(const std::set<std::string>& helpers) {
    return base::HmacSha256("match watch", absl::StrJoin(helpers, "\n")).substr(0, 16);
  }

  application::NeedSubject subject_;
  int top_k_ = 0;
  bool first_ = true;
  std::pair<std::int64_t, std::int64_t> basis_;
  absl::Time matched_;
  std::set<std::string> told_;  // ids of the last answer
  const bool is_resumed_;
  std::string filter_;  // what resume tokens are bound to
  std::string mark_;    // of the last answer of another stream
};

}  // namespace

grpc::ServerWriteReactor<pb::MatchEvent>* StartMatchWatch(Environment& environment,
                                                          grpc::CallbackServerContext* context,
                                                          const pb::WatchMatchesRequest* request) {
  return new MatchWatch(environment, context, request);
}

}  // namespace warmline::api
