#include "api/match_stream.h"

#include <absl/strings/str_cat.h>
#include <grpcpp/alarm.h>

#include <algorithm>

#include "api/errors.h"
#include "api/match_handlers.h"
#include "api/stream_read.h"
#include "api/stream_turn.h"
#include "codec/time.h"

namespace warmline::api {

namespace pb = warmline::v1;

namespace {

class MatchStreamReactor final : public grpc::ServerBidiReactor<pb::MatchRequest, pb::MatchStreamResponse> {
 public:
  MatchStreamReactor(Environment& environment, grpc::CallbackServerContext* context)
      : environment_(environment), call_(Call::Start(environment, context, "warmline.v1.MatchService/MatchStream")) {
    if (call_->error().ok()) {
      PrepareRead(request_);
      StartRead(&request_);
    } else {
      End(call_->error());
    }
  }

  void OnReadDone(bool ok) override {
    if (!ok) {
      const absl::Status wanted = call_->StillWanted();
      End(wanted.ok() ? EndOfStream(request_) : wanted);
    } else if (number_ == kMaxStreamRequests) {
      End(domain::MakeError(domain::ErrorReason::kLimitReached,
                            absl::StrCat("a stream takes ", kMaxStreamRequests, " requests: open another")));
    } else {
      TakeTurn(*call_, alarm_, [this](const absl::Status& turn) { Begin(turn); });
    }
  }

  void OnWriteDone(bool ok) override {
    if (!ok) {
      End(call_->StillWanted());
      return;
    }
    ++number_;
    PrepareRead(request_);
    StartRead(&request_);
  }

  void OnDone() override { delete this; }

 private:
  void End(const absl::Status& status) {
    call_->Ended(status);
    Finish(ToGrpc(status));
  }

  void Begin(const absl::Status& turn) {
    if (!turn.ok()) {
      End(turn);
      return;
    }
    wait_ = {};
    until_ = call_->RevisionDeadline(codec::ToDuration(request_.min_revision_wait()));
    Answer();
  }

  // Each request is authorised by itself: one stream may serve many seekers of one token.
  void Answer() {
    response_.Clear();
    response_.set_request(number_);
    auto scope = call_->ForRequest();
    const Target target = scope->PoolTarget(request_.parent(), "parent");
    scope->Authorize(request_.actor(), target.pool);
    absl::Status status = scope->error();
    if (status.ok()) {
      const auto reached = scope->RevisionReached(target.pool, request_.min_revision(), wait_);
      if (!reached && absl::Now() < until_ && call_->StillWanted().ok()) {
        alarm_.Set(absl::ToChronoTime(absl::Now() + kRevisionPoll), [this](bool) { Answer(); });
        return;
      }
      if (!reached) {
        status = domain::MakeError(domain::ErrorReason::kRevisionNotReached,
                                   "this replica has not reached min_revision yet: try again", absl::Milliseconds(50));
      } else if (!reached->ok()) {
        status = *reached;
      } else {
        const bool may_wait = MayWait(*scope, target.pool, request_);
        const auto queued = (may_wait ? environment_.reads : environment_.matching)
                                .Submit(call_->Order(MatchClass(request_)),
                                        [this, scope, pool = target.pool](const absl::Status& admitted) {
                                          Reply(scope, pool, admitted);
                                        });
        if (!queued.ok()) End(queued);
        return;
      }
    }
    Send(status);
  }

  void Reply(const std::shared_ptr<Call>& scope, const std::string& pool, const absl::Status& admitted) {
    Send(admitted.ok() ? AnswerMatch(*scope, pool, request_, response_.mutable_response()) : admitted);
  }

  void Send(const absl::Status& status) {
    if (!status.ok()) {
      const grpc::Status wire = ToGrpc(status);
      pb::StreamError* error = response_.mutable_error();
      error->set_code(wire.error_code());
      error->set_reason(ReasonName(status));
      error->set_message(wire.error_message());
    }
    StartWrite(&response_);
  }

  Environment& environment_;
  std::shared_ptr<Call> call_;
  pb::MatchRequest request_;
  pb::MatchStreamResponse response_;
  grpc::Alarm alarm_;
  absl::Time until_;
  RevisionWait wait_;
  std::int64_t number_ = 0;
};

}  // namespace

grpc::ServerBidiReactor<pb::MatchRequest, pb::MatchStreamResponse>* StartMatchStream(
    Environment& environment, grpc::CallbackServerContext* context) {
  return new MatchStreamReactor(environment, context);
}

}  // namespace warmline::api
