// The commands, each adding itself to the program: its options, and what it does.
#pragma once

#include <CLI/CLI.hpp>

namespace warmline::cli {

void AddServe(CLI::App& app, int& exit_code);
void AddImport(CLI::App& app, int& exit_code);
void AddExport(CLI::App& app, int& exit_code);
void AddMatch(CLI::App& app, int& exit_code);
void AddExplain(CLI::App& app, int& exit_code);
void AddIntroduce(CLI::App& app, int& exit_code);
void AddInbox(CLI::App& app, int& exit_code);
void AddSimulate(CLI::App& app, int& exit_code);
void AddAssign(CLI::App& app, int& exit_code);
void AddDoctor(CLI::App& app, int& exit_code);
void AddHealth(CLI::App& app, int& exit_code);
void AddMigrate(CLI::App& app, int& exit_code);

// An option as flag `--name`, environment variable WARMLINE_NAME and configuration key `name`.
template <typename Value>
CLI::Option* AddOption(CLI::App& command, const std::string& name, Value& value, const std::string& help) {
  std::string variable = "WARMLINE_";
  for (const char c : name) variable += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return command.add_option("--" + name, value, help)->envname(variable)->capture_default_str();
}
inline CLI::Option* AddFlag(CLI::App& command, const std::string& name, bool& value, const std::string& help) {
  std::string variable = "WARMLINE_";
  for (const char c : name) variable += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return command.add_flag("--" + name, value, help)->envname(variable);
}

}  // namespace warmline::cli
