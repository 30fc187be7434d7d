// `warmline introduce …`: review, request and every move; `warmline inbox`.
#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>

#include <fstream>
#include <functional>
#include <iostream>
#include <random>
#include <sstream>

#include "cli/introduction_output.h"
#include "cli/match_output.h"
#include "cli/need_options.h"
#include "cli/program.h"
#include "warmline/v1/introduction_service.grpc.pb.h"

namespace warmline::cli {
namespace {

namespace pb = warmline::v1;
using Stub = pb::IntroductionService::Stub;

struct AskOptions : NeedOptions {
  std::vector<std::string> helpers;
  std::vector<std::string> candidates;
  std::string introducer;
  bool direct = false;
  std::string message;
  std::string message_file;
  std::string request_id;
};

struct MoveOptions {
  ClientOptions client;
  std::string introduction;
  std::string as;  // a member
  std::string audience;
  std::string text;
  std::string outcome;
  std::string member;
  bool suspend = false;
  bool follow = false;
  bool open_only = false;
  bool reported_only = false;
  int limit = 100;

  [[nodiscard]] pb::Actor Actor() const {
    if (as.empty()) return OperatorActor();
    pb::Actor actor;
    pb::Audience value = pb::AUDIENCE_UNSPECIFIED;
    pb::Audience_Parse(audience, &value);
    actor.set_audience(value);
    actor.set_acting_member(absl::StrCat(client.parent(), "/members/", as));
    return actor;
  }
  [[nodiscard]] std::string Name() const {
    if (introduction.find('/') != std::string::npos) return introduction;
    return absl::StrCat(client.parent(), "/introductions/", introduction);
  }
};

std::string RandomRequestId() {
  std::random_device random;
  return absl::StrCat("cli-", absl::Hex(std::uint64_t{random()} << 32 | random(), absl::kZeroPad16));
}

bool FillAsk(const AskOptions& options, pb::RequestRequest& request) {
  if (!Fill(options, "introduce", request)) return false;
  std::string message = options.message;
  if (!options.message_file.empty()) {
    std::ifstream file(options.message_file);
    std::stringstream text;
    text << file.rdbuf();
    if (!file) {
      std::cerr << "warmline introduce: --message-file: cannot read " << options.message_file << "\n";
      return false;
    }
    message = std::string(absl::StripAsciiWhitespace(text.str()));
  }
  request.set_message(message);
  const auto add = [&] {
    pb::AskTarget* target = request.add_targets();
    if (!options.introducer.empty())
      target->set_introducer(absl::StrCat(options.client.parent(), "/members/", options.introducer));
    target->set_direct(options.direct);
    return target;
  };
  for (const std::string& helper : options.helpers)
    add()->set_helper(absl::StrCat(options.client.parent(), "/members/", helper));
  for (const std::string& candidate : options.candidates) add()->set_candidate(candidate);
  request.set_request_id(options.request_id.empty() ? RandomRequestId() : options.request_id);
  return true;
}

template <typename Response>
int Show(const ClientOptions& options, const Response& response) {
  if (options.json()) {
    PrintJson(response, std::cout);
  } else {
    Print(response, std::cout);
  }
  return kOk;
}

int Review(const AskOptions& options) {
  pb::RequestRequest request;
  if (!FillAsk(options, request)) return kWrongUse;
  const Client client(options.client);
  const auto context = client.Context();
  pb::ReviewResponse response;
  const auto status = pb::IntroductionService::NewStub(client.channel())->Review(context.get(), request, &response);
  return status.ok() ? Show(options.client, response) : client.Fail("introduce review", status);
}

int Request(const AskOptions& options) {
  pb::RequestRequest request;
  if (!FillAsk(options, request)) return kWrongUse;
  const Client client(options.client);
  const auto context = client.Context();
  pb::WriteIntroductionResponse response;
  const auto status = pb::IntroductionService::NewStub(client.channel())->Request(context.get(), request, &response);
  return status.ok() ? Show(options.client, response.introduction()) : client.Fail("introduce request", status);
}

void AddAsk(CLI::App& parent, const char* name, const char* help, int (*run)(const AskOptions&), int& exit_code) {
  CLI::App* command = parent.add_subcommand(name, help);
  auto options = std::make_shared<AskOptions>();
  options->audience = "SEEKER";
  options->AddTo(*command);
  AddOption(*command, "helper", options->helpers, "Id of a helper; repeated: asked one after the other");
  AddOption(*command, "candidate", options->candidates, "Token of a masked match; may be repeated");
  AddOption(*command, "introducer", options->introducer, "Id of a contact of both; without it, the strongest one");
  AddFlag(*command, "direct", options->direct, "Without an introducer, where the helper's door is open");
  AddOption(*command, "message", options->message, "Why you ask this helper: 40 to 2,000 characters");
  AddOption(*command, "message-file", options->message_file, "File with the message");
  AddOption(*command, "request-id", options->request_id, "For a safe retry; without it, a new one");
  command->callback([options, run, &exit_code] { exit_code = run(*options); });
}

// One move: `call` makes it.
using Call =
    std::function<grpc::Status(Stub&, grpc::ClientContext*, const MoveOptions&, pb::WriteIntroductionResponse*)>;

CLI::App* AddMove(CLI::App& parent, const std::string& name, const char* help, std::vector<std::string> audiences,
                  const std::shared_ptr<MoveOptions>& options, Call call, int& exit_code) {
  CLI::App* command = parent.add_subcommand(name, help);
  options->client.AddTo(*command);
  AddOption(*command, "introduction", options->introduction, "Id or name of the introduction")->required();
  if (!audiences.empty()) {
    AddOption(*command, "as", options->as, "Id of the member who makes the move")->required();
    options->audience = audiences.front();
    if (audiences.size() > 1)
      AddOption(*command, "audience", options->audience, "Their part in it")->check(CLI::IsMember(audiences));
  }
  command->callback([options, call = std::move(call), name, &exit_code] {
    const Client client(options->client);
    const auto context = client.Context();
    const auto stub = pb::IntroductionService::NewStub(client.channel());
    pb::WriteIntroductionResponse response;
    const auto status = call(*stub, context.get(), *options, &response);
    exit_code = status.ok() ? Show(options->client, response.introduction()) : client.Fail("introduce " + name, status);
  });
  return command;
}

template <typename Message>
Message Named(const MoveOptions& options) {
  Message request;
  *request.mutable_actor() = options.Actor();
  request.set_name(options.Name());
  return request;
}

void AddPartyMoves(CLI::App& parent, int& exit_code) {
  const auto options = [] { return std::make_shared<MoveOptions>(); };
  auto forward = options();
  AddOption(*AddMove(
                parent, "forward", "The introducer consents: the helper learns who asks", {"INTRODUCER"}, forward,
                [](Stub& stub, auto* context, const MoveOptions& o, auto* response) {
                  auto request = Named<pb::ForwardIntroductionRequest>(o);
                  request.set_note(o.text);
                  return stub.Forward(context, request, response);
                },
                exit_code),
            "note", forward->text, "A word to the helper");
  AddMove(
      parent, "accept", "The helper will help", {"HELPER"}, options(),
      [](Stub& stub, auto* context, const MoveOptions& o, auto* response) {
        return stub.Accept(context, Named<pb::MoveIntroductionRequest>(o), response);
      },
      exit_code);
  auto decline = options();
  AddOption(
      *AddMove(
          parent, "decline", "Introducer or helper say no; the next target is asked", {"HELPER", "INTRODUCER"}, decline,
          [](Stub& stub, auto* context, const MoveOptions& o, auto* response) {
            auto request = Named<pb::DeclineIntroductionRequest>(o);
            request.set_note(o.text);
            return stub.Decline(context, request, response);
          },
          exit_code),
      "note", decline->text, "For yourself and the operators; the seeker does not see it");
  auto ask_more = options();
  AddOption(*AddMove(
                parent, "ask-more", "The helper asks the seeker for more", {"HELPER"}, ask_more,
                [](Stub& stub, auto* context, const MoveOptions& o, auto* response) {
                  auto request = Named<pb::AskMoreRequest>(o);
                  request.set_question(o.text);
                  return stub.AskMore(context, request, response);
                },
                exit_code),
            "question", ask_more->text, "The question")
      ->required();
  auto answer = options();
  AddOption(*AddMove(
                parent, "answer", "The seeker answers the last question", {"SEEKER"}, answer,
                [](Stub& stub, auto* context, const MoveOptions& o, auto* response) {
                  auto request = Named<pb::AnswerMoreRequest>(o);
                  request.set_answer(o.text);
                  return stub.Answer(context, request, response);
                },
                exit_code),
            "answer", answer->text, "The answer")
      ->required();
  AddMove(
      parent, "cancel", "The seeker takes the ask back, with its further targets", {"SEEKER"}, options(),
      [](Stub& stub, auto* context, const MoveOptions& o, auto* response) {
        return stub.Cancel(context, Named<pb::MoveIntroductionRequest>(o), response);
      },
      exit_code);
}

void AddReports(CLI::App& parent, int& exit_code) {
  auto report = std::make_shared<MoveOptions>();
  CLI::App* command = AddMove(
      parent, "report", "What came of it, by the seeker or the helper", {"SEEKER", "HELPER"}, report,
      [](Stub& stub, auto* context, const MoveOptions& o, auto* response) {
        auto request = Named<pb::ReportOutcomeRequest>(o);
        pb::OutcomeKind kind = pb::OUTCOME_KIND_UNSPECIFIED;
        pb::OutcomeKind_Parse(o.outcome, &kind);
        request.set_outcome(kind);
        request.set_note(o.text);
        return stub.ReportOutcome(context, request, response);
      },
      exit_code);
  AddOption(*command, "outcome", report->outcome, "HELPED, INTERVIEW, HIRED, NOT_HELPFUL or NO_REPLY")
      ->required()
      ->check(CLI::IsMember({"HELPED", "INTERVIEW", "HIRED", "NOT_HELPFUL", "NO_REPLY"}));
  AddOption(*command, "note", report->text, "More about it");
  auto abuse = std::make_shared<MoveOptions>();
  AddOption(*AddMove(
                parent, "report-abuse", "Tell the operators of abuse", {"HELPER", "SEEKER", "INTRODUCER"}, abuse,
                [](Stub& stub, auto* context, const MoveOptions& o, auto* response) {
                  auto request = Named<pb::ReportAbuseRequest>(o);
                  request.set_note(o.text);
                  return stub.ReportAbuse(context, request, response);
                },
                exit_code),
            "note", abuse->text, "What happened")
      ->required();
  auto resolve = std::make_shared<MoveOptions>();
  command = AddMove(
      parent, "resolve", "Operators: suspend a member of a reported introduction, or end it", {}, resolve,
      [](Stub& stub, auto* context, const MoveOptions& o, auto* response) {
        auto request = Named<pb::ResolveReportRequest>(o);
        request.set_member(absl::StrCat(o.client.parent(), "/members/", o.member));
        request.set_suspend(o.suspend);
        return stub.ResolveReport(context, request, response);
      },
      exit_code);
  AddOption(*command, "member", resolve->member, "Id of the member")->required();
  AddFlag(*command, "suspend", resolve->suspend, "Suspend; without it, a suspension ends");
}

}  // namespace

void AddIntroduce(CLI::App& app, int& exit_code) {
  CLI::App* parent = app.add_subcommand("introduce", "Ask a helper, and every move from there to the outcome");
  parent->require_subcommand(1);
  AddAsk(*parent, "review", "What would stand in the way of an ask; writes nothing", Review, exit_code);
  AddAsk(*parent, "request", "Ask", Request, exit_code);
  AddPartyMoves(*parent, exit_code);
  AddReports(*parent, exit_code);
}

namespace {

// Prints what changes until the stream ends.
int Follow(const MoveOptions& options, const Client& client) {
  pb::WatchIntroductionsRequest request;
  *request.mutable_actor() = options.Actor();
  request.set_parent(options.client.parent());
  if (!options.as.empty()) request.set_member(absl::StrCat(options.client.parent(), "/members/", options.as));
  constexpr int kDayMs = 24 * 3600 * 1000;
  const auto context = client.Context(kDayMs);
  const auto reader = pb::IntroductionService::NewStub(client.channel())->Watch(context.get(), request);
  for (pb::IntroductionEvent event; reader->Read(&event);) {
    if (options.client.json()) {
      PrintJson(event, std::cout);
    } else {
      Print(event.introduction(), std::cout);
    }
    std::cout.flush();
  }
  const auto status = reader->Finish();
  return status.ok() ? kOk : client.Fail("inbox", status);
}

}  // namespace

void AddInbox(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("inbox", "The introductions of a member, or of the pool");
  auto options = std::make_shared<MoveOptions>();
  options->audience = "HELPER";
  options->client.AddTo(*command);
  AddOption(*command, "as", options->as, "Id of the member; without it, an operator's view of all");
  AddOption(*command, "audience", options->audience, "In which part")
      ->check(CLI::IsMember({"HELPER", "INTRODUCER", "SEEKER"}));
  AddFlag(*command, "open", options->open_only, "Only those that are under way");
  AddFlag(*command, "reported", options->reported_only, "Operators: only those with a report of abuse");
  AddOption(*command, "limit", options->limit, "How many, 1 to 1,000");
  AddFlag(*command, "follow", options->follow, "Go on with what changes from now, until Ctrl-C or a day");
  command->callback([options, &exit_code] {
    pb::ListIntroductionsRequest request;
    *request.mutable_actor() = options->Actor();
    request.set_parent(options->client.parent());
    if (!options->as.empty()) request.set_member(absl::StrCat(options->client.parent(), "/members/", options->as));
    request.set_open_only(options->open_only);
    request.set_reported_only(options->reported_only);
    request.set_page_size(options->limit);
    const Client client(options->client);
    const auto context = client.Context();
    pb::ListIntroductionsResponse response;
    const auto status = pb::IntroductionService::NewStub(client.channel())->List(context.get(), request, &response);
    exit_code = status.ok() ? Show(options->client, response) : client.Fail("inbox", status);
    if (status.ok() && options->follow) exit_code = Follow(*options, client);
  });
}

}  // namespace warmline::cli
