// Calls under load, and a server that is filled to be called: what the workloads over gRPC share. One thread.
#pragma once

#include <grpcpp/support/byte_buffer.h>

#include <cstdint>
#include <string>
#include <vector>

#include "bench/timings.h"
#include "simulation/community.h"
#include "support/process.h"

namespace warmline::bench {

// What is called: a method, and requests that are sent one after the other.
struct Target {
  std::string address;
  std::string method;
  std::string token;
  std::vector<grpc::ByteBuffer> requests;
};

struct Result {
  double calls_per_second = 0;
  Timings latency;
  std::size_t failed = 0;
  double reply_bytes = 0;
};

// Keeps `in_flight` calls under way for `seconds`. Replies are counted and not parsed, so that the client costs the
// same whatever is called.
[[nodiscard]] Result Load(const Target& target, int in_flight, double seconds);

// Fills the server with a community, as a user would. False, with a message, when it cannot.
[[nodiscard]] bool Import(const testing::ServeProcess& server, const simulation::Community& community,
                          std::int64_t helpers);

// Matches of its needs.
[[nodiscard]] Target MatchTarget(const testing::ServeProcess& server, const simulation::Community& community);

}  // namespace warmline::bench
