#include <absl/strings/str_cat.h>
#include <absl/time/clock.h>
#include <absl/time/time.h>
#include <unistd.h>

#include <iostream>
#include <vector>

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/program.h"
#include "cli/rows_file.h"
#include "warmline/v1/member_service.grpc.pb.h"
#include "warmline/v1/pool_service.grpc.pb.h"

namespace warmline::cli {
namespace {

namespace pb = warmline::v1;

constexpr int kRowsPerMessage = 500;
constexpr std::size_t kBytesPerMessage = 2 * 1024 * 1024;

struct ImportOptions {
  ClientOptions client;
  std::vector<std::string> files;
  bool vouch = false;
  bool validate_only = false;
  bool create_pool = false;
  bool no_progress = false;
};

class Progress {
 public:
  explicit Progress(bool shown) : shown_(shown && isatty(STDERR_FILENO) != 0) {}
  void Show(const std::string& file, std::int64_t done, std::int64_t total, std::int64_t rows) {
    if (!shown_ || absl::Now() - last_ < absl::Milliseconds(100)) return;
    last_ = absl::Now();
    constexpr int kWidth = 30;
    const double share = total > 0 ? static_cast<double>(done) / static_cast<double>(total) : 0;
    const int full = static_cast<int>(share * kWidth);
    std::cerr << "\r" << file << " [" << std::string(static_cast<std::size_t>(full), '#')
              << std::string(static_cast<std::size_t>(kWidth - full), '.') << "] " << static_cast<int>(share * 100)
              << "% " << rows << " rows\033[K" << std::flush;
  }
  void Clear() const {
    if (shown_) std::cerr << "\r\033[K";
  }

 private:
  bool shown_;
  absl::Time last_ = absl::InfinitePast();
};

// Where a row that was sent stands.
struct Place {
  std::size_t file;
  std::int64_t line;
};

class Importer {
 public:
  Importer(const ImportOptions& options, const Client& client)
      : options_(options),
        progress_(!options.no_progress),
        stub_(pb::MemberService::NewStub(client.channel())),
        context_(client.Context(24 * 3600 * 1000)) {
    *message_.mutable_actor() = OperatorActor();
    message_.set_parent(options.client.parent());
    message_.set_vouch(options.vouch);
    message_.set_validate_only(options.validate_only);
    writer_ = stub_->Import(context_.get(), &response_);
  }

  // Errors of the files themselves; the stream's are Finish's.
  absl::Status Send() {
    for (std::size_t i = 0; i < options_.files.size(); ++i) {
      auto file = RowsFile::Open(options_.files[i]);
      if (!file.ok()) return file.status();
      while (auto row = (*file)->Next()) {
        if (!row->error.empty()) {
          Refuse(i, row->line, row->column, row->error);
          continue;
        }
        bytes_ += row->row.ByteSizeLong();
        *message_.add_rows() = std::move(row->row);
        places_.push_back({i, row->line});
        if ((message_.rows_size() >= kRowsPerMessage || bytes_ >= kBytesPerMessage) && !Flush())
          return absl::OkStatus();
        progress_.Show(options_.files[i], (*file)->bytes_read(), (*file)->bytes_total(),
                       static_cast<std::int64_t>(places_.size()));
      }
    }
    Flush();
    return absl::OkStatus();
  }

  void Cancel() { context_->TryCancel(); }

  grpc::Status Finish() {
    writer_->WritesDone();
    grpc::Status status = writer_->Finish();
    progress_.Clear();
    for (const pb::RowResult& refused : response_.refused_rows()) {
      const Place& place = places_[static_cast<std::size_t>(refused.row())];
      for (const auto& violation : refused.violations()) {
        Refuse(place.file, place.line, 0,
               absl::StrCat(violation.field(), violation.field().empty() ? "" : ": ", violation.description()), false);
      }
    }
    return status;
  }

  [[nodiscard]] const pb::ImportResponse& response() const { return response_; }
  [[nodiscard]] std::int64_t unreadable() const { return unreadable_; }

