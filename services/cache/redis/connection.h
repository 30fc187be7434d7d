// One connection to one Redis server, by hiredis: pipelines of commands, each wait with a limit. Thread-safety: one
// thread at a time.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <hiredis/hiredis.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cache/redis/config.h"

namespace warmline::cache::redis {

// A reply, or a part of one where it lies.
class ReplyView {
 public:
  explicit ReplyView(const redisReply* reply) : reply_(reply) {}
  [[nodiscard]] bool IsError() const { return reply_->type == REDIS_REPLY_ERROR; }
  [[nodiscard]] bool IsNil() const { return reply_->type == REDIS_REPLY_NIL; }
  // Of strings, statuses and errors; empty for others.
  [[nodiscard]] std::string_view text() const;
  [[nodiscard]] std::int64_t integer() const { return reply_->type == REDIS_REPLY_INTEGER ? reply_->integer : 0; }
  [[nodiscard]] std::size_t size() const { return reply_->type == REDIS_REPLY_ARRAY ? reply_->elements : 0; }
  [[nodiscard]] ReplyView operator[](std::size_t i) const { return ReplyView(reply_->element[i]); }

 private:
  const redisReply* reply_;
};

class Reply : public ReplyView {
 public:
  explicit Reply(redisReply* reply) : ReplyView(reply), owned_(reply) {}

 private:
  struct Free {
    void operator()(redisReply* reply) const { freeReplyObject(reply); }
  };
  std::unique_ptr<redisReply, Free> owned_;
};

using Arguments = std::vector<std::string>;

class Connection {
 public:
  // Connects, says who we are, chooses the database. Errors: UNAVAILABLE; PERMISSION_DENIED for a wrong user or
  // password.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Connection>> Open(const Address& address, const Config& config);
  // Queues a command.
  void Append(const Arguments& command);
  // The reply to the next command that was queued. UNAVAILABLE when the connection broke or took longer than `timeout`:
  // then the connection is of no more use.
  [[nodiscard]] absl::StatusOr<Reply> Next(absl::Duration timeout);
  [[nodiscard]] absl::StatusOr<Reply> Do(const Arguments& command, absl::Duration timeout);
  [[nodiscard]] const Address& address() const { return address_; }

 private:
  explicit Connection(Address address) : address_(std::move(address)) {}
  struct Free {
    void operator()(redisContext* context) const { redisFree(context); }
  };
  Address address_;
  std::unique_ptr<redisContext, Free> context_;
  absl::Duration timeout_;
};

}  // namespace warmline::cache::redis
