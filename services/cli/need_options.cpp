#include "cli/need_options.h"

#include <absl/strings/ascii.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_split.h>
#include <google/protobuf/util/json_util.h>

#include <fstream>
#include <sstream>

namespace warmline::cli {

namespace pb = warmline::v1;

namespace {

template <typename Enum>
Enum EnumOf(const std::string& text, bool (*parse)(google::protobuf::ConstStringParam, Enum*), const char* option,
            std::string* error) {
  Enum value{};
  if (!parse(absl::AsciiStrToUpper(text), &value))
    *error = absl::StrCat("--", option, ": \"", text, "\" is not a value of it: see --help");
  return value;
}

}  // namespace

void NeedOptions::AddTo(CLI::App& command) {
  client.AddTo(command);
  AddOption(command, "need", need, "Id of a stored need");
  AddOption(command, "need-file", need_file, "File with a need as JSON (warmline.v1.Need)");
  AddOption(command, "seeker", seeker, "Id of the seeker of the need given by the options below");
  AddOption(command, "interest", interests, "facet:name or facet:name|strength; may be repeated");
  AddOption(command, "help-kind", help_kinds, "Kind of help, for example REFERRAL; may be repeated")->delimiter(',');
  AddOption(command, "urgency", urgency, "LOW, NORMAL, HIGH or IMMEDIATE");
  AddOption(command, "language", languages, "Language tag; may be repeated")->delimiter(',');
  AddOption(command, "place", places, "Place path, for example de/berlin; may be repeated")->delimiter(',');
  AddFlag(command, "remote-ok", remote_ok, "Helpers from afar are fine too");
  AddOption(command, "helper-kind", helper_kind, "PERSON or ORGANIZATION");
  AddOption(command, "evidence-gate", evidence_gate, "NONE, ANY or PROVEN");
  AddOption(command, "audience", audience, "OPERATOR, or SEEKER to see what the seeker sees")
      ->check(CLI::IsMember({"OPERATOR", "SEEKER"}));
}

pb::Need NeedOptions::Need(std::string* error) const {
  pb::Need need;
  if (!need_file.empty()) {
    std::ifstream file(need_file);
    std::stringstream text;
    text << file.rdbuf();
    const auto status = google::protobuf::util::JsonStringToMessage(text.str(), &need);
    if (!file || !status.ok())
      *error =
          absl::StrCat("--need-file: cannot read ", need_file, " as a need in JSON: ", std::string(status.message()));
    return need;
  }
  need.set_seeker(absl::StrCat(client.parent(), "/members/", seeker));
  for (const std::string& text : interests) {
    const std::vector<std::string> parts = absl::StrSplit(text, absl::MaxSplits('|', 1));
    pb::Interest* interest = need.add_interests();
    interest->set_interest(parts[0]);
    double strength = 1;
    if (parts.size() == 2 && !absl::SimpleAtod(parts[1], &strength))
      *error = absl::StrCat("--interest: \"", parts[1], "\" is not a strength: write, for example, skill:sql|0.8");
    interest->set_strength(strength);
  }
  for (const std::string& kind : help_kinds)
    need.add_help_kinds(EnumOf<pb::HelpKind>(kind, pb::HelpKind_Parse, "help-kind", error));
  need.set_urgency(EnumOf<pb::Urgency>(urgency, pb::Urgency_Parse, "urgency", error));
  pb::NeedConstraints* constraints = need.mutable_constraints();
  for (const std::string& language : languages) constraints->add_languages(language);
  for (const std::string& place : places) constraints->add_places(place);
  constraints->set_remote_ok(remote_ok);
  if (!helper_kind.empty())
    constraints->set_helper_kind(EnumOf<pb::MemberKind>(helper_kind, pb::MemberKind_Parse, "helper-kind", error));
  if (!evidence_gate.empty())
    constraints->set_evidence_gate(
        EnumOf<pb::EvidenceGate>(evidence_gate, pb::EvidenceGate_Parse, "evidence-gate", error));
  return need;
}

pb::Actor NeedOptions::Actor(const pb::Need& given) const {
  pb::Actor actor = OperatorActor();
  if (audience != "SEEKER") return actor;
  actor.set_audience(pb::SEEKER);
  actor.set_acting_member(seeker.empty() ? given.seeker() : absl::StrCat(client.parent(), "/members/", seeker));
  return actor;
}

}  // namespace warmline::cli
