// MatchService. Handlers translate, authorise and call a use case. Thread-safety: gRPC calls them from any thread.
#pragma once

#include "api/arena_allocator.h"
#include "api/call.h"
#include "warmline/v1/match_service.grpc.pb.h"

namespace warmline::api {

class MatchHandlers final : public warmline::v1::MatchService::CallbackService {
 public:
  explicit MatchHandlers(Environment& environment) : environment_(environment) {
    SetMessageAllocatorFor_Match(&match_messages_);
  }
  using Context = grpc::CallbackServerContext;
  using Reactor = grpc::ServerUnaryReactor;

  Reactor* Match(Context* context, const warmline::v1::MatchRequest* request,
                 warmline::v1::MatchResponse* response) override;
  grpc::ServerBidiReactor<warmline::v1::MatchRequest, warmline::v1::MatchStreamResponse>* MatchStream(
      Context* context) override;
  Reactor* Explain(Context* context, const warmline::v1::ExplainRequest* request,
                   warmline::v1::ExplainResponse* response) override;
  grpc::ServerWriteReactor<warmline::v1::MatchEvent>* Watch(Context* context,
                                                            const warmline::v1::WatchMatchesRequest* request) override;
  Reactor* SuggestInterests(Context* context, const warmline::v1::SuggestInterestsRequest* request,
                            warmline::v1::SuggestInterestsResponse* response) override;

 private:
  Environment& environment_;
  ArenaAllocator<warmline::v1::MatchRequest, warmline::v1::MatchResponse> match_messages_;
};

// How long a match takes depends on whether rules are counted.
[[nodiscard]] admission::WorkClass MatchClass(const warmline::v1::MatchRequest& request);
// Counts the guess that a caller made who named somebody, where the call ended with MEMBER_NOT_FOUND.
void CountGuess(Call& call, const std::string& pool, const absl::Status& status);
// Whether AnswerMatch may wait for the store, and must have a thread that may.
[[nodiscard]] bool MayWait(const Call& call, const std::string& pool, const warmline::v1::MatchRequest& request);
// Answers one MatchRequest of an authorised call, at the view of now.
[[nodiscard]] absl::Status AnswerMatch(Call& call, const std::string& pool, const warmline::v1::MatchRequest& request,
                                       warmline::v1::MatchResponse* response);

}  // namespace warmline::api
