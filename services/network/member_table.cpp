#include "network/member_table.h"

#include <algorithm>

namespace warmline::network {

std::uint32_t MemberTable::Intern(std::string_view id) {
  GrowForOneMore();
  return names_.Intern(id);
}

std::uint32_t MemberTable::Append(std::string_view id) {
  GrowForOneMore();
  return names_.Append(id);
}

// Before the number can be known to a reader.
void MemberTable::GrowForOneMore() {
  const std::size_t size = names_.size() + std::size_t{1};
  facts_.Grow(size);
  ties_.Grow(size);
  loads_.Grow(size);
}

void MemberTable::Reserve(std::uint32_t members) {
  facts_.Grow(members);
  ties_.Grow(members);
  loads_.Grow(members);
  names_.Reserve(members);
}

void MemberTable::Skip() {
  GrowForOneMore();
  names_.Skip();
}

void MemberTable::Forget(std::uint32_t member) {
  SetPackedLoad(member, 0);
  forgotten_.fetch_add(1, std::memory_order_seq_cst);
  names_.Forget(member);
}

domain::Load MemberTable::load(std::uint32_t member) const {
  const std::uint32_t packed = loads_[member].load(std::memory_order_relaxed);
  return {static_cast<std::int32_t>(packed & 0xffffU), static_cast<std::int32_t>(packed >> 16)};
}

void MemberTable::SetLoad(std::uint32_t member, const domain::Load& load) {
  // domain::kMaxCapacity lies below.
  const auto half = [](std::int32_t value) { return static_cast<std::uint32_t>(std::clamp(value, 0, 0xffff)); };
  loads_[member].store(half(load.open_asks) | half(load.asks_this_week) << 16, std::memory_order_relaxed);
}

}  // namespace warmline::network
