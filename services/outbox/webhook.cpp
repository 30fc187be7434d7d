#include "outbox/webhook.h"

#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/strip.h>
#include <httplib.h>

#include "base/hmac.h"
#include "codec/events.h"
#include "domain/error.h"

namespace warmline::outbox {

struct Webhook::State {
  State(WebhookOptions o, domain::RevisionTokens r, const application::Clock& c, const std::string& origin,
        std::string p)
      : options(std::move(o)), revisions(std::move(r)), clock(c), path(std::move(p)), client(origin) {}
  WebhookOptions options;
  domain::RevisionTokens revisions;
  const application::Clock& clock;
  std::string path;
  httplib::Client client;
};

Webhook::Webhook(std::unique_ptr<State> state) : state_(std::move(state)) {}
Webhook::~Webhook() = default;

std::string Signature(const std::string& secret, std::int64_t seconds, const std::string& body) {
  return absl::BytesToHexString(base::HmacSha256(secret, absl::StrCat(seconds, ".", body)));
}

absl::StatusOr<std::unique_ptr<Webhook>> Webhook::Make(WebhookOptions options, domain::RevisionTokens revisions,
                                                       const application::Clock& clock) {
  domain::Violations violations;
  absl::string_view rest = options.url;
  const bool tls = absl::ConsumePrefix(&rest, "https://");
  if (!tls && !absl::ConsumePrefix(&rest, "http://")) rest = "";
  const std::size_t slash = rest.find('/');
  const std::string host(rest.substr(0, slash));
  if (host.empty() || host.find_first_of(" @?#") != std::string::npos) {
    violations.Add("webhook-url", absl::StrCat(domain::Quoted(options.url),
                                               " is no address to send events to: write https://host:port/path"));
  }
  if (options.secret.size() < kMinSecretBytes) {
    violations.Add("webhook-secret-file", absl::StrCat("holds ", options.secret.size(), " bytes: give a secret of ",
                                                       kMinSecretBytes, " or more, such as `openssl rand -hex 32`"));
  }
  if (!violations.empty()) return violations.ToStatus();
  std::string path = slash == absl::string_view::npos ? "/" : std::string(rest.substr(slash));
  auto state = std::make_unique<State>(std::move(options), std::move(revisions), clock,
                                       absl::StrCat(tls ? "https://" : "http://", host), std::move(path));
  const auto seconds = static_cast<time_t>(absl::ToInt64Seconds(state->options.timeout));
  state->client.set_connection_timeout(seconds);
  state->client.set_read_timeout(seconds);
  state->client.set_write_timeout(seconds);
  state->client.set_keep_alive(true);
  // An answer that sends elsewhere is none: the secret's holder is whom the operator named.
  state->client.set_follow_location(false);
  return std::unique_ptr<Webhook>(new Webhook(std::move(state)));
}

absl::StatusOr<int> Webhook::Send(const std::string& pool, const std::vector<domain::Change>& changes) {
  warmline::v1::EventBatch batch;
  for (const domain::Change& change : changes) {
    if (auto event = codec::EventOf(pool, state_->revisions, change)) *batch.add_events() = *std::move(event);
  }
  if (batch.events().empty()) return 0;
  const std::string body = codec::ToJson(batch);
  const std::int64_t seconds = absl::ToUnixSeconds(state_->clock.Now());
  const httplib::Headers headers = {
      {"Warmline-Signature", absl::StrCat("t=", seconds, ",v1=", Signature(state_->options.secret, seconds, body))}};
  const auto answer = state_->client.Post(state_->path, headers, body, "application/json");
  if (!answer)
    return absl::UnavailableError(absl::StrCat("no answer from the webhook: ", httplib::to_string(answer.error())));
  if (answer->status < 200 || answer->status > 299)
    return absl::UnavailableError(absl::StrCat("the webhook answered ", answer->status));
  return batch.events_size();
}

}  // namespace warmline::outbox
