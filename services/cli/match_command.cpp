#include <absl/strings/str_cat.h>

#include <iostream>

#include "cli/match_output.h"
#include "cli/need_options.h"
#include "cli/program.h"
#include "warmline/v1/match_service.grpc.pb.h"

namespace warmline::cli {
namespace {

namespace pb = warmline::v1;

struct MatchOptions : NeedOptions {
  int top_k = 10;
  bool count_rules = false;
  std::string helper;
  std::string candidate;
};

template <typename Response>
int Show(const NeedOptions& options, const Response& response) {
  if (options.client.json()) {
    PrintJson(response, std::cout);
  } else {
    Print(response, std::cout);
  }
  return kOk;
}

int Match(const MatchOptions& options) {
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

int Explain(const MatchOptions& options) {
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
  auto options = std::make_shared<MatchOptions>();
  options->AddTo(*command);
  AddOption(*command, "top-k", options->top_k, "How many helpers, 1 to 100");
  AddFlag(*command, "count-rules", options->count_rules,
          "Say what each rule removed even when enough helpers were found");
  command->callback([options, &exit_code] { exit_code = Match(*options); });
}

void AddExplain(CLI::App& app, int& exit_code) {
  CLI::App* command =
      app.add_subcommand("explain", "Explain one helper for a need: all parts, and every rule that blocks");
  auto options = std::make_shared<MatchOptions>();
  options->AddTo(*command);
  AddOption(*command, "helper", options->helper, "Id of the helper");
  AddOption(*command, "candidate", options->candidate, "Token of a masked match");
  command->callback([options, &exit_code] { exit_code = Explain(*options); });
}

}  // namespace warmline::cli
