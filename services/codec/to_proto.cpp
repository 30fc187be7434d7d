#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>

#include "codec/resources.h"
#include "codec/time.h"
#include "domain/names.h"

namespace warmline::codec {
namespace {

namespace pb = warmline::v1;

void SetInterest(const domain::Interest& interest, pb::Interest* message) {
  message->set_interest(interest.typed);
  message->set_strength(interest.strength);
  message->set_canonical(interest.canonical);
}

void SetOffer(const domain::Offer& offer, pb::Offer* message) {
  for (const auto kind : offer.help_kinds) message->add_help_kinds(static_cast<pb::HelpKind>(kind));
  message->mutable_capacity()->set_open_asks(offer.capacity.open_asks);
  message->mutable_capacity()->set_asks_per_week(offer.capacity.asks_per_week);
  message->mutable_languages()->Assign(offer.languages.begin(), offer.languages.end());
  message->mutable_places()->Assign(offer.places.begin(), offer.places.end());
  message->set_remote(offer.remote);
  for (const auto reach : offer.open_to) message->add_open_to(static_cast<pb::Reach>(reach));
  message->set_involvement(static_cast<pb::Involvement>(offer.involvement));
  for (const auto& interest : offer.seeker_interests) message->add_seeker_interests()->assign(interest.typed);
  message->set_paused(offer.paused);
  message->set_confirmation(static_cast<pb::Confirmation>(offer.confirmation));
}

void WriteRules(const domain::IntroductionRules& rules, pb::IntroductionRules* message) {
  message->set_seeker_open_asks(rules.seeker_open_asks);
  message->set_seeker_asks_per_week(rules.seeker_asks_per_week);
  message->set_introducer_asks_per_week(rules.introducer_asks_per_week);
  SetDuration(rules.cool_down, message->mutable_cool_down());
  SetDuration(rules.expiry[1], message->mutable_expiry_low());
  SetDuration(rules.expiry[2], message->mutable_expiry_normal());
  SetDuration(rules.expiry[3], message->mutable_expiry_high());
  SetDuration(rules.expiry[4], message->mutable_expiry_immediate());
  SetDuration(rules.outcome_wait, message->mutable_outcome_wait());
  SetDuration(rules.pair_period, message->mutable_pair_period());
  message->set_repeat_distance(rules.repeat_distance);
  message->set_silent_asks_to_pause(rules.silent_asks_to_pause);
  message->set_silent_asks_to_remind(rules.silent_asks_to_remind);
}

}  // namespace

std::string EtagOf(std::int64_t revision) { return revision == 0 ? std::string() : absl::StrCat("e", revision); }

std::int64_t RevisionOfEtag(const std::string& etag) {
  if (etag.empty()) return 0;
  std::int64_t revision = 0;
  if (etag[0] != 'e' || !absl::SimpleAtoi(etag.substr(1), &revision) || revision <= 0) return -1;
  return revision;
}

pb::Pool ToProto(const domain::Pool& pool) {
  pb::Pool message;
  message.set_name(domain::PoolName(pool.id));
  message.set_display_name(pool.display_name);
  const domain::Policy& p = pool.policy;
  pb::Policy* policy = message.mutable_policy();
  pb::Weights* w = policy->mutable_weights();
  w->set_interests(p.weights[0]);
  w->set_helpfulness(p.weights[1]);
  w->set_responsiveness(p.weights[2]);
  w->set_involvement(p.weights[3]);
  w->set_availability(p.weights[4]);
  w->set_closeness(p.weights[5]);
  w->set_exploration(p.weights[6]);
  policy->set_shift_high(p.shift_high);
  policy->set_shift_immediate(p.shift_immediate);
  SetDuration(absl::Hours(p.half_life_hours), policy->mutable_evidence_half_life());
  policy->set_prior_helped_hundredths(p.prior_helped_hundredths);
  policy->set_prior_unhelped_hundredths(p.prior_unhelped_hundredths);
  SetDuration(absl::Minutes(p.response_target_minutes), policy->mutable_response_target());
  for (const auto& [facet, weight] : p.facet_weights) (*policy->mutable_facet_weights())[facet] = weight;
  policy->set_second_degree_decay(p.second_degree_decay);
  policy->set_rare_share(p.rare_share);
  policy->set_proven_helpfulness(p.proven_helpfulness);
  policy->set_proven_outcomes(p.proven_outcomes);
  policy->set_evidence_gate(static_cast<pb::EvidenceGate>(p.evidence_gate));
  policy->set_second_degree_visibility(static_cast<pb::Visibility>(p.second_degree_visibility));
  for (const auto& [alias, canonical] : p.synonyms) {
    pb::Synonym* synonym = policy->add_synonyms();
    synonym->set_alias(alias);
    synonym->set_canonical(canonical);
  }
  WriteRules(p.introductions, policy->mutable_introductions());
  if (p.retention.unused_after)
    SetDuration(*p.retention.unused_after, policy->mutable_retention()->mutable_unused_after());
  SetDuration(p.retention.notice, policy->mutable_retention()->mutable_notice());
  message.set_etag(EtagOf(pool.revision));
  message.set_policy_version(p.version);
  SetTime(pool.create_time, message.mutable_create_time());
  return message;
}

pb::Member ToProto(const std::string& pool, const domain::Member& member) {
  pb::Member message;
  message.set_name(domain::ResourceName(pool, "members", member.id));
  message.set_kind(static_cast<pb::MemberKind>(member.kind));
  message.set_display_name(member.display_name);
  for (const auto& interest : member.interests) SetInterest(interest, message.add_interests());
  if (member.offer) SetOffer(*member.offer, message.mutable_offer());
  message.set_introduces(member.introduces);
  message.mutable_conflict_keys()->Assign(member.conflict_keys.begin(), member.conflict_keys.end());
  for (const auto& e : member.evidence) {
    pb::Evidence* evidence = message.add_evidence();
    evidence->set_outcome(static_cast<pb::OutcomeKind>(e.outcome));
    evidence->set_count(e.count);
    SetTime(e.time, evidence->mutable_time());
    if (e.response_time) SetDuration(*e.response_time, evidence->mutable_response_time());
  }
  message.mutable_load()->set_open_asks(member.load.open_asks);
  message.mutable_load()->set_asks_this_week(member.load.asks_this_week);
  message.set_etag(EtagOf(member.revision));
  SetTime(member.create_time, message.mutable_create_time());
  SetTime(member.update_time, message.mutable_update_time());
  message.set_thanks(member.thanks);
  if (member.last_active) SetTime(*member.last_active, message.mutable_last_active());
  message.set_silent_asks(member.silent_asks);
  if (member.erase_time) SetTime(*member.erase_time, message.mutable_erase_time());
  message.set_suspended(member.suspended);
  return message;
}

pb::Connection ToProto(const std::string& pool, const domain::Connection& connection, bool whole) {
  pb::Connection message;
  message.set_name(domain::ResourceName(pool, "connections", absl::StrCat(connection.a, "~", connection.b)));
  message.set_member_a(domain::ResourceName(pool, "members", connection.a));
  message.set_member_b(domain::ResourceName(pool, "members", connection.b));
  message.set_strength(connection.strength);
  message.set_state(static_cast<pb::ConnectionState>(connection.state));
  if (!connection.proposed_by.empty())
    message.set_proposed_by(domain::ResourceName(pool, "members", connection.proposed_by));
  message.set_etag(EtagOf(connection.revision));
  if (whole) message.set_unseen(connection.unseen);
  return message;
}

pb::Block ToProto(const std::string& pool, const domain::Block& block) {
  pb::Block message;
  message.set_name(domain::ResourceName(pool, "blocks", absl::StrCat(block.blocker, "~", block.blocked)));
  message.set_blocker(domain::ResourceName(pool, "members", block.blocker));
  message.set_blocked(domain::ResourceName(pool, "members", block.blocked));
  return message;
}

pb::Need ToProto(const std::string& pool, const domain::Need& need) {
  pb::Need message;
  if (!need.id.empty()) message.set_name(domain::ResourceName(pool, "needs", need.id));
  message.set_seeker(domain::ResourceName(pool, "members", need.seeker));
  for (const auto kind : need.help_kinds) message.add_help_kinds(static_cast<pb::HelpKind>(kind));
  for (const auto& interest : need.interests) SetInterest(interest, message.add_interests());
  message.set_urgency(static_cast<pb::Urgency>(need.urgency));
  if (need.deadline) SetTime(*need.deadline, message.mutable_deadline());
  const domain::NeedConstraints& c = need.constraints;
  pb::NeedConstraints* constraints = message.mutable_constraints();
  constraints->mutable_languages()->Assign(c.languages.begin(), c.languages.end());
  constraints->mutable_places()->Assign(c.places.begin(), c.places.end());
  constraints->set_remote_ok(c.remote_ok);
  constraints->set_helper_kind(static_cast<pb::MemberKind>(c.helper_kind));
  constraints->set_evidence_gate(static_cast<pb::EvidenceGate>(c.evidence_gate));
  for (const auto& id : c.exclude_members) constraints->add_exclude_members(domain::ResourceName(pool, "members", id));
  for (const auto& step : need.relaxations) {
    pb::Relaxation* relaxation = message.add_relaxations();
    SetDuration(step.after, relaxation->mutable_after());
    for (const auto drop : step.drop) relaxation->add_drop(static_cast<pb::SoftConstraint>(drop));
  }
  if (need.showcase) {
    message.mutable_showcase()->set_title(need.showcase->title);
    message.mutable_showcase()->set_description(need.showcase->description);
    message.mutable_showcase()->set_url(need.showcase->url);
  }
  message.set_state(static_cast<pb::NeedState>(need.state));
  message.set_close_reason(static_cast<pb::CloseReason>(need.close_reason));
  message.set_etag(EtagOf(need.revision));
  SetTime(need.create_time, message.mutable_create_time());
  return message;
}

}  // namespace warmline::codec
