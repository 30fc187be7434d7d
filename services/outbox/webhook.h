// Sends events to a backend service as signed HTTP requests: POST of a warmline.v1.EventBatch as JSON, with
//
//   Warmline-Signature: t=<seconds since 1970>,v1=<hex of HMAC-SHA256 with the secret over "<t>.<body>">
//
// so that the receiver knows who sent it, and that it is not an old one replayed. An answer of 200 to 299 says that the
// whole batch is taken; anything else, or none in time, and it is sent again. Thread-safety: one thread at a time.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <memory>
#include <string>

#include "application/clock.h"
#include "application/event_sink.h"
#include "domain/revision.h"

namespace warmline::outbox {

struct WebhookOptions {
  std::string url;     // http://host[:port]/path or https://…
  std::string secret;  // at least kMinSecretBytes
  absl::Duration timeout = absl::Seconds(10);
};
inline constexpr std::size_t kMinSecretBytes = 16;

class Webhook : public application::EventSink {
 public:
  // Errors: INVALID_ARGUMENT for a URL that is none, or a secret that is too short.
  // `revisions`: of the store whose changes are sent.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Webhook>> Make(WebhookOptions options,
                                                                     domain::RevisionTokens revisions,
                                                                     const application::Clock& clock);
  ~Webhook() override;
  absl::StatusOr<int> Send(const std::string& pool, const std::vector<domain::Change>& changes) override;

 private:
  struct State;
  explicit Webhook(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// What stands behind `v1=`: lower-case hexadecimal.
[[nodiscard]] std::string Signature(const std::string& secret, std::int64_t seconds, const std::string& body);

}  // namespace warmline::outbox
