// Addresses of peers, as keys. Pure; thread-safe.
#pragma once

#include <sys/socket.h>

#include <string>
#include <string_view>

namespace warmline::server {

// The address and port of a peer: equal for a socket's address and for what gRPC calls that peer. An IPv4 address
// within IPv6 counts as IPv4. Empty where there is none.
[[nodiscard]] std::string PeerKey(const sockaddr_storage& address);
[[nodiscard]] std::string PeerKey(std::string_view grpc_peer);

// Whom limits by address count together: an IPv4 address, or the /64 network of an IPv6 address, since one customer
// has at least that many.
[[nodiscard]] std::string AddressKey(const sockaddr_storage& address);

}  // namespace warmline::server
