// One change of a pool, as the change log carries it. Values.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "domain/member.h"
#include "domain/need.h"
#include "domain/pool.h"
#include "domain/statistics.h"

namespace warmline::domain {

struct MemberErased {
  std::string id;
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

using ChangeBody = std::variant<std::monostate, Pool, Member, MemberErased, Connection, ConnectionDeleted, Block,
                                BlockDeleted, Need, NeedDeleted, Statistics>;

struct Change {
  std::int64_t revision = 0;
  ChangeBody body;  // monostate: a row whose payload was erased
};

}  // namespace warmline::domain
