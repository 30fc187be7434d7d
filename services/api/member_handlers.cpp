#include "api/member_handlers.h"

#include "api/export_stream.h"
#include "api/idempotent_write.h"
#include "api/import_stream.h"
#include "api/member_watch.h"
#include "api/page_token.h"
#include "api/validation.h"
#include "application/members.h"
#include "codec/resources.h"
#include "codec/time.h"
#include "domain/names.h"

namespace warmline::api {

namespace pb = warmline::v1;
using application::RecordReader;
using application::WriteTransaction;

namespace {

void SetErasure(const std::string& pool, const Call& call, const application::ErasureRecord& record, bool done,
                pb::Erasure* message) {
  message->set_name(domain::ResourceName(pool, "erasures", record.hash));
  message->set_done(done);
  codec::SetTime(record.time, message->mutable_erase_time());
  message->set_records_removed(record.records_removed);
  message->set_revision(call.Token(record.revision));
}

void SetWritten(const std::string& pool, const Call& call, const domain::Member& member,
                pb::WriteMemberResponse* response) {
  *response->mutable_member() = codec::ToProto(pool, member);
  response->set_revision(call.Token(member.revision));
}

}  // namespace

MemberHandlers::Reactor* MemberHandlers::CreateMember(Context* context, const pb::CreateMemberRequest* request,
                                                      pb::WriteMemberResponse* response) {
  auto call = Call::Start(environment_, context, "warmline.v1.MemberService/CreateMember");
  const Target target = call->PoolTarget(request->parent(), "parent");
  domain::Violations violations;
  domain::Member member = codec::FromProto(target.pool, request->member(), "member.", violations);
  if (!request->member_id().empty()) member.id = request->member_id();
  Complete(member, "member.", violations);
  if (call->Authorize(request->actor(), target.pool)) call->SetError(violations.ToStatus());
  return WriteOnce(call, target.pool, {application::MemberKey(target.pool, member.id)}, request, response,
                   [=, raw = call.get()](WriteTransaction& tx, absl::Time now, std::string* subject) -> absl::Status {
                     auto created = application::CreateMember(tx, raw->caller(), target.pool, member, now);
                     if (!created.ok()) return created.status();
                     *subject = created->id;
                     SetWritten(target.pool, *raw, *created, response);
                     return absl::OkStatus();
                   });
}

MemberHandlers::Reactor* MemberHandlers::GetMember(Context* context, const pb::GetMemberRequest* request,
                                                   pb::Member* response) {
  auto call = Call::Start(environment_, context, "warmline.v1.MemberService/GetMember");
  const Target target = call->ResourceTarget(request->name(), "members", "name");
  if (call->Authorize(request->actor(), target.pool))
    call->SetError(application::RequireSelf(call->caller(), target.id, "reading a member"));
  return call->Read([=](RecordReader& reader) -> absl::Status {
    auto member = application::FindMember(reader, target.pool, target.id);
    if (!member.ok()) return member.status();
    *response = codec::ToProto(target.pool, *member);
    return absl::OkStatus();
  });
}

MemberHandlers::Reactor* MemberHandlers::ListMembers(Context* context, const pb::ListMembersRequest* request,
                                                     pb::ListMembersResponse* response) {
  auto call = Call::Start(environment_, context, "warmline.v1.MemberService/ListMembers");
  const Target target = call->PoolTarget(request->parent(), "parent");
  domain::Violations violations;
  const int size = PageSize(request->page_size(), violations);
  std::string after;
  if (call->Authorize(request->actor(), target.pool)) {
    call->SetError(application::RequireOperator(call->caller(), "listing members"));
    after = AfterToken(*call, "", request->page_token(), violations);
    call->SetError(violations.ToStatus());
  }
  return call->Read([=, raw = call.get()](RecordReader& reader) -> absl::Status {
    auto head = reader.HeadRevision(target.pool);
    if (!head.ok()) return head.status();
    if (*head == 0) return application::PoolNotFound(target.pool);
    auto members = reader.ListMembers(target.pool, after, size);
    if (!members.ok()) return members.status();
    for (const auto& member : *members) *response->add_members() = codec::ToProto(target.pool, member);
    if (members->size() == static_cast<std::size_t>(size))
      response->set_next_page_token(MakePageToken(*raw, "", members->back().id));
    return absl::OkStatus();
  });
}

MemberHandlers::Reactor* MemberHandlers::UpdateMember(Context* context, const pb::UpdateMemberRequest* request,
                                                      pb::WriteMemberResponse* response) {
  auto call = Call::Start(environment_, context, "warmline.v1.MemberService/UpdateMember");
  const Target target = call->ResourceTarget(request->member().name(), "members", "member.name");
  domain::Violations violations;
  domain::Member member = codec::FromProto(target.pool, request->member(), "member.", violations);
  if (call->Authorize(request->actor(), target.pool)) call->SetError(violations.ToStatus());
  return call->Write(
      target.pool, {application::MemberKey(target.pool, target.id)},
      [=, raw = call.get()](WriteTransaction& tx, absl::Time now) -> absl::Status {
        auto updated = application::UpdateMember(tx, raw->caller(), target.pool, member,
                                                 {request->update_mask().begin(), request->update_mask().end()}, now);
        if (!updated.ok()) return updated.status();
        SetWritten(target.pool, *raw, *updated, response);
        return absl::OkStatus();
      },
      request->validate_only());
}

MemberHandlers::Reactor* MemberHandlers::ConfirmOffer(Context* context, const pb::ConfirmOfferRequest* request,
                                                      pb::WriteMemberResponse* response) {
  auto call = Call::Start(environment_, context, "warmline.v1.MemberService/ConfirmOffer");
  const Target target = call->ResourceTarget(request->name(), "members", "name");
  call->Authorize(request->actor(), target.pool);
  return call->Write(target.pool, {application::MemberKey(target.pool, target.id)},
                     [=, raw = call.get()](WriteTransaction& tx, absl::Time now) -> absl::Status {
                       auto confirmed = application::ConfirmOffer(tx, raw->caller(), target.pool, target.id, now);
                       if (!confirmed.ok()) return confirmed.status();
                       SetWritten(target.pool, *raw, *confirmed, response);
                       return absl::OkStatus();
                     });
}

MemberHandlers::Reactor* MemberHandlers::EraseMember(Context* context, const pb::EraseMemberRequest* request,
                                                     pb::Erasure* response) {
  auto call = Call::Start(environment_, context, "warmline.v1.MemberService/EraseMember");
  const Target target = call->ResourceTarget(request->name(), "members", "name");
  call->Authorize(request->actor(), target.pool);
  return call->Write(
      target.pool, {application::MemberKey(target.pool, target.id), application::ErasureKeyOf(target.pool, target.id)},
      [=, raw = call.get()](WriteTransaction& tx, absl::Time now) -> absl::Status {
        auto record = application::EraseMember(tx, raw->caller(), target.pool, target.id, now);
        if (!record.ok()) return record.status();
        SetErasure(target.pool, *raw, *record, false, response);
        return absl::OkStatus();
      });
}

MemberHandlers::Reactor* MemberHandlers::GetErasure(Context* context, const pb::GetErasureRequest* request,
                                                    pb::Erasure* response) {
  auto call = Call::Start(environment_, context, "warmline.v1.MemberService/GetErasure");
  const Target target = call->ResourceTarget(request->name(), "erasures", "name");
  if (call->Authorize(request->actor(), target.pool))
    call->SetError(application::RequireOperator(call->caller(), "reading an erasure"));
  return call->Read([=, this, raw = call.get()](RecordReader& reader) -> absl::Status {
    auto record = reader.GetErasure(target.pool, target.id);
    if (!record.ok()) return record.status();
    if (!record->has_value()) {
      return domain::MakeError(domain::ErrorReason::kErasureNotFound,
                               request->name() + " does not exist: use the name that EraseMember returned");
    }
    const bool done =
        environment_.erasures == nullptr ? (*record)->cleaned : environment_.erasures->IsDone(target.pool, **record);
    SetErasure(target.pool, *raw, **record, done, response);
    return absl::OkStatus();
  });
}

grpc::ServerReadReactor<pb::ImportRequest>* MemberHandlers::Import(Context* context, pb::ImportResponse* response) {
  return StartImport(environment_, context, response);
}

grpc::ServerWriteReactor<pb::MemberEvent>* MemberHandlers::Watch(Context* context,
                                                                 const pb::WatchMembersRequest* request) {
  return StartMemberWatch(environment_, context, request);
}

grpc::ServerWriteReactor<pb::ExportResponse>* MemberHandlers::Export(Context* context,
                                                                     const pb::ExportRequest* request) {
  return StartExport(environment_, context, request);
}

}  // namespace warmline::api
