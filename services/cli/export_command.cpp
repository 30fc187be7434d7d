#include <google/protobuf/util/json_util.h>

#include <iostream>

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/output_file.h"
#include "cli/program.h"
#include "warmline/v1/member_service.grpc.pb.h"

namespace warmline::cli {
namespace {

namespace pb = warmline::v1;

int Export(const ClientOptions& options, const std::string& path) {
  const Client client(options);
  OutputFile file("export", path);
  if (!file.Open()) return kFailed;
  std::ostream& out = file.stream();
  pb::ExportRequest request;
  *request.mutable_actor() = OperatorActor();
  request.set_parent(options.parent());
  const auto context = client.Context(24 * 3600 * 1000);
  const auto reader = pb::MemberService::NewStub(client.channel())->Export(context.get(), request);
  pb::ExportResponse page;
  std::int64_t rows = 0;
  while (reader->Read(&page)) {
    for (const pb::Row& row : page.rows()) {
      std::string json;
      (void)google::protobuf::util::MessageToJsonString(row, &json);
      out << json << "\n";
      ++rows;
    }
  }
  if (const auto status = reader->Finish(); !status.ok()) return client.Fail("export", status);
  if (!file.Finish()) return kFailed;
  std::cerr << "exported " << rows << " rows\n";
  return kOk;
}

}  // namespace

void AddExport(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("export", "Export a pool as JSON Lines that `import` takes");
  auto options = std::make_shared<ClientOptions>();
  auto path = std::make_shared<std::string>("-");
  options->AddTo(*command);
  AddOption(*command, "file", *path, "Where to write; - is standard output");
  command->callback([=, &exit_code] { exit_code = Export(*options, *path); });
}

}  // namespace warmline::cli
