#include "support/tcp_gate.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>

#include "support/child_process.h"

namespace warmline::testing {
namespace {

sockaddr_in Local(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

bool SendAll(int to, const char* bytes, std::size_t size) {
  while (size > 0) {
    const ssize_t sent = send(to, bytes, size, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes += sent;
    size -= static_cast<std::size_t>(sent);
  }
  return true;
}

}  // namespace

struct TcpGate::Link {
  int client = -1;
  int server = -1;
  std::atomic<bool> cut{false};
  std::thread thread;
};

TcpGate::TcpGate(int target_port, std::uint64_t seed) : target_port_(target_port), seed_(seed), port_(FreePort()) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  const sockaddr_in address = Local(port_);
  if (bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) listen(listener_, 64);
  thread_ = std::thread([this] { Accept(); });
}

TcpGate::~TcpGate() {
  stopping_ = true;
  Cut();
  thread_.join();
  for (const auto& link : links_) link->thread.join();
  close(listener_);
}

void TcpGate::Cut() {
  const std::lock_guard lock(mutex_);
  for (const auto& link : links_) link->cut = true;
}

void TcpGate::Accept() {
  while (!stopping_) {
    pollfd wait{listener_, POLLIN, 0};
    if (poll(&wait, 1, 20) <= 0) continue;
    auto link = std::make_shared<Link>();
    link->client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);  // or a child would hold it open
    if (link->client < 0) continue;
    link->server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = Local(target_port_);
    if (mode_ == Mode::kClosed ||
        connect(link->server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      close(link->client);
      close(link->server);
      continue;
    }
    const int yes = 1;
    setsockopt(link->client, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    setsockopt(link->server, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    link->thread = std::thread([this, link] { Forward(link); });
    const std::lock_guard lock(mutex_);
    links_.push_back(std::move(link));
  }
}

void TcpGate::Forward(const std::shared_ptr<Link>& link) {
  std::mt19937_64 random(seed_.fetch_add(1));
  while (!link->cut && !stopping_) {
    if (mode_ == Mode::kHalfOpen) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      continue;
    }
    std::array<pollfd, 2> wait = {pollfd{link->client, POLLIN, 0}, pollfd{link->server, POLLIN, 0}};
    if (poll(wait.data(), wait.size(), 10) <= 0) continue;
    if (wait[0].revents != 0 && !Pass(link->client, link->server, random)) break;
    if (wait[1].revents != 0 && !Pass(link->server, link->client, random)) break;
  }
  close(link->client);
  close(link->server);
}

bool TcpGate::Pass(int from, int to, std::mt19937_64& random) {
  std::array<char, 65536> bytes;
  const ssize_t received = recv(from, bytes.data(), bytes.size(), 0);
  if (received <= 0) return false;
  auto size = static_cast<std::size_t>(received);
  switch (mode_) {
    case Mode::kDelay:
      std::this_thread::sleep_for(std::chrono::milliseconds(5 + random() % 46));
      break;
    case Mode::kTruncate:
      (void)SendAll(to, bytes.data(), random() % size);
      return false;
    case Mode::kCorrupt:
      if (random() % 4 == 0) bytes[random() % size] ^= static_cast<char>(1U << random() % 8);
      break;
    default:
      break;
  }
  return SendAll(to, bytes.data(), size);
}

}  // namespace warmline::testing
