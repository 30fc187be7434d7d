#include "base/listen_sockets.h"

#include <absl/strings/str_cat.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>

namespace warmline::base {
namespace {

// Connections that wait to be accepted; the kernel lowers it to net.core.somaxconn.
constexpr int kBacklog = 1024;

// ALREADY_EXISTS where the port is taken.
absl::Status Errno(const char* what) {
  const std::string message = absl::StrCat(what, ": ", std::strerror(errno));
  return errno == EADDRINUSE ? absl::AlreadyExistsError(message) : absl::UnavailableError(message);
}

struct FreeAddresses {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};

void SetPort(sockaddr_storage& address, int port) {
  const auto wire = htons(static_cast<std::uint16_t>(port));
  if (address.ss_family == AF_INET) {
    reinterpret_cast<sockaddr_in&>(address).sin_port = wire;
  } else {
    reinterpret_cast<sockaddr_in6&>(address).sin6_port = wire;
  }
}

absl::StatusOr<int> PortOf(int socket) {
  sockaddr_storage bound{};
  socklen_t size = sizeof(bound);
  if (getsockname(socket, reinterpret_cast<sockaddr*>(&bound), &size) != 0) return Errno("getsockname");
  return ntohs(bound.ss_family == AF_INET ? reinterpret_cast<sockaddr_in&>(bound).sin_port
                                          : reinterpret_cast<sockaddr_in6&>(bound).sin6_port);
}

absl::StatusOr<Descriptor> Listen(const sockaddr_storage& address, socklen_t size, bool both_families) {
  Descriptor socket(::socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return Errno("socket");
  const int yes = 1;
  const int only_ipv6 = both_families ? 0 : 1;
  setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  // Accepted sockets inherit it.
  setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
  if (address.ss_family == AF_INET6) setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &only_ipv6, sizeof(only_ipv6));
  if (bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0) return Errno("bind");
  if (listen(socket.get(), kBacklog) != 0) return Errno("listen");
  return socket;
}

absl::StatusOr<ListenSockets> ListenOnAll(int port) {
  sockaddr_storage any{};
  any.ss_family = AF_INET6;
  SetPort(any, port);
  auto socket = Listen(any, sizeof(sockaddr_in6), /*both_families=*/true);
  if (!socket.ok() && !absl::IsAlreadyExists(socket.status())) {  // a machine without IPv6
    any = {};
    any.ss_family = AF_INET;
    SetPort(any, port);
    socket = Listen(any, sizeof(sockaddr_in), /*both_families=*/false);
  }
  if (!socket.ok()) return socket.status();
  ListenSockets result;
  auto bound = PortOf(socket->get());
  if (!bound.ok()) return bound.status();
  result.port = *bound;
  result.sockets.push_back(*std::move(socket));
  return result;
}

}  // namespace

absl::StatusOr<ListenSockets> ListenOn(const std::string& host, int port) {
  std::string name = host;
  if (name.size() > 2 && name.front() == '[' && name.back() == ']') name = name.substr(1, name.size() - 2);
  if (name == "0.0.0.0" || name == "::") return ListenOnAll(port);
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(name.c_str(), nullptr, &hints, &found); error != 0)
    return absl::UnavailableError(absl::StrCat(name, ": ", gai_strerror(error)));
  const std::unique_ptr<addrinfo, FreeAddresses> list(found);
  ListenSockets result;
  result.port = port;
  std::optional<absl::Status> failed;
  for (const addrinfo* one = list.get(); one != nullptr; one = one->ai_next) {
    if (one->ai_family != AF_INET && one->ai_family != AF_INET6) continue;
    sockaddr_storage address{};
    std::memcpy(&address, one->ai_addr, one->ai_addrlen);
    SetPort(address, result.port);
    auto socket = Listen(address, one->ai_addrlen, /*both_families=*/false);
    if (!socket.ok()) {
      // A name may stand for an address of a family that this machine does not have; a taken port is an error.
      if (absl::IsAlreadyExists(socket.status())) return socket.status();
      failed = socket.status();
      continue;
    }
    auto bound = PortOf(socket->get());
    if (!bound.ok()) return bound.status();
    result.port = *bound;
    result.sockets.push_back(*std::move(socket));
  }
  if (!result.sockets.empty()) return result;
  return failed ? *failed : absl::UnavailableError(absl::StrCat(name, " has no address"));
}

}  // namespace warmline::base
