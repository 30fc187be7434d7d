#include "cli/assign_pool.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iostream>
#include <sstream>

#include "cli/assign_proof.h"
#include "cli/assign_report.h"
#include "cli/csv.h"
#include "cli/match_output.h"
#include "cli/output_file.h"
#include "cli/output_text.h"
#include "cli/program.h"
#include "warmline/v1/assignment_service.grpc.pb.h"

namespace warmline::cli {
namespace {

namespace pb = warmline::v1;

constexpr double kUnits = 1 << 20;

std::string Score(std::int64_t score) { return absl::StrCat(static_cast<double>(score) / kUnits); }

int WrongUse(const std::string& what) {
  std::cerr << "warmline assign: " << what << "\n";
  return kWrongUse;
}

std::string PlaceText(const pb::AssignedPair& pair) { return Plain(pb::AssignedPair::Place_Name(pair.place())); }
std::string ChangeText(const pb::AssignedPair& pair) {
  return pair.change() == pb::AssignedPair::CHANGE_UNSPECIFIED ? ""
                                                               : Plain(pb::AssignedPair::Change_Name(pair.change()));
}
// What the whole would lose with the second choice; only of who was chosen by the prices.
std::string LossText(const pb::AssignRequest& request, const pb::AssignedPair& pair) {
  if (request.mode() == pb::AssignRequest::STABLE || pair.place() != pb::AssignedPair::MATCHED ||
      pair.second_choice().empty())
    return "";
  return pair.loss() < 0 ? "a seeker" : Score(pair.loss());
}

std::string ToCsv(const pb::AssignRequest& request, const std::vector<pb::AssignedPair>& pairs) {
  std::ostringstream csv;
  csv << "need,seeker,helper,score,place,change,introduction,second_choice,second_score,loss\n";
  for (const pb::AssignedPair& pair : pairs) {
    csv << LastPart(pair.need()) << "," << LastPart(pair.seeker()) << "," << LastPart(pair.helper()) << ","
        << (pair.helper().empty() ? "" : Score(pair.score())) << "," << PlaceText(pair) << "," << ChangeText(pair)
        << "," << LastPart(pair.introduction()) << "," << LastPart(pair.second_choice()) << ","
        << (pair.second_choice().empty() ? "" : Score(pair.second_score())) << "," << LossText(request, pair) << "\n";
  }
  return csv.str();
}

std::int64_t Weight(std::int64_t score) {
  return std::llround(static_cast<double>(score) / kUnits * static_cast<double>(kWeightScale));
}

std::string ToPage(const pb::AssignRequest& request, const pb::AssignSummary& summary,
                   const std::vector<pb::AssignedPair>& pairs, const std::string& proof) {
  AssignmentSummary page;
  page.mode = request.mode() != pb::AssignRequest::STABLE
                  ? "optimal"
                  : absl::StrCat("stable, ", request.helpers_propose() ? "helpers" : "seekers", " propose");
  page.seekers = summary.needs();
  page.matched = summary.matched();
  page.sum = Weight(summary.score_sum());
  if (summary.has_floor()) page.floor = Weight(summary.floor());
  page.proof = proof;
  std::vector<Assigned> lines;
  for (const pb::AssignedPair& pair : pairs) {
    Assigned& line = lines.emplace_back();
    line.seeker = absl::StrCat(LastPart(pair.need()), " (", LastPart(pair.seeker()), ")");
    line.helper = LastPart(pair.helper());
    line.weight = Weight(pair.score());
    line.how = PlaceText(pair);
    line.change = ChangeText(pair);
    line.second_choice = LastPart(pair.second_choice());
    line.second_weight = Weight(pair.second_score());
    line.loss = LossText(request, pair);
  }
  return ToHtml(page, lines);
}

std::string ProofText(const pb::AssignRequest& request, const pb::AssignSummary& summary, bool checked) {
  const std::string what = request.mode() == pb::AssignRequest::STABLE
                               ? "No two would rather have each other, of all pairs that there are"
                               : "No choice is better, of all pairs that there are";
  return absl::StrCat(summary.proved() ? what : "Not proved", ": ", summary.pairs_looked_at(), " of ",
                      summary.pairs_possible(), " pairs were looked at, in ", summary.rounds(),
                      summary.rounds() == 1 ? " round" : " rounds",
                      checked ? ". The proof was checked here as well." : ".");
}

void PrintSummary(const pb::AssignSummary& summary, const std::string& proof, bool compared) {
  std::cerr << summary.matched() << " of " << summary.needs() << " needs have a helper, the scores add up to "
            << Score(summary.score_sum())
            << (summary.has_floor() ? absl::StrCat(", the least is ", Score(summary.floor())) : "") << ". " << proof
            << "\n";
  if (summary.kept() > 0) std::cerr << summary.kept() << " needs keep an open ask\n";
  if (compared) std::cerr << summary.moved() << " needs have another helper than before, or none any more\n";
}

// "need=helper" for each.
absl::Status AddPairs(const std::string& parent, const char* option, const std::vector<std::string>& pairs,
                      google::protobuf::RepeatedPtrField<pb::NeedAndHelper>* to) {
  for (const std::string& pair : pairs) {
    const std::size_t at = pair.find('=');
    if (at == std::string::npos || at == 0 || at + 1 == pair.size())
      return absl::InvalidArgumentError(absl::StrCat(option, " ", pair, " is no pair: write NEED=HELPER"));
    pb::NeedAndHelper* message = to->Add();
    message->set_need(absl::StrCat(parent, "/needs/", pair.substr(0, at)));
    message->set_helper(absl::StrCat(parent, "/members/", pair.substr(at + 1)));
  }
  return absl::OkStatus();
}

// The columns need and helper of an earlier result; lines without a helper are passed over.
absl::Status AddPrevious(const std::string& parent, const std::string& path, pb::AssignRequest& request) {
  std::ifstream file(path);
  if (!file) return absl::InvalidArgumentError(absl::StrCat(path, " cannot be read: check the path"));
  CsvReader reader(file);
  const auto header = reader.Next();
  const auto column = [&](const std::string& name) -> std::optional<std::size_t> {
    for (std::size_t i = 0; header && i < header->fields.size(); ++i) {
      if (header->fields[i].text == name) return i;
    }
    return std::nullopt;
  };
  const auto need = column("need");
  const auto helper = column("helper");
  if (!need || !helper)
    return absl::InvalidArgumentError(absl::StrCat(path, ":1: the columns need and helper are needed"));
  while (const auto row = reader.Next()) {
    if (!row->error.empty() || row->fields.size() <= std::max(*need, *helper))
      return absl::InvalidArgumentError(
          absl::StrCat(path, ":", row->line, ": ", row->error.empty() ? "has too few fields" : row->error));
    if (row->fields[*helper].text.empty()) continue;
    pb::NeedAndHelper* pair = request.add_previous();
    pair->set_need(absl::StrCat(parent, "/needs/", row->fields[*need].text));
    pair->set_helper(absl::StrCat(parent, "/members/", row->fields[*helper].text));
  }
  return absl::OkStatus();
}

absl::StatusOr<pb::AssignRequest> RequestOf(const std::string& parent, const AssignPoolOptions& wishes) {
  pb::AssignRequest request;
  *request.mutable_actor() = OperatorActor();
  request.set_parent(parent);
  for (const std::string& need : wishes.needs) request.add_needs(absl::StrCat(parent, "/needs/", need));
  request.set_mode(wishes.stable ? pb::AssignRequest::STABLE : pb::AssignRequest::OPTIMAL);
  request.set_helpers_propose(wishes.helpers_propose);
  if (wishes.stable) request.set_seed(wishes.seed);
  request.set_best_sum(wishes.best_sum);
  request.set_floor(wishes.floor);
  if (!wishes.min_score.empty()) {
    double score = 0;
    if (!absl::SimpleAtod(wishes.min_score, &score) || !(score >= 0) || score > 1)
      return absl::InvalidArgumentError(
          absl::StrCat("--min-weight ", wishes.min_score, " is no score of a pool: give 0 to 1"));
    request.set_min_score(static_cast<std::uint32_t>(std::llround(score * kUnits)));
  }
  request.set_top_k(wishes.top_k);
  if (auto status = AddPairs(parent, "--fixed", wishes.fixed, request.mutable_fixed()); !status.ok()) return status;
  if (auto status = AddPairs(parent, "--forbidden", wishes.forbidden, request.mutable_forbidden()); !status.ok())
    return status;
  if (!wishes.previous.empty()) {
    if (auto status = AddPrevious(parent, wishes.previous, request); !status.ok()) return status;
  }
  request.set_validate_only(wishes.message.empty());
  request.set_message(wishes.message);
  request.set_request_id(wishes.request_id);
  request.set_proof(!wishes.certificate.empty());
  return request;
}

struct Result {
  pb::AssignSummary summary;
  std::vector<pb::AssignedPair> pairs;
  AssignProof proof;
};

int Write(const pb::AssignRequest& request, const AssignPoolOptions& wishes, Result& result) {
  if (request.proof()) {
    std::int64_t fixed = 0;
    std::int64_t fixed_score = 0;
    for (const pb::AssignedPair& pair : result.pairs) {
      if (pair.place() != pb::AssignedPair::FIXED) continue;
      ++fixed;
      fixed_score += pair.score();
    }
    if (auto status = result.proof.Check(request, result.summary, fixed, fixed_score); !status.ok()) {
      std::cerr << "warmline assign: NOT PROVED, nothing is written: " << std::string(status.message()) << "\n";
      return kFailed;
    }
    if (!WriteWhole("assign", wishes.certificate, result.proof.ProofJson()) ||
        !WriteWhole("assign", absl::StrCat(wishes.certificate, ".pairs.csv"), result.proof.PairsCsv()) ||
        !WriteWhole("assign", absl::StrCat(wishes.certificate, ".places.csv"), result.proof.PlacesCsv()))
      return kFailed;
  }
  const std::string proof = ProofText(request, result.summary, request.proof());
  if (!WriteWhole("assign", wishes.out, ToCsv(request, result.pairs))) return kFailed;
  if (!wishes.report.empty() &&
      !WriteWhole("assign", wishes.report, ToPage(request, result.summary, result.pairs, proof)))
    return kFailed;
  PrintSummary(result.summary, proof, request.previous_size() > 0);
  return kOk;
}

}  // namespace

int AssignPool(const ClientOptions& options, const AssignPoolOptions& wishes) {
  const auto request = RequestOf(options.parent(), wishes);
  if (!request.ok()) return WrongUse(std::string(request.status().message()));
  const Client client(options);
  const auto context = client.Context();
  const auto stub = pb::AssignmentService::NewStub(client.channel());
  const auto stream = stub->Assign(context.get(), *request);
  const bool shows_progress = isatty(STDERR_FILENO) != 0;
  Result result;
  pb::AssignResponse response;
  while (stream->Read(&response)) {
    if (response.has_progress()) {
      if (shows_progress) {
        std::cerr << "\rround " << response.progress().round() << ": "
                  << static_cast<int>(response.progress().share() * 100) << " %   " << std::flush;
      }
      continue;
    }
    if (shows_progress && response.has_summary()) std::cerr << "\r";
    if (options.json()) {
      PrintJson(response, std::cout);
      continue;
    }
    if (response.has_summary()) result.summary = response.summary();
    for (const pb::AssignedPair& pair : response.pairs().pairs()) result.pairs.push_back(pair);
    result.proof.Add(response.proof());
  }
  const auto status = stream->Finish();
  if (!status.ok()) return client.Fail("assign", status);
  return options.json() ? kOk : Write(*request, wishes, result);
}

}  // namespace warmline::cli
