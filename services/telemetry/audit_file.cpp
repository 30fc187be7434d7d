#include "telemetry/audit_file.h"

#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>
#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/hmac.h"
#include "domain/error.h"

namespace warmline::telemetry {
namespace {

constexpr std::size_t kPseudonymDigits = 16;
constexpr char kStandardOutput[] = "-";

int OpenForAppending(const std::string& path) {
  if (path == kStandardOutput) return fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
  return open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

}  // namespace

std::string Pseudonym(const std::string& key, const std::string& resource) {
  return absl::BytesToHexString(base::HmacSha256(key, resource)).substr(0, kPseudonymDigits);
}

std::string AuditLine(const application::AuditEntry& entry, const std::string& key) {
  nlohmann::ordered_json line;
  line["time"] = absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", entry.at, absl::UTCTimeZone());
  line["call"] = entry.method;
  line["by"] = entry.grant.substr(0, kMaxAuditTextBytes);
  line["peer"] = entry.peer.substr(0, kMaxAuditTextBytes);
  if (entry.audience != domain::Audience::kUnspecified) line["audience"] = application::AudienceName(entry.audience);
  if (!entry.pool.empty()) line["pool"] = entry.pool.substr(0, kMaxAuditTextBytes);
  if (!key.empty() && !entry.acting_member.empty()) line["acting_member"] = Pseudonym(key, entry.acting_member);
  if (!key.empty() && !entry.resource.empty()) line["resource"] = Pseudonym(key, entry.resource);
  line["code"] = entry.code;
  if (!entry.reason.empty()) line["reason"] = entry.reason;
  line["took_us"] = absl::ToInt64Microseconds(entry.took);
  // A peer or a pool that a caller made up may be no UTF-8.
  return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

absl::StatusOr<std::unique_ptr<AuditFile>> AuditFile::Open(const std::string& path, std::string key,
                                                           application::Metrics& metrics) {
  const int file = OpenForAppending(path);
  if (file < 0) {
    domain::Violations violations;
    violations.Add("audit-file", absl::StrCat("cannot write ", path, " (", std::strerror(errno),
                                              "): name a file in a directory that you may write"));
    return violations.ToStatus();
  }
  return std::unique_ptr<AuditFile>(new AuditFile(path, std::move(key), file, metrics));
}

AuditFile::AuditFile(std::string path, std::string key, int file, application::Metrics& metrics)
    : path_(std::move(path)), key_(std::move(key)), file_(file), metrics_(metrics), thread_([this] { Loop(); }) {}

AuditFile::~AuditFile() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  more_.notify_one();
  thread_.join();
  if (file_ >= 0) close(file_);
}

void AuditFile::Record(application::AuditEntry entry) {
  if (!entry.grant.empty() || !unknown_.Take(entry.at)) {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() < kMaxWaitingAudits) {
      waiting_.push_back(std::move(entry));
      more_.notify_one();
      return;
    }
  }
  metrics_.Audited(false);
}

void AuditFile::Loop() {
  while (true) {
    std::deque<application::AuditEntry> entries;
    {
      std::unique_lock lock(mutex_);
      more_.wait(lock, [&] { return stop_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      entries.swap(waiting_);
    }
    Write(entries);
  }
}

bool AuditFile::Reopen() {
  if (path_ == kStandardOutput) return true;
  struct stat here {};
  struct stat there {};
  if (file_ >= 0 && fstat(file_, &here) == 0 && stat(path_.c_str(), &there) == 0 && here.st_ino == there.st_ino &&
      here.st_dev == there.st_dev)
    return true;
  const int file = OpenForAppending(path_);
  if (file < 0) return false;
  if (file_ >= 0) close(file_);
  file_ = file;
  torn_ = false;
  return true;
}

void AuditFile::Write(const std::deque<application::AuditEntry>& entries) {
  const bool open = Reopen();
  int why = errno;
  bool said = false;
  for (const application::AuditEntry& entry : entries) {
    const std::string line = absl::StrCat(torn_ ? "\n" : "", AuditLine(entry, key_), "\n");
    const ssize_t written = open ? write(file_, line.data(), line.size()) : -1;
    if (open) why = errno;
    const bool whole = written == static_cast<ssize_t>(line.size());
    // A full disk may take half of a line: the next one begins on a line of its own.
    if (written > 0) torn_ = !whole;
    metrics_.Audited(whole);
    if (!whole && !said) spdlog::error("the audit log {} cannot be written: {}", path_, std::strerror(why));
    said = said || !whole;
  }
}

}  // namespace warmline::telemetry
