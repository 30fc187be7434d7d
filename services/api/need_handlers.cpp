#include "api/need_handlers.h"

#include <absl/strings/str_cat.h>

#include "api/idempotent_write.h"
#include "api/page_token.h"
#include "api/validation.h"
#include "application/needs.h"
#include "codec/resources.h"

namespace warmline::api {

namespace pb = warmline::v1;
using application::GuessKind;
using application::RecordReader;
using application::WriteTransaction;

namespace {

void SetWritten(const std::string& pool, const Call& call, const domain::Need& need, pb::WriteNeedResponse* response) {
  *response->mutable_need() = codec::ToProto(pool, need);
  response->set_revision(call.Token(need.revision));
}

}  // namespace

NeedHandlers::Reactor* NeedHandlers::CreateNeed(Context* context, const pb::CreateNeedRequest* request,
                                                pb::WriteNeedResponse* response) {
  auto call = Call::Start(environment_, context, "warmline.v1.NeedService/CreateNeed");
  const Target target = call->PoolTarget(request->parent(), "parent");
  domain::Violations violations;
  domain::Need need = codec::FromProto(target.pool, request->need(), "need.", violations);
  if (!request->need_id().empty()) need.id = request->need_id();
  Complete(need, "need.", violations);
  // A chosen id follows from the request id, so that a retry chooses the same one.
  if (need.id.empty())
    need.id =
        absl::StrCat("need-", absl::Hex(base::Hash64(target.pool + "\n" + request->request_id()), absl::kZeroPad16));
  if (call->Authorize(request->actor(), target.pool)) call->SetError(violations.ToStatus());
  return WriteOnce(call, target.pool, application::ReadsOf(target.pool, need), request, response,
                   [=, raw = call.get()](WriteTransaction& tx, absl::Time now, std::string* subject) -> absl::Status {
                     auto& guesses = raw->environment().guesses;
                     if (!request->need_id().empty() || !request->need().name().empty()) {
                       auto status = guesses.Check(GuessKind::kLookUp, raw->caller(), target.pool, now);
                       if (!status.ok()) return status;
                     }
                     auto created = application::CreateNeed(tx, raw->caller(), target.pool, need, now);
                     if (!created.ok()) {
                       // The id of a need is one of the pool: that it is taken cannot be hidden, but how often is
                       // asked.
                       if (domain::ReasonOf(created.status()) == domain::ErrorReason::kNeedExists)
                         guesses.Count(GuessKind::kLookUp, raw->caller(), target.pool, now);
                       return created.status();
                     }
                     *subject = created->seeker;
                     SetWritten(target.pool, *raw, *created, response);
                     return absl::OkStatus();
                   });
}

NeedHandlers::Reactor* NeedHandlers::GetNeed(Context* context, const pb::GetNeedRequest* request, pb::Need* response) {
  auto call = Call::Start(environment_, context, "warmline.v1.NeedService/GetNeed");
  const Target target = call->ResourceTarget(request->name(), "needs", "name");
  call->Authorize(request->actor(), target.pool);
  return call->Read([=, raw = call.get()](RecordReader& reader) -> absl::Status {
    auto need = application::FindNeed(reader, raw->caller(), target.pool, target.id);
    if (!need.ok()) return need.status();
    *response = codec::ToProto(target.pool, *need);
    return absl::OkStatus();
  });
}

NeedHandlers::Reactor* NeedHandlers::ListNeeds(Context* context, const pb::ListNeedsRequest* request,
                                               pb::ListNeedsResponse* response) {
  auto call = Call::Start(environment_, context, "warmline.v1.NeedService/ListNeeds");
  const Target target = call->PoolTarget(request->parent(), "parent");
  domain::Violations violations;
  const std::string seeker = codec::IdOf(target.pool, "members", request->seeker(), "seeker", violations);
  const int size = PageSize(request->page_size(), violations);
  std::string after;
  if (call->Authorize(request->actor(), target.pool)) {
    after = AfterToken(*call, seeker, request->page_token(), violations);
    call->SetError(violations.ToStatus());
    call->SetError(application::RequireSelf(call->caller(), seeker, "listing needs", {domain::Audience::kSeeker}));
  }
  return call->Read([=, raw = call.get()](RecordReader& reader) -> absl::Status {
    auto head = reader.HeadRevision(target.pool);
    if (!head.ok()) return head.status();
    if (*head == 0) return application::PoolNotFound(target.pool);
    auto needs = reader.ListNeeds(target.pool, seeker, after, size);
    if (!needs.ok()) return needs.status();
    for (const auto& need : *needs) *response->add_needs() = codec::ToProto(target.pool, need);
    if (needs->size() == static_cast<std::size_t>(size))
      response->set_next_page_token(MakePageToken(*raw, seeker, needs->back().id));
    return absl::OkStatus();
  });
}

NeedHandlers::Reactor* NeedHandlers::UpdateNeed(Context* context, const pb::UpdateNeedRequest* request,
                                                pb::WriteNeedResponse* response) {
  auto call = Call::Start(environment_, context, "warmline.v1.NeedService/UpdateNeed");
  const Target target = call->ResourceTarget(request->need().name(), "needs", "need.name");
  domain::Violations violations;
  domain::Need need = codec::FromProto(target.pool, request->need(), "need.", violations);
  if (call->Authorize(request->actor(), target.pool)) call->SetError(violations.ToStatus());
  return call->Write(
      target.pool, {application::NeedKey(target.pool, target.id)},
      [=, raw = call.get()](WriteTransaction& tx, absl::Time) -> absl::Status {
        auto updated = application::UpdateNeed(tx, raw->caller(), target.pool, need,
                                               {request->update_mask().begin(), request->update_mask().end()});
        if (!updated.ok()) return updated.status();
        SetWritten(target.pool, *raw, *updated, response);
        return absl::OkStatus();
      },
      request->validate_only());
}

NeedHandlers::Reactor* NeedHandlers::CloseNeed(Context* context, const pb::CloseNeedRequest* request,
                                               pb::WriteNeedResponse* response) {
  auto call = Call::Start(environment_, context, "warmline.v1.NeedService/CloseNeed");
  const Target target = call->ResourceTarget(request->name(), "needs", "name");
  domain::Violations violations;
  const auto reason = codec::EnumFromProto<domain::CloseReason>(request->reason(), pb::CloseReason_IsValid,
                                                                "CloseReason", "reason", violations);
  if (call->Authorize(request->actor(), target.pool)) call->SetError(violations.ToStatus());
  return call->Write(target.pool, {application::NeedKey(target.pool, target.id)},
                     [=, raw = call.get()](WriteTransaction& tx, absl::Time now) -> absl::Status {
                       auto closed = application::CloseNeed(tx, raw->caller(), target.pool, target.id, reason, now);
                       if (!closed.ok()) return closed.status();
                       SetWritten(target.pool, *raw, *closed, response);
                       return absl::OkStatus();
                     });
}

}  // namespace warmline::api
