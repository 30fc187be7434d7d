#include "codec/events.h"

#include <absl/strings/str_cat.h>
#include <google/protobuf/util/json_util.h>

#include "codec/resources.h"
#include "codec/time.h"
#include "domain/names.h"
#include "domain/revision.h"

namespace warmline::codec {

namespace pb = warmline::v1;

pb::Notice ToProto(const std::string& pool, const domain::Notice& notice) {
  pb::Notice message;
  message.set_kind(static_cast<pb::Notice::Kind>(notice.kind));
  message.set_member(domain::ResourceName(pool, "members", notice.member));
  if (!notice.introduction.empty())
    message.set_introduction(domain::ResourceName(pool, "introductions", notice.introduction));
  if (notice.due) SetTime(*notice.due, message.mutable_due());
  return message;
}

domain::Notice FromProto(const std::string& pool, const pb::Notice& message, domain::Violations& violations) {
  domain::Notice notice;
  notice.kind =
      EnumFromProto<domain::NoticeKind>(message.kind(), pb::Notice::Kind_IsValid, "Notice.Kind", "kind", violations);
  notice.member = IdOf(pool, "members", message.member(), "member", violations);
  if (!message.introduction().empty())
    notice.introduction = IdOf(pool, "introductions", message.introduction(), "introduction", violations);
  if (message.has_due()) notice.due = ToTime(message.due());
  return notice;
}

std::optional<pb::Event> EventOf(const std::string& pool, const domain::RevisionTokens& revisions,
                                 const domain::Change& change) {
  pb::Event event;
  struct Teller {
    const std::string& pool;
    pb::Event& event;
    bool operator()(const domain::IntroductionChanged& b) const {
      pb::IntroductionMoved* moved = event.mutable_introduction_moved();
      moved->set_introduction(domain::ResourceName(pool, "introductions", b.id));
      moved->set_seeker(domain::ResourceName(pool, "members", b.seeker));
      moved->set_helper(domain::ResourceName(pool, "members", b.helper));
      moved->set_state(static_cast<pb::IntroductionState>(b.state));
      return true;
    }
    bool operator()(const domain::IntroductionErased& b) const {
      event.set_introduction_erased(domain::ResourceName(pool, "introductions", b.id));
      return true;
    }
    bool operator()(const domain::Member& b) const {
      event.set_member_changed(domain::ResourceName(pool, "members", b.id));
      return true;
    }
    bool operator()(const domain::MemberErased& b) const {
      event.set_member_erased(b.hash);
      return true;
    }
    bool operator()(const domain::Need& b) const {
      event.set_need_changed(domain::ResourceName(pool, "needs", b.id));
      return true;
    }
    bool operator()(const domain::NeedDeleted& b) const {
      event.set_need_changed(domain::ResourceName(pool, "needs", b.id));
      return true;
    }
    bool operator()(const domain::Notice& b) const {
      *event.mutable_notice() = ToProto(pool, b);
      return true;
    }
    bool operator()(const domain::Pool& b) const {
      event.set_pool_changed(domain::PoolName(b.id));
      return true;
    }
    bool operator()(const domain::Connection&) const { return false; }
    bool operator()(const domain::ConnectionDeleted&) const { return false; }
    bool operator()(const domain::Block&) const { return false; }
    bool operator()(const domain::BlockDeleted&) const { return false; }
    bool operator()(const domain::Statistics&) const { return false; }
    bool operator()(std::monostate) const { return false; }
  };
  if (!std::visit(Teller{pool, event}, change.body)) return std::nullopt;
  const std::string token = revisions.Of(pool, change.revision);
  event.set_id(absl::StrCat(pool, "/", token));
  event.set_pool(domain::PoolName(pool));
  event.set_revision(token);
  return event;
}

std::string ToJson(const pb::EventBatch& batch) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string json;
  (void)google::protobuf::util::MessageToJsonString(batch, &json, options);
  return json;
}

}  // namespace warmline::codec
