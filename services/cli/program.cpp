#include "cli/program.h"

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>

#include "cli/commands.h"
#include "server/server.h"

namespace warmline::cli {
namespace {

constexpr char kAbout[] =
    "Warmline pairs people who look for work with those who actually help.\n"
    "Every option can also be given as the environment variable shown, or as a key of the file named by --config\n"
    "(TOML: a section for each command, for example [serve] and listen = \"127.0.0.1:7700\"). A flag comes before the "
    "file, the file before the environment.";

}  // namespace

int RunProgram(int argc, char** argv) {
  // Our own messages say what gRPC's log would, and what to do; who wants that log asks for it.
  setenv("GRPC_VERBOSITY", "NONE", /*overwrite=*/0);
  CLI::App app(kAbout, "warmline");
  app.set_config("--config", "", "Read options from this TOML file; unknown keys are errors")
      ->envname("WARMLINE_CONFIG");
  app.allow_config_extras(CLI::config_extras_mode::error);
  app.require_subcommand(1);
  app.get_formatter()->column_width(44);
  int exit_code = kOk;
  AddServe(app, exit_code);
  AddImport(app, exit_code);
  AddExport(app, exit_code);
  AddMatch(app, exit_code);
  AddExplain(app, exit_code);
  AddIntroduce(app, exit_code);
  AddInbox(app, exit_code);
  AddSimulate(app, exit_code);
  AddAssign(app, exit_code);
  AddDoctor(app, exit_code);
  AddHealth(app, exit_code);
  AddMigrate(app, exit_code);
  app.add_subcommand("version", "Print the version")->callback([] {
    std::cout << "warmline " << server::Version() << "\n";
  });
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kOk : kWrongUse;
  }
  return exit_code;
}

}  // namespace warmline::cli
