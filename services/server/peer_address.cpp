#include "server/peer_address.h"

#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <absl/strings/strip.h>
#include <arpa/inet.h>
#include <netinet/in.h>

#include <array>
#include <cstring>

namespace warmline::server {
namespace {

constexpr std::size_t kIpv6Bytes = 16;
constexpr std::size_t kNetworkBytes = 8;  // of an IPv6 /64
using Bytes = std::array<unsigned char, kIpv6Bytes>;

Bytes Mapped(const in_addr& address) {
  Bytes bytes{};
  bytes[10] = bytes[11] = 0xff;
  std::memcpy(&bytes[12], &address, sizeof(address));
  return bytes;
}

// False where it is no address of the internet.
bool BytesOf(const sockaddr_storage& address, Bytes& bytes, in_port_t& port) {
  if (address.ss_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &address, sizeof(in));
    bytes = Mapped(in.sin_addr);
    port = in.sin_port;
    return true;
  }
  if (address.ss_family != AF_INET6) return false;
  sockaddr_in6 in{};
  std::memcpy(&in, &address, sizeof(in));
  std::memcpy(bytes.data(), &in.sin6_addr, bytes.size());
  port = in.sin6_port;
  return true;
}

std::string Key(const Bytes& bytes, in_port_t port) {
  std::string key(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  key.append(reinterpret_cast<const char*>(&port), sizeof(port));
  return key;
}

}  // namespace

std::string PeerKey(const sockaddr_storage& address) {
  Bytes bytes{};
  in_port_t port = 0;
  return BytesOf(address, bytes, port) ? Key(bytes, port) : std::string();
}

std::string PeerKey(std::string_view grpc_peer) {
  const absl::string_view peer(grpc_peer.data(), grpc_peer.size());
  const std::size_t colon = peer.rfind(':');
  int number = 0;
  if (colon == absl::string_view::npos || !absl::SimpleAtoi(peer.substr(colon + 1), &number)) return {};
  const in_port_t port = htons(static_cast<std::uint16_t>(number));
  absl::string_view host = peer.substr(0, colon);
  if (absl::ConsumePrefix(&host, "ipv4:")) {
    in_addr address{};
    return inet_pton(AF_INET, std::string(host).c_str(), &address) == 1 ? Key(Mapped(address), port) : std::string();
  }
  if (!absl::ConsumePrefix(&host, "ipv6:")) return {};
  // gRPC writes the brackets as they are or as a URI does.
  for (const char* bracket : {"%5B", "%5b", "["}) absl::ConsumePrefix(&host, bracket);
  for (const char* bracket : {"%5D", "%5d", "]"}) absl::ConsumeSuffix(&host, bracket);
  host = host.substr(0, host.find('%'));  // the scope of a link-local address
  Bytes bytes{};
  return inet_pton(AF_INET6, std::string(host).c_str(), bytes.data()) == 1 ? Key(bytes, port) : std::string();
}

std::string AddressKey(const sockaddr_storage& address) {
  Bytes bytes{};
  in_port_t port = 0;
  if (!BytesOf(address, bytes, port)) return {};
  const bool ipv4 = std::memcmp(bytes.data(), Mapped(in_addr{}).data(), kIpv6Bytes - sizeof(in_addr)) == 0;
  return {reinterpret_cast<const char*>(bytes.data()), ipv4 ? kIpv6Bytes : kNetworkBytes};
}

}  // namespace warmline::server
