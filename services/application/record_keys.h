// What the writes of each kind will read: hints for the store, which then fetches them for a whole batch at once. Pure.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "application/record_store.h"

namespace warmline::application {

[[nodiscard]] inline RecordKey MemberKey(const std::string& pool, const std::string& id) {
  return {RecordKey::Kind::kMember, pool, id, ""};
}
// Of a write that erases a member.
[[nodiscard]] inline RecordKey ErasureKeyOf(const std::string& pool, const std::string& id) {
  return {RecordKey::Kind::kErasure, pool, id, ""};
}
[[nodiscard]] inline RecordKey NeedKey(const std::string& pool, const std::string& id) {
  return {RecordKey::Kind::kNeed, pool, id, ""};
}
[[nodiscard]] inline RecordKey IntroductionKey(const std::string& pool, const std::string& id) {
  return {RecordKey::Kind::kIntroduction, pool, id, ""};
}
[[nodiscard]] inline RecordKey ConnectionKey(const std::string& pool, const std::string& a, const std::string& b) {
  return {RecordKey::Kind::kConnection, pool, a, b};
}
[[nodiscard]] inline RecordKey BlockKey(const std::string& pool, const std::string& blocker,
                                        const std::string& blocked) {
  return {RecordKey::Kind::kBlock, pool, blocker, blocked};
}

// Of making or importing a record.
[[nodiscard]] inline std::vector<RecordKey> ReadsOf(const std::string& pool, const domain::Member& member) {
  return {MemberKey(pool, member.id)};
}
[[nodiscard]] inline std::vector<RecordKey> ReadsOf(const std::string& pool, const domain::Connection& tie) {
  return {MemberKey(pool, tie.a),
          MemberKey(pool, tie.b),
          ConnectionKey(pool, tie.a, tie.b),
          BlockKey(pool, tie.a, tie.b),
          BlockKey(pool, tie.b, tie.a),
          {RecordKey::Kind::kConnectionCount, pool, tie.a, ""},
          {RecordKey::Kind::kConnectionCount, pool, tie.b, ""}};
}
[[nodiscard]] inline std::vector<RecordKey> ReadsOf(const std::string& pool, const domain::Block& block) {
  const auto [low, high] = std::minmax(block.blocker, block.blocked);
  return {MemberKey(pool, block.blocker),
          MemberKey(pool, block.blocked),
          ConnectionKey(pool, low, high),
          BlockKey(pool, block.blocker, block.blocked),
          {RecordKey::Kind::kBlockCount, pool, block.blocker, ""}};
}
[[nodiscard]] inline std::vector<RecordKey> ReadsOf(const std::string& pool, const domain::Need& need) {
  return {
      MemberKey(pool, need.seeker), NeedKey(pool, need.id), {RecordKey::Kind::kOpenNeedCount, pool, need.seeker, ""}};
}

}  // namespace warmline::application
