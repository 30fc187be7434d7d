// A need as the options of a command say it: stored, in a file, or given option by option. One thread.
#pragma once

#include <absl/strings/str_cat.h>

#include <iostream>
#include <string>
#include <vector>

#include "cli/client.h"
#include "cli/commands.h"

namespace warmline::cli {

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

  void AddTo(CLI::App& command);
  // The need that the options describe; `error` says what is wrong with them.
  [[nodiscard]] warmline::v1::Need Need(std::string* error) const;
  // In whose place the call is made.
  [[nodiscard]] warmline::v1::Actor Actor(const warmline::v1::Need& need) const;
};

// Fills what requests about a need have alike. False, after saying why, when the options are wrong.
template <typename Request>
bool Fill(const NeedOptions& options, const char* command, Request& request) {
  std::string error;
  request.set_parent(options.client.parent());
  if (options.need.empty()) {
    *request.mutable_inline_need() = options.Need(&error);
  } else {
    request.set_need(absl::StrCat(options.client.parent(), "/needs/", options.need));
  }
  if (options.need.empty() && options.need_file.empty() && options.seeker.empty())
    error = "say whose need: --seeker with --interest and --help-kind, or --need, or --need-file";
  *request.mutable_actor() = options.Actor(request.inline_need());
  if (!error.empty()) std::cerr << "warmline " << command << ": " << error << "\n";
  return error.empty();
}

}  // namespace warmline::cli
