#include <absl/strings/str_cat.h>

#include <algorithm>

#include "codec/resources.h"
#include "codec/time.h"
#include "domain/interest.h"
#include "domain/names.h"

namespace warmline::codec {
namespace {

namespace pb = warmline::v1;
using domain::Violations;

std::string At(const std::string& field, int i) { return absl::StrCat(field, "[", i, "]"); }

template <typename Domain, typename Repeated>
std::vector<Domain> Enums(const Repeated& values, bool (*is_valid)(int), const char* type, const std::string& field,
                          Violations& violations) {
  std::vector<Domain> result;
  for (int i = 0; i < values.size(); ++i) {
    const auto value = EnumFromProto<Domain>(values.Get(i), is_valid, type, At(field, i), violations);
    if (is_valid(values.Get(i)) && values.Get(i) == 0)
      violations.Add(At(field, i), absl::StrCat("is unspecified: use a value of ", type));
    result.push_back(value);
  }
  return result;
}

std::vector<std::string> Strings(const google::protobuf::RepeatedPtrField<std::string>& values) {
  return {values.begin(), values.end()};
}

domain::Interest ReadInterest(const std::string& typed, double strength) {
  domain::Interest interest;
  interest.typed = typed;
  interest.canonical = domain::CanonicalInterest(typed);
  interest.strength = strength == 0 ? 1.0 : strength;
  return interest;
}

std::vector<domain::Interest> ReadInterests(const google::protobuf::RepeatedPtrField<pb::Interest>& messages) {
  std::vector<domain::Interest> interests;
  for (const auto& m : messages) interests.push_back(ReadInterest(m.interest(), m.strength()));
  return interests;
}

domain::Offer ReadOffer(const pb::Offer& message, const std::string& prefix, Violations& violations) {
  domain::Offer offer;
  offer.help_kinds = Enums<domain::HelpKind>(message.help_kinds(), pb::HelpKind_IsValid, "HelpKind",
                                             prefix + "help_kinds", violations);
  offer.capacity = {message.capacity().open_asks(), message.capacity().asks_per_week()};
  offer.languages = Strings(message.languages());
  offer.places = Strings(message.places());
  offer.remote = message.remote();
  offer.open_to = Enums<domain::Reach>(message.open_to(), pb::Reach_IsValid, "Reach", prefix + "open_to", violations);
  offer.involvement = EnumFromProto<domain::Involvement>(message.involvement(), pb::Involvement_IsValid, "Involvement",
                                                         prefix + "involvement", violations);
  for (const auto& typed : message.seeker_interests()) offer.seeker_interests.push_back(ReadInterest(typed, 1.0));
  offer.paused = message.paused();
  offer.confirmation = EnumFromProto<domain::Confirmation>(message.confirmation(), pb::Confirmation_IsValid,
                                                           "Confirmation", prefix + "confirmation", violations);
  if (offer.confirmation == domain::Confirmation::kUnspecified) offer.confirmation = domain::Confirmation::kUnconfirmed;
  return offer;
}

// Numbers that do not fit stay out of range, so that validation names them.
std::int32_t Int32(std::int64_t value) {
  return static_cast<std::int32_t>(std::clamp<std::int64_t>(value, INT32_MIN, INT32_MAX));
}

void ReadRules(const pb::IntroductionRules& message, domain::IntroductionRules& rules) {
  const auto number = [](std::int32_t& target, std::int32_t value) {
    if (value != 0) target = value;
  };
  const auto time = [](absl::Duration& target, bool given, const google::protobuf::Duration& value) {
    if (given) target = ToDuration(value);
  };
  number(rules.seeker_open_asks, message.seeker_open_asks());
  number(rules.seeker_asks_per_week, message.seeker_asks_per_week());
  number(rules.introducer_asks_per_week, message.introducer_asks_per_week());
  time(rules.cool_down, message.has_cool_down(), message.cool_down());
  time(rules.expiry[1], message.has_expiry_low(), message.expiry_low());
  time(rules.expiry[2], message.has_expiry_normal(), message.expiry_normal());
  time(rules.expiry[3], message.has_expiry_high(), message.expiry_high());
  time(rules.expiry[4], message.has_expiry_immediate(), message.expiry_immediate());
  time(rules.outcome_wait, message.has_outcome_wait(), message.outcome_wait());
  time(rules.pair_period, message.has_pair_period(), message.pair_period());
  number(rules.repeat_distance, message.repeat_distance());
  number(rules.silent_asks_to_pause, message.silent_asks_to_pause());
  number(rules.silent_asks_to_remind, message.silent_asks_to_remind());
}

domain::Policy ReadPolicy(const pb::Policy& message, const std::string& prefix, Violations& violations) {
  domain::Policy policy;
  if (message.has_weights()) {
    const pb::Weights& w = message.weights();
    policy.weights = {w.interests(),    w.helpfulness(), w.responsiveness(), w.involvement(),
                      w.availability(), w.closeness(),   w.exploration()};
  }
  const auto set = [](auto& target, auto value) {
    if (value != decltype(value){}) target = value;
  };
  set(policy.shift_high, message.shift_high());
  set(policy.shift_immediate, message.shift_immediate());
  if (message.has_evidence_half_life()) {
    policy.half_life_hours = Int32(absl::ToInt64Hours(ToDuration(message.evidence_half_life())));
  }
  set(policy.prior_helped_hundredths, message.prior_helped_hundredths());
  set(policy.prior_unhelped_hundredths, message.prior_unhelped_hundredths());
  if (message.has_response_target()) {
    policy.response_target_minutes = Int32(absl::ToInt64Minutes(ToDuration(message.response_target())));
  }
  if (!message.facet_weights().empty()) policy.facet_weights.clear();
  for (const auto& [facet, weight] : message.facet_weights()) policy.facet_weights[facet] = weight;
  set(policy.second_degree_decay, message.second_degree_decay());
  set(policy.rare_share, message.rare_share());
  set(policy.proven_helpfulness, message.proven_helpfulness());
  set(policy.proven_outcomes, message.proven_outcomes());
  set(policy.evidence_gate, EnumFromProto<domain::EvidenceGate>(message.evidence_gate(), pb::EvidenceGate_IsValid,
                                                                "EvidenceGate", prefix + "evidence_gate", violations));
  set(policy.second_degree_visibility,
      EnumFromProto<domain::Visibility>(message.second_degree_visibility(), pb::Visibility_IsValid, "Visibility",
                                        prefix + "second_degree_visibility", violations));
  for (int i = 0; i < message.synonyms_size(); ++i) {
    const std::string alias = domain::CanonicalInterest(message.synonyms(i).alias());
    const std::string canonical = domain::CanonicalInterest(message.synonyms(i).canonical());
    if (alias.empty() || canonical.empty() || alias == canonical) {
      violations.Add(At(prefix + "synonyms", i),
                     "needs two different interests `facet:name`, for example alias `skill:structured-query-language` "
                     "for `skill:sql`");
      continue;
    }
    if (!policy.synonyms.emplace(alias, canonical).second)
      violations.Add(At(prefix + "synonyms", i), absl::StrCat(domain::Quoted(alias), " is an alias twice: keep one"));
  }
  ReadRules(message.introductions(), policy.introductions);
  if (message.retention().has_unused_after())
    policy.retention.unused_after = ToDuration(message.retention().unused_after());
  if (message.retention().has_notice()) policy.retention.notice = ToDuration(message.retention().notice());
  return policy;
}

}  // namespace

std::string IdOf(const std::string& pool, std::string_view collection, const std::string& name,
                 const std::string& field, Violations& violations) {
  if (name.find('/') == std::string::npos) return name;
  const auto parsed = domain::ParseResourceName(name, collection);
  if (!parsed) {
    violations.Add(field, absl::StrCat(domain::Quoted(name), " is not a resource name: write pools/{pool}/",
                                       std::string(collection), "/{id}"));
    return {};
  }
  if (parsed->pool != pool) {
    violations.Add(field, absl::StrCat(domain::Quoted(name), " is of another pool: name one of pools/", pool));
    return {};
  }
  return parsed->id;
}

domain::Pool FromProto(const pb::Pool& message, const std::string& prefix, Violations& violations) {
  domain::Pool pool;
  pool.id = domain::ParsePoolName(message.name()).value_or(message.name());
  pool.display_name = message.display_name();
  pool.policy = ReadPolicy(message.policy(), prefix + "policy.", violations);
  pool.policy.version = std::max<std::int64_t>(1, message.policy_version());
  pool.revision = RevisionOfEtag(message.etag());
  pool.create_time = ToTime(message.create_time());
  return pool;
}

domain::Member FromProto(const std::string& pool, const pb::Member& message, const std::string& prefix,
                         Violations& violations) {
  domain::Member member;
  member.id = IdOf(pool, "members", message.name(), prefix + "name", violations);
  member.kind = EnumFromProto<domain::MemberKind>(message.kind(), pb::MemberKind_IsValid, "MemberKind", prefix + "kind",
                                                  violations);
  member.display_name = message.display_name();
  member.interests = ReadInterests(message.interests());
  if (message.has_offer()) member.offer = ReadOffer(message.offer(), prefix + "offer.", violations);
  member.introduces = message.introduces();
  member.conflict_keys = Strings(message.conflict_keys());
  for (int i = 0; i < message.evidence_size(); ++i) {
    const pb::Evidence& e = message.evidence(i);
    domain::Evidence evidence;
    evidence.outcome =
        EnumFromProto<domain::OutcomeKind>(e.outcome(), pb::OutcomeKind_IsValid, "OutcomeKind",
                                           absl::StrCat(prefix, "evidence[", i, "].outcome"), violations);
    evidence.count = e.count() == 0 ? 1 : e.count();
    evidence.time = e.has_time() ? ToTime(e.time()) : absl::InfinitePast();
    if (e.has_response_time()) evidence.response_time = ToDuration(e.response_time());
    member.evidence.push_back(evidence);
  }
  member.load = {message.load().open_asks(), message.load().asks_this_week()};
  member.revision = RevisionOfEtag(message.etag());
  member.create_time = ToTime(message.create_time());
  member.update_time = ToTime(message.update_time());
  member.thanks = message.thanks();
  if (message.has_last_active()) member.last_active = ToTime(message.last_active());
  member.silent_asks = message.silent_asks();
  if (message.has_erase_time()) member.erase_time = ToTime(message.erase_time());
  member.suspended = message.suspended();
  return member;
}

domain::Connection FromProto(const std::string& pool, const pb::Connection& message, const std::string& prefix,
                             Violations& violations) {
  domain::Connection connection;
  connection.a = IdOf(pool, "members", message.member_a(), prefix + "member_a", violations);
  connection.b = IdOf(pool, "members", message.member_b(), prefix + "member_b", violations);
  if (connection.b < connection.a) std::swap(connection.a, connection.b);
  connection.strength = message.strength() == 0 ? 0.5 : message.strength();
  connection.state = EnumFromProto<domain::ConnectionState>(message.state(), pb::ConnectionState_IsValid,
                                                            "ConnectionState", prefix + "state", violations);
  connection.proposed_by = IdOf(pool, "members", message.proposed_by(), prefix + "proposed_by", violations);
  connection.unseen = message.unseen();
  connection.revision = RevisionOfEtag(message.etag());
  return connection;
}

domain::Block FromProto(const std::string& pool, const pb::Block& message, const std::string& prefix,
                        Violations& violations) {
  return {IdOf(pool, "members", message.blocker(), prefix + "blocker", violations),
          IdOf(pool, "members", message.blocked(), prefix + "blocked", violations)};
}

domain::Need FromProto(const std::string& pool, const pb::Need& message, const std::string& prefix,
                       Violations& violations) {
  domain::Need need;
  need.id = IdOf(pool, "needs", message.name(), prefix + "name", violations);
  need.seeker = IdOf(pool, "members", message.seeker(), prefix + "seeker", violations);
  need.help_kinds = Enums<domain::HelpKind>(message.help_kinds(), pb::HelpKind_IsValid, "HelpKind",
                                            prefix + "help_kinds", violations);
  need.interests = ReadInterests(message.interests());
  need.urgency =
      EnumFromProto<domain::Urgency>(message.urgency(), pb::Urgency_IsValid, "Urgency", prefix + "urgency", violations);
  if (need.urgency == domain::Urgency::kUnspecified) need.urgency = domain::Urgency::kNormal;
  if (message.has_deadline()) need.deadline = ToTime(message.deadline());
  const pb::NeedConstraints& c = message.constraints();
  const std::string at = prefix + "constraints.";
  need.constraints.languages = Strings(c.languages());
  need.constraints.places = Strings(c.places());
  need.constraints.remote_ok = c.remote_ok();
  need.constraints.helper_kind = EnumFromProto<domain::MemberKind>(c.helper_kind(), pb::MemberKind_IsValid,
                                                                   "MemberKind", at + "helper_kind", violations);
  need.constraints.evidence_gate = EnumFromProto<domain::EvidenceGate>(
      c.evidence_gate(), pb::EvidenceGate_IsValid, "EvidenceGate", at + "evidence_gate", violations);
  for (int i = 0; i < c.exclude_members_size(); ++i) {
    need.constraints.exclude_members.push_back(
        IdOf(pool, "members", c.exclude_members(i), At(at + "exclude_members", i), violations));
  }
  for (int i = 0; i < message.relaxations_size(); ++i) {
    const pb::Relaxation& step = message.relaxations(i);
    need.relaxations.push_back({ToDuration(step.after()),
                                Enums<domain::SoftConstraint>(step.drop(), pb::SoftConstraint_IsValid, "SoftConstraint",
                                                              At(prefix + "relaxations", i) + ".drop", violations)});
  }
  if (message.has_showcase())
    need.showcase = {message.showcase().title(), message.showcase().description(), message.showcase().url()};
  need.state = EnumFromProto<domain::NeedState>(message.state(), pb::NeedState_IsValid, "NeedState", prefix + "state",
                                                violations);
  if (need.state == domain::NeedState::kUnspecified) need.state = domain::NeedState::kOpen;
  need.close_reason = EnumFromProto<domain::CloseReason>(message.close_reason(), pb::CloseReason_IsValid, "CloseReason",
                                                         prefix + "close_reason", violations);
  need.revision = RevisionOfEtag(message.etag());
  need.create_time = ToTime(message.create_time());
  return need;
}

}  // namespace warmline::codec
