// The brute-force oracle: DESIGN section 4 and docs/matching.md written down as plainly as can be, from whole records.
// It shares no code for scoring or retrieval with the engine: only the domain's values and its integer logarithm, root
// and decay, which have tests of their own.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/sip_hash.h"
#include "domain/member.h"
#include "domain/need.h"
#include "domain/pool.h"
#include "domain/statistics.h"

namespace warmline::testing {

// Of one seeker to one helper: open, or ended a short while ago.
struct OracleAsk {
  std::string seeker;
  std::string helper;
  bool open = false;
};

struct OracleWorld {
  domain::Policy policy;
  std::vector<domain::Member> members;
  std::vector<domain::Connection> ties;
  std::vector<domain::Block> blocks;
  std::vector<OracleAsk> asks;
  domain::Statistics statistics;
  std::int64_t epoch_hour = 0;
  base::SipKey exploration_key;

  [[nodiscard]] bool Asked(const std::string& seeker, const std::string& helper, bool open) const {
    for (const OracleAsk& ask : asks) {
      if (ask.seeker == seeker && ask.helper == helper && ask.open == open) return true;
    }
    return false;
  }
};

struct OracleMatch {
  std::string id;
  std::uint64_t score = 0;
  std::vector<std::uint64_t> parts;
  domain::Reach reach = domain::Reach::kUnspecified;
  std::string introducer;
};

struct OracleAnswer {
  std::vector<OracleMatch> ranked;
  std::map<domain::Rule, std::int64_t> removed;
  std::int64_t candidates = 0;
};

[[nodiscard]] OracleAnswer BruteForce(const OracleWorld& world, const domain::Need& need, int k);

// Every rule that blocks one helper; nothing when the helper is no candidate.
[[nodiscard]] std::optional<std::vector<domain::Rule>> BlockedBy(const OracleWorld& world, const domain::Need& need,
                                                                 const std::string& helper);

}  // namespace warmline::testing
