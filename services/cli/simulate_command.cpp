#include <google/protobuf/util/json_util.h>

#include <iostream>

#include "cli/commands.h"
#include "cli/output_file.h"
#include "cli/program.h"
#include "cli/simulate_market.h"
#include "codec/resources.h"
#include "simulation/community.h"
#include "warmline/v1/member_service.pb.h"

namespace warmline::cli {
namespace {

void WriteRow(const warmline::v1::Row& row, std::ostream& out) {
  std::string json;
  (void)google::protobuf::util::MessageToJsonString(row, &json);
  out << json << "\n";
}

int Simulate(const simulation::CommunityOptions& options, std::int64_t needs, const std::string& path) {
  OutputFile file("simulate", path);
  if (!file.Open()) return kFailed;
  std::ostream& out = file.stream();
  const simulation::Community community(options);
  for (std::int64_t i = 0; i < options.helpers && out; ++i) {
    warmline::v1::Row row;
    *row.mutable_member() = codec::ToProto("simulated", community.HelperAt(i));
    row.mutable_member()->set_name(row.member().name().substr(row.member().name().rfind('/') + 1));
    WriteRow(row, out);
  }
  for (std::int64_t i = 0; i < options.helpers && out; ++i) {
    for (const domain::Connection& tie : community.TiesOf(i)) {
      warmline::v1::Row row;
      row.mutable_connection()->set_member_a(tie.a);
      row.mutable_connection()->set_member_b(tie.b);
      row.mutable_connection()->set_strength(tie.strength);
      row.mutable_connection()->set_state(warmline::v1::CONFIRMED);
      WriteRow(row, out);
    }
  }
  for (std::int64_t i = 0; i < needs && out; ++i) {
    warmline::v1::Row row;
    *row.mutable_need() = codec::ToProto("simulated", community.NeedAt(i));
    row.mutable_need()->set_name(row.need().name().substr(row.need().name().rfind('/') + 1));
    row.mutable_need()->set_seeker(row.need().seeker().substr(row.need().seeker().rfind('/') + 1));
    WriteRow(row, out);
  }
  if (!file.Finish()) return kFailed;
  return kOk;
}

}  // namespace

void AddSimulate(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("simulate",
                                         "Write a made-up community as JSON Lines that `import` takes; or, with "
                                         "--market, play a year of a market with and "
                                         "without each rule, and write its figures. The same seed gives the same");
  auto options = std::make_shared<simulation::CommunityOptions>();
  auto needs = std::make_shared<std::int64_t>(100);
  auto mode = std::make_shared<std::string>("correlated");
  auto path = std::make_shared<std::string>("-");
  auto market = std::make_shared<bool>(false);
  auto market_options = std::make_shared<simulation::MarketOptions>();
  auto without = std::make_shared<std::vector<std::string>>(WithoutNames());
  auto* helpers = AddOption(*command, "helpers", options->helpers, "How many helpers")
                      ->check(CLI::Range(std::int64_t{1}, simulation::kMaxHelpers));
  AddOption(*command, "seed", options->seed, "Seed");
  auto* modes =
      AddOption(*command, "mode", *mode, "correlated (professions, hobbies, places) or adversarial (independent Zipf)")
          ->check(CLI::IsMember({"correlated", "adversarial"}));
  auto* ties =
      AddOption(*command, "ties", options->ties_per_member, "Ties a member, on average")->check(CLI::Range(0, 1'000));
  auto* need_count = AddOption(*command, "needs", *needs, "How many needs")
                         ->check(CLI::Range(std::int64_t{0}, simulation::kMaxHelpers));
  AddOption(*command, "file", *path, "Where to write; - is standard output");
  auto* plays = AddFlag(
      *command, "market", *market,
      "Play a market instead: about five minutes for each of --without at 20000 members, and hours for `everything`");
  AddOption(*command, "members", market_options->members, "Members of the market at its start")
      ->check(CLI::Range(std::int64_t{100}, simulation::kMaxMarketMembers))
      ->needs(plays);
  AddOption(*command, "days", market_options->days, "Days that are played")->check(CLI::Range(30, 3'650))->needs(plays);
  AddOption(*command, "without", *without, "Rules to take away, one market each; `nothing` keeps them all")
      ->delimiter(',')
      ->check(CLI::IsMember(WithoutNames()))
      ->needs(plays);
  for (CLI::Option* of_community : {helpers, modes, ties, need_count}) plays->excludes(of_community);
  command->callback([=, &exit_code] {
    options->mode = *mode == "adversarial" ? simulation::Mode::kAdversarial : simulation::Mode::kCorrelated;
    market_options->seed = options->seed;
    exit_code = *market ? SimulateMarkets(*market_options, *without, *path) : Simulate(*options, *needs, *path);
  });
}

}  // namespace warmline::cli
