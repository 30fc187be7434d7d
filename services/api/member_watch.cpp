#include "api/member_watch.h"

#include <map>

#include "api/log_watch.h"
#include "codec/events.h"
#include "codec/resources.h"

namespace warmline::api {

namespace pb = warmline::v1;

namespace {

class MemberWatch final : public LogWatch<pb::MemberEvent> {
 public:
  MemberWatch(Environment& environment, grpc::CallbackServerContext* context, const pb::WatchMembersRequest* request)
      : LogWatch(environment, context, "warmline.v1.MemberService/Watch") {
    pool_ = call().PoolTarget(request->parent(), "parent").pool;
    domain::Violations violations;
    member_ = codec::IdOf(pool_, "members", request->member(), "member", violations);
    if (call().Authorize(request->actor(), pool_)) {
      call().SetError(violations.ToStatus());
      call().SetError(application::RequireSelf(call().caller(), member_, "watching a member"));
    }
    BeginAt(request->resume_token(), member_);
  }

 private:
  // Members as they are now, notices and erasures as they were told, all in order.
  absl::Status Tell(application::RecordReader& reader, const std::vector<domain::Change>& changes) override {
    std::map<std::int64_t, pb::MemberEvent> events;
    const auto last = LastChanges(changes, [this](const domain::Change& change) {
      const auto* member = std::get_if<domain::Member>(&change.body);
      return member == nullptr || !IsWatched(member->id) ? std::string() : member->id;
    });
    for (const auto& [revision, id] : last) {
      auto member = reader.GetMember(pool_, id);
      if (!member.ok()) return member.status();
      if (member->has_value()) *events[revision].mutable_changed() = codec::ToProto(pool_, **member);
    }
    for (const domain::Change& change : changes) {
      if (const auto* notice = std::get_if<domain::Notice>(&change.body)) {
        if (IsWatched(notice->member)) *events[change.revision].mutable_notice() = codec::ToProto(pool_, *notice);
      } else if (const auto* erased = std::get_if<domain::MemberErased>(&change.body)) {
        if (call().caller().IsOperator() && member_.empty()) events[change.revision].set_erased(erased->hash);
      }
    }
    for (auto& [revision, event] : events) Push(std::move(event), revision);
    return absl::OkStatus();
  }

  [[nodiscard]] bool IsWatched(const std::string& id) const { return member_.empty() || member_ == id; }

  std::string member_;
};

}  // namespace

grpc::ServerWriteReactor<pb::MemberEvent>* StartMemberWatch(Environment& environment,
                                                            grpc::CallbackServerContext* context,
                                                            const pb::WatchMembersRequest* request) {
  return new MemberWatch(environment, context, request);
}

}  // namespace warmline::api
