#include "server/redis_config.h"

#include <absl/strings/str_cat.h>

#include <fstream>

#include "domain/error.h"

namespace warmline::server {

absl::StatusOr<cache::redis::Config> RedisConfig(const Config& config) {
  domain::Violations violations;
  auto redis = cache::redis::ParseUrl(config.redis);
  if (!redis.ok()) return redis;
  redis->prefix = config.redis_prefix;
  if (config.redis_password_file.empty()) return redis;
  std::ifstream file(config.redis_password_file);
  if (!std::getline(file, redis->password)) {
    violations.Add(
        "redis-password-file",
        absl::StrCat(config.redis_password_file, " cannot be read: name a file whose first line is the password"));
    return violations.ToStatus();
  }
  return redis;
}

}  // namespace warmline::server
