#include "server/address.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <unistd.h>

#include <array>

#include "domain/error.h"
#include "server/config_error.h"

namespace warmline::server {

absl::StatusOr<std::pair<std::string, int>> SplitHostPort(const std::string& listen, const char* field) {
  const std::size_t colon = listen.rfind(':');
  int port = -1;
  if (colon == std::string::npos || colon == 0 || !absl::SimpleAtoi(listen.substr(colon + 1), &port) || port < 0 ||
      port > 65535) {
    return Invalid(field,
                   absl::StrCat(domain::Quoted(listen), " is not host:port: write, for example, 127.0.0.1:7700"));
  }
  return std::pair(listen.substr(0, colon), port);
}

std::string ReplicaName(int port) {
  std::array<char, 256> host{};
  if (gethostname(host.data(), host.size() - 1) != 0) host[0] = '?';
  return absl::StrCat(host.data(), ":", port);
}

}  // namespace warmline::server
