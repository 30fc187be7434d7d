// The audit log as a file of JSON, one entry a line; docs/security.md lists its keys. Members stand there under
// pseudonyms that only who has the key can make, so that erasing a member needs no change of what was written. Lines
// are written by a thread of its own, whole, at the end of the file: it may be moved away and is then made anew.
// Thread-safety: all calls from any thread.
#pragma once

#include <absl/status/statusor.h>

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "application/access.h"
#include "application/audit.h"
#include "application/metrics.h"

namespace warmline::telemetry {

// Entries that wait to be written; those past it are lost, and counted.
inline constexpr std::size_t kMaxWaitingAudits = 100'000;
// A second, of callers without a token that is known: whoever tries tokens cannot fill the disk. The rest is lost, and
// counted.
inline constexpr int kMaxUnknownAudits = 100;
// Of a text that a caller may make up.
inline constexpr std::size_t kMaxAuditTextBytes = 200;

// One entry, without the line's end. `key` empty: without what names a member.
[[nodiscard]] std::string AuditLine(const application::AuditEntry& entry, const std::string& key);
// How the audit log names a resource: the first 16 hexadecimal digits of HMAC-SHA256 (RFC 2104) under the key, as in
//   printf %s pools/p/members/m | openssl dgst -sha256 -hmac "$(cat key)"
[[nodiscard]] std::string Pseudonym(const std::string& key, const std::string& resource);

class AuditFile : public application::AuditLog {
 public:
  // Opens or makes `path` (mode 0600); "-" is the standard output. Errors: INVALID_ARGUMENT (audit-file), when it
  // cannot be written.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<AuditFile>> Open(const std::string& path, std::string key,
                                                                       application::Metrics& metrics);
  // Writes what waits.
  ~AuditFile() override;
  AuditFile(const AuditFile&) = delete;
  AuditFile& operator=(const AuditFile&) = delete;

  void Record(application::AuditEntry entry) override;

 private:
  AuditFile(std::string path, std::string key, int file, application::Metrics& metrics);
  void Loop();
  void Write(const std::deque<application::AuditEntry>& entries);
  // Follows the path to another file, when this one was moved away. False when there is none that can be written.
  bool Reopen();

  const std::string path_;
  const std::string key_;
  int file_;
  bool torn_ = false;  // the last line is not whole
  application::Metrics& metrics_;
  std::mutex mutex_;
  std::condition_variable more_;
  std::deque<application::AuditEntry> waiting_;
  bool stop_ = false;
  const application::RateLimit unknown_{kMaxUnknownAudits};
  std::thread thread_;  // last: it uses the rest
};

}  // namespace warmline::telemetry
