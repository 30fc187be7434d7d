#include "application/guess_limit.h"

#include <absl/strings/str_cat.h>

#include <algorithm>

#include "application/naming.h"
#include "base/rcu.h"
#include "domain/error.h"
#include "domain/limits.h"

namespace warmline::application {
namespace {

struct Allowance {
  int guesses;
  absl::Duration in;
  const char* what;
};

Allowance Of(GuessKind kind) {
  if (kind == GuessKind::kBlock) return {domain::kBlindBlocksPerDay, absl::Hours(24), "block"};
  return {domain::kGuessesPerHour, absl::Hours(1), "ask about, or propose a tie to,"};
}

}  // namespace

void GuessLimit::MakeRoom(Book& book, absl::Time now) {
  if (book.size() < static_cast<std::size_t>(domain::kMaxGuessersRemembered)) return;
  absl::erase_if(book, [&](const auto& entry) { return entry.second <= now; });
  // So many members who all guess: somebody is forgotten, and begins anew.
  if (book.size() >= static_cast<std::size_t>(domain::kMaxGuessersRemembered)) book.erase(book.begin());
}

absl::Status GuessLimit::Ask(GuessKind kind, const Caller& caller, const std::string& pool, absl::Time now, bool take) {
  if (caller.IsOperator()) return absl::OkStatus();
  const Allowance allowance = Of(kind);
  const absl::Duration each = allowance.in / allowance.guesses;
  absl::Duration wait;
  {
    const std::lock_guard lock(mutex_);
    Book& book = books_[static_cast<std::size_t>(kind)];
    const std::string who = absl::StrCat(pool, "/", caller.member);
    const auto found = book.find(who);
    const absl::Time full = std::max(found == book.end() ? now : found->second, now) + each;
    wait = full - now - allowance.in;
    if (wait <= absl::ZeroDuration()) {
      if (!take) return absl::OkStatus();
      if (found != book.end()) {
        found->second = full;
      } else {
        MakeRoom(book, now);
        book.emplace(who, full);
      }
      return absl::OkStatus();
    }
  }
  metrics_.WorkRefused("guesses", "matches");
  return domain::MakeError(
      domain::ErrorReason::kLimitReached,
      absl::StrCat("a member may ", allowance.what, " ", allowance.guesses, " members whom they may not know of in ",
                   absl::FormatDuration(allowance.in),
                   ", whether or not they are there: try again later, or use the names and tokens that Match gives"),
      std::max(wait, absl::Seconds(1)));
}

absl::Status GuessLimit::Check(GuessKind kind, const Caller& caller, const std::string& pool, absl::Time now) {
  return Ask(kind, caller, pool, now, false);
}

absl::Status GuessLimit::Take(GuessKind kind, const Caller& caller, const std::string& pool, absl::Time now) {
  return Ask(kind, caller, pool, now, true);
}

void GuessLimit::Count(GuessKind kind, const Caller& caller, const std::string& pool, absl::Time now) {
  (void)Ask(kind, caller, pool, now, true);  // the last one may have been taken meanwhile
}

absl::Status TakeGuess(GuessLimit& guesses, GuessKind kind, const PoolRegistry& pools, RecordReader& reader,
                       const Caller& caller, const std::string& pool, const std::string& id, absl::Time now) {
  if (caller.IsOperator()) return absl::OkStatus();
  {
    const base::RcuReadGuard guard;
    const index::View* view = pools.Find(pool);
    if (view != nullptr && Naming(*view, caller, nullptr).MayName(id)) return absl::OkStatus();
  }
  auto known = AcquaintancesOf(reader, pool, caller.member);
  if (!known.ok()) return known.status();
  return known->contains(id) ? absl::OkStatus() : guesses.Take(kind, caller, pool, now);
}

}  // namespace warmline::application