 private:
  bool Flush() {
    const bool open = writer_->Write(message_);
    message_.clear_rows();
    bytes_ = 0;
    return open;
  }

  void Refuse(std::size_t file, std::int64_t line, int column, const std::string& why, bool here = true) {
    if (here) ++unreadable_;
    progress_.Clear();
    std::cerr << options_.files[file] << ":" << line << (column > 0 ? absl::StrCat(":", column) : "") << ": " << why
              << "\n";
  }

  const ImportOptions& options_;
  Progress progress_;
  std::unique_ptr<pb::MemberService::Stub> stub_;
  std::unique_ptr<grpc::ClientContext> context_;
  pb::ImportResponse response_;
  std::unique_ptr<grpc::ClientWriter<pb::ImportRequest>> writer_;
  pb::ImportRequest message_;
  std::size_t bytes_ = 0;
  std::vector<Place> places_;
  std::int64_t unreadable_ = 0;
};

grpc::Status CreatePool(const ImportOptions& options, const Client& client) {
  pb::CreatePoolRequest request;
  *request.mutable_actor() = OperatorActor();
  request.mutable_pool()->set_name(options.client.parent());
  request.mutable_pool()->set_display_name(options.client.pool);
  request.set_request_id(absl::StrCat("cli-", absl::ToUnixNanos(absl::Now())));
  pb::WritePoolResponse response;
  const auto context = client.Context();
  const grpc::Status status = pb::PoolService::NewStub(client.channel())->CreatePool(context.get(), request, &response);
  return status.error_code() == grpc::StatusCode::ALREADY_EXISTS ? grpc::Status::OK : status;
}

int Import(const ImportOptions& options) {
  const Client client(options.client);
  if (options.create_pool) {
    if (const auto status = CreatePool(options, client); !status.ok()) return client.Fail("import", status);
  }
  const absl::Time began = absl::Now();
  Importer importer(options, client);
  if (const auto status = importer.Send(); !status.ok()) {
    importer.Cancel();
    std::cerr << "warmline import: " << std::string(status.message()) << "\n";
    return kFailed;
  }
  if (const auto status = importer.Finish(); !status.ok()) return client.Fail("import", status);
  const double seconds = absl::ToDoubleSeconds(absl::Now() - began);
  const pb::ImportResponse& r = importer.response();
  const std::int64_t refused = r.refused() + importer.unreadable();
  const auto rate = static_cast<std::int64_t>(static_cast<double>(r.rows()) / std::max(seconds, 1e-3));
  if (options.client.json()) {
    std::cout << "{\"rows\":" << r.rows() + importer.unreadable() << ",\"imported\":" << r.imported()
              << ",\"refused\":" << refused << ",\"seconds\":" << seconds << ",\"rows_per_second\":" << rate
              << ",\"revision\":\"" << r.revision() << "\"}\n";
  } else {
    std::cout << (options.validate_only ? "checked " : "imported ") << r.imported() << " rows, refused " << refused
              << ", in " << seconds << " s (" << rate << " rows/s)\n";
  }
  return refused > 0 ? kPartlyDone : kOk;
}

}  // namespace

void AddImport(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand(
      "import", "Import members, ties, blocks and needs from JSON Lines or CSV (exit code 3: some rows were refused)");
  auto options = std::make_shared<ImportOptions>();
  options->client.AddTo(*command);
  command->add_option("files", options->files, "Files: .jsonl or .csv")->required();
  AddFlag(*command, "vouch", options->vouch, "Vouch, as the pool's operator, for the offers and ties in the files");
  AddFlag(*command, "validate-only", options->validate_only, "Check every row, keep none");
  AddFlag(*command, "create-pool", options->create_pool, "Create the pool if there is none");
  AddFlag(*command, "no-progress", options->no_progress, "No progress bar");
  command->callback([options, &exit_code] { exit_code = Import(*options); });
}

}  // namespace warmline::cli
