#include "api/introduction_watch.h"

#include "api/log_watch.h"
#include "application/introduction_moves.h"
#include "codec/introductions.h"

namespace warmline::api {

namespace pb = warmline::v1;

namespace {

class IntroductionWatch final : public LogWatch<pb::IntroductionEvent> {
 public:
  IntroductionWatch(Environment& environment, grpc::CallbackServerContext* context,
                    const pb::WatchIntroductionsRequest* request)
      : LogWatch(environment, context, "warmline.v1.IntroductionService/Watch") {
    pool_ = call().PoolTarget(request->parent(), "parent").pool;
    domain::Violations violations;
    member_ = codec::IdOf(pool_, "members", request->member(), "member", violations);
    if (call().Authorize(request->actor(), pool_)) {
      call().SetError(violations.ToStatus());
      call().SetError(application::RequireSelf(call().caller(), member_, "watching introductions"));
    }
    BeginAt(request->resume_token(), member_);
  }

 private:
  absl::Status Tell(application::RecordReader& reader, const std::vector<domain::Change>& changes) override {
    const auto last = LastChanges(changes, [](const domain::Change& change) {
      const auto* changed = std::get_if<domain::IntroductionChanged>(&change.body);
      return changed == nullptr ? std::string() : changed->id;
    });
    for (const auto& [revision, id] : last) {
      auto seen = application::FindIntroduction(reader, call().caller(), pool_, id);
      if (absl::IsNotFound(seen.status())) continue;  // not the caller's, or erased
      if (!seen.ok()) return seen.status();
      if (!member_.empty() && !seen->introduction.Involves(member_)) continue;  // an operator's view of one member
      pb::IntroductionEvent event;
      *event.mutable_introduction() = codec::ToProto(pool_, seen->introduction, seen->viewer);
      Push(std::move(event), revision);
    }
    return absl::OkStatus();
  }

  std::string member_;
};

}  // namespace

grpc::ServerWriteReactor<pb::IntroductionEvent>* StartIntroductionWatch(Environment& environment,
                                                                        grpc::CallbackServerContext* context,
                                                                        const pb::WatchIntroductionsRequest* request) {
  return new IntroductionWatch(environment, context, request);
}

}  // namespace warmline::api
