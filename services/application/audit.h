// Port: who did what, kept for those who have to answer for it. One entry a call that may change something, or that was
// refused for who made it; reads that were allowed are not kept. Thread-safety: all calls from any thread; Record does
// not wait for a disk.
#pragma once

#include <absl/time/time.h>

#include <string>

#include "domain/types.h"

namespace warmline::application {

// Metadata with the address of who called this process over HTTP, on calls that it makes to itself.
inline constexpr char kForwardedPeer[] = "x-warmline-peer";

struct AuditEntry {
  absl::Time at;
  absl::Duration took;
  const char* method = "";  // full rpc name
  std::string grant;        // the name of the caller's token or certificate; empty where it was not known
  std::string peer;         // address
  domain::Audience audience = domain::Audience::kUnspecified;
  std::string acting_member;  // resource name; empty for an operator
  std::string pool;
  std::string resource;  // resource name that the call is about, where it names one
  const char* code = "";
  std::string reason;  // published; empty where it went well
};

class AuditLog {
 public:
  virtual ~AuditLog() = default;
  virtual void Record(AuditEntry entry) = 0;
};

}  // namespace warmline::application
