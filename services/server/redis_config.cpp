#include "server/redis_config.h"

#include "server/secret_file.h"

namespace warmline::server {

absl::StatusOr<cache::redis::Config> RedisConfig(const Config& config) {
  auto redis = cache::redis::ParseUrl(config.redis);
  if (!redis.ok()) return redis;
  redis->prefix = config.redis_prefix;
  if (config.redis_password_file.empty()) return redis;
  auto password = ReadSecret(config.redis_password_file, "redis-password-file");
  if (!password.ok()) return password.status();
  redis->password = *std::move(password);
  return redis;
}

}  // namespace warmline::server
