#include "api/match_watch.h"

#include <absl/strings/escaping.h>
#include <absl/strings/str_join.h>
#include <grpcpp/alarm.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <set>
#include <vector>

#include "api/errors.h"
#include "api/match_messages.h"
#include "application/match_need.h"
#include "base/rcu.h"

namespace warmline::api {

namespace pb = warmline::v1;

namespace {

// How often an idle watch looks whether the pool has moved, and how often it matches at most.
constexpr absl::Duration kPoll = absl::Milliseconds(100);
constexpr absl::Duration kBetweenMatches = absl::Seconds(1);

// One thing at a time: an alarm, a match, or a write is under way; each begins the next.
class MatchWatch final : public grpc::ServerWriteReactor<pb::MatchEvent> {
 public:
  MatchWatch(Environment& environment, grpc::CallbackServerContext* context, const pb::WatchMatchesRequest* request)
      : environment_(environment), call_(Call::Start(environment, context, "warmline.v1.MatchService/Watch")) {
    pool_ = call_->PoolTarget(request->parent(), "parent").pool;
    token_ = request->resume_token();
    if (call_->Authorize(request->actor(), pool_)) {
      domain::Violations violations;
      subject_ = SubjectOf(pool_, *request, violations);
      top_k_ = TopKOf(request->top_k(), violations);
      call_->SetError(violations.ToStatus());
    }
    if (call_->error().ok()) {
      StartSendInitialMetadata();
      LookAgain();
    } else {
      End(call_->error());
    }
  }

  void OnWriteDone(bool ok) override {
    if (ok) {
      LookAgain();
      return;
    }
    const absl::Status status = call_->StillWanted();
    End(status.ok() ? domain::MakeError(domain::ErrorReason::kCallCancelled, "the client is gone") : status);
  }

  void OnDone() override { delete this; }

 private:
  // What an answer depends on, as far as it is known without matching.
  struct Basis {
    std::int64_t revision = 0;
    std::int64_t epoch_hour = 0;
    friend bool operator==(const Basis&, const Basis&) = default;
  };

  [[nodiscard]] Basis Now() const {
    const base::RcuReadGuard guard;
    const index::View* view = environment_.pools.Find(pool_);
    return view == nullptr ? Basis{} : Basis{view->revision, application::EpochHour(environment_.clock.Now())};
  }

  void LookAgain() {
    if (auto status = call_->StillWanted(); !status.ok()) {
      End(status);
    } else if (environment_.draining) {
      End(domain::MakeError(domain::ErrorReason::kDraining,
                            "the server is shutting down: watch on another replica, from the last resume_token",
                            absl::Seconds(1)));
    } else if (first_ || (Now() != basis_ && absl::Now() - matched_ >= kBetweenMatches)) {
      if (auto queued = environment_.reads.Submit([this] { Match(); }); !queued.ok()) End(queued);
    } else {
      auto alarm = std::make_shared<grpc::Alarm>();
      alarm->Set(absl::ToChronoTime(absl::Now() + kPoll), [this, alarm](bool) mutable {
        const auto fired = std::move(alarm);  // it holds this function, which must not hold it for ever
        LookAgain();
      });
    }
  }

  void Match() {
    basis_ = Now();
    matched_ = absl::Now();
    auto answer = application::MatchNeed(environment_.pools, call_->caller(), pool_, subject_, {.top_k = top_k_},
                                         [this] { return call_->StillWanted(); });
    if (!answer.ok()) {
      End(answer.status());
      return;
    }
    environment_.metrics.Matched(answer->result.work.weighed, static_cast<std::int64_t>(answer->shown.size()),
                                 absl::Now() - matched_);
    std::set<std::string> helpers;
    for (const auto& shown : answer->shown) helpers.insert(shown.helper.id);
    const std::string token = TokenOf(answer->need_id, helpers);
    const bool known = first_ && token == token_;  // by the token of another stream
    event_.Clear();
    for (std::size_t i = 0; i < answer->shown.size(); ++i) {
      if (!told_.contains(answer->shown[i].helper.id)) event_.add_appeared(static_cast<int>(i));
    }
    const bool tells = first_ ? !known : event_.appeared_size() > 0;
    first_ = false;
    told_ = std::move(helpers);
    if (!tells) {
      LookAgain();
      return;
    }
    token_ = token;
    event_.set_resume_token(token);
    SetAnswer(*call_, environment_, pool_, *answer, event_.mutable_answer());
    StartWrite(&event_);
  }

  // Says whether two answers name the same helpers, and nothing of who they are, since masked ones are among them.
  [[nodiscard]] std::string TokenOf(const std::string& need, const std::set<std::string>& helpers) const {
    const std::string text = "match watch\n" + pool_ + "\n" + need + "\n" + absl::StrJoin(helpers, "\n");
    const std::string& key = environment_.store.token_key();
    std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
    unsigned int size = 0;
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
         text.size(), mac.data(), &size);
    return absl::WebSafeBase64Escape({reinterpret_cast<const char*>(mac.data()), 16});
  }

  void End(const absl::Status& status) {
    call_->Ended(status);
    Finish(ToGrpc(status));
  }

  Environment& environment_;
  std::shared_ptr<Call> call_;
  std::string pool_;
  application::NeedSubject subject_;
  int top_k_ = 0;
  bool first_ = true;
  Basis basis_;
  absl::Time matched_;
  std::set<std::string> told_;  // ids of the last answer
  std::string token_;
  pb::MatchEvent event_;
};

}  // namespace

grpc::ServerWriteReactor<pb::MatchEvent>* StartMatchWatch(Environment& environment,
                                                          grpc::CallbackServerContext* context,
                                                          const pb::WatchMatchesRequest* request) {
  return new MatchWatch(environment, context, request);
}

}  // namespace warmline::api
