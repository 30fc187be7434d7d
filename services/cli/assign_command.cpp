#include <absl/strings/str_cat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iostream>
#include <sstream>

#include "assignment/explain.h"
#include "assignment/plan.h"
#include "assignment/stable.h"
#include "cli/assign_pool.h"
#include "cli/assign_report.h"
#include "cli/certificate_file.h"
#include "cli/commands.h"
#include "cli/output_file.h"
#include "cli/program.h"

namespace warmline::cli {
namespace {

using assignment::Proposer;

struct AssignOptions {
  CohortFiles files;
  std::string min_weight;
  std::string mode = "optimal";
  bool best_sum = false;
  bool floor = false;
  std::string proposer = "seeker";
  std::uint64_t seed = 1;
  std::string out = "-";
  std::string report;
  std::string certificate;
  std::string verify;
  ClientOptions client;
  AssignPoolOptions pool;
};

int Fail(const absl::Status& status) {
  std::cerr << "warmline assign: " << std::string(status.message()) << "\n";
  return absl::IsInvalidArgument(status) ? kWrongUse : kFailed;
}

volatile std::sig_atomic_t interrupted = 0;

assignment::StopCheck StopAfter(absl::Duration time) {
  std::signal(SIGINT, [](int) { interrupted = 1; });
  return [deadline = absl::Now() + time]() -> absl::Status {
    if (interrupted != 0) return absl::CancelledError("interrupted: nothing was written");
    if (absl::Now() > deadline)
      return absl::DeadlineExceededError("the time is over: raise --timeout-ms, or give fewer pairs a seeker");
    return absl::OkStatus();
  };
}

std::function<void(double)> ProgressBar() {
  if (isatty(STDERR_FILENO) == 0) return {};
  return [shown = -1](double share) mutable {
    const int percent = static_cast<int>(share * 100);
    if (percent == shown) return;
    shown = percent;
    std::cerr << "\rsolving: " << percent << " % of the seekers" << std::flush;
    if (percent >= 99) std::cerr << "\n";
  };
}

int Verify(const AssignOptions& options, const Cohort& cohort) {
  std::ifstream file(options.verify);
  std::stringstream text;
  text << file.rdbuf();
  if (!file) return Fail(absl::InvalidArgumentError(absl::StrCat(options.verify, " cannot be read")));
  const auto proof = ReadProof(cohort, text.str());
  if (!proof.ok()) return Fail(proof.status());
  if (auto status = assignment::VerifyPlan(cohort.problem, proof->options, proof->plan); !status.ok()) {
    std::cerr << "warmline assign: NOT PROVED: " << std::string(status.message()) << "\n";
    return kFailed;
  }
  std::cout << "proved: " << proof->plan.seekers << " of " << cohort.seekers.size()
            << " seekers have somebody, the weights add up to " << WeightText(proof->plan.sum)
            << (proof->plan.floor ? absl::StrCat(", the least is ", WeightText(*proof->plan.floor)) : "")
            << ", and no choice is better (" << proof->plan.stages.size() << " stages)\n";
  return kOk;
}

int Write(const AssignOptions& options, const AssignmentSummary& summary, const std::vector<Assigned>& lines) {
  std::ostringstream csv;
  WriteCsv(lines, csv);
  if (!WriteWhole("assign", options.out, csv.str())) return kFailed;
  if (!options.report.empty() && !WriteWhole("assign", options.report, ToHtml(summary, lines))) return kFailed;
  std::int64_t moved = 0;
  std::int64_t kept = 0;
  for (const Assigned& line : lines) {
    kept += line.change == "kept" ? 1 : 0;
    moved += line.change == "moved" || line.change == "lost" ? 1 : 0;
  }
  std::cerr << summary.mode << ": " << summary.matched << " of " << summary.seekers
            << " seekers have somebody, the weights add up to " << WeightText(summary.sum)
            << (summary.floor ? absl::StrCat(", the least is ", WeightText(*summary.floor)) : "") << ". "
            << summary.proof << "\n";
  if (kept + moved > 0)
    std::cerr << kept << " pairs are as before, " << moved << " seekers have another or nobody now\n";
  return kOk;
}

AssignmentSummary SummaryOf(const Cohort& cohort, const std::vector<Assigned>& lines) {
  AssignmentSummary summary;
  summary.seekers = static_cast<std::int64_t>(cohort.seekers.size());
  std::string last;
  for (const Assigned& line : lines) {
    if (line.helper.empty()) continue;
    summary.sum += line.weight;
    if (line.seeker != last) ++summary.matched;
    last = line.seeker;
  }
  return summary;
}

int Optimal(const AssignOptions& options, const Cohort& cohort) {
  PlanProof proof;
  proof.options = {!options.best_sum, options.floor};
  auto plan = assignment::MakePlan(cohort.problem, proof.options,
                                   StopAfter(absl::Milliseconds(options.client.timeout_ms)), ProgressBar());
  if (!plan.ok()) return Fail(plan.status());
  proof.plan = *std::move(plan);
  // Never claimed without having been checked.
  if (auto status = assignment::VerifyPlan(cohort.problem, proof.options, proof.plan); !status.ok())
    return Fail(absl::InternalError(absl::StrCat("the solver's proof does not hold: ", std::string(status.message()))));
  const assignment::Stage& last = proof.plan.stages.back();
  const auto reasons = assignment::Explain(
      cohort.problem,
      {proof.plan.chosen, proof.plan.sum, last.certificate.seeker_price, last.certificate.helper_price});
  const auto lines = MakeReport(cohort, proof.plan.chosen, reasons, last.problem.bonus / 2);
  AssignmentSummary summary = SummaryOf(cohort, lines);
  summary.mode = "optimal";
  summary.floor = proof.plan.floor;
  summary.proof = "No choice is better: proved by prices in " + std::to_string(proof.plan.stages.size()) + " stages.";
  if (!options.certificate.empty() && !WriteWhole("assign", options.certificate, ToJson(cohort, proof))) return kFailed;
  return Write(options, summary, lines);
}

int Stable(const AssignOptions& options, Cohort cohort) {
  cohort.preferences.seed = options.seed;
  const auto proposer = options.proposer == "seeker" ? Proposer::kSeeker : Proposer::kHelper;
  const auto choice = assignment::SolveStable(cohort.problem, cohort.preferences, proposer,
                                              StopAfter(absl::Milliseconds(options.client.timeout_ms)));
  if (!choice.ok()) return Fail(choice.status());
  const auto blocking = assignment::BlockingPairs(cohort.problem, cohort.preferences, choice->chosen);
  if (!blocking.ok()) return Fail(blocking.status());
  if (!blocking->empty()) return Fail(absl::InternalError("the choice is not stable: a defect, please report it"));
  const auto lines = MakeReport(cohort, choice->chosen, {}, 0);
  AssignmentSummary summary = SummaryOf(cohort, lines);
  summary.mode = absl::StrCat("stable, ", options.proposer, "s propose, seed ", options.seed);
  summary.proof = "No two would rather have each other than what they have: every pair was looked at.";
  return Write(options, summary, lines);
}

int Pool(AssignOptions options) {
  if (!options.verify.empty() || !options.files.capacities.empty())
    return Fail(absl::InvalidArgumentError(
        "--verify and --capacities are of a CSV of pairs: a pool's proof is checked as it comes, and its files can be "
        "checked again"));
  options.pool.stable = options.mode == "stable";
  options.pool.helpers_propose = options.proposer == "helper";
  options.pool.seed = options.seed;
  options.pool.best_sum = options.best_sum;
  options.pool.floor = options.floor;
  options.pool.min_score = options.min_weight;
  options.pool.previous = options.files.previous;
  options.pool.out = options.out;
  options.pool.report = options.report;
  options.pool.certificate = options.certificate;
  return AssignPool(options.client, options.pool);
}

int Assign(AssignOptions options) {
  if (options.mode == "stable" &&
      (options.floor || options.best_sum || !options.certificate.empty() || !options.verify.empty()))
    return Fail(
        absl::InvalidArgumentError("--floor, --best-sum, --certificate and --verify are of --mode optimal: a stable "
                                   "choice is checked pair by pair"));
  if (options.files.pairs.empty()) {
    if (options.client.pool.empty())
      return Fail(absl::InvalidArgumentError("give a CSV of pairs, or the --pool of a running server"));
    return Pool(std::move(options));
  }
  if (!options.pool.fixed.empty() || !options.pool.forbidden.empty())
    return Fail(
        absl::InvalidArgumentError("--fixed and --forbidden are of a pool: a CSV of pairs has columns of these names"));
  if (!options.min_weight.empty()) {
    options.files.min_weight = ParseWeight(options.min_weight);
    if (!options.files.min_weight)
      return Fail(absl::InvalidArgumentError(absl::StrCat("--min-weight ", options.min_weight, " is no weight")));
  }
  auto cohort = ReadCohort(options.files);
  if (!cohort.ok()) return Fail(cohort.status());
  if (!options.verify.empty()) return Verify(options, *cohort);
  return options.mode == "stable" ? Stable(options, *std::move(cohort)) : Optimal(options, *cohort);
}

}  // namespace

void AddAssign(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand(
      "assign", "Match a whole cohort at once, from CSV or a pool: the best choice with its proof, or a stable one");
  auto options = std::make_shared<AssignOptions>();
  command->add_option(
      "pairs", options->files.pairs,
      "CSV of the pairs that may be: seeker, helper, weight; also seeker_preference, helper_preference, "
      "fixed, forbidden; without it, the open needs of --pool are assigned by a running server");
  AddOption(*command, "capacities", options->files.capacities,
            "CSV of places: side (seeker or helper), member, capacity; who is not there has one");
  AddOption(*command, "previous", options->files.previous, "CSV of an earlier result, to say who was moved");
  AddOption(*command, "min-weight", options->min_weight, "Leave out pairs of less");
  AddOption(*command, "mode", options->mode, "optimal (largest sum, proved) or stable (nobody would rather swap)")
      ->check(CLI::IsMember({"optimal", "stable"}));
  AddFlag(*command, "best-sum", options->best_sum, "The largest sum even if more seekers could have somebody");
  AddFlag(*command, "floor", options->floor, "First make the worst pair as good as can be, then the sum");
  AddOption(*command, "proposer", options->proposer, "Who is favoured among the stable choices: seeker or helper")
      ->check(CLI::IsMember({"seeker", "helper"}));
  AddOption(*command, "seed", options->seed, "Decides, of a stable choice, between those who are thought alike");
  AddOption(*command, "out", options->out, "Where the CSV of the result goes; - is standard output");
  AddOption(*command, "report", options->report, "Write a page (HTML) that shows it");
  AddOption(*command, "certificate", options->certificate,
            "Write the proof (JSON); of a pool also PATH.pairs.csv and PATH.places.csv, which it is about");
  AddOption(*command, "verify", options->verify, "Check such a proof against the files instead of solving");
  AddOption(*command, "needs", options->pool.needs, "Of a pool: ids of the needs; all open ones without it")
      ->delimiter(',');
  AddOption(*command, "top-k", options->pool.top_k, "Of a pool: candidates of a need to begin with, 1 to 1000");
  AddOption(*command, "fixed", options->pool.fixed, "Of a pool: NEED=HELPER, kept whatever they are worth")
      ->delimiter(',');
  AddOption(*command, "forbidden", options->pool.forbidden, "Of a pool: NEED=HELPER, never chosen")->delimiter(',');
  AddOption(*command, "message", options->pool.message,
            "Of a pool: ask every helper with these words; else only on paper");
  AddOption(*command, "request-id", options->pool.request_id, "With --message: the same one for every retry");
  options->client.timeout_ms = 3'600'000;
  options->client.AddTo(*command);
  command->get_option("--pool")->required(false);
  command->callback([options, &exit_code] { exit_code = Assign(*options); });
}

}  // namespace warmline::cli
