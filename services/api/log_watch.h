// A stream that tells of what a pool's change log says from a place on: the log is the buffer, so nothing is missed and
// nothing piles up. One thing at a time: an alarm, a read, or a write is under way; each begins the next.
// Thread-safety: as a gRPC reactor; it deletes itself.
#pragma once

#include <grpcpp/alarm.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/call.h"
#include "api/errors.h"
#include "base/rcu.h"

namespace warmline::api {

// How often an idle watch looks whether the pool has moved, and rows of the log that it reads at once.
inline constexpr absl::Duration kWatchPoll = absl::Milliseconds(50);
inline constexpr int kWatchRowsAtOnce = 500;

template <typename Event>
class LogWatch : public grpc::ServerWriteReactor<Event> {
 public:
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

 protected:
  LogWatch(Environment& environment, grpc::CallbackServerContext* context, const char* method)
      : environment_(environment), call_(Call::Start(environment, context, method)) {}

  // The end of a derived constructor: starts at the token, or now, unless the call has an error.
  void Begin(const std::string& resume_token) {
    if (call_->error().ok()) call_->SetError(SetPlace(resume_token));
    if (call_->error().ok()) {
      this->StartSendInitialMetadata();  // whoever waits for it knows that nothing from here on is missed
      GoOn();
    } else {
      End(call_->error());
    }
  }

  // Makes events of changes, which are in order, by Push.
  virtual absl::Status Tell(application::RecordReader& reader, const std::vector<domain::Change>& changes) = 0;

  void Push(Event event, std::int64_t revision) {
    event.set_resume_token(call_->Token(revision));
    event.set_behind(newest_ - revision);
    events_.push_back(std::move(event));
  }

  [[nodiscard]] Call& call() { return *call_; }
  std::string pool_;  // set by the derived constructor

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
    if (auto status = Fill(); !status.ok()) {
      End(status);
    } else if (events_.empty()) {
      GoOn();
    } else {
      WriteNext();
    }
  }

  absl::Status Fill() {
    auto reader = environment_.store.Read();
    if (!reader.ok()) return reader.status();
    auto changes = (*reader)->ListChanges(pool_, after_, kWatchRowsAtOnce);
    if (!changes.ok()) return changes.status();
    if (changes->empty()) return absl::OkStatus();
    newest_ = std::max(Newest(), changes->back().revision);
    if (auto status = Tell(**reader, *changes); !status.ok()) return status;
    after_ = changes->back().revision;
    return absl::OkStatus();
  }

  void WriteNext() {
    event_ = std::move(events_.front());
    events_.pop_front();
    this->StartWrite(&event_);
  }

  void End(const absl::Status& status) {
    call_->Ended(status);
    this->Finish(ToGrpc(status));
  }

  Environment& environment_;
  std::shared_ptr<Call> call_;
  std::int64_t after_ = 0;  // everything up to it was looked at
  std::int64_t newest_ = 0;
  std::deque<Event> events_;
  Event event_;
};

// The last change of each of many things, in order: `id_of` gives what a change is of, or "".
template <typename IdOf>
[[nodiscard]] std::vector<std::pair<std::int64_t, std::string>> LastChanges(const std::vector<domain::Change>& changes,
                                                                            IdOf id_of) {
  std::vector<std::pair<std::int64_t, std::string>> last;
  for (const domain::Change& change : changes) {
    std::string id = id_of(change);
    if (id.empty()) continue;
    std::erase_if(last, [&](const auto& known) { return known.second == id; });
    last.emplace_back(change.revision, std::move(id));
  }
  return last;
}

}  // namespace warmline::api
