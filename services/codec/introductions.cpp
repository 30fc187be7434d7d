#include "codec/introductions.h"

#include <absl/strings/str_cat.h>

#include "codec/time.h"
#include "domain/introduction_moves.h"
#include "domain/introduction_visibility.h"
#include "domain/names.h"

namespace warmline::codec {
namespace {

namespace pb = warmline::v1;
namespace store = warmline::store::v1;
using domain::IntroductionField;

std::string Name(const std::string& pool, const char* collection, const std::string& id) {
  return id.empty() ? std::string() : domain::ResourceName(pool, collection, id);
}

// `masked`: for somebody who may not know yet whom they are about.
void SetReasons(const domain::Introduction& in, bool masked, pb::Introduction& out) {
  const auto shown = [masked](std::uint32_t part) { return masked ? domain::CoarsePart(part) : part; };
  std::uint32_t score = 0;
  for (const domain::AskReason& r : in.reasons) {
    pb::Reason* reason = out.add_reasons();
    reason->set_part(static_cast<pb::Part>(static_cast<int>(r.part) + 1));
    reason->set_value(shown(r.value));
    reason->set_weight(r.weight);
    reason->set_contribution(domain::MulFloor(shown(r.value), r.weight));
    score += reason->contribution();
  }
  out.set_score(masked ? score : in.score);
  for (const domain::AskSharedInterest& s : in.shared_interests) {
    pb::SharedInterest* shared = out.add_shared_interests();
    shared->set_interest(s.interest);
    shared->set_related(s.related);
    shared->set_contribution(shown(s.contribution));
    shared->set_rare(s.rare);
  }
  out.mutable_evidence()->set_helped(in.evidence.helped);
  out.mutable_evidence()->set_outcomes(in.evidence.outcomes);
  if (in.evidence.last_helped_days) out.mutable_evidence()->set_last_helped_days(*in.evidence.last_helped_days);
}

// The part that the seeker wrote, and the times.
void SetAsk(const std::string& pool, const domain::Introduction& in, pb::Introduction& out) {
  out.set_seeker(Name(pool, "members", in.seeker));
  out.set_need(in.need_id.starts_with("inline-") ? in.need_id : Name(pool, "needs", in.need_id));
  out.set_message(in.message);
  if (in.showcase) {
    out.mutable_showcase()->set_title(in.showcase->title);
    out.mutable_showcase()->set_description(in.showcase->description);
    out.mutable_showcase()->set_url(in.showcase->url);
  }
  out.set_urgency(static_cast<pb::Urgency>(in.urgency));
  for (const auto kind : in.help_kinds) out.add_help_kinds(static_cast<pb::HelpKind>(kind));
  SetTime(in.create_time, out.mutable_create_time());
  if (in.ask_time) SetTime(*in.ask_time, out.mutable_ask_time());
  if (in.expire_time) SetTime(*in.expire_time, out.mutable_expire_time());
  if (in.end_time) SetTime(*in.end_time, out.mutable_end_time());
}

void SetExchanges(const domain::Introduction& in, pb::Introduction& out) {
  for (const domain::Exchange& e : in.exchanges) {
    pb::Exchange* exchange = out.add_exchanges();
    exchange->set_question(e.question);
    SetTime(e.question_time, exchange->mutable_question_time());
    exchange->set_answer(e.answer);
    if (e.answer_time) SetTime(*e.answer_time, exchange->mutable_answer_time());
  }
}

void SetOutcomes(const domain::Introduction& in, pb::Introduction& out) {
  for (const domain::Outcome& o : in.outcomes) {
    pb::Outcome* outcome = out.add_outcomes();
    outcome->set_reported_by(static_cast<pb::Audience>(o.reported_by));
    outcome->set_kind(static_cast<pb::OutcomeKind>(o.kind));
    outcome->set_note(o.note);
    SetTime(o.time, outcome->mutable_time());
  }
  out.set_disputed(in.IsDisputed());
}

void SetReports(const std::string& pool, const domain::Introduction& in, pb::Introduction& out) {
  for (const domain::AbuseReport& r : in.reports) {
    pb::AbuseReport* report = out.add_reports();
    report->set_reporter(Name(pool, "members", r.reporter));
    report->set_accused(Name(pool, "members", r.accused));
    report->set_note(r.note);
    SetTime(r.time, report->mutable_time());
  }
}

pb::Introduction Write(const std::string& pool, const domain::Introduction& in, domain::Viewer viewer) {
  const auto sees = [&](IntroductionField field) { return domain::Sees(viewer, field, in); };
  pb::Introduction out;
  out.set_name(Name(pool, "introductions", in.id));
  out.set_ask(in.ask);
  out.set_position(in.position);
  out.set_state(static_cast<pb::IntroductionState>(in.state));
  out.set_reach(static_cast<pb::Reach>(in.reach));
  out.set_etag(EtagOf(in.revision));
  if (sees(IntroductionField::kSeeker)) SetAsk(pool, in, out);
  if (sees(IntroductionField::kHelper)) out.set_helper(Name(pool, "members", in.helper));
  if (sees(IntroductionField::kIntroducer)) out.set_introducer(Name(pool, "members", in.introducer));
  if (sees(IntroductionField::kReasons)) SetReasons(in, !sees(IntroductionField::kHelper), out);
  if (sees(IntroductionField::kIntroducerNote)) out.set_introducer_note(in.introducer_note);
  if (sees(IntroductionField::kExchanges)) SetExchanges(in, out);
  if (sees(IntroductionField::kDeclineNote)) out.set_decline_note(in.decline_note);
  if (sees(IntroductionField::kOutcomes)) SetOutcomes(in, out);
  if (sees(IntroductionField::kReports)) {
    SetReports(pool, in, out);
    if (in.erase_time) SetTime(*in.erase_time, out.mutable_erase_time());
  }
  return out;
}

std::optional<absl::Time> Optional(bool has, const google::protobuf::Timestamp& time) {
  return has ? std::optional(ToTime(time)) : std::nullopt;
}

template <typename Domain>
Domain Value(int value) {
  return static_cast<Domain>(value);
}

std::string Id(const std::string& pool, const char* collection, const std::string& name,
               domain::Violations& violations) {
  return IdOf(pool, collection, name, collection, violations);
}

}  // namespace

pb::Introduction ToProto(const std::string& pool, const domain::Introduction& introduction, domain::Viewer viewer) {
  pb::Introduction message = Write(pool, introduction, viewer);
  constexpr std::pair<domain::Viewer, domain::Mover> kMovers[] = {
      {domain::Viewer::kSeeker, domain::Mover::kSeeker},
      {domain::Viewer::kIntroducer, domain::Mover::kIntroducer},
      {domain::Viewer::kHelper, domain::Mover::kHelper}};
  for (const auto& [is, mover] : kMovers) {
    if (is != viewer) continue;
    for (const domain::Move move : domain::LegalMoves(introduction.state, mover)) {
      if (move != domain::Move::kAskHelper && move != domain::Move::kAskIntroducer)
        message.add_legal_moves(domain::MoveName(move));
    }
  }
  return message;
}

store::Introduction ToStored(const std::string& pool, const domain::Introduction& introduction) {
  store::Introduction message;
  *message.mutable_introduction() = Write(pool, introduction, domain::Viewer::kOperator);
  message.set_message_sketch(introduction.message_sketch);
  message.set_masked(introduction.masked);
  const auto set = [](const std::optional<absl::Time>& time, auto mutable_time) {
    if (time) SetTime(*time, mutable_time());
  };
  set(introduction.forward_time, [&] { return message.mutable_forward_time(); });
  set(introduction.answer_time, [&] { return message.mutable_answer_time(); });
  set(introduction.week_until, [&] { return message.mutable_week_until(); });
  set(introduction.cool_until, [&] { return message.mutable_cool_until(); });
  message.set_counted(static_cast<pb::OutcomeKind>(introduction.counted));
  if (introduction.counted != domain::OutcomeKind::kUnspecified)
    SetTime(introduction.counted_time, message.mutable_counted_time());
  return message;
}

store::IntroductionChanged ToStored(const domain::IntroductionChanged& change) {
  store::IntroductionChanged message;
  message.set_introduction(change.id);
  message.set_seeker(change.seeker);
  message.set_helper(change.helper);
  message.set_state(static_cast<pb::IntroductionState>(change.state));
  message.set_more_open(change.more_open);
  message.set_more_cooling(change.more_cooling);
  return message;
}

domain::IntroductionChanged FromStored(const store::IntroductionChanged& message, domain::Violations& violations) {
  return {message.introduction(),
          message.seeker(),
          message.helper(),
          EnumFromProto<domain::IntroductionState>(message.state(), pb::IntroductionState_IsValid, "IntroductionState",
                                                   "state", violations),
          message.more_open(),
          message.more_cooling()};
}

domain::Introduction FromStored(const std::string& pool, const store::Introduction& stored,
                                domain::Violations& violations) {
  const pb::Introduction& m = stored.introduction();
  domain::Introduction in;
  in.id = Id(pool, "introductions", m.name(), violations);
  in.ask = m.ask();
  in.position = m.position();
  in.seeker = Id(pool, "members", m.seeker(), violations);
  in.helper = Id(pool, "members", m.helper(), violations);
  in.introducer = Id(pool, "members", m.introducer(), violations);
  in.need_id = Id(pool, "needs", m.need(), violations);
  in.reach = Value<domain::Reach>(m.reach());
  in.masked = stored.masked();
  in.state = EnumFromProto<domain::IntroductionState>(m.state(), pb::IntroductionState_IsValid, "IntroductionState",
                                                      "state", violations);
  in.message = m.message();
  in.message_sketch = stored.message_sketch();
  in.score = m.score();
  for (const pb::Reason& r : m.reasons())
    in.reasons.push_back({Value<domain::Part>(static_cast<int>(r.part()) - 1), r.value(), r.weight()});
  for (const pb::SharedInterest& s : m.shared_interests())
    in.shared_interests.push_back({s.interest(), s.related(), s.contribution(), s.rare()});
  in.evidence = {m.evidence().helped(), m.evidence().outcomes(), std::nullopt};
  if (m.evidence().has_last_helped_days()) in.evidence.last_helped_days = m.evidence().last_helped_days();
  if (m.has_showcase()) in.showcase = {m.showcase().title(), m.showcase().description(), m.showcase().url()};
  in.urgency = Value<domain::Urgency>(m.urgency());
  for (const int kind : m.help_kinds()) in.help_kinds.push_back(Value<domain::HelpKind>(kind));
  in.introducer_note = m.introducer_note();
  for (const pb::Exchange& e : m.exchanges()) {
    in.exchanges.push_back(
        {e.question(), ToTime(e.question_time()), e.answer(), Optional(e.has_answer_time(), e.answer_time())});
  }
  in.decline_note = m.decline_note();
  for (const pb::Outcome& o : m.outcomes()) {
    in.outcomes.push_back(
        {Value<domain::Audience>(o.reported_by()), Value<domain::OutcomeKind>(o.kind()), o.note(), ToTime(o.time())});
  }
  for (const pb::AbuseReport& r : m.reports()) {
    in.reports.push_back({Id(pool, "members", r.reporter(), violations), Id(pool, "members", r.accused(), violations),
                          r.note(), ToTime(r.time())});
  }
  in.create_time = ToTime(m.create_time());
  in.ask_time = Optional(m.has_ask_time(), m.ask_time());
  in.forward_time = Optional(stored.has_forward_time(), stored.forward_time());
  in.answer_time = Optional(stored.has_answer_time(), stored.answer_time());
  in.expire_time = Optional(m.has_expire_time(), m.expire_time());
  in.end_time = Optional(m.has_end_time(), m.end_time());
  in.erase_time = Optional(m.has_erase_time(), m.erase_time());
  in.week_until = Optional(stored.has_week_until(), stored.week_until());
  in.cool_until = Optional(stored.has_cool_until(), stored.cool_until());
  in.counted = Value<domain::OutcomeKind>(stored.counted());
  if (stored.has_counted_time()) in.counted_time = ToTime(stored.counted_time());
  in.revision = RevisionOfEtag(m.etag());
  domain::MarkStored(in);
  return in;
}

}  // namespace warmline::codec
