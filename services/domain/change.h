// One change of a pool, as the change log carries it. Values.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "domain/introduction.h"
#include "domain/member.h"
#include "domain/need.h"
#include "domain/notice.h"
#include "domain/pool.h"
#include "domain/statistics.h"

namespace warmline::domain {

// The change log names an erased member by `hash` alone, the key of the ledger of erasures; whoever still holds the
// member finds it by `id_hash`, and makes sure by `hash`.
struct MemberErased {
  std::string id;             // empty where it comes from the log
  std::string hash;           // empty where it does not
  std::uint64_t id_hash = 0;  // base::Hash64 of the id; where `id` is empty
};
struct ConnectionDeleted {
  std::string a;
  std::string b;
};
struct BlockDeleted {
  std::string blocker;
  std::string blocked;
};
struct NeedDeleted {
  std::string id;
};

// An introduction that ended long ago.
struct IntroductionErased {
  std::string id;
};

using ChangeBody =
    std::variant<std::monostate, Pool, Member, MemberErased, Connection, ConnectionDeleted, Block, BlockDeleted, Need,
                 NeedDeleted, Statistics, IntroductionChanged, Notice, IntroductionErased>;

struct Change {
  std::int64_t revision = 0;
  ChangeBody body;  // monostate: a row whose payload was erased
};

}  // namespace warmline::domain
