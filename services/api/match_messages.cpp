#include "api/match_messages.h"

#include <absl/strings/str_cat.h>

#include <algorithm>

#include "base/rcu.h"
#include "codec/resources.h"
#include "codec/time.h"
#include "domain/introduction_visibility.h"
#include "domain/limits.h"
#include "domain/names.h"
#include "warmline/v1/introduction_service.pb.h"

namespace warmline::api {

namespace pb = warmline::v1;

namespace {

void SetEvidence(const ranking::EvidenceMass& evidence, std::int64_t epoch_hour, bool masked,
                 pb::EvidenceSummary* message) {
  message->set_helped(masked ? application::Bucket(evidence.helped_count) : evidence.helped_count);
  message->set_outcomes(masked ? application::Bucket(evidence.outcome_count) : evidence.outcome_count);
  message->set_bucketed(masked);
  if (evidence.last_helped_hour != ranking::kUnknown) {
    const std::int64_t hours = std::max<std::int64_t>(0, epoch_hour - evidence.last_helped_hour);
    message->set_last_helped_days(masked ? (hours + 7 * 24 - 1) / (7 * 24) * 7 : hours / 24);
    if (!masked)
      codec::SetTime(absl::FromUnixSeconds(std::int64_t{evidence.last_helped_hour} * 3600),
                     message->mutable_last_helped());
  }
  if (evidence.response_minutes != ranking::kUnknown) {
    const absl::Duration mean = absl::Minutes(evidence.response_minutes);
    codec::SetDuration(masked ? absl::Ceil(mean, absl::Hours(24)) : mean, message->mutable_mean_response());
  }
}

void SetMatch(Environment& environment, const std::string& pool, const std::string& seeker, const std::string& need_id,
              const domain::Weights& weights, std::int64_t epoch_hour, const application::ShownHelper& shown,
              pb::Match* message) {
  const index::RankedHelper& helper = shown.helper;
  if (shown.masked) {
    message->set_candidate(environment.candidate_tokens.Seal(pool, seeker, need_id, helper.id));
  } else {
    message->set_helper(domain::ResourceName(pool, "members", helper.id));
  }
  const auto part = [&](std::uint32_t value) { return shown.masked ? domain::CoarsePart(value) : value; };
  std::uint32_t score = 0;
  for (std::size_t i = 0; i < helper.parts.size(); ++i) {
    pb::Reason* reason = message->add_reasons();
    reason->set_part(static_cast<pb::Part>(i + 1));
    reason->set_value(part(helper.parts[i]));
    reason->set_weight(weights[i]);
    reason->set_contribution(ranking::Contribution(weights[i], part(helper.parts[i])));
    score += reason->contribution();
  }
  message->set_score(score);
  for (const index::SharedInterest& shared : helper.shared) {
    pb::SharedInterest* interest = message->add_shared_interests();
    interest->set_interest(shared.need_interest);
    interest->set_related(shared.related);
    interest->set_contribution(part(shared.contribution));
    interest->set_rare(shared.rare);
  }
  SetEvidence(helper.evidence, epoch_hour, shown.masked, message->mutable_evidence());
  pb::WarmPath* path = message->mutable_path();
  path->set_reach(static_cast<pb::Reach>(helper.reach));
  if (!helper.introducer.empty()) path->set_introducer(domain::ResourceName(pool, "members", helper.introducer));
  // What an introducer's tie to a masked helper is worth is theirs to tell.
  const std::size_t shown_ties =
      shown.masked ? std::min<std::size_t>(1, helper.tie_strengths.size()) : helper.tie_strengths.size();
  for (std::size_t i = 0; i < shown_ties; ++i) path->add_tie_strengths(helper.tie_strengths[i]);
  message->set_kind(static_cast<pb::MemberKind>(helper.kind));
  message->set_profession(helper.profession);
  if (!shown.masked) {
    message->mutable_load()->set_open_asks(helper.load.open_asks);
    message->mutable_load()->set_asks_this_week(helper.load.asks_this_week);
  }
}

void SetRemoved(const application::Caller& caller, const index::MatchResult& result, pb::MatchResponse* response) {
  std::array<std::int64_t, domain::kRules> counts{};
  for (std::size_t i = 0; i < counts.size(); ++i) {
    counts[static_cast<std::size_t>(application::ShownRule(static_cast<domain::Rule>(i), caller))] += result.removed[i];
  }
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) continue;
    pb::RuleCount* count = response->add_removed();
    count->set_rule(static_cast<pb::Rule>(i));
    const bool small = !caller.IsOperator() && counts[i] < kSmallCount;
    count->set_below_five(small);
    if (!small) count->set_count(counts[i]);
  }
}

std::string NotACandidate(const std::string& token) {
  return absl::StrCat(domain::Quoted(token), " is not a candidate of this need: use the token that Match gave for it");
}

}  // namespace

template <typename Request>
application::NeedSubject SubjectOf(const std::string& pool, const Request& request, domain::Violations& violations) {
  application::NeedSubject subject;
  switch (request.subject_case()) {
    case Request::kNeed:
      subject.stored_id = codec::IdOf(pool, "needs", request.need(), "need", violations);
      break;
    case Request::kInlineNeed: {
      subject.inline_need = codec::FromProto(pool, request.inline_need(), "inline_need.", violations);
      subject.inline_need->state = domain::NeedState::kOpen;
      domain::Violations rules;
      domain::ValidateNeed(*subject.inline_need, "inline_need.", rules);
      violations.Absorb(rules);
      break;
    }
    case Request::SUBJECT_NOT_SET:
      violations.Add("subject", "is missing: name a stored need in `need`, or give an `inline_need`");
      break;
  }
  return subject;
}

