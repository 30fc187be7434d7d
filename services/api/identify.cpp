#include "api/identify.h"

#include <absl/strings/match.h>
#include <grpc/grpc_security_constants.h>

#include "api/token_hash.h"
#include "application/audit.h"
#include "domain/error.h"

namespace warmline::api {
namespace {

using domain::ErrorReason;

constexpr char kBearer[] = "Bearer ";
// What gRPC gives as the peer of a call within this process; calls over the network have an address.
constexpr char kNoAddress[] = "unknown";

using GrantPointer = std::shared_ptr<const application::GrantInForce>;

// The grant of the caller's certificate, by a name in it; null where there is none.
GrantPointer OfCertificate(const application::TokenRegistry& tokens, const grpc::CallbackServerContext& context) {
  const auto connection = context.auth_context();
  if (connection == nullptr || !connection->IsPeerAuthenticated()) return nullptr;
  for (const char* property : {GRPC_X509_SAN_PROPERTY_NAME, GRPC_X509_CN_PROPERTY_NAME}) {
    for (const grpc::string_ref& name : connection->FindPropertyValues(property)) {
      if (auto grant = tokens.Find(CertificateKey(std::string(name.data(), name.size())))) return grant;
    }
  }
  return nullptr;
}

}  // namespace

absl::StatusOr<GrantPointer> Identify(const application::TokenRegistry& tokens, application::TokenVerifier* verifier,
                                      absl::Time now, const grpc::CallbackServerContext& context) {
  const auto& metadata = context.client_metadata();
  const auto found = metadata.find("authorization");
  // Which of two counts would be anybody's guess, a proxy's among them.
  if (metadata.count("authorization") > 1) {
    return domain::MakeError(ErrorReason::kTokenUnknown,
                             "the call carries more than one `authorization`: send the metadata once");
  }
  if (found == metadata.end()) {
    if (auto grant = OfCertificate(tokens, context)) return grant;
    return domain::MakeError(ErrorReason::kTokenMissing,
                             "the call carries no token: send the metadata `authorization: Bearer <token>`");
  }
  const std::string value(found->second.data(), found->second.size());
  if (absl::StartsWith(value, kBearer)) {
    const std::string token = value.substr(sizeof(kBearer) - 1);
    const std::string sha256 = TokenHash(token);
    if (auto grant = tokens.Find(sha256)) return grant;
    if (verifier != nullptr && verifier->Recognises(token)) return verifier->Verify(token, sha256, now);
  }
  return domain::MakeError(ErrorReason::kTokenUnknown,
                           "the token is not one that this server knows: check it, and that it is sent as "
                           "`authorization: Bearer <token>`");
}

std::string PeerOf(const grpc::CallbackServerContext& context) {
  std::string peer = context.peer();
  if (peer != kNoAddress) return peer;
  const auto forwarded = context.client_metadata().find(application::kForwardedPeer);
  return forwarded == context.client_metadata().end() ? peer
                                                      : std::string(forwarded->second.data(), forwarded->second.size());
}

}  // namespace warmline::api
