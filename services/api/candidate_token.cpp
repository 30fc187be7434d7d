#include "api/candidate_token.h"

#include <algorithm>

#include "domain/limits.h"

namespace warmline::api {
namespace {

constexpr char kPurpose[] = "candidate";

}  // namespace

std::string CandidateTokens::Seal(const std::string& pool, const std::string& seeker, const std::string& need,
                                  const std::string& helper) const {
  std::string padded = helper;  // so that a token does not tell how long the id is
  padded.resize(domain::kMaxIdBytes, '\0');
  return sealer_.Seal(kPurpose, {pool, seeker, need}, padded);
}

std::optional<std::string> CandidateTokens::Open(const std::string& pool, const std::string& seeker,
                                                 const std::string& need, std::string_view token) const {
  auto helper = sealer_.Open(kPurpose, {pool, seeker, need}, token);
  if (helper) helper->resize(std::min(helper->find('\0'), helper->size()));
  return helper;
}

}  // namespace warmline::api
