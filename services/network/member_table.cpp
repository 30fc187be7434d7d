#include "network/member_table.h"

namespace warmline::network {

std::uint32_t MemberTable::Intern(std::string_view id) {
  slots_.Grow(names_.size() + std::size_t{1});  // before the number can be known to a reader
  return names_.Intern(id);
}

domain::Load MemberTable::load(std::uint32_t member) const {
  const std::uint64_t packed = slots_[member].load.load(std::memory_order_relaxed);
  return {static_cast<std::int32_t>(packed >> 32), static_cast<std::int32_t>(packed & 0xffffffffU)};
}

void MemberTable::SetLoad(std::uint32_t member, const domain::Load& load) {
  const std::uint64_t packed =
      static_cast<std::uint64_t>(load.open_asks) << 32 | static_cast<std::uint32_t>(load.asks_this_week);
  slots_[member].load.store(packed, std::memory_order_relaxed);
}

}  // namespace warmline::network
