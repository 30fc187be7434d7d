// MemberService: connections and blocks.
#include <absl/strings/str_cat.h>

#include <algorithm>

#include "api/idempotent_write.h"
#include "api/member_handlers.h"
#include "api/page_token.h"
#include "api/validation.h"
#include "application/members.h"
#include "application/ties.h"
#include "codec/resources.h"
#include "domain/limits.h"
#include "domain/names.h"

namespace warmline::api {

namespace pb = warmline::v1;
using application::GuessKind;
using application::RecordReader;
using application::WriteTransaction;

namespace {

// The two ids in `{a}~{b}`; a wrong name is an error of the call.
std::pair<std::string, std::string> PairOf(Call& call, const Target& target) {
  if (auto pair = domain::ParsePairId(target.id)) return *pair;
  domain::Violations violations;
  violations.Add("name", absl::StrCat(domain::Quoted(target.id), " does not name two members: write {a}~{b}"));
  call.SetError(violations.ToStatus());
  return {};
}

// As the caller may see it.
pb::Connection Shown(const Call& call, const std::string& pool, const domain::Connection& tie) {
  return codec::ToProto(pool, tie, call.caller().IsOperator());
}

const std::string& OtherSide(const domain::Connection& tie, const std::string& member) {
  return tie.a == member ? tie.b : tie.a;
}

absl::Status TakeGuess(Call& call, GuessKind kind, RecordReader& reader, const std::string& pool,
                       const std::string& whom, absl::Time now) {
  return application::TakeGuess(call.environment().guesses, kind, call.environment().pools, reader, call.caller(), pool,
                                whom, now);
}

// What the two lists of a member's ties and blocks ask for alike.
struct MemberPage {
  Target target;
  std::string member;
  int size = 0;
  std::string after;
};

template <typename Request>
MemberPage PageOf(Call& call, const Request& request, const char* what) {
  MemberPage page;
  page.target = call.PoolTarget(request.parent(), "parent");
  domain::Violations violations;
  page.member = codec::IdOf(page.target.pool, "members", request.member(), "member", violations);
  if (page.member.empty()) violations.Add("member", "is empty: name the member whose list you want");
  page.size = PageSize(request.page_size(), violations);
  if (call.Authorize(request.actor(), page.target.pool)) {
    page.after = AfterToken(call, page.member, request.page_token(), violations);
    call.SetError(violations.ToStatus());
    call.SetError(application::RequireSelf(call.caller(), page.member, what));
  }
  return page;
}

// A page of ties as the caller sees them. What they do not see leaves no gap, so that it does not show either.
absl::Status FillTies(RecordReader& reader, const Call& call, const MemberPage& page,
                      pb::ListConnectionsResponse* response) {
  const int at_once = std::max(page.size, domain::kDefaultPageSize);
  std::string after = page.after;
  while (true) {
    auto ties = reader.ListConnectionsOf(page.target.pool, page.member, after, at_once);
    if (!ties.ok()) return ties.status();
    for (const domain::Connection& tie : *ties) {
      after = OtherSide(tie, page.member);
      if (!tie.IsSeenBy(call.caller().member)) continue;
      *response->add_connections() = Shown(call, page.target.pool, tie);
      if (response->connections_size() < page.size) continue;
      response->set_next_page_token(MakePageToken(call, page.member, after));
      return absl::OkStatus();
    }
    if (ties->size() < static_cast<std::size_t>(at_once)) return absl::OkStatus();
  }
}

}  // namespace

MemberHandlers::Reactor* MemberHandlers::CreateConnection(Context* context, const pb::CreateConnectionRequest* request,
                                                          pb::WriteConnectionResponse* response) {
  auto call = Call::Start(environment_, context, "warmline.v1.MemberService/CreateConnection");
  const Target target = call->PoolTarget(request->parent(), "parent");
  domain::Violations violations;
  domain::Connection connection = codec::FromProto(target.pool, request->connection(), "connection.", violations);
  Complete(connection, "connection.", violations);
  if (call->Authorize(request->actor(), target.pool)) call->SetError(violations.ToStatus());
  return WriteOnce(call, target.pool, application::ReadsOf(target.pool, connection), request, response,
                   [=, raw = call.get()](WriteTransaction& tx, absl::Time now, std::string* subject) -> absl::Status {
                     const std::string& other = OtherSide(connection, raw->caller().member);
                     if (auto status = TakeGuess(*raw, GuessKind::kLookUp, tx, target.pool, other, now); !status.ok())
                       return status;
                     auto created = application::CreateConnection(tx, raw->caller(), target.pool, connection);
                     if (!created.ok()) return created.status();
                     *subject = raw->caller().IsOperator() ? created->a : raw->caller().member;
                     *response->mutable_connection() = Shown(*raw, target.pool, *created);
                     response->set_revision(raw->Token(created->revision));
                     return absl::OkStatus();
                   });
}

MemberHandlers::Reactor* MemberHandlers::ConfirmConnection(Context* context,
                                                           const pb::ConfirmConnectionRequest* request,
                                                           pb::WriteConnectionResponse* response) {
  auto call = Call::Start(environment_, context, "warmline.v1.MemberService/ConfirmConnection");
  const Target target = call->ResourceTarget(request->name(), "connections", "name");
  const auto pair = PairOf(*call, target);
  call->Authorize(request->actor(), target.pool);
  return call->Write(target.pool, {application::ConnectionKey(target.pool, pair.first, pair.second)},
                     [=, raw = call.get()](WriteTransaction& tx, absl::Time) -> absl::Status {
                       auto confirmed =
                           application::ConfirmConnection(tx, raw->caller(), target.pool, pair.first, pair.second);
                       if (!confirmed.ok()) return confirmed.status();
                       *response->mutable_connection() = Shown(*raw, target.pool, *confirmed);
                       response->set_revision(raw->Token(confirmed->revision));
                       return absl::OkStatus();
                     });
}

MemberHandlers::Reactor* MemberHandlers::ListConnections(Context* context, const pb::ListConnectionsRequest* request,
                                                         pb::ListConnectionsResponse* response) {
  auto call = Call::Start(environment_, context, "warmline.v1.MemberService/ListConnections");
  const MemberPage page = PageOf(*call, *request, "listing ties");
  return call->Read([=, raw = call.get()](RecordReader& reader) -> absl::Status {
    if (auto member = application::FindMember(reader, page.target.pool, page.member); !member.ok())
      return member.status();
    return FillTies(reader, *raw, page, response);
  });
}

MemberHandlers::Reactor* MemberHandlers::DeleteConnection(Context* context, const pb::DeleteConnectionRequest* request,
                                                          pb::DeleteResponse* response) {
  auto call = Call::Start(environment_, context, "warmline.v1.MemberService/DeleteConnection");
  const Target target = call->ResourceTarget(request->name(), "connections", "name");
  const auto pair = PairOf(*call, target);
  call->Authorize(request->actor(), target.pool);
  return call->Write(target.pool, {application::ConnectionKey(target.pool, pair.first, pair.second)},
                     [=, raw = call.get()](WriteTransaction& tx, absl::Time) -> absl::Status {
                       auto revision =
                           application::DeleteConnection(tx, raw->caller(), target.pool, pair.first, pair.second);
                       if (!revision.ok()) return revision.status();
                       response->set_revision(raw->Token(*revision));
                       return absl::OkStatus();
                     });
}

MemberHandlers::Reactor* MemberHandlers::CreateBlock(Context* context, const pb::CreateBlockRequest* request,
                                                     pb::WriteBlockResponse* response) {
  auto call = Call::Start(environment_, context, "warmline.v1.MemberService/CreateBlock");
  const Target target = call->PoolTarget(request->parent(), "parent");
  domain::Violations violations;
  domain::Block block = codec::FromProto(target.pool, request->block(), "block.", violations);
  Complete(block, "block.", violations);
  if (call->Authorize(request->actor(), target.pool)) call->SetError(violations.ToStatus());
  return call->Write(target.pool, application::ReadsOf(target.pool, block),
                     [=, raw = call.get()](WriteTransaction& tx, absl::Time now) -> absl::Status {
                       if (auto status = TakeGuess(*raw, GuessKind::kBlock, tx, target.pool, block.blocked, now);
                           !status.ok())
                         return status;
                       auto revision = application::CreateBlock(tx, raw->caller(), target.pool, block, now);
                       if (!revision.ok()) return revision.status();
                       *response->mutable_block() = codec::ToProto(target.pool, block);
                       response->set_revision(raw->Token(*revision));
                       return absl::OkStatus();
                     });
}

MemberHandlers::Reactor* MemberHandlers::ListBlocks(Context* context, const pb::ListBlocksRequest* request,
                                                    pb::ListBlocksResponse* response) {
  auto call = Call::Start(environment_, context, "warmline.v1.MemberService/ListBlocks");
  const MemberPage page = PageOf(*call, *request, "listing blocks");
  return call->Read([=, raw = call.get()](RecordReader& reader) -> absl::Status {
    if (auto member = application::FindMember(reader, page.target.pool, page.member); !member.ok())
      return member.status();
    auto blocks = reader.ListBlocksOf(page.target.pool, page.member, page.after, page.size);
    if (!blocks.ok()) return blocks.status();
    for (const auto& block : *blocks) *response->add_blocks() = codec::ToProto(page.target.pool, block);
    if (blocks->size() == static_cast<std::size_t>(page.size))
      response->set_next_page_token(MakePageToken(*raw, page.member, blocks->back().blocked));
    return absl::OkStatus();
  });
}

MemberHandlers::Reactor* MemberHandlers::DeleteBlock(Context* context, const pb::DeleteBlockRequest* request,
                                                     pb::DeleteResponse* response) {
  auto call = Call::Start(environment_, context, "warmline.v1.MemberService/DeleteBlock");
  const Target target = call->ResourceTarget(request->name(), "blocks", "name");
  const auto pair = PairOf(*call, target);
  call->Authorize(request->actor(), target.pool);
  return call->Write(
      target.pool, {application::BlockKey(target.pool, pair.first, pair.second)},
      [=, raw = call.get()](WriteTransaction& tx, absl::Time) -> absl::Status {
        auto revision = application::DeleteBlock(tx, raw->caller(), target.pool, {pair.first, pair.second});
        if (!revision.ok()) return revision.status();
        response->set_revision(raw->Token(*revision));
        return absl::OkStatus();
      });
}

}  // namespace warmline::api
