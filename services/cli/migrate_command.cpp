// Brings the store's schema to this version and ends: what every start does too, for who wants to see it done before.
#include <iostream>
#include <memory>

#include "cli/commands.h"
#include "cli/program.h"
#include "server/config.h"
#include "server/records.h"
#include "server/server.h"

namespace warmline::cli {
namespace {

int Migrate(const server::Config& config) {
  if (const auto store = server::OpenRecords(config); !store.ok()) {
    std::cerr << "warmline migrate: " << std::string(store.status().message()) << "\n";
    return kFailed;
  }
  std::cout << "the " << (config.postgres.empty() ? "embedded database" : "database") << " has the schema of warmline "
            << server::Version() << "\n";
  return kOk;
}

}  // namespace

void AddMigrate(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("migrate", "Bring the store's schema to this version, and end");
  auto config = std::make_shared<server::Config>();
  AddOption(*command, "data-dir", config->data_dir, "Directory of the embedded database");
  AddOption(*command, "postgres", config->postgres, "Connection string of PostgreSQL; empty: the embedded database");
  command->callback([config, &exit_code] { exit_code = Migrate(*config); });
}

}  // namespace warmline::cli
