// Whom a caller may name: the one answer to it, which decides who is masked, whom a call may ask about by id, and whose
// exclusion counts. What a caller may not name is to them as if it were not there.
//
// A member may name themself, their confirmed contacts, helpers whom the pool shows them by name (an open door; with
// the policy NAMED also those within their reach), and those whose name an introduction has told them
// (domain/introduction_visibility.h). Operators may name everybody.
#pragma once

#include <absl/container/flat_hash_set.h>
#include <absl/status/statusor.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "application/access.h"
#include "application/record_store.h"
#include "domain/need.h"
#include "index/interest_weigher.h"
#include "index/matcher.h"
#include "index/view.h"
#include "network/neighbourhood.h"

namespace warmline::application {

// Whether a match shows this helper by name; otherwise it is masked.
[[nodiscard]] bool IsShownByName(const index::View& view, const Caller& caller, const index::RankedHelper& helper);

// What the index knows of whom a caller may name; introductions come besides (AcquaintancesOf). The view, the need and
// its guard must outlive it. Thread-safety: one thread at a time.
class Naming {
 public:
  // For matching `need`, whose seeker the caller is, where it is not null: the policy NAMED shows helpers of a circle
  // to needs that share the rare interest.
  Naming(const index::View& view, const Caller& caller, const domain::Need* need);
  // Takes as long for who is there as for who is not, to all that a caller can measure.
  [[nodiscard]] bool MayName(std::string_view id);

 private:
  [[nodiscard]] bool IsContact(std::uint32_t member) const;
  [[nodiscard]] bool IsHelperShown(std::uint32_t member);

  const index::View& view_;
  const Caller& caller_;
  const domain::Need* need_;
  std::vector<std::uint32_t> contacts_;  // sorted
  bool named_policy_ = false;
  // With the policy NAMED alone.
  network::Neighbourhood near_;
  index::Query query_;
  index::InterestWeigher weigher_;
};

// Those whose name introductions have told a member: ids.
using Acquaintances = absl::flat_hash_set<std::string>;
// Errors: those of the store.
[[nodiscard]] absl::StatusOr<Acquaintances> AcquaintancesOf(RecordReader& reader, const std::string& pool,
                                                            const std::string& member);

// Takes out of a need's exclusions those whom its seeker may not name. False, with the need as it was, when
// introductions must be looked up for that: `known` is null, and the index alone does not prove all.
[[nodiscard]] bool DropGuesses(const index::View& view, const Caller& caller, const Acquaintances* known,
                               domain::Need& need);

}  // namespace warmline::application
