#include <absl/strings/ascii.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>
#include <google/protobuf/util/json_util.h>

#include <fstream>
#include <iostream>
#include <sstream>
#include <vector>

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/match_output.h"
#include "cli/program.h"
#include "warmline/v1/match_service.grpc.pb.h"

namespace warmline::cli {
namespace {

namespace pb = warmline::v1;

// A need as options say it; shared by `match` and `explain`.
struct NeedOptions {
  ClientOptions client;
  std::string need;
  std::string need_file;
  std::string seeker;
  std::vector<std::string> interests;
  std::vector<std::string> help_kinds;
  std::string urgency = "NORMAL";
  std::vector<std::string> languages;
  std::vector<std::string> places;
  bool remote_ok = false;
  std::string helper_kind;
  std::string evidence_gate;
  std::string audience = "OPERATOR";
  int top_k = 10;
  bool count_rules = false;
  std::string helper;
  std::string candidate;

  void AddTo(CLI::App& command) {
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
};

template <typename Enum>
Enum EnumOf(const std::string& text, bool (*parse)(google::protobuf::ConstStringParam, Enum*), const char* option,
            std::string* error) {
  Enum value{};
  if (!parse(absl::AsciiStrToUpper(text), &value))
    *error = absl::StrCat("--", option, ": \"", text, "\" is not a value of it: see --help");
  return value;
}

// The need that the options describe; `error` says what is wrong with them.
pb::Need NeedOf(const NeedOptions& options, std::string* error) {
  pb::Need need;
  if (!options.need_file.empty()) {
    std::ifstream file(options.need_file);
    std::stringstream text;
    text << file.rdbuf();
    const auto status = google::protobuf::util::JsonStringToMessage(text.str(), &need);
    if (!file || !status.ok())
      *error = absl::StrCat("--need-file: cannot read ", options.need_file,
                            " as a need in JSON: ", std::string(status.message()));
    return need;
  }
  need.set_seeker(absl::StrCat(options.client.parent(), "/members/", options.seeker));
  for (const std::string& text : options.interests) {
    const std::vector<std::string> parts = absl::StrSplit(text, absl::MaxSplits('|', 1));
    pb::Interest* interest = need.add_interests();
    interest->set_interest(parts[0]);
    double strength = 1;
    if (parts.size() == 2 && !absl::SimpleAtod(parts[1], &strength))
      *error = absl::StrCat("--interest: \"", parts[1], "\" is not a strength: write, for example, skill:sql|0.8");
    interest->set_strength(strength);
  }
  for (const std::string& kind : options.help_kinds)
    need.add_help_kinds(EnumOf<pb::HelpKind>(kind, pb::HelpKind_Parse, "help-kind", error));
  need.set_urgency(EnumOf<pb::Urgency>(options.urgency, pb::Urgency_Parse, "urgency", error));
  pb::NeedConstraints* constraints = need.mutable_constraints();
  for (const std::string& language : options.languages) constraints->add_languages(language);
  for (const std::string& place : options.places) constraints->add_places(place);
  constraints->set_remote_ok(options.remote_ok);
  if (!options.helper_kind.empty())
    constraints->set_helper_kind(
        EnumOf<pb::MemberKind>(options.helper_kind, pb::MemberKind_Parse, "helper-kind", error));
  if (!options.evidence_gate.empty())
    constraints->set_evidence_gate(
        EnumOf<pb::EvidenceGate>(options.evidence_gate, pb::EvidenceGate_Parse, "evidence-gate", error));
  return need;
}

// Fills what MatchRequest and ExplainRequest have alike. False, after saying why, when the options are wrong.
template <typename Request>
bool Fill(const NeedOptions& options, const char* command, Request& request) {
  std::string error;
  request.set_parent(options.client.parent());
  if (options.need.empty()) {
    *request.mutable_inline_need() = NeedOf(options, &error);
  } else {
    request.set_need(absl::StrCat(options.client.parent(), "/needs/", options.need));
  }
  if (options.need.empty() && options.need_file.empty() && options.seeker.empty())
    error = "say whose need: --seeker with --interest and --help-kind, or --need, or --need-file";
  pb::Actor* actor = request.mutable_actor();
  *actor = OperatorActor();
  if (options.audience == "SEEKER") {
    actor->set_audience(pb::SEEKER);
    actor->set_acting_member(options.seeker.empty()
                                 ? request.inline_need().seeker()
                                 : absl::StrCat(options.client.parent(), "/members/", options.seeker));
  }
  if (!error.empty()) std::cerr << "warmline " << command << ": " << error << "\n";
  return error.empty();
}

template <typename Response>
int Show(const NeedOptions& options, const Response& response) {
  if (options.client.json()) {
    PrintJson(response, std::cout);
  } else {
    Print(response, std::cout);
  }
  return kOk;
}

int Match(const NeedOptions& options) {
  pb::MatchRequest request;
  if (!Fill(options, "match", request)) return kWrongUse;
  request.set_top_k(options.top_k);
  request.set_count_rules(options.count_rules);
  const Client client(options.client);
  const auto context = client.Context();
  pb::MatchResponse response;
  const auto status = pb::MatchService::NewStub(client.channel())->Match(context.get(), request, &response);
  return status.ok() ? Show(options, response) : client.Fail("match", status);
}

int Explain(const NeedOptions& options) {
  pb::ExplainRequest request;
  if (!Fill(options, "explain", request)) return kWrongUse;
  if (options.candidate.empty()) {
    request.set_helper(absl::StrCat(options.client.parent(), "/members/", options.helper));
  } else {
    request.set_candidate(options.candidate);
  }
  const Client client(options.client);
  const auto context = client.Context();
  pb::ExplainResponse response;
  const auto status = pb::MatchService::NewStub(client.channel())->Explain(context.get(), request, &response);
  return status.ok() ? Show(options, response) : client.Fail("explain", status);
}

}  // namespace

void AddMatch(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("match", "Find the helpers for a need, with reasons and warm paths");
  auto options = std::make_shared<NeedOptions>();
  options->AddTo(*command);
  AddOption(*command, "top-k", options->top_k, "How many helpers, 1 to 100");
  AddFlag(*command, "count-rules", options->count_rules,
          "Say what each rule removed even when enough helpers were found");
  command->callback([options, &exit_code] { exit_code = Match(*options); });
}

void AddExplain(CLI::App& app, int& exit_code) {
  CLI::App* command =
      app.add_subcommand("explain", "Explain one helper for a need: all parts, and every rule that blocks");
  auto options = std::make_shared<NeedOptions>();
  options->AddTo(*command);
  AddOption(*command, "helper", options->helper, "Id of the helper");
  AddOption(*command, "candidate", options->candidate, "Token of a masked match");
  command->callback([options, &exit_code] { exit_code = Explain(*options); });
}

}  // namespace warmline::cli
