#include "cli/match_output.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>
#include <google/protobuf/util/json_util.h>

#include "cli/output_text.h"

namespace warmline::cli {
namespace {

namespace pb = warmline::v1;

double Share(std::uint32_t units) { return units / 1048576.0; }

std::string PathText(const pb::WarmPath& path) {
  switch (path.reach()) {
    case pb::FIRST_DEGREE:
      return "your contact: ask directly";
    case pb::SECOND_DEGREE:
      return absl::StrCat("ask ", LastPart(path.introducer()), ", who knows you both, to introduce you");
    case pb::CIRCLE:
      return "a circle you share: a rare interest in common";
    case pb::POOL:
      return "an open door: everybody in the pool may ask";
    default:
      return "no way yet";
  }
}

std::string EvidenceText(const pb::EvidenceSummary& evidence) {
  if (evidence.outcomes() == 0) return "no outcomes known yet";
  std::string text = absl::StrCat("helped ", evidence.bucketed() ? "at least " : "", evidence.helped(), " of ",
                                  evidence.bucketed() ? "at least " : "", evidence.outcomes());
  if (evidence.has_last_helped_days()) absl::StrAppend(&text, ", last ", evidence.last_helped_days(), " days ago");
  if (evidence.has_mean_response())
    absl::StrAppend(&text, ", answers in ", (evidence.mean_response().seconds() + 3599) / 3600, " h");
  return text;
}

void PrintMatch(const pb::Match& match, std::ostream& out) {
  out << (match.helper().empty() ? absl::StrCat("(masked) ", match.candidate().substr(0, 12), "…")
                                 : LastPart(match.helper()));
  if (!match.profession().empty()) out << "  " << match.profession();
  if (match.kind() == pb::ORGANIZATION) out << "  (organisation)";
  out << absl::StrFormat("  score %.4f\n", Share(match.score()));
  out << "     because  ";
  bool first = true;
  for (const pb::Reason& reason : match.reasons()) {
    if (reason.contribution() == 0) continue;
    out << (first ? "" : " + ") << Plain(pb::Part_Name(reason.part()))
        << absl::StrFormat(" %.4f", Share(reason.contribution()));
    first = false;
  }
  out << "\n";
  if (match.shared_interests_size() > 0) {
    out << "     shares   ";
    for (int i = 0; i < match.shared_interests_size(); ++i) {
      const pb::SharedInterest& shared = match.shared_interests(i);
      out << (i == 0 ? "" : ", ") << shared.interest();
      if (!shared.related().empty()) out << " (through " << shared.related() << ")";
      if (shared.rare()) out << " *rare*";
    }
    out << "\n";
  }
  out << "     evidence " << EvidenceText(match.evidence()) << "\n";
  out << "     path     " << PathText(match.path()) << "\n";
}

}  // namespace

void Print(const pb::MatchResponse& response, std::ostream& out) {
  out << "need " << response.need_id() << ": ";
  if (response.has_candidates()) {
    out << response.matches_size() << " of "
        << (response.candidates_below_five() ? "<5" : absl::StrCat(response.candidates())) << " candidates\n";
  } else {
    out << "the best " << response.matches_size() << "\n";
  }
  for (int i = 0; i < response.matches_size(); ++i) {
    out << absl::StrFormat("%3d. ", i + 1);
    PrintMatch(response.matches(i), out);
  }
  if (response.matches_size() == 0) out << "Nobody fits. That is the honest answer, and this is why:\n";
  if (response.removed_size() > 0) {
    out << "removed, each at the first rule that did it:\n";
    for (const pb::RuleCount& removed : response.removed()) {
      out << absl::StrFormat("  %8s  ", removed.below_five() ? "<5" : absl::StrCat(removed.count()))
          << Plain(pb::Rule_Name(removed.rule()).substr(5)) << "\n";
    }
  } else if (response.matches_size() == 0) {
    out << "  nobody shares an interest with this need, nor stands within two degrees of the seeker\n";
  }
  for (int i = 0; i < response.relaxed_size(); ++i)
    out << "given up for waiting: " << Plain(pb::SoftConstraint_Name(response.relaxed(i))) << "\n";
}

void Print(const pb::ExplainResponse& response, std::ostream& out) {
  out << "need " << response.need_id() << "\n";
  if (!response.is_candidate())
    out << "not a candidate: shares no interest with the need, and is not within two degrees\n";
  for (const int rule : response.blocked_by())
    out << "blocked by " << Plain(pb::Rule_Name(static_cast<pb::Rule>(rule)).substr(5)) << "\n";
  if (response.has_match()) PrintMatch(response.match(), out);
}

void PrintJson(const google::protobuf::Message& message, std::ostream& out) {
  std::string json;
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  (void)google::protobuf::util::MessageToJsonString(message, &json, options);
  out << json << "\n";
}

}  // namespace warmline::cli
