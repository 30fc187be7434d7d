#include "domain/revision.h"

#include <absl/strings/escaping.h>
#include <absl/strings/str_format.h>

#include <cstdio>

#include "base/hash.h"
#include "base/strings.h"

namespace warmline::domain {
namespace {

// Guards against tokens that were cut or typed wrong, not against forgery: a token grants nothing.
std::uint32_t Check(const Revision& r) {
  return static_cast<std::uint32_t>(base::Mix64(r.history ^ base::Mix64(static_cast<std::uint64_t>(r.number))));
}

}  // namespace

std::string RevisionToken(const Revision& revision) {
  return absl::WebSafeBase64Escape(absl::StrFormat("r1.%x.%d.%x", revision.history, revision.number, Check(revision)));
}

std::optional<Revision> ParseRevisionToken(std::string_view token) {
  std::string plain;
  if (token.size() > 128 || !absl::WebSafeBase64Unescape(base::AbslView(token), &plain)) return std::nullopt;
  unsigned long long history = 0;
  long long number = 0;
  unsigned int check = 0;
  int read = 0;
  if (std::sscanf(plain.c_str(), "r1.%llx.%lld.%x%n", &history, &number, &check, &read) != 3)
    return std::nullopt;  // NOLINT(cert-err34-c)
  const Revision revision{history, number};
  if (static_cast<std::size_t>(read) != plain.size() || check != Check(revision) || number < 0) return std::nullopt;
  return revision;
}

}  // namespace warmline::domain
