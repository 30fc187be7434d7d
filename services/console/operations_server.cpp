#include "console/operations_server.h"

#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <httplib.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cstring>
#include <mutex>

#include "console/assets.h"
#include "console/executor.h"
#include "console/http_front.h"
#include "console/json_api.h"
#include "domain/error.h"

namespace warmline::console {
namespace {

constexpr char kText[] = "text/plain; charset=utf-8";
constexpr char kJson[] = "application/json";
constexpr char kPort[] = "operations";
constexpr int kProbeThreads = 2;
constexpr std::size_t kMaxWaiting = 64;
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

bool IsProbe(const std::string& request) {
  for (const char* method : {"GET ", "HEAD "}) {
    for (const char* path : {"/livez", "/readyz", "/startupz", "/metrics"}) {
      const std::string begin = absl::StrCat(method, path);
      if (absl::StartsWith(request, begin) && request.find_first_of(" ?", begin.size()) == begin.size()) return true;
    }
  }
  return false;
}

// A request that is here as a whole, and room for its answer.
class MemoryStream final : public httplib::Stream {
 public:
  explicit MemoryStream(const HttpFront::Request& request) : request_(request) {}
  [[nodiscard]] bool is_readable() const override { return true; }
  [[nodiscard]] bool is_writable() const override { return true; }
  ssize_t read(char* to, std::size_t size) override {
    const std::size_t count = std::min(size, request_.bytes.size() - read_);
    std::memcpy(to, request_.bytes.data() + read_, count);
    read_ += count;
    return static_cast<ssize_t>(count);
  }
  ssize_t write(const char* from, std::size_t size) override {
    answer_.append(from, size);
    return static_cast<ssize_t>(size);
  }
  void get_remote_ip_and_port(std::string& ip, int& port) const override {
    ip = request_.peer_ip;
    port = request_.peer_port;
  }
  void get_local_ip_and_port(std::string& ip, int& port) const override {
    ip.clear();
    port = 0;
  }
  [[nodiscard]] socket_t socket() const override { return INVALID_SOCKET; }
  [[nodiscard]] std::string TakeAnswer() { return std::move(answer_); }

 private:
  const HttpFront::Request& request_;
  std::size_t read_ = 0;
  std::string answer_;
};

// The library's parsing, routing and headers, without its sockets and threads.
class AnsweringServer final : public httplib::Server {
 public:
  [[nodiscard]] std::string Answer(const HttpFront::Request& request) {
    MemoryStream stream(request);
    bool closed = false;
    process_request(stream, /*close_connection=*/true, closed, nullptr);
    std::string answer = stream.TakeAnswer();
    return answer.empty() ? PlainAnswer("400 Bad Request", "this is no HTTP request\n") : answer;
  }
};

}  // namespace

struct OperationsServer::State {
  OperationsHooks hooks;
  OperationsOptions options;
  AnsweringServer server;
  // Above those who use it.
  TlsContext tls_context;
  std::unique_ptr<HttpFront> front;
  std::unique_ptr<Executor> probes;
  std::unique_ptr<Executor> workers;
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
  void MakeTlsContext() {
    tls_context = TlsContext(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
    SSL_CTX_set_min_proto_version(tls_context.get(), TLS1_2_VERSION);
    SSL_CTX_set_mode(tls_context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_cert_cb(tls_context.get(), &State::ShowCertificate, this);
  }
  // Probes and scrapes have threads of their own, so that nothing else holds them up.
  void Take(HttpFront::Request request) {
    Executor& threads = IsProbe(request.bytes) ? *probes : *workers;
    const std::uint64_t id = request.id;
    const auto status =
        threads.Submit([this, request = std::move(request)] { front->Reply(request.id, server.Answer(request)); });
    if (status.ok()) return;
    hooks.refused(kPort, "busy");
    front->Reply(id, PlainAnswer("503 Service Unavailable", "too many requests wait already: try again later\n"));
  }
  void RouteProbes();
  void RouteConsole();
};

OperationsServer::OperationsServer(OperationsHooks hooks, OperationsOptions options)
    : state_(std::make_unique<State>()) {
  state_->hooks = std::move(hooks);
  state_->options = std::move(options);
  httplib::Server& server = state_->server;
  server.set_payload_max_length(kMaxRequestBytes);
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
  server.Get("/metrics", [this](const httplib::Request&, httplib::Response& response) {
    response.set_content(hooks.metrics(), "text/plain; version=0.0.4; charset=utf-8");
  });
  server.Get("/livez", [this](const httplib::Request&, httplib::Response& response) {
    const bool stuck = hooks.stuck();
    response.status = stuck ? 503 : 200;
    response.set_content(stuck ? "the API has taken no connection for a minute, although it could\n" : "ok\n", kText);
  });
  server.Get("/startupz", [this](const httplib::Request&, httplib::Response& response) {
    const bool started = hooks.started();
    response.status = started ? 200 : 503;
    response.set_content(started ? "ok\n" : "loading the pools\n", kText);
  });
  server.Get("/readyz", [this](const httplib::Request&, httplib::Response& response) {
    const std::string why = hooks.not_ready();
    response.status = why.empty() ? 200 : 503;
    response.set_content(why.empty() ? "ok\n" : absl::StrCat(why, "\n"), kText);
  });
}

void OperationsServer::State::RouteConsole() {
  for (const char* path : {"/", "/console"}) {
    server.Get(path, [](const httplib::Request&, httplib::Response& response) { response.set_redirect("/console/"); });
  }
  server.Get(R"(/console/([a-z_.]{0,40}))", [](const httplib::Request& request, httplib::Response& response) {
    const std::string name = request.matches[1].length() == 0 ? "index.html" : request.matches[1].str();
    const std::string_view content = FindAsset(name);
    if (content.empty()) {
      response.status = 404;
      response.set_content("there is no such file: the console is at /console/\n", kText);
      return;
    }
    response.set_content(content.data(), content.size(), TypeOf(name));
  });
  server.Post(R"(/(warmline\.v1\.[A-Za-z]{1,64})/([A-Za-z]{1,64}))", [this](const httplib::Request& request,
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
  if (state_->tls()) state_->MakeTlsContext();
  state_->probes = std::make_unique<Executor>(kProbeThreads, kMaxHttpConnections);
  state_->workers = std::make_unique<Executor>(kHttpThreads, kMaxWaiting);
  HttpFront::Hooks hooks;
  hooks.take = [this](HttpFront::Request request) { state_->Take(std::move(request)); };
  hooks.held = [this](std::int64_t open) { state_->hooks.held(kPort, open); };
  hooks.refused = [this](const char* reason) { state_->hooks.refused(kPort, reason); };
  state_->front = std::make_unique<HttpFront>(std::move(hooks), state_->tls_context.get());
  if (const auto status = state_->front->Start(host, port); !status.ok()) {
    return domain::MakeError(
        domain::ErrorReason::kStoreUnavailable,
        absl::StrCat("cannot listen on ", host, ":", port, " for operations (", std::string(status.message()),
                     "): the port is taken or not allowed; free it, or give another --ops-listen"));
  }
  return absl::OkStatus();
}

void OperationsServer::ServeApi(std::shared_ptr<grpc::Channel> channel) {
  const std::lock_guard lock(state_->mutex);
  state_->api = std::make_shared<JsonApi>(std::move(channel));
}

int OperationsServer::port() const { return state_->front->port(); }

void OperationsServer::Stop() {
  if (state_->front == nullptr) return;
  state_->probes->Stop();
  state_->workers->Stop();
  state_->front->Stop();
}

}  // namespace warmline::console
