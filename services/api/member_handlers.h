// MemberService: members, ties and blocks. Handlers translate, authorise and call a use case. Thread-safety: gRPC calls
// them from any thread.
#pragma once

#include "api/call.h"
#include "warmline/v1/member_service.grpc.pb.h"

namespace warmline::api {

class MemberHandlers final : public warmline::v1::MemberService::CallbackService {
 public:
  explicit MemberHandlers(Environment& environment) : environment_(environment) {}
  using Context = grpc::CallbackServerContext;
  using Reactor = grpc::ServerUnaryReactor;

  Reactor* CreateMember(Context* context, const warmline::v1::CreateMemberRequest* request,
                        warmline::v1::WriteMemberResponse* response) override;
  Reactor* GetMember(Context* context, const warmline::v1::GetMemberRequest* request,
                     warmline::v1::Member* response) override;
  Reactor* ListMembers(Context* context, const warmline::v1::ListMembersRequest* request,
                       warmline::v1::ListMembersResponse* response) override;
  Reactor* UpdateMember(Context* context, const warmline::v1::UpdateMemberRequest* request,
                        warmline::v1::WriteMemberResponse* response) override;
  Reactor* ConfirmOffer(Context* context, const warmline::v1::ConfirmOfferRequest* request,
                        warmline::v1::WriteMemberResponse* response) override;
  Reactor* EraseMember(Context* context, const warmline::v1::EraseMemberRequest* request,
                       warmline::v1::Erasure* response) override;
  Reactor* GetErasure(Context* context, const warmline::v1::GetErasureRequest* request,
                      warmline::v1::Erasure* response) override;

  Reactor* CreateConnection(Context* context, const warmline::v1::CreateConnectionRequest* request,
                            warmline::v1::WriteConnectionResponse* response) override;
  Reactor* ConfirmConnection(Context* context, const warmline::v1::ConfirmConnectionRequest* request,
                             warmline::v1::WriteConnectionResponse* response) override;
  Reactor* ListConnections(Context* context, const warmline::v1::ListConnectionsRequest* request,
                           warmline::v1::ListConnectionsResponse* response) override;
  Reactor* DeleteConnection(Context* context, const warmline::v1::DeleteConnectionRequest* request,
                            warmline::v1::DeleteResponse* response) override;
  Reactor* CreateBlock(Context* context, const warmline::v1::CreateBlockRequest* request,
                       warmline::v1::WriteBlockResponse* response) override;
  Reactor* ListBlocks(Context* context, const warmline::v1::ListBlocksRequest* request,
                      warmline::v1::ListBlocksResponse* response) override;
  Reactor* DeleteBlock(Context* context, const warmline::v1::DeleteBlockRequest* request,
                       warmline::v1::DeleteResponse* response) override;

  grpc::ServerReadReactor<warmline::v1::ImportRequest>* Import(Context* context,
                                                               warmline::v1::ImportResponse* response) override;
  grpc::ServerWriteReactor<warmline::v1::MemberEvent>* Watch(Context* context,
                                                             const warmline::v1::WatchMembersRequest* request) override;
  grpc::ServerWriteReactor<warmline::v1::ExportResponse>* Export(Context* context,
                                                                 const warmline::v1::ExportRequest* request) override;

 private:
  Environment& environment_;
};

}  // namespace warmline::api
