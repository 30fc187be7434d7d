// A stream that goes on until the client or the server ends it: it looks whether there is something new, works it out
// on a thread that may wait, and writes it. One thing at a time: an alarm, the work, or a write is under way; each
// begins the next. Thread-safety: as a gRPC reactor; it deletes itself.
#pragma once

#include <grpcpp/alarm.h>

#include <memory>
#include <utility>

#include "api/call.h"
#include "api/errors.h"
#include "base/rcu.h"

namespace warmline::api {

template <typename Event>
class Watch : public grpc::ServerWriteReactor<Event> {
 public:
  void OnWriteDone(bool ok) override {
    if (ok) {
      Written();
      return;
    }
    const absl::Status status = call_->StillWanted();
    End(status.ok() ? domain::MakeError(domain::ErrorReason::kCallCancelled, "the client is gone") : status);
  }

  void OnDone() override { delete this; }

 protected:
  // `poll`: how often an idle watch looks.
  Watch(Environment& environment, grpc::CallbackServerContext* context, const char* method, absl::Duration poll)
      : environment_(environment), call_(Call::Start(environment, context, method)), poll_(poll) {}

  // Whether there is work. Cheap; any thread.
  [[nodiscard]] virtual bool HasNews() = 0;
  // Where Work runs: on a thread that may wait for the disk, unless a watch needs a processor instead.
  [[nodiscard]] virtual admission::WorkPool& Pool() { return environment_.reads; }
  // Ends with one of Write, GoOn and End.
  virtual void Work() = 0;
  // After a write: the same.
  virtual void Written() { GoOn(); }

  // The end of a derived constructor: begins, unless the call has an error. Whoever waits for the initial metadata
  // knows that nothing from here on is missed.
  void Begin() {
    if (!call_->error().ok()) {
      End(call_->error());
      return;
    }
    this->StartSendInitialMetadata();
    GoOn();
  }

  void GoOn() {
    if (auto status = call_->StillWanted(); !status.ok()) {
      End(status);
    } else if (environment_.draining) {
      End(domain::MakeError(domain::ErrorReason::kDraining,
                            "the server is shutting down: watch on another replica, from the last resume_token",
                            absl::Seconds(1)));
    } else if (HasNews()) {
      const auto queued =
          Pool().Submit(call_->Order(admission::WorkClass::kWatch), [this](const absl::Status& admitted) {
            if (admitted.ok()) {
              Work();
            } else {
              End(admitted);
            }
          });
      if (!queued.ok()) End(queued);
    } else {
      auto alarm = std::make_shared<grpc::Alarm>();
      alarm->Set(absl::ToChronoTime(absl::Now() + poll_), [this, alarm](bool) mutable {
        const auto fired = std::move(alarm);  // it holds this function, which must not hold it for ever
        GoOn();
      });
    }
  }

  void Write(Event event) {
    event_ = std::move(event);
    this->StartWrite(&event_);
  }

  void End(const absl::Status& status) {
    call_->Ended(status);
    this->Finish(ToGrpc(status));
  }

  // The newest revision of the pool here; 0 for one that is not held.
  [[nodiscard]] std::int64_t Newest() const {
    const base::RcuReadGuard guard;
    const index::View* view = environment_.pools.Find(pool_);
    return view == nullptr ? 0 : view->revision;
  }

  [[nodiscard]] Environment& environment() { return environment_; }
  [[nodiscard]] const Environment& environment() const { return environment_; }
  [[nodiscard]] Call& call() { return *call_; }
  std::string pool_;  // set by the derived constructor

 private:
  Environment& environment_;
  std::shared_ptr<Call> call_;
  const absl::Duration poll_;
  Event event_;
};

}  // namespace warmline::api
