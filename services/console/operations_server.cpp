#include "console/operations_server.h"

#include <absl/strings/str_cat.h>
#include <httplib.h>

#include <thread>

#include "domain/error.h"

namespace warmline::console {
namespace {

constexpr char kText[] = "text/plain; charset=utf-8";
constexpr std::size_t kMaxRequestBytes = 64 * 1024;

}  // namespace

struct OperationsServer::State {
  OperationsHooks hooks;
  httplib::Server server;
  std::thread thread;
  int port = 0;
};

OperationsServer::OperationsServer(OperationsHooks hooks) : state_(std::make_unique<State>()) {
  state_->hooks = std::move(hooks);
  httplib::Server& server = state_->server;
  server.new_task_queue = [] { return new httplib::ThreadPool(2); };
  server.set_payload_max_length(kMaxRequestBytes);
  server.Get("/metrics", [this](const httplib::Request&, httplib::Response& response) {
    response.set_content(state_->hooks.metrics(), "text/plain; version=0.0.4; charset=utf-8");
  });
  server.Get("/livez",
             [](const httplib::Request&, httplib::Response& response) { response.set_content("ok\n", kText); });
  server.Get("/startupz", [this](const httplib::Request&, httplib::Response& response) {
    const bool started = state_->hooks.started();
    response.status = started ? 200 : 503;
    response.set_content(started ? "ok\n" : "loading the pools\n", kText);
  });
  server.Get("/readyz", [this](const httplib::Request&, httplib::Response& response) {
    const std::string why = state_->hooks.not_ready();
    response.status = why.empty() ? 200 : 503;
    response.set_content(why.empty() ? "ok\n" : absl::StrCat(why, "\n"), kText);
  });
}

OperationsServer::~OperationsServer() { Stop(); }

absl::Status OperationsServer::Start(const std::string& host, int port) {
  // The library asks for SO_REUSEPORT, with which two servers would share a port and each see half of the requests.
  state_->server.set_socket_options([](socket_t socket) {
    const int yes = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  });
  state_->port =
      port == 0 ? state_->server.bind_to_any_port(host) : (state_->server.bind_to_port(host, port) ? port : -1);
  if (state_->port <= 0) {
    return domain::MakeError(
        domain::ErrorReason::kStoreUnavailable,
        absl::StrCat("cannot listen on ", host, ":", port,
                     " for operations: the port is taken or not allowed; free it, or give another --ops-listen"));
  }
  state_->thread = std::thread([this] { state_->server.listen_after_bind(); });
  return absl::OkStatus();
}

int OperationsServer::port() const { return state_->port; }

void OperationsServer::Stop() {
  if (!state_->thread.joinable()) return;
  while (!state_->server.is_running()) std::this_thread::yield();  // stop() before listening would be lost
  state_->server.stop();
  state_->thread.join();
}

}  // namespace warmline::console
