#include "console/operations_server.h"

#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <httplib.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <mutex>
#include <thread>

#include "console/assets.h"
#include "console/json_api.h"
#include "domain/error.h"

namespace warmline::console {
namespace {

constexpr char kText[] = "text/plain; charset=utf-8";
constexpr char kJson[] = "application/json";
constexpr std::size_t kMaxRequestBytes = 64 * 1024;
constexpr time_t kIoSeconds = 5;
// Nothing but this page's own files is loaded, run, asked or framed, and nothing that is written into it is run.
constexpr char kContentPolicy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

const char* TypeOf(const std::string& name) {
  if (absl::EndsWith(name, ".js")) return "text/javascript; charset=utf-8";
  if (absl::EndsWith(name, ".css")) return "text/css; charset=utf-8";
  if (absl::EndsWith(name, ".svg")) return "image/svg+xml";
  return "text/html; charset=utf-8";
}

// Holds a certificate chain and its key.
using TlsContext = std::shared_ptr<SSL_CTX>;

TlsContext ReadCertificate(const OperationsOptions& options) {
  TlsContext context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (context == nullptr || SSL_CTX_use_certificate_chain_file(context.get(), options.cert_file.c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(context.get(), options.key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context.get()) != 1) {
    ERR_clear_error();
    return nullptr;
  }
  return context;
}

absl::Duration TimeoutOf(const httplib::Request& request) {
  std::int64_t ms = 0;
  if (!absl::SimpleAtoi(request.get_header_value("Connect-Timeout-Ms"), &ms) || ms <= 0) return kDefaultJsonTimeout;
  return absl::Milliseconds(ms);
}

}  // namespace

struct OperationsServer::State {
  OperationsHooks hooks;
  OperationsOptions options;
  std::unique_ptr<httplib::Server> server;
  std::thread thread;
  int port = 0;
  std::mutex mutex;
  TlsContext certificate;
  std::shared_ptr<JsonApi> api;

