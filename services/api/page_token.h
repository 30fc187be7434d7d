// Page tokens, and resume tokens of watches: sealed for the caller, pool, list and filter that they were made for, so
// that another's, a changed one and one of another list are refused. The page's size may change from page to page.
// Thread-safety: pure over a call.
#pragma once

#include <optional>
#include <string>

#include "api/call.h"
#include "domain/error.h"

namespace warmline::api {

// The token of the page after `last`; empty where there is none. `filter`: what else of the request chose the list. The
// call must be authorised.
[[nodiscard]] std::string MakePageToken(const Call& call, const std::string& filter, const std::string& last);
// The id after which the page starts; a violation for a token that this caller did not get from this list.
[[nodiscard]] std::string AfterToken(const Call& call, const std::string& filter, const std::string& token,
                                     domain::Violations& violations);

// The token of a place in a watch, and back; nothing for one that is not of this caller's watch.
[[nodiscard]] std::string MakeResumeToken(const Call& call, const std::string& filter, const std::string& place);
[[nodiscard]] std::optional<std::string> PlaceOfToken(const Call& call, const std::string& filter,
                                                      const std::string& token);

}  // namespace warmline::api
