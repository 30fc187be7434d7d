#include "server/secret_file.h"

#include <absl/strings/str_cat.h>

#include <fstream>

#include "domain/error.h"
#include "server/config_error.h"

namespace warmline::server {

absl::StatusOr<std::string> ReadSecret(const std::string& path, const char* field) {
  std::ifstream file(path);
  std::string secret;
  if (std::getline(file, secret)) return secret;
  return Invalid(field, path.empty() ? std::string("is missing: name a file whose first line is the secret")
                                     : absl::StrCat(domain::Quoted(path),
                                                    " cannot be read: name a file whose first line is the secret"));
}

}  // namespace warmline::server
