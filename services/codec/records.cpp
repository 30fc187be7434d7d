#include "codec/records.h"

#include <absl/strings/str_cat.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include "codec/events.h"
#include "codec/introductions.h"
#include "codec/resources.h"
#include "domain/names.h"
#include "warmline/store/v1/record.pb.h"

namespace warmline::codec {
namespace {

namespace store = warmline::store::v1;

absl::Status Damaged(const char* what) {
  return domain::MakeError(
      domain::ErrorReason::kInternalDefect,
      absl::StrCat("a stored ", what,
                   " cannot be read: the store is damaged; restore it from a backup and run `warmline doctor`"));
}

// Parses `bytes` as `Message` and translates it; unknown values count as damage.
template <typename Message, typename Translate>
auto Decode(const std::string& bytes, const char* what, Translate translate)
    -> absl::StatusOr<decltype(translate(Message(), *static_cast<domain::Violations*>(nullptr)))> {
  Message message;
  if (!message.ParseFromString(bytes)) return Damaged(what);
  domain::Violations violations;
  auto value = translate(message, violations);
  if (!violations.empty()) return Damaged(what);
  return value;
}

}  // namespace

// Maps in order of their keys: equal pools have equal bytes, by whose hash a cache names them.
std::string Encode(const domain::Pool& pool) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    ToProto(pool).SerializeToCodedStream(&coded);
  }
  return bytes;
}
std::string Encode(const std::string& pool, const domain::Member& member) {
  return ToProto(pool, member).SerializeAsString();
}
std::string Encode(const std::string& pool, const domain::Connection& connection) {
  return ToProto(pool, connection, true).SerializeAsString();
}
std::string Encode(const std::string& pool, const domain::Need& need) {
  return ToProto(pool, need).SerializeAsString();
}
std::string Encode(const std::string& pool, const domain::Introduction& introduction) {
  return ToStored(pool, introduction).SerializeAsString();
}

std::string ExclusionBytes(const std::string& pool, const std::string& member) {
  warmline::v1::NeedConstraints constraints;
  constraints.add_exclude_members(domain::ResourceName(pool, "members", member));
  return constraints.SerializeAsString();
}

std::string Encode(const domain::Statistics& statistics) {
  store::Statistics message;
  message.set_generation(statistics.generation);
  message.set_helpers(statistics.helpers);
  for (const auto& interest : statistics.interests) {
    store::InterestStatistics* entry = message.add_interests();
    entry->set_canonical(interest.canonical);
    entry->set_helpers(interest.helpers);
    for (const auto& relation : interest.relations) {
      store::Relation* r = entry->add_relations();
      r->set_canonical(relation.canonical);
      r->set_discount(relation.discount);
    }
  }
  return message.SerializeAsString();
}

std::string EncodeChange(const std::string& pool, const domain::ChangeBody& body, const ErasedName& erased) {
  store::Change change;
  struct Writer {
    const std::string& pool;
    const ErasedName& erased;
    store::Change& change;
    void operator()(std::monostate) const {}
    void operator()(const domain::Pool& b) const { *change.mutable_pool() = ToProto(b); }
    void operator()(const domain::Member& b) const { *change.mutable_member() = ToProto(pool, b); }
    void operator()(const domain::MemberErased&) const {
      change.mutable_member_erased()->set_hash(erased.hash);
      change.mutable_member_erased()->set_locator(erased.locator);
    }
    void operator()(const domain::Connection& b) const { *change.mutable_connection() = ToProto(pool, b, true); }
    void operator()(const domain::Block& b) const { *change.mutable_block() = ToProto(pool, b); }
    void operator()(const domain::Need& b) const { *change.mutable_need() = ToProto(pool, b); }
    void operator()(const domain::NeedDeleted& b) const { change.set_need_deleted(b.id); }
    void operator()(const domain::Statistics& b) const { change.set_statistics_generation(b.generation); }
    void operator()(const domain::IntroductionChanged& b) const { *change.mutable_introduction() = ToStored(b); }
    void operator()(const domain::Notice& b) const { *change.mutable_notice() = ToProto(pool, b); }
    void operator()(const domain::IntroductionErased& b) const { change.set_introduction_erased(b.id); }
    void operator()(const domain::ConnectionDeleted& b) const {
      change.mutable_connection_deleted()->set_first(b.a);
      change.mutable_connection_deleted()->set_second(b.b);
    }
    void operator()(const domain::BlockDeleted& b) const {
      change.mutable_block_deleted()->set_first(b.blocker);
      change.mutable_block_deleted()->set_second(b.blocked);
    }
  };
  std::visit(Writer{pool, erased, change}, body);
  return change.SerializeAsString();
}