  [[nodiscard]] bool tls() const { return !options.cert_file.empty(); }
  [[nodiscard]] std::shared_ptr<JsonApi> Api() {
    const std::lock_guard lock(mutex);
    return api;
  }
  static int ShowCertificate(SSL* connection, void* state) {
    auto* self = static_cast<State*>(state);
    const std::lock_guard lock(self->mutex);
    return SSL_set_SSL_CTX(connection, self->certificate.get()) != nullptr ? 1 : 0;
  }
  std::unique_ptr<httplib::Server> MakeServer() {
    if (!tls()) return std::make_unique<httplib::Server>();
    return std::make_unique<httplib::SSLServer>([this](SSL_CTX& context) {
      SSL_CTX_set_min_proto_version(&context, TLS1_2_VERSION);
      SSL_CTX_set_cert_cb(&context, &State::ShowCertificate, this);
      return true;
    });
  }
  void RouteProbes();
  void RouteConsole();
};

OperationsServer::OperationsServer(OperationsHooks hooks, OperationsOptions options)
    : state_(std::make_unique<State>()) {
  state_->hooks = std::move(hooks);
  state_->options = std::move(options);
  state_->server = state_->MakeServer();
  httplib::Server& server = *state_->server;
  server.new_task_queue = [] { return new httplib::ThreadPool(kHttpThreads); };
  server.set_payload_max_length(kMaxRequestBytes);
  // A connection that is kept open keeps its thread: browsers and scrapers would take all of them.
  server.set_keep_alive_max_count(1);
  server.set_read_timeout(kIoSeconds);
  server.set_write_timeout(kIoSeconds);
  server.set_default_headers({{"Content-Security-Policy", kContentPolicy},
                              {"X-Content-Type-Options", "nosniff"},
                              {"X-Frame-Options", "DENY"},
                              {"Referrer-Policy", "no-referrer"},
                              {"Cross-Origin-Opener-Policy", "same-origin"},
                              {"Cross-Origin-Resource-Policy", "same-origin"},
                              {"Cache-Control", "no-store"}});
  state_->RouteProbes();
  if (state_->options.console) state_->RouteConsole();
}

void OperationsServer::State::RouteProbes() {
  server->Get("/metrics", [this](const httplib::Request&, httplib::Response& response) {
    response.set_content(hooks.metrics(), "text/plain; version=0.0.4; charset=utf-8");
  });
  server->Get("/livez",
              [](const httplib::Request&, httplib::Response& response) { response.set_content("ok\n", kText); });
  server->Get("/startupz", [this](const httplib::Request&, httplib::Response& response) {
    const bool started = hooks.started();
    response.status = started ? 200 : 503;
    response.set_content(started ? "ok\n" : "loading the pools\n", kText);
  });
  server->Get("/readyz", [this](const httplib::Request&, httplib::Response& response) {
    const std::string why = hooks.not_ready();
    response.status = why.empty() ? 200 : 503;
    response.set_content(why.empty() ? "ok\n" : absl::StrCat(why, "\n"), kText);
  });
}

void OperationsServer::State::RouteConsole() {
  for (const char* path : {"/", "/console"}) {
    server->Get(path, [](const httplib::Request&, httplib::Response& response) { response.set_redirect("/console/"); });
  }
  server->Get(R"(/console/([a-z_.]{0,40}))", [](const httplib::Request& request, httplib::Response& response) {
    const std::string name = request.matches[1].length() == 0 ? "index.html" : request.matches[1].str();
    const std::string_view content = FindAsset(name);
    if (content.empty()) {
      response.status = 404;
      response.set_content("there is no such file: the console is at /console/\n", kText);
      return;
    }
    response.set_content(content.data(), content.size(), TypeOf(name));
  });
  server->Post(R"(/(warmline\.v1\.[A-Za-z]{1,64})/([A-Za-z]{1,64}))", [this](const httplib::Request& request,
                                                                             httplib::Response& response) {
    // Another page's form cannot send this type without asking first.
    if (!absl::StartsWithIgnoreCase(request.get_header_value("Content-Type"), kJson)) {
      response.status = 415;
      response.set_content(R"({"code":"invalid_argument","message":"send Content-Type: application/json"})", kJson);
      return;
    }
    const auto answering = Api();
    if (answering == nullptr) {
      response.status = 503;
      response.set_content(R"({"code":"unavailable","message":"the pools are being loaded: try again"})", kJson);
      return;
    }
    const JsonReply reply =
        answering->Call({.service = request.matches[1],
                         .method = request.matches[2],
                         .body = request.body,
                         .authorization = request.get_header_value("Authorization"),
                         .peer = absl::StrCat("http:", request.remote_addr, ":", request.remote_port),
                         .timeout = TimeoutOf(request)});
    response.status = reply.http_status;
    response.set_content(reply.body, kJson);
  });
}

OperationsServer::~OperationsServer() { Stop(); }

absl::Status OperationsServer::UseCertificate() {
  if (!state_->tls()) return absl::OkStatus();
  TlsContext read = ReadCertificate(state_->options);
  if (read == nullptr) {
    domain::Violations violations;
    violations.Add("tls-cert-file",
                   absl::StrCat(state_->options.cert_file, " and ", state_->options.key_file,
                                " are no certificate and its key: give PEM files that belong together"));
    return violations.ToStatus();
  }
  const std::lock_guard lock(state_->mutex);
  state_->certificate = std::move(read);
  return absl::OkStatus();
}

absl::Status OperationsServer::Start(const std::string& host, int port) {
  if (auto status = UseCertificate(); !status.ok()) return status;
  // The library asks for SO_REUSEPORT, with which two servers would share a port and each see half of the requests.
  state_->server->set_socket_options([](socket_t socket) {
    const int yes = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  });
  state_->port =
      port == 0 ? state_->server->bind_to_any_port(host) : (state_->server->bind_to_port(host, port) ? port : -1);
  if (state_->port <= 0) {
    return domain::MakeError(
        domain::ErrorReason::kStoreUnavailable,
        absl::StrCat("cannot listen on ", host, ":", port,
                     " for operations: the port is taken or not allowed; free it, or give another --ops-listen"));
  }
  state_->thread = std::thread([this] { state_->server->listen_after_bind(); });
  return absl::OkStatus();
}

void OperationsServer::ServeApi(std::shared_ptr<grpc::Channel> channel) {
  const std::lock_guard lock(state_->mutex);
  state_->api = std::make_shared<JsonApi>(std::move(channel));
}

int OperationsServer::port() const { return state_->port; }

void OperationsServer::Stop() {
  if (!state_->thread.joinable()) return;
  while (!state_->server->is_running()) std::this_thread::yield();  // stop() before listening would be lost
  state_->server->stop();
  state_->thread.join();
}

}  // namespace warmline::console
