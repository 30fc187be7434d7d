#include "api/introduction_watch.h"

#include <grpcpp/alarm.h>

#include <deque>
#include <map>

#include "api/errors.h"
#include "application/introduction_moves.h"
#include "base/rcu.h"
#include "codec/introductions.h"

namespace warmline::api {

namespace pb = warmline::v1;

namespace {

// How often an idle watch looks whether the pool has moved, and rows of the log that it reads at once.
constexpr absl::Duration kWatchPoll = absl::Milliseconds(50);
constexpr int kRowsAtOnce = 500;

// One thing at a time: an alarm, a read, or a write is under way; each begins the next.
class WatchReactor final : public grpc::ServerWriteReactor<pb::IntroductionEvent> {
 public:
  WatchReactor(Environment& environment, grpc::CallbackServerContext* context,
               const pb::WatchIntroductionsRequest* request)
      : environment_(environment), call_(Call::Start(environment, context, "warmline.v1.IntroductionService/Watch")) {
    pool_ = call_->PoolTarget(request->parent(), "parent").pool;
    domain::Violations violations;
    member_ = codec::IdOf(pool_, "members", request->member(), "member", violations);
    if (call_->Authorize(request->actor(), pool_)) {
      call_->SetError(violations.ToStatus());
      call_->SetError(application::RequireSelf(call_->caller(), member_, "watching introductions"));
    }
    if (call_->error().ok()) call_->SetError(SetPlace(request->resume_token()));
    if (call_->error().ok()) {
      GoOn();
    } else {
      End(call_->error());
    }
  }

  void OnWriteDone(bool ok) override {
    if (!ok) {
      const absl::Status status = call_->StillWanted();
      End(status.ok() ? domain::MakeError(domain::ErrorReason::kCallCancelled, "the client is gone") : status);
    } else if (events_.empty()) {
      GoOn();
    } else {
      WriteNext();
    }
  }

  void OnDone() override { delete this; }

 private:
  [[nodiscard]] std::int64_t Newest() const {
    const base::RcuReadGuard guard;
    const index::View* view = environment_.pools.Find(pool_);
    return view == nullptr ? 0 : view->revision;
  }

  absl::Status SetPlace(const std::string& token) {
    after_ = Newest();
    if (after_ == 0) return application::PoolNotFound(pool_);
    if (token.empty()) return absl::OkStatus();
    const auto revision = domain::ParseRevisionToken(token);
    if (!revision || revision->history != environment_.store.history()) {
      return domain::MakeError(domain::ErrorReason::kRevisionOfAnotherHistory,
                               "resume_token is not of this store, which may have been restored: list anew, and watch "
                               "without it");
    }
    after_ = revision->number;
    return absl::OkStatus();
  }

  void GoOn() {
    if (auto status = call_->StillWanted(); !status.ok()) {
      End(status);
    } else if (environment_.draining) {
      End(domain::MakeError(domain::ErrorReason::kDraining,
                            "the server is shutting down: watch on another replica, from the last resume_token",
                            absl::Seconds(1)));
    } else if (Newest() > after_) {
      if (auto queued = environment_.reads.Submit([this] { ReadLog(); }); !queued.ok()) End(queued);
    } else {
      auto alarm = std::make_shared<grpc::Alarm>();
      alarm->Set(absl::ToChronoTime(absl::Now() + kWatchPoll), [this, alarm](bool) mutable {
        const auto fired = std::move(alarm);  // it holds this function, which must not hold it for ever
        GoOn();
      });
    }
  }

  void ReadLog() {
    if (auto status = FillEvents(); !status.ok()) {
      End(status);
    } else if (events_.empty()) {
      GoOn();
    } else {
      WriteNext();
    }
  }

  absl::Status FillEvents() {
    auto reader = environment_.store.Read();
    if (!reader.ok()) return reader.status();
    auto changes = (*reader)->ListChanges(pool_, after_, kRowsAtOnce);
    if (!changes.ok()) return changes.status();
    if (changes->empty()) return absl::OkStatus();
    // The last change of each, in order.
    std::map<std::string, std::int64_t> last;
    for (const domain::Change& change : *changes) {
      if (const auto* changed = std::get_if<domain::IntroductionChanged>(&change.body))
        last[changed->id] = change.revision;
    }
    std::map<std::int64_t, std::string> in_order;
    for (const auto& [id, revision] : last) in_order[revision] = id;
    const std::int64_t newest = std::max(Newest(), changes->back().revision);
    for (const auto& [revision, id] : in_order) {
      auto seen = application::FindIntroduction(**reader, call_->caller(), pool_, id);
      if (absl::IsNotFound(seen.status())) continue;  // not the caller's, or erased
      if (!seen.ok()) return seen.status();
      if (!member_.empty() && !seen->introduction.Involves(member_)) continue;  // an operator's view of one member
      pb::IntroductionEvent event;
      *event.mutable_introduction() = codec::ToProto(pool_, seen->introduction, seen->viewer);
      event.set_resume_token(call_->Token(revision));
      event.set_behind(newest - revision);
      events_.push_back(std::move(event));
    }
    after_ = changes->back().revision;
    return absl::OkStatus();
  }

  void WriteNext() {
    event_ = std::move(events_.front());
    events_.pop_front();
    StartWrite(&event_);
  }

  void End(const absl::Status& status) {
    call_->Ended(status);
    Finish(ToGrpc(status));
  }

  Environment& environment_;
  std::shared_ptr<Call> call_;
  std::string pool_;
  std::string member_;
  std::int64_t after_ = 0;  // everything up to it was looked at
  std::deque<pb::IntroductionEvent> events_;
  pb::IntroductionEvent event_;
};

}  // namespace

grpc::ServerWriteReactor<pb::IntroductionEvent>* StartIntroductionWatch(Environment& environment,
                                                                        grpc::CallbackServerContext* context,
                                                                        const pb::WatchIntroductionsRequest* request) {
  return new WatchReactor(environment, context, request);
}

}  // namespace warmline::api
