#include "server/grants.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

namespace warmline::server {
namespace {

using Json = nlohmann::json;

constexpr double kMinCallsPerSecond = 0.1;
constexpr double kMaxCallsPerSecond = 1e6;
constexpr int kMaxPlaces = 1'000'000;

std::vector<std::string> Strings(const Json& entry, const char* key, const std::string& at,
                                 domain::Violations& violations) {
  std::vector<std::string> list;
  if (!entry.contains(key)) return list;
  const Json& value = entry.at(key);
  const bool good =
      value.is_array() && std::all_of(value.begin(), value.end(), [](const Json& v) { return v.is_string(); });
  if (!good) {
    violations.Add(absl::StrCat(at, ".", key), "is not a list of strings");
    return list;
  }
  return value.get<std::vector<std::string>>();
}

// A number of calls that may be under way; 0 where it is not given.
int Places(const Json& entry, const char* key, const std::string& at, domain::Violations& violations) {
  if (!entry.contains(key)) return 0;
  const Json& value = entry.at(key);
  if (value.is_number_integer() && value.get<double>() >= 1 && value.get<double>() <= kMaxPlaces)
    return value.get<int>();
  violations.Add(absl::StrCat(at, ".", key), absl::StrCat("is not a whole number from 1 to ", kMaxPlaces));
  return 0;
}

}  // namespace

std::string TextOf(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

application::Grant ParseGrant(const Json& entry, const std::string& at, domain::Violations& violations) {
  application::Grant grant;
  for (const std::string& name : Strings(entry, "roles", at, violations)) {
    if (const auto role = application::RoleOf(name)) {
      grant.roles = grant.roles | *role;
    } else {
      violations.Add(
          at + ".roles",
          absl::StrCat(domain::Quoted(name), " is not a role: reader, matcher, member-writer, introducer or operator"));
    }
  }
  for (const std::string& name : Strings(entry, "audiences", at, violations)) {
    bool known = false;
    for (const auto audience : {domain::Audience::kSeeker, domain::Audience::kIntroducer, domain::Audience::kHelper,
                                domain::Audience::kOperator}) {
      if (name != application::AudienceName(audience)) continue;
      grant.audiences.push_back(audience);
      known = true;
    }
    if (!known)
      violations.Add(at + ".audiences",
                     absl::StrCat(domain::Quoted(name), " is not an audience: SEEKER, INTRODUCER, HELPER or OPERATOR"));
  }
  grant.pools = Strings(entry, "pools", at, violations);
  grant.members = Strings(entry, "members", at, violations);
  if (entry.contains("calls_per_second")) {
    const Json& rate = entry["calls_per_second"];
    if (rate.is_number() && rate.get<double>() >= kMinCallsPerSecond && rate.get<double>() <= kMaxCallsPerSecond) {
      grant.calls_per_second = rate.get<double>();
    } else {
      violations.Add(at + ".calls_per_second",
                     absl::StrCat("is not a number from ", kMinCallsPerSecond, " to ", kMaxCallsPerSecond));
    }
  }
  grant.max_in_flight = Places(entry, "max_in_flight", at, violations);
  grant.max_watches = Places(entry, "max_watches", at, violations);
  if (grant.roles == 0) violations.Add(at + ".roles", "is empty: the token would allow nothing");
  if (grant.audiences.empty()) violations.Add(at + ".audiences", "is empty: the token would allow nothing");
  if (grant.pools.empty()) violations.Add(at + ".pools", "is empty: name pools, or `*` for all");
  return grant;
}

}  // namespace warmline::server
