#include "cli/assign_pool.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>
#include <unistd.h>

#include <iostream>

#include "cli/match_output.h"
#include "cli/output_text.h"
#include "cli/program.h"
#include "warmline/v1/assignment_service.grpc.pb.h"

namespace warmline::cli {
namespace {

namespace pb = warmline::v1;

constexpr double kUnits = 1 << 20;

std::string Score(std::int64_t score) { return absl::StrCat(static_cast<double>(score) / kUnits); }

void PrintRow(const pb::AssignedPair& pair) {
  std::cout << LastPart(pair.need()) << "," << LastPart(pair.seeker()) << "," << LastPart(pair.helper()) << ","
            << (pair.helper().empty() ? "" : Score(pair.score())) << ","
            << Plain(pb::AssignedPair::Place_Name(pair.place())) << "," << LastPart(pair.introduction()) << ","
            << LastPart(pair.second_choice()) << "," << (pair.second_choice().empty() ? "" : Score(pair.second_score()))
            << ","
            << (pair.helper().empty() || pair.second_choice().empty() ? ""
                : pair.loss() < 0                                     ? "a seeker"
                                                                      : Score(pair.loss()))
            << "\n";
}

void PrintSummary(const pb::AssignSummary& summary) {
  std::cerr << summary.matched() << " of " << summary.needs() << " needs have a helper, the scores add up to "
            << Score(summary.score_sum())
            << (summary.has_floor() ? absl::StrCat(", the least is ", Score(summary.floor())) : "") << ". "
            << (summary.proved() ? "No choice is better, of all pairs that there are" : "Not proved") << ": "
            << summary.pairs_looked_at() << " of " << summary.pairs_possible() << " pairs were looked at, in "
            << summary.rounds() << (summary.rounds() == 1 ? " round.\n" : " rounds.\n");
}

}  // namespace

int AssignPool(const ClientOptions& options, const AssignPoolOptions& wishes) {
  pb::AssignRequest request;
  *request.mutable_actor() = OperatorActor();
  request.set_parent(options.parent());
  for (const std::string& need : wishes.needs) request.add_needs(absl::StrCat(options.parent(), "/needs/", need));
  request.set_best_sum(wishes.best_sum);
  request.set_floor(wishes.floor);
  request.set_top_k(wishes.top_k);
  request.set_validate_only(wishes.message.empty());
  request.set_message(wishes.message);
  request.set_request_id(wishes.request_id);
  const Client client(options);
  const auto context = client.Context();
  const auto stub = pb::AssignmentService::NewStub(client.channel());
  const auto stream = stub->Assign(context.get(), request);
  const bool shows_progress = isatty(STDERR_FILENO) != 0;
  pb::AssignResponse response;
  while (stream->Read(&response)) {
    if (response.has_progress()) {
      if (shows_progress) {
        std::cerr << "\rround " << response.progress().round() << ": "
                  << static_cast<int>(response.progress().share() * 100) << " %   " << std::flush;
      }
      continue;
    }
    if (options.json()) {
      PrintJson(response, std::cout);
      continue;
    }
    if (response.has_summary()) {
      if (shows_progress) std::cerr << "\r";
      PrintSummary(response.summary());
      std::cout << "need,seeker,helper,score,place,introduction,second_choice,second_score,loss\n";
    }
    for (const pb::AssignedPair& pair : response.pairs().pairs()) PrintRow(pair);
  }
  const auto status = stream->Finish();
  return status.ok() ? kOk : client.Fail("assign", status);
}

}  // namespace warmline::cli