template application::NeedSubject SubjectOf(const std::string&, const pb::MatchRequest&, domain::Violations&);
template application::NeedSubject SubjectOf(const std::string&, const pb::WatchMatchesRequest&, domain::Violations&);
template application::NeedSubject SubjectOf(const std::string&, const pb::RequestRequest&, domain::Violations&);
template application::NeedSubject SubjectOf(const std::string&, const pb::ExplainRequest&, domain::Violations&);

int TopKOf(int asked, domain::Violations& violations) {
  if (asked < 0 || asked > domain::kMaxTopK) {
    violations.Add("top_k", absl::StrCat(asked, " is out of range: give 1 to ", domain::kMaxTopK, ", or 0 for ",
                                         domain::kDefaultTopK));
  }
  return asked == 0 ? domain::kDefaultTopK : asked;
}

void SetAnswer(const Call& call, Environment& environment, const std::string& pool,
               const application::MatchAnswer& answer, pb::MatchResponse* response) {
  const index::MatchResult& result = answer.result;
  for (const application::ShownHelper& shown : answer.shown) {
    SetMatch(environment, pool, answer.seeker, answer.need_id, result.weights, result.basis.epoch_hour, shown,
             response->add_matches());
  }
  if (result.counts_are_complete) {
    SetRemoved(call.caller(), result, response);
    const bool small = !call.caller().IsOperator() && result.candidates > 0 && result.candidates < kSmallCount;
    response->set_candidates_below_five(small);
    response->set_candidates(small ? 0 : result.candidates);
  }
  response->set_revision(call.Token(result.basis.revision));
  response->set_epoch(result.basis.epoch_hour);
  response->set_policy_version(result.basis.policy_version);
  response->set_statistics_generation(result.basis.statistics_generation);
  response->set_need_id(answer.need_id);
  for (const auto constraint : result.relaxed) response->add_relaxed(static_cast<pb::SoftConstraint>(constraint));
}

void SetExplanation(const Call& call, Environment& environment, const std::string& pool,
                    const application::ExplainAnswer& answer, pb::ExplainResponse* response) {
  const index::Explanation& explanation = answer.explanation;
  response->set_is_candidate(explanation.is_candidate);
  for (const domain::Rule rule : explanation.blocked_by) {
    const auto shown = static_cast<pb::Rule>(application::ShownRule(rule, call.caller()));
    if (std::find(response->blocked_by().begin(), response->blocked_by().end(), shown) == response->blocked_by().end())
      response->add_blocked_by(shown);
  }
  if (answer.shown) {
    SetMatch(environment, pool, answer.seeker, answer.need_id, explanation.weights, explanation.basis.epoch_hour,
             *answer.shown, response->mutable_match());
  }
  response->set_revision(call.Token(explanation.basis.revision));
  response->set_epoch(explanation.basis.epoch_hour);
  response->set_policy_version(explanation.basis.policy_version);
  response->set_statistics_generation(explanation.basis.statistics_generation);
  response->set_need_id(answer.need_id);
}

// The need's id, which an inline need's content decides, and its seeker.
static absl::StatusOr<domain::Need> NeedOf(Call& call, const std::string& pool,
                                           const application::NeedSubject& subject) {
  const base::RcuReadGuard guard;
  const index::View* view = call.environment().pools.Find(pool);
  if (view == nullptr) return application::PoolNotFound(pool);
  return application::ResolveNeed(*view, call.caller(), pool, subject);
}

absl::Status ReadExcluded(Call& call, const std::string& pool,
                          const google::protobuf::RepeatedPtrField<std::string>& candidates,
                          application::NeedSubject& subject) {
  if (candidates.empty()) return absl::OkStatus();
  domain::Violations violations;
  if (candidates.size() > domain::kMaxExcludedCandidates) {
    violations.Add("exclude_candidates",
                   absl::StrCat("has ", candidates.size(), " entries: at most ", domain::kMaxExcludedCandidates));
    return violations.ToStatus();
  }
  auto need = NeedOf(call, pool, subject);
  if (!need.ok()) return need.status();
  for (int i = 0; i < candidates.size(); ++i) {
    auto helper = call.environment().candidate_tokens.Open(pool, need->seeker, need->id, candidates[i]);
    if (helper) {
      subject.excluded.push_back(*std::move(helper));
    } else {
      violations.Add(absl::StrCat("exclude_candidates[", i, "]"), NotACandidate(candidates[i]));
    }
  }
  return violations.ToStatus();
}

absl::StatusOr<std::pair<std::string, bool>> HelperOf(Call& call, const std::string& pool, const std::string& helper,
                                                      const std::string& candidate, const std::string& prefix,
                                                      const application::NeedSubject& subject) {
  domain::Violations violations;
  if (!helper.empty()) {
    std::string id = codec::IdOf(pool, "members", helper, prefix + "helper", violations);
    if (!violations.empty()) return violations.ToStatus();
    return std::pair(std::move(id), false);
  }
  if (candidate.empty()) {
    violations.Add(prefix + "whom", "is missing: name a `helper`, or give the `candidate` of a masked match");
    return violations.ToStatus();
  }
  auto need = NeedOf(call, pool, subject);
  if (!need.ok()) return need.status();
  if (auto found = call.environment().candidate_tokens.Open(pool, need->seeker, need->id, candidate))
    return std::pair(*std::move(found), true);
  violations.Add(prefix + "candidate", NotACandidate(candidate));
  return violations.ToStatus();
}

}  // namespace warmline::api
