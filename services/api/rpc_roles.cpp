#include "api/rpc_roles.h"

#include <absl/container/flat_hash_map.h>
#include <absl/strings/match.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <algorithm>
#include <string>

namespace warmline::api {
namespace {

using admission::Lane;
using application::CallRole;
using application::CallRoles;

constexpr CallRoles kOperators = static_cast<CallRoles>(CallRole::kOperator);
constexpr CallRoles kEverybody =
    CallRole::kReader | CallRole::kMatcher | CallRole::kMemberWriter | CallRole::kIntroducer | CallRole::kOperator;
constexpr CallRoles kReaders = CallRole::kReader | CallRole::kOperator;
constexpr CallRoles kWriters = CallRole::kMemberWriter | CallRole::kOperator;
constexpr CallRoles kRecords = CallRole::kReader | CallRole::kMemberWriter | CallRole::kOperator;
constexpr CallRoles kSeeNeeds = CallRole::kReader | CallRole::kMatcher | CallRole::kMemberWriter | CallRole::kOperator;
constexpr CallRoles kMatchers = CallRole::kMatcher | CallRole::kOperator;
constexpr CallRoles kIntroducers = CallRole::kIntroducer | CallRole::kOperator;
constexpr CallRoles kSeeAsks = CallRole::kReader | CallRole::kIntroducer | CallRole::kOperator;

const absl::flat_hash_map<std::string_view, CallRoles>& Table() {
  static const absl::flat_hash_map<std::string_view, CallRoles> table = {
      {"warmline.v1.PoolService/CreatePool", kOperators},
      {"warmline.v1.PoolService/GetPool", kEverybody},
      {"warmline.v1.PoolService/ListPools", kEverybody},
      {"warmline.v1.PoolService/UpdatePool", kOperators},
      {"warmline.v1.PoolService/RefreshStatistics", kOperators},
      {"warmline.v1.PoolService/GetIndexState", kReaders},
      {"warmline.v1.PoolService/GetMarketHealth", kReaders},
      {"warmline.v1.PoolService/ListReplicas", kReaders},
      {"warmline.v1.MemberService/CreateMember", kWriters},
      {"warmline.v1.MemberService/GetMember", kRecords},
      {"warmline.v1.MemberService/ListMembers", kRecords},
      {"warmline.v1.MemberService/UpdateMember", kWriters},
      {"warmline.v1.MemberService/ConfirmOffer", kWriters},
      {"warmline.v1.MemberService/Watch", kRecords},
      {"warmline.v1.MemberService/CreateConnection", kWriters},
      {"warmline.v1.MemberService/ConfirmConnection", kWriters},
      {"warmline.v1.MemberService/ListConnections", kRecords},
      {"warmline.v1.MemberService/DeleteConnection", kWriters},
      {"warmline.v1.MemberService/CreateBlock", kWriters},
      {"warmline.v1.MemberService/ListBlocks", kRecords},
      {"warmline.v1.MemberService/DeleteBlock", kWriters},
      {"warmline.v1.MemberService/Import", kWriters},
      {"warmline.v1.MemberService/Export", kOperators},
      {"warmline.v1.MemberService/EraseMember", kWriters},
      {"warmline.v1.MemberService/GetErasure", kRecords},
      {"warmline.v1.NeedService/CreateNeed", kWriters},
      {"warmline.v1.NeedService/GetNeed", kEverybody},
      {"warmline.v1.NeedService/ListNeeds", kSeeNeeds},
      {"warmline.v1.NeedService/UpdateNeed", kWriters},
      {"warmline.v1.NeedService/CloseNeed", kWriters},
      {"warmline.v1.MatchService/Match", kMatchers},
      {"warmline.v1.MatchService/MatchStream", kMatchers},
      {"warmline.v1.MatchService/Explain", kMatchers},
      {"warmline.v1.MatchService/Watch", kMatchers},
      {"warmline.v1.MatchService/SuggestInterests", kSeeNeeds},
      {"warmline.v1.IntroductionService/Review", kIntroducers},
      {"warmline.v1.IntroductionService/Request", kIntroducers},
      {"warmline.v1.IntroductionService/Get", kSeeAsks},
      {"warmline.v1.IntroductionService/List", kSeeAsks},
      {"warmline.v1.IntroductionService/Watch", kSeeAsks},
      {"warmline.v1.IntroductionService/Forward", kIntroducers},
      {"warmline.v1.IntroductionService/Accept", kIntroducers},
      {"warmline.v1.IntroductionService/Decline", kIntroducers},
      {"warmline.v1.IntroductionService/AskMore", kIntroducers},
      {"warmline.v1.IntroductionService/Answer", kIntroducers},
      {"warmline.v1.IntroductionService/Cancel", kIntroducers},
      {"warmline.v1.IntroductionService/ReportOutcome", kIntroducers},
      {"warmline.v1.IntroductionService/ReportAbuse", kIntroducers},
      {"warmline.v1.IntroductionService/ResolveReport", kOperators},
      {"warmline.v1.AssignmentService/Assign", kOperators},
  };
  return table;
}

RpcTraits Derive(std::string_view name, CallRoles roles) {
  RpcTraits traits;
  traits.roles = roles;
  std::string full_name(name);
  std::replace(full_name.begin(), full_name.end(), '/', '.');
  const auto* call = google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(full_name);
  if (call == nullptr) return traits;
  traits.changes = call->options().idempotency_level() != google::protobuf::MethodOptions::NO_SIDE_EFFECTS;
  traits.streams = call->client_streaming() || call->server_streaming();
  traits.watch = call->name() == "Watch";
  traits.list = absl::StartsWith(call->name(), "List");
  if (traits.streams) {
    traits.lane = Lane::kBulk;
  } else if (call->service()->name() == "MatchService") {
    traits.lane = Lane::kMatches;
  } else if (roles == kOperators || call->service()->name() == "PoolService") {
    traits.lane = Lane::kOperations;
  }
  return traits;
}

}  // namespace

CallRoles RolesFor(std::string_view method) {
  const auto found = Table().find(method);
  return found == Table().end() ? CallRoles{0} : found->second;
}

const RpcTraits& TraitsOf(std::string_view method) {
  static const absl::flat_hash_map<std::string_view, RpcTraits> traits = [] {
    absl::flat_hash_map<std::string_view, RpcTraits> made;
    for (const auto& [name, roles] : Table()) made[name] = Derive(name, roles);
    return made;
  }();
  static const RpcTraits unknown;
  const auto found = traits.find(method);
  return found == traits.end() ? unknown : found->second;
}

}  // namespace warmline::api
