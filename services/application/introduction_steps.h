// Steps that moves of introductions are made of. Inside a write transaction; for application/introduction_*.cpp only.
#pragma once

#include <absl/status/statusor.h>

#include <optional>
#include <string>

#include "application/record_store.h"
#include "domain/introduction_moves.h"

namespace warmline::application {

// Sends a draft on its way: takes a place of the helper, and stores both.
[[nodiscard]] absl::Status Send(WriteTransaction& tx, const std::string& pool, const domain::IntroductionRules& rules,
                                domain::Mover mover, absl::Time now, domain::Introduction& draft);

// Ends an introduction by a move, returns the helper's place where it held one, lets the two cool down for `cool_down`,
// and stores both. `helper` may be null: then it is read.
[[nodiscard]] absl::Status End(WriteTransaction& tx, const std::string& pool, domain::Move move, domain::Mover mover,
                               std::optional<absl::Duration> cool_down, absl::Time now,
                               domain::Introduction& introduction, domain::Member* helper = nullptr);

// Asks the next target of an ask, past those that would be refused by now; or, where the seeker's budget is spent,
// waits until it frees up. Does nothing while one of the ask's targets is open.
[[nodiscard]] absl::Status AskNext(WriteTransaction& tx, const std::string& pool,
                                   const domain::IntroductionRules& rules, const std::string& seeker,
                                   const std::string& ask, absl::Time now);
// The further targets of an ask are not needed any longer.
[[nodiscard]] absl::Status DropDrafts(WriteTransaction& tx, const std::string& pool, domain::Move move,
                                      domain::Mover mover, const std::string& seeker, const std::string& ask,
                                      absl::Time now);

}  // namespace warmline::application
