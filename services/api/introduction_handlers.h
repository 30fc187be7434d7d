// IntroductionService. Handlers translate, authorise and call a use case. Thread-safety: gRPC calls them from any
// thread.
#pragma once

#include <functional>

#include "api/call.h"
#include "application/introduction_moves.h"
#include "warmline/v1/introduction_service.grpc.pb.h"

namespace warmline::api {

class IntroductionHandlers final : public warmline::v1::IntroductionService::CallbackService {
 public:
  explicit IntroductionHandlers(Environment& environment) : environment_(environment) {}
  using Context = grpc::CallbackServerContext;
  using Reactor = grpc::ServerUnaryReactor;
  using Written = warmline::v1::WriteIntroductionResponse;

  Reactor* Review(Context* context, const warmline::v1::RequestRequest* request,
                  warmline::v1::ReviewResponse* response) override;
  Reactor* Request(Context* context, const warmline::v1::RequestRequest* request, Written* response) override;
  Reactor* Get(Context* context, const warmline::v1::GetIntroductionRequest* request,
               warmline::v1::Introduction* response) override;
  Reactor* List(Context* context, const warmline::v1::ListIntroductionsRequest* request,
                warmline::v1::ListIntroductionsResponse* response) override;
  grpc::ServerWriteReactor<warmline::v1::IntroductionEvent>* Watch(
      Context* context, const warmline::v1::WatchIntroductionsRequest* request) override;
  Reactor* Forward(Context* context, const warmline::v1::ForwardIntroductionRequest* request,
                   Written* response) override;
  Reactor* Accept(Context* context, const warmline::v1::MoveIntroductionRequest* request, Written* response) override;
  Reactor* Decline(Context* context, const warmline::v1::DeclineIntroductionRequest* request,
                   Written* response) override;
  Reactor* AskMore(Context* context, const warmline::v1::AskMoreRequest* request, Written* response) override;
  Reactor* Answer(Context* context, const warmline::v1::AnswerMoreRequest* request, Written* response) override;
  Reactor* Cancel(Context* context, const warmline::v1::MoveIntroductionRequest* request, Written* response) override;
  Reactor* ReportOutcome(Context* context, const warmline::v1::ReportOutcomeRequest* request,
                         Written* response) override;
  Reactor* ReportAbuse(Context* context, const warmline::v1::ReportAbuseRequest* request, Written* response) override;
  Reactor* ResolveReport(Context* context, const warmline::v1::ResolveReportRequest* request,
                         Written* response) override;

 private:
  using Step = std::function<absl::StatusOr<application::SeenIntroduction>(
      application::WriteTransaction&, const application::Caller&, const std::string& pool,
      const application::MoveInput&, absl::Time now)>;
  // A move of the introduction that the request names.
  template <typename Message>
  Reactor* Move(Context* context, const char* method, const Message* request, std::string text, Written* response,
                const Step& step);

  Environment& environment_;
};

}  // namespace warmline::api
