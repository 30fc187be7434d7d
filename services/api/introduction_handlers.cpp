#include "api/introduction_handlers.h"

#include <absl/strings/str_cat.h>

#include <algorithm>

#include "api/idempotent_write.h"
#include "api/introduction_watch.h"
#include "api/match_handlers.h"
#include "api/match_messages.h"
#include "api/page_token.h"
#include "application/answer_estimate.h"
#include "application/ask_rules.h"
#include "application/inbox.h"
#include "application/members.h"
#include "codec/introductions.h"
#include "codec/time.h"
#include "domain/limits.h"
#include "domain/text.h"

namespace warmline::api {

namespace pb = warmline::v1;
using application::RecordReader;
using application::SeenIntroduction;
using application::WriteTransaction;

namespace {

// Whoever asks for a seeker sees the seeker's part of it, or an operator's.
domain::Viewer AskersView(const Call& call) {
  return call.caller().IsOperator() ? domain::Viewer::kOperator : domain::Viewer::kSeeker;
}

// The ask that a request means, as the index sees it.
absl::StatusOr<application::AskPlan> PlanOf(Call& call, const std::string& pool, const pb::RequestRequest& request) {
  domain::Violations violations;
  const application::NeedSubject subject = SubjectOf(pool, request, violations);
  if (request.targets_size() < 1 || request.targets_size() > domain::kMaxAskTargets) {
    violations.Add("targets", absl::StrCat("has ", request.targets_size(), " entries: name 1 to ",
                                           domain::kMaxAskTargets, " helpers, in the order to ask them"));
  }
  if (!violations.empty()) return violations.ToStatus();
  std::vector<application::AskTarget> targets;
  for (int i = 0; i < request.targets_size(); ++i) {
    const pb::AskTarget& message = request.targets(i);
    const std::string field = absl::StrCat("targets[", i, "].");
    auto helper = HelperOf(call, pool, message.helper(), message.candidate(), field, subject);
    if (!helper.ok()) return helper.status();
    application::AskTarget target;
    target.helper = helper->first;
    target.by_token = helper->second;
    target.introducer = codec::IdOf(pool, "members", message.introducer(), field + "introducer", violations);
    target.message = message.message();
    target.direct = message.direct();
    domain::CheckText(message.message(), field + "message", domain::kMaxMessageCharacters, false, true, violations);
    targets.push_back(std::move(target));
  }
  domain::CheckText(request.message(), "message", domain::kMaxMessageCharacters, false, true, violations);
  if (!violations.empty()) return violations.ToStatus();
  const absl::Time now = call.environment().clock.Now();
  if (std::any_of(targets.begin(), targets.end(), [](const auto& target) { return !target.by_token; })) {
    auto status = call.environment().guesses.Check(application::GuessKind::kLookUp, call.caller(), pool, now);
    if (!status.ok()) return status;
  }
  auto plan =
      application::PlanAsk(call.environment().pools, call.caller(), pool, subject, targets, request.message(), now);
  if (!plan.ok()) CountGuess(call, pool, plan.status());
  return plan;
}

// What the transaction that makes an ask will read.
std::vector<application::RecordKey> ReadsOf(const std::string& pool, const application::AskPlan& plan) {
  std::vector<application::RecordKey> reads = {application::MemberKey(pool, plan.seeker)};
  for (const auto& t : plan.targets) {
    reads.push_back(application::MemberKey(pool, t.draft.helper));
    reads.push_back(application::BlockKey(pool, plan.seeker, t.draft.helper));
    reads.push_back(application::BlockKey(pool, t.draft.helper, plan.seeker));
    if (!t.draft.introducer.empty()) reads.push_back(application::MemberKey(pool, t.draft.introducer));
  }
  return reads;
}

absl::Status FillReview(RecordReader& reader, const Call& call, const std::string& pool,
                        const application::AskPlan& plan, absl::Time now, pb::ReviewResponse* response) {
  auto refusals = application::ReviewAsk(reader, pool, plan, now);
  if (!refusals.ok()) return refusals.status();
  for (const auto& [target, refusal] : *refusals) {
    pb::Refusal* message = response->add_refusals();
    message->set_reason(static_cast<pb::ErrorReason>(refusal.reason));
    message->set_target(target);
    message->set_description(refusal.description);
    message->set_limit(refusal.limit);
    message->set_used(refusal.used);
    if (refusal.free_time) codec::SetTime(*refusal.free_time, message->mutable_free_time());
  }
  response->set_would_pass(response->refusals().empty());
  for (const application::PlannedTarget& target : plan.targets) {
    pb::Introduction* draft = response->add_introductions();
    *draft = codec::ToProto(pool, target.draft, AskersView(call));
    draft->set_position(response->introductions_size() - 1);
  }
  auto estimate = application::EstimateAnswer(reader, pool, now);
  if (!estimate.ok()) return estimate.status();
  if (*estimate) {
    pb::AnswerEstimate* message = response->mutable_estimate();
    message->set_asks((*estimate)->asks);
    codec::SetDuration((*estimate)->lower, message->mutable_lower());
    codec::SetDuration((*estimate)->median, message->mutable_median());
    codec::SetDuration((*estimate)->upper, message->mutable_upper());
    message->set_answered((*estimate)->answered);
  }
  return absl::OkStatus();
}

void SetWritten(const std::string& pool, const Call& call, const SeenIntroduction& seen,
                pb::WriteIntroductionResponse* response) {
  *response->mutable_introduction() = codec::ToProto(pool, seen.introduction, seen.viewer);
  response->set_revision(call.Token(seen.introduction.revision));
}

}  // namespace

IntroductionHandlers::Reactor* IntroductionHandlers::Review(Context* context, const pb::RequestRequest* request,
                                                            pb::ReviewResponse* response) {
  auto call = Call::Start(environment_, context, "warmline.v1.IntroductionService/Review");
  const Target target = call->PoolTarget(request->parent(), "parent");
  if (!call->Authorize(request->actor(), target.pool)) return call->Finish(call->error());
  return call->Continue(
      admission::WorkClass::kPlanAsk,
      [=, raw = call.get()] {
        auto plan = PlanOf(*raw, target.pool, *request);
        if (!plan.ok()) {
          raw->Finish(plan.status());
          return;
        }
        auto reader = raw->environment().store.Read();
        raw->Finish(!reader.ok()
                        ? reader.status()
                        : FillReview(**reader, *raw, target.pool, *plan, raw->environment().clock.Now(), response));
      },
      /*on_reader=*/true);
}

IntroductionHandlers::Reactor* IntroductionHandlers::Request(Context* context, const pb::RequestRequest* request,
                                                             Written* response) {
  auto call = Call::Start(environment_, context, "warmline.v1.IntroductionService/Request");
  const Target target = call->PoolTarget(request->parent(), "parent");
  if (!call->Authorize(request->actor(), target.pool)) return call->Finish(call->error());
  return call->Continue(
      admission::WorkClass::kPlanAsk,
      [=] {
        // An error here must not hide the reply that was kept for a retry.
        auto plan = PlanOf(*call, target.pool, *request);
        std::vector<application::RecordKey> reads;
        if (plan.ok()) reads = ReadsOf(target.pool, *plan);
        WriteOnce(call, target.pool, std::move(reads), request, response,
                  [=, raw = call.get(), plan = std::move(plan)](WriteTransaction& tx, absl::Time now,
                                                                std::string* subject) -> absl::Status {
                    if (!plan.ok()) return plan.status();
                    auto made = application::RequestIntroduction(tx, target.pool, *plan, request->request_id(), now);
                    if (!made.ok()) return made.status();
                    *subject = made->seeker;
                    SetWritten(target.pool, *raw, {*made, AskersView(*raw)}, response);
                    return absl::OkStatus();
                  });
      },
      /*on_reader=*/true);
}

IntroductionHandlers::Reactor* IntroductionHandlers::Get(Context* context, const pb::GetIntroductionRequest* request,
                                                         pb::Introduction* response) {
  auto call = Call::Start(environment_, context, "warmline.v1.IntroductionService/Get");
  const Target target = call->ResourceTarget(request->name(), "introductions", "name");
  call->Authorize(request->actor(), target.pool);
  return call->Read([=, raw = call.get()](RecordReader& reader) -> absl::Status {
    auto seen = application::FindIntroduction(reader, raw->caller(), target.pool, target.id);
    if (!seen.ok()) return seen.status();
    *response = codec::ToProto(target.pool, seen->introduction, seen->viewer);
    return absl::OkStatus();
  });
}

IntroductionHandlers::Reactor* IntroductionHandlers::List(Context* context, const pb::ListIntroductionsRequest* request,
                                                          pb::ListIntroductionsResponse* response) {
  auto call = Call::Start(environment_, context, "warmline.v1.IntroductionService/List");
  const Target target = call->PoolTarget(request->parent(), "parent");
  domain::Violations violations;
  application::IntroductionQuery query;
  query.member = codec::IdOf(target.pool, "members", request->member(), "member", violations);
  query.limit = PageSize(request->page_size(), violations);
  query.open_only = request->open_only();
  query.reported_only = request->reported_only();
  const std::string filter = absl::StrCat(query.member, "\n", query.open_only, query.reported_only);
  if (call->Authorize(request->actor(), target.pool)) {
    query.after = AfterToken(*call, filter, request->page_token(), violations);
    call->SetError(violations.ToStatus());
    call->SetError(application::RequireSelf(call->caller(), query.member, "listing introductions"));
    if (query.reported_only) call->SetError(application::RequireOperator(call->caller(), "listing reports of abuse"));
  }
  using Role = application::IntroductionQuery::Role;
  if (call->caller().audience == domain::Audience::kSeeker) query.role = Role::kSeeker;
  if (call->caller().audience == domain::Audience::kIntroducer) query.role = Role::kIntroducer;
  if (call->caller().audience == domain::Audience::kHelper) query.role = Role::kHelper;
  return call->Read([=, raw = call.get()](RecordReader& reader) -> absl::Status {
    auto head = reader.HeadRevision(target.pool);
    if (!head.ok()) return head.status();
    if (*head == 0) return application::PoolNotFound(target.pool);
    auto inbox = application::ReadInbox(reader, raw->caller(), target.pool, query);
    if (!inbox.ok()) return inbox.status();
    for (const SeenIntroduction& seen : inbox->introductions)
      *response->add_introductions() = codec::ToProto(target.pool, seen.introduction, seen.viewer);
    response->set_next_page_token(MakePageToken(*raw, filter, inbox->last));
    return absl::OkStatus();
  });
}

grpc::ServerWriteReactor<pb::IntroductionEvent>* IntroductionHandlers::Watch(
    Context* context, const pb::WatchIntroductionsRequest* request) {
  return StartIntroductionWatch(environment_, context, request);
}

template <typename Message>
IntroductionHandlers::Reactor* IntroductionHandlers::Move(Context* context, const char* method, const Message* request,
                                                          std::string text, Written* response, const Step& step) {
  auto call = Call::Start(environment_, context, method);
  const Target target = call->ResourceTarget(request->name(), "introductions", "name");
  application::MoveInput input;
  input.id = target.id;
  input.text = std::move(text);
  if constexpr (requires { request->etag(); }) input.revision = codec::RevisionOfEtag(request->etag());
  call->Authorize(request->actor(), target.pool);
  return call->Write(target.pool, {application::IntroductionKey(target.pool, target.id)},
                     [=, raw = call.get()](WriteTransaction& tx, absl::Time now) -> absl::Status {
                       auto seen = step(tx, raw->caller(), target.pool, input, now);
                       if (!seen.ok()) return seen.status();
                       SetWritten(target.pool, *raw, *seen, response);
                       return absl::OkStatus();
                     });
}

IntroductionHandlers::Reactor* IntroductionHandlers::Forward(Context* context,
                                                             const pb::ForwardIntroductionRequest* request,
                                                             Written* response) {
  return Move(context, "warmline.v1.IntroductionService/Forward", request, request->note(), response,
              application::Forward);
}

IntroductionHandlers::Reactor* IntroductionHandlers::Accept(Context* context,
                                                            const pb::MoveIntroductionRequest* request,
                                                            Written* response) {
  return Move(context, "warmline.v1.IntroductionService/Accept", request, "", response, application::Accept);
}

IntroductionHandlers::Reactor* IntroductionHandlers::Decline(Context* context,
                                                             const pb::DeclineIntroductionRequest* request,
                                                             Written* response) {
  return Move(context, "warmline.v1.IntroductionService/Decline", request, request->note(), response,
              application::Decline);
}

IntroductionHandlers::Reactor* IntroductionHandlers::AskMore(Context* context, const pb::AskMoreRequest* request,
                                                             Written* response) {
  return Move(context, "warmline.v1.IntroductionService/AskMore", request, request->question(), response,
              application::AskMore);
}

IntroductionHandlers::Reactor* IntroductionHandlers::Answer(Context* context, const pb::AnswerMoreRequest* request,
                                                            Written* response) {
  return Move(context, "warmline.v1.IntroductionService/Answer", request, request->answer(), response,
              application::Answer);
}

IntroductionHandlers::Reactor* IntroductionHandlers::Cancel(Context* context,
                                                            const pb::MoveIntroductionRequest* request,
                                                            Written* response) {
  return Move(context, "warmline.v1.IntroductionService/Cancel", request, "", response, application::Cancel);
}

IntroductionHandlers::Reactor* IntroductionHandlers::ReportOutcome(Context* context,
                                                                   const pb::ReportOutcomeRequest* request,
                                                                   Written* response) {
  return Move(context, "warmline.v1.IntroductionService/ReportOutcome", request, request->note(), response,
              [request](WriteTransaction& tx, const application::Caller& caller, const std::string& pool,
                        const application::MoveInput& input, absl::Time now) -> absl::StatusOr<SeenIntroduction> {
                domain::Violations violations;
                const auto kind = codec::EnumFromProto<domain::OutcomeKind>(request->outcome(), pb::OutcomeKind_IsValid,
                                                                            "OutcomeKind", "outcome", violations);
                if (!violations.empty()) return violations.ToStatus();
                return application::ReportOutcome(tx, caller, pool, input, kind, now);
              });
}

IntroductionHandlers::Reactor* IntroductionHandlers::ReportAbuse(Context* context,
                                                                 const pb::ReportAbuseRequest* request,
                                                                 Written* response) {
  return Move(context, "warmline.v1.IntroductionService/ReportAbuse", request, request->note(), response,
              application::ReportAbuse);
}

IntroductionHandlers::Reactor* IntroductionHandlers::ResolveReport(Context* context,
                                                                   const pb::ResolveReportRequest* request,
                                                                   Written* response) {
  return Move(context, "warmline.v1.IntroductionService/ResolveReport", request, "", response,
              [request](WriteTransaction& tx, const application::Caller& caller, const std::string& pool,
                        const application::MoveInput& input, absl::Time now) -> absl::StatusOr<SeenIntroduction> {
                domain::Violations violations;
                const std::string member = codec::IdOf(pool, "members", request->member(), "member", violations);
                if (!violations.empty()) return violations.ToStatus();
                return application::ResolveReport(tx, caller, pool, input.id, member, request->suspend(), now);
              });
}

}  // namespace warmline::api
