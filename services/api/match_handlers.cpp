#include "api/match_handlers.h"

#include <absl/strings/str_cat.h>

#include "api/match_messages.h"
#include "api/match_stream.h"
#include "api/match_watch.h"
#include "base/rcu.h"
#include "codec/resources.h"
#include "codec/time.h"
#include "domain/interest.h"
#include "domain/limits.h"
#include "domain/text.h"
#include "index/suggest.h"

namespace warmline::api {

namespace pb = warmline::v1;

namespace {

absl::Status AnswerSuggestions(const Call& call, const std::string& pool, const pb::SuggestInterestsRequest& request,
                               pb::SuggestInterestsResponse* response) {
  domain::Violations violations;
  const int limit = TopKOf(request.limit(), violations);
  domain::CheckText(request.prefix(), "prefix", domain::kMaxInterestBytes, false, false, violations);
  std::vector<std::string> related;
  for (int i = 0; i < request.related_to_size(); ++i) {
    const std::string field = absl::StrCat("related_to[", i, "]");
    domain::Interest interest{request.related_to(i), domain::CanonicalInterest(request.related_to(i)), 1.0};
    domain::ValidateInterest(interest, field, violations);
    related.push_back(interest.canonical);
  }
  if (request.related_to_size() > domain::kMaxInterestsPerNeed)
    violations.Add("related_to",
                   absl::StrCat("has ", request.related_to_size(), " entries: at most ", domain::kMaxInterestsPerNeed));
  if (!violations.empty()) return violations.ToStatus();
  const base::RcuReadGuard guard;
  const index::View* view = call.environment().pools.Find(pool);
  if (view == nullptr) return application::PoolNotFound(pool);
  const std::int64_t exact_from = call.caller().IsOperator() ? 1 : kSmallCount;
  for (const index::Suggestion& s : index::SuggestInterests(*view, request.prefix(), related, limit, exact_from)) {
    auto* suggestion = response->add_suggestions();
    suggestion->set_interest(s.interest);
    suggestion->set_below_five(s.helpers < exact_from);
    if (s.helpers >= exact_from) suggestion->set_helpers(s.helpers);
    suggestion->set_related(s.related);
  }
  response->set_statistics_generation(view->statistics->generation());
  return absl::OkStatus();
}

absl::Status AnswerExplain(Call& call, const std::string& pool, const pb::ExplainRequest& request,
                           pb::ExplainResponse* response) {
  Environment& environment = call.environment();
  domain::Violations violations;
  const application::NeedSubject subject = SubjectOf(pool, request, violations);
  if (!violations.empty()) return violations.ToStatus();
  auto helper = HelperOf(call, pool, request.helper(), request.candidate(), "", subject);
  if (!helper.ok()) return helper.status();
  const auto& [id, by_token] = *helper;
  const absl::Time now = environment.clock.Now();
  if (!by_token) {
    if (auto status = environment.guesses.Check(application::GuessKind::kLookUp, call.caller(), pool, now);
        !status.ok())
      return status;
  }
  auto answer = application::ExplainPair(environment.pools, call.caller(), pool, subject, id, by_token);
  if (!answer.ok()) {
    CountGuess(call, pool, answer.status());
    return answer.status();
  }
  SetExplanation(call, environment, pool, *answer, response);
  return absl::OkStatus();
}

}  // namespace

admission::WorkClass MatchClass(const pb::MatchRequest& request) {
  return request.count_rules() ? admission::WorkClass::kMatchCounted : admission::WorkClass::kMatch;
}

void CountGuess(Call& call, const std::string& pool, const absl::Status& status) {
  if (domain::ReasonOf(status) != domain::ErrorReason::kMemberNotFound) return;
  Environment& environment = call.environment();
  environment.guesses.Count(application::GuessKind::kLookUp, call.caller(), pool, environment.clock.Now());
}

bool MayWait(const Call& call, const std::string& pool, const pb::MatchRequest& request) {
  // A call that is refused anyway has no pool of threads to choose.
  if (!call.error().ok() || call.caller().IsOperator()) return false;
  if (request.has_inline_need()) return request.inline_need().constraints().exclude_members_size() > 0;
  domain::Violations ignored;  // whoever answers names them
  const application::NeedSubject subject = SubjectOf(pool, request, ignored);
  return application::NeedsStore(call.environment().pools, call.caller(), pool, subject);
}

absl::Status AnswerMatch(Call& call, const std::string& pool, const pb::MatchRequest& request,
                         pb::MatchResponse* response) {
  Environment& environment = call.environment();
  domain::Violations violations;
  application::NeedSubject subject = SubjectOf(pool, request, violations);
  const int top_k = TopKOf(request.top_k(), violations);
  if (!violations.empty()) return violations.ToStatus();
  if (auto status = ReadExcluded(call, pool, request.exclude_candidates(), subject); !status.ok()) return status;
  const absl::Time started = absl::Now();
  auto answer = application::MatchNeed(environment.pools, call.caller(), pool, subject,
                                       {.top_k = top_k, .count_rules = request.count_rules()},
                                       [&call] { return call.StillWanted(); });
  if (!answer.ok()) return answer.status();
  environment.metrics.Matched(answer->result.work.touched, answer->result.work.weighed,
                              static_cast<std::int64_t>(answer->shown.size()), absl::Now() - started);
  SetAnswer(call, environment, pool, *answer, response);
  return absl::OkStatus();
}

MatchHandlers::Reactor* MatchHandlers::Match(Context* context, const pb::MatchRequest* request,
                                             pb::MatchResponse* response) {
  auto call = Call::Start(environment_, context, "warmline.v1.MatchService/Match");
  const Target target = call->PoolTarget(request->parent(), "parent");
  call->Authorize(request->actor(), target.pool);
  return call->AtRevision(
      target.pool, request->min_revision(), codec::ToDuration(request->min_revision_wait()), MatchClass(*request),
      [=, raw = call.get()] { return AnswerMatch(*raw, target.pool, *request, response); },
      /*on_reader=*/MayWait(*call, target.pool, *request));
}

grpc::ServerBidiReactor<pb::MatchRequest, pb::MatchStreamResponse>* MatchHandlers::MatchStream(Context* context) {
  return StartMatchStream(environment_, context);
}

MatchHandlers::Reactor* MatchHandlers::Explain(Context* context, const pb::ExplainRequest* request,
                                               pb::ExplainResponse* response) {
  auto call = Call::Start(environment_, context, "warmline.v1.MatchService/Explain");
  const Target target = call->PoolTarget(request->parent(), "parent");
  call->Authorize(request->actor(), target.pool);
  return call->AtRevision(
      target.pool, request->min_revision(), codec::ToDuration(request->min_revision_wait()),
      admission::WorkClass::kExplain,
      [=, raw = call.get()] { return AnswerExplain(*raw, target.pool, *request, response); },
      /*on_reader=*/!call->caller().IsOperator());
}

grpc::ServerWriteReactor<pb::MatchEvent>* MatchHandlers::Watch(Context* context,
                                                               const pb::WatchMatchesRequest* request) {
  return StartMatchWatch(environment_, context, request);
}

MatchHandlers::Reactor* MatchHandlers::SuggestInterests(Context* context, const pb::SuggestInterestsRequest* request,
                                                        pb::SuggestInterestsResponse* response) {
  auto call = Call::Start(environment_, context, "warmline.v1.MatchService/SuggestInterests");
  const Target target = call->PoolTarget(request->parent(), "parent");
  call->Authorize(request->actor(), target.pool);
  return call->Compute(admission::WorkClass::kSuggest,
                       [=, raw = call.get()] { return AnswerSuggestions(*raw, target.pool, *request, response); });
}

}  // namespace warmline::api
