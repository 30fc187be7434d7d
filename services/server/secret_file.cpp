#include "server/secret_file.h"

#include <absl/strings/str_cat.h>

#include <fstream>

#include "domain/error.h"

namespace warmline::server {

absl::StatusOr<std::string> ReadSecret(const std::string& path, const char* field) {
  std::ifstream file(path);
  std::string secret;
  if (std::getline(file, secret)) return secret;
  domain::Violations violations;
  violations.Add(field, path.empty() ? std::string("is missing: name a file whose first line is the secret")
                                     : absl::StrCat(domain::Quoted(path),
                                                    " cannot be read: name a file whose first line is the secret"));
  return violations.ToStatus();
}

}  // namespace warmline::server
