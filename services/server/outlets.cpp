#include "server/outlets.h"

#include <absl/strings/str_cat.h>

#include "outbox/webhook.h"
#include "server/config_error.h"
#include "server/secret_file.h"
#include "telemetry/audit_file.h"

namespace warmline::server {

absl::StatusOr<std::unique_ptr<application::EventSink>> MakeEventSink(const Config& config,
                                                                      const domain::RevisionTokens& revisions,
                                                                      const application::Clock& clock) {
  std::unique_ptr<application::EventSink> sink;
  if (config.webhook_url.empty()) {
    if (config.webhook_secret_file.empty()) return sink;
    return Invalid("webhook-url",
                   "is missing beside webhook-secret-file: say where events are sent, or leave both out");
  }
  outbox::WebhookOptions options;
  options.url = config.webhook_url;
  auto secret = ReadSecret(config.webhook_secret_file, "webhook-secret-file");
  if (!secret.ok()) return secret.status();
  options.secret = *std::move(secret);
  auto made = outbox::Webhook::Make(std::move(options), revisions, clock);
  if (!made.ok()) return made.status();
  sink = *std::move(made);
  return sink;
}

absl::StatusOr<std::unique_ptr<application::AuditLog>> OpenAudit(const Config& config, application::Metrics& metrics) {
  std::unique_ptr<application::AuditLog> log;
  std::string key;
  if (!config.audit_key_file.empty()) {
    if (config.audit_file.empty())
      return Invalid("audit-file", "is missing beside audit-key-file: say where the audit log is written");
    auto secret = ReadSecret(config.audit_key_file, "audit-key-file");
    if (!secret.ok()) return secret.status();
    key = *std::move(secret);
    if (key.size() < kMinAuditKeyBytes) {
      return Invalid("audit-key-file", absl::StrCat("holds ", key.size(), " bytes: give ", kMinAuditKeyBytes,
                                                    " or more, such as `openssl rand -hex 32`"));
    }
  }
  if (config.audit_file.empty()) return log;
  auto opened = telemetry::AuditFile::Open(config.audit_file, std::move(key), metrics);
  if (!opened.ok()) return opened.status();
  log = *std::move(opened);
  return log;
}

}  // namespace warmline::server