absl::StatusOr<domain::Pool> DecodePool(const std::string& bytes) {
  return Decode<warmline::v1::Pool>(bytes, "pool", [](const auto& m, auto& v) { return FromProto(m, "", v); });
}
absl::StatusOr<domain::Member> DecodeMember(const std::string& pool, const std::string& bytes) {
  return Decode<warmline::v1::Member>(bytes, "member",
                                      [&](const auto& m, auto& v) { return FromProto(pool, m, "", v); });
}
absl::StatusOr<domain::Connection> DecodeConnection(const std::string& pool, const std::string& bytes) {
  return Decode<warmline::v1::Connection>(bytes, "connection",
                                          [&](const auto& m, auto& v) { return FromProto(pool, m, "", v); });
}
absl::StatusOr<domain::Need> DecodeNeed(const std::string& pool, const std::string& bytes) {
  return Decode<warmline::v1::Need>(bytes, "need", [&](const auto& m, auto& v) { return FromProto(pool, m, "", v); });
}
absl::StatusOr<domain::Introduction> DecodeIntroduction(const std::string& pool, const std::string& bytes) {
  return Decode<store::Introduction>(bytes, "introduction",
                                     [&](const auto& m, auto& v) { return FromStored(pool, m, v); });
}

absl::StatusOr<domain::Statistics> DecodeStatistics(const std::string& bytes) {
  return Decode<store::Statistics>(
      bytes, "generation of statistics", [](const store::Statistics& m, domain::Violations&) {
        domain::Statistics statistics;
        statistics.generation = m.generation();
        statistics.helpers = m.helpers();
        for (const auto& entry : m.interests()) {
          domain::InterestStatistics interest{entry.canonical(), entry.helpers(), {}};
          for (const auto& r : entry.relations())
            interest.relations.push_back({r.canonical(), static_cast<std::uint8_t>(r.discount())});
          statistics.interests.push_back(std::move(interest));
        }
        return statistics;
      });
}

absl::StatusOr<domain::ChangeBody> DecodeChange(const std::string& pool, const std::string& bytes,
                                                std::string* erased_locator) {
  return Decode<store::Change>(
      bytes, "change", [&](const store::Change& m, domain::Violations& v) -> domain::ChangeBody {
        switch (m.body_case()) {
          case store::Change::kPool:
            return FromProto(m.pool(), "", v);
          case store::Change::kMember:
            return FromProto(pool, m.member(), "", v);
          case store::Change::kMemberErasedHash:
            return domain::MemberErased{"", m.member_erased_hash(), 0};
          case store::Change::kMemberErased:
            *erased_locator = m.member_erased().locator();
            return domain::MemberErased{"", m.member_erased().hash(), 0};
          case store::Change::kConnection:
            return FromProto(pool, m.connection(), "", v);
          case store::Change::kConnectionDeleted:
            return domain::ConnectionDeleted{m.connection_deleted().first(), m.connection_deleted().second()};
          case store::Change::kBlock:
            return FromProto(pool, m.block(), "", v);
          case store::Change::kBlockDeleted:
            return domain::BlockDeleted{m.block_deleted().first(), m.block_deleted().second()};
          case store::Change::kNeed:
            return FromProto(pool, m.need(), "", v);
          case store::Change::kIntroduction:
            return FromStored(m.introduction(), v);
          case store::Change::kNotice:
            return FromProto(pool, m.notice(), v);
          case store::Change::kIntroductionErased:
            return domain::IntroductionErased{m.introduction_erased()};
          case store::Change::kNeedDeleted:
            return domain::NeedDeleted{m.need_deleted()};
          case store::Change::kStatisticsGeneration: {
            domain::Statistics statistics;
            statistics.generation = m.statistics_generation();
            return statistics;
          }
          case store::Change::BODY_NOT_SET:
            break;
        }
        return std::monostate();
      });
}

}  // namespace warmline::codec
