#include "cache/redis/connection.h"

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>

namespace warmline::cache::redis {

std::string_view ReplyView::text() const {
  const bool has_text =
      reply_->type == REDIS_REPLY_STRING || reply_->type == REDIS_REPLY_STATUS || reply_->type == REDIS_REPLY_ERROR;
  return has_text ? std::string_view(reply_->str, reply_->len) : std::string_view();
}

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(const Address& address, const Config& config) {
  std::unique_ptr<Connection> connection(new Connection(address));
  const timeval timeout = absl::ToTimeval(config.connect_timeout);
  connection->context_.reset(address.port == 0 ? redisConnectUnixWithTimeout(address.host.c_str(), timeout)
                                               : redisConnectWithTimeout(address.host.c_str(), address.port, timeout));
  redisContext* context = connection->context_.get();
  if (context == nullptr || context->err != 0) {
    return absl::UnavailableError(absl::StrCat("cannot connect to Redis at ", ToText(address), ": ",
                                               context == nullptr ? "no memory" : context->errstr));
  }
  if (address.port != 0) redisEnableKeepAlive(context);
  connection->timeout_ = config.connect_timeout;
  std::vector<Arguments> greeting;
  if (!config.password.empty())
    greeting.push_back(config.user.empty() ? Arguments{"AUTH", config.password}
                                           : Arguments{"AUTH", config.user, config.password});
  if (config.database != 0) greeting.push_back({"SELECT", absl::StrCat(config.database)});
  greeting.push_back({"PING"});
  for (const Arguments& command : greeting) {
    auto reply = connection->Do(command, config.connect_timeout);
    if (!reply.ok()) return reply.status();
    if (!reply->IsError()) continue;
    const std::string text(reply->text());
    const bool who = absl::StartsWith(text, "WRONGPASS") || absl::StartsWith(text, "NOAUTH") ||
                     absl::StartsWith(text, "ERR AUTH") || absl::StartsWith(text, "ERR invalid password");
    const std::string message = absl::StrCat("Redis at ", ToText(address), " says: ", text);
    return who ? absl::PermissionDeniedError(absl::StrCat(message, "; check user and password"))
               : absl::UnavailableError(message);
  }
  return connection;
}

void Connection::Append(const Arguments& command) {
  std::vector<const char*> values;
  std::vector<std::size_t> sizes;
  for (const std::string& argument : command) {
    values.push_back(argument.data());
    sizes.push_back(argument.size());
  }
  redisAppendCommandArgv(context_.get(), static_cast<int>(values.size()), values.data(), sizes.data());
}

absl::StatusOr<Reply> Connection::Next(absl::Duration timeout) {
  if (timeout != timeout_) {
    redisSetTimeout(context_.get(), absl::ToTimeval(timeout));
    timeout_ = timeout;
  }
  void* reply = nullptr;
  if (redisGetReply(context_.get(), &reply) != REDIS_OK || reply == nullptr)
    return absl::UnavailableError(absl::StrCat("Redis at ", ToText(address_), ": ", context_->errstr));
  return Reply(static_cast<redisReply*>(reply));
}

absl::StatusOr<Reply> Connection::Do(const Arguments& command, absl::Duration timeout) {
  Append(command);
  return Next(timeout);
}

}  // namespace warmline::cache::redis
