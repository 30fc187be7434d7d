// PoolIndex: whose needs there are, so that they go with their seeker.
#include "base/hash.h"
#include "index/pool_index.h"

namespace warmline::index {

void PoolIndex::CountNeed(std::uint32_t number, const domain::Need* before, const domain::Need* after) {
  if (before != nullptr && after != nullptr && before->seeker == after->seeker) return;
  if (before != nullptr) {
    const auto of_seeker = needs_of_.find(base::Hash64(before->seeker));
    std::erase(of_seeker->second, number);
    if (of_seeker->second.empty()) needs_of_.erase(of_seeker);
  }
  if (after != nullptr) needs_of_[base::Hash64(after->seeker)].push_back(number);
}

void PoolIndex::EraseNeedsOf(Batch& batch, std::string_view seeker) {
  const auto found = needs_of_.find(base::Hash64(seeker));
  if (found == needs_of_.end()) return;
  const std::vector<std::uint32_t> numbers = found->second;  // WriteNeed changes the list
  for (const std::uint32_t number : numbers) {
    const auto* need = tables_.needs[number].Newest();
    if (need == nullptr || *need == nullptr || (*need)->seeker != seeker) continue;
    WriteNeed(batch, std::string(tables_.need_ids.Name(number)), nullptr);
  }
}

std::size_t PoolIndex::BytesOfSeekers() const {
  return needs_of_.capacity() * (sizeof(decltype(needs_of_)::value_type) + 1) +
         tables_.need_ids.size() * sizeof(std::uint32_t);
}

}  // namespace warmline::index
