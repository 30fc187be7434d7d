#include "api/page_token.h"

#include <absl/strings/str_cat.h>

namespace warmline::api {
namespace {

constexpr char kPage[] = "page";
constexpr char kResume[] = "resume";

}  // namespace

std::string MakePageToken(const Call& call, const std::string& filter, const std::string& last) {
  return last.empty() ? std::string() : call.environment().sealer.Seal(kPage, call.TokenScope(filter), last);
}

std::string AfterToken(const Call& call, const std::string& filter, const std::string& token,
                       domain::Violations& violations) {
  if (token.empty()) return {};
  if (auto last = call.environment().sealer.Open(kPage, call.TokenScope(filter), token)) return *std::move(last);
  violations.Add("page_token",
                 absl::StrCat(domain::Quoted(token),
                              " is not a token of this list: give next_page_token of the page before, as the same "
                              "caller and with the same request, or none to begin anew"));
  return {};
}

std::string MakeResumeToken(const Call& call, const std::string& filter, const std::string& place) {
  return call.environment().sealer.Seal(kResume, call.TokenScope(filter), place);
}

std::optional<std::string> PlaceOfToken(const Call& call, const std::string& filter, const std::string& token) {
  return call.environment().sealer.Open(kResume, call.TokenScope(filter), token);
}

}  // namespace warmline::api
