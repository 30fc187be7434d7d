#include "cli/introduction_output.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>
#include <absl/time/time.h>

#include "cli/output_text.h"

namespace warmline::cli {
namespace {

namespace pb = warmline::v1;

std::string TimeText(const google::protobuf::Timestamp& time) {
  return absl::FormatTime("%Y-%m-%d %H:%M UTC", absl::FromUnixSeconds(time.seconds()), absl::UTCTimeZone());
}

std::string DurationText(const google::protobuf::Duration& duration) {
  const std::int64_t hours = (duration.seconds() + 1800) / 3600;
  if (duration.seconds() < 5400) return absl::StrCat((duration.seconds() + 30) / 60, " min");
  return hours < 48 ? absl::StrCat(hours, " h") : absl::StrCat((hours + 12) / 24, " days");
}

void PrintWords(const char* what, const std::string& text, std::ostream& out) {
  if (!text.empty()) out << "     " << what << text << "\n";
}

}  // namespace

void Print(const pb::Introduction& in, std::ostream& out) {
  out << (in.name().empty() ? std::string("(not made yet)") : LastPart(in.name())) << "  "
      << Plain(pb::IntroductionState_Name(in.state())) << (in.disputed() ? ", disputed" : "") << "\n";
  out << "     who      " << LastPart(in.seeker()) << " asks "
      << (in.helper().empty() ? "a masked helper" : LastPart(in.helper()));
  if (!in.introducer().empty()) out << " through " << LastPart(in.introducer());
  out << "\n";
  PrintWords("message  ", in.message(), out);
  if (in.shared_interests_size() > 0 || in.has_evidence()) {
    std::vector<std::string> shared;
    for (const auto& s : in.shared_interests()) shared.push_back(s.interest());
    out << "     because  " << (shared.empty() ? "" : "both: " + absl::StrJoin(shared, ", ") + "; ")
        << "the helper helped " << in.evidence().helped() << " of " << in.evidence().outcomes();
    if (in.evidence().has_last_helped_days()) out << ", last " << in.evidence().last_helped_days() << " days before";
    out << "\n";
  }
  PrintWords("showcase ", in.showcase().title(), out);
  PrintWords("note     ", in.introducer_note(), out);
  for (const pb::Exchange& exchange : in.exchanges()) {
    PrintWords("question ", exchange.question(), out);
    PrintWords("answer   ", exchange.answer(), out);
  }
  PrintWords("no       ", in.decline_note(), out);
  for (const pb::Outcome& outcome : in.outcomes()) {
    out << "     outcome  " << Plain(pb::OutcomeKind_Name(outcome.kind())) << ", says the "
        << Plain(pb::Audience_Name(outcome.reported_by())) << (outcome.note().empty() ? "" : ": " + outcome.note())
        << "\n";
  }
  for (const pb::AbuseReport& report : in.reports())
    PrintWords("abuse    ",
               absl::StrCat(LastPart(report.reporter()), " reports ", LastPart(report.accused()), ": ", report.note()),
               out);
  if (in.has_expire_time()) PrintWords("until    ", TimeText(in.expire_time()), out);
  if (in.legal_moves_size() > 0) PrintWords("your turn: ", absl::StrJoin(in.legal_moves(), ", "), out);
}

void Print(const pb::ListIntroductionsResponse& response, std::ostream& out) {
  for (const pb::Introduction& introduction : response.introductions()) Print(introduction, out);
  if (response.introductions_size() == 0) out << "nothing here\n";
  if (!response.next_page_token().empty()) out << "and more: raise --limit\n";
}

void Print(const pb::ReviewResponse& response, std::ostream& out) {
  out << (response.would_pass() ? "this ask would pass\n" : "this ask would be refused:\n");
  for (const pb::Refusal& refusal : response.refusals()) {
    out << "  " << pb::ErrorReason_Name(refusal.reason());
    if (response.introductions_size() > 1 && refusal.target() >= 0) out << " (target " << refusal.target() + 1 << ")";
    out << ": " << refusal.description() << "\n";
  }
  for (const pb::Introduction& introduction : response.introductions()) Print(introduction, out);
  if (response.has_estimate()) {
    const pb::AnswerEstimate& e = response.estimate();
    out << "a first answer takes " << DurationText(e.median()) << " here (half of them " << DurationText(e.lower())
        << " to " << DurationText(e.upper()) << "; of " << e.asks() << " asks, " << e.answered() * 100ULL / 1048576
        << " % were answered)\n";
  } else {
    out << "how long a first answer takes is not known yet: there were too few asks here\n";
  }
}

}  // namespace warmline::cli
