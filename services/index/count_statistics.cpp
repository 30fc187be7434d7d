// PoolIndex::CountStatistics: how many helpers have each interest, and which interests go together (docs/matching.md,
// "Relations").
#include <absl/container/flat_hash_map.h>

#include <algorithm>

#include "base/rcu.h"
#include "domain/fixed_point.h"
#include "index/pool_index.h"

namespace warmline::index {
namespace {

// Relations are learned from at most about this many helpers, taken at even steps through the documents.
constexpr std::uint32_t kRelationSample = 50'000;
// Of a helper who lists more, the first this many terms make pairs, so that one costs at most 496.
constexpr std::size_t kRelationTermsPerHelper = 32;
// Fewer helpers in common than this are chance.
constexpr std::uint32_t kMinTogether = 3;
// In units of 1/256: the cosine that makes two interests related at all.
constexpr std::uint64_t kMinCosine = 64;

using PairCounts = absl::flat_hash_map<std::uint64_t, std::uint32_t>;

// Terms of every sampled document, in order of term number.
std::vector<std::vector<std::uint32_t>> SampleTerms(const View& view, std::uint32_t step) {
  std::vector<std::vector<std::uint32_t>> sample;
  for (const SegmentState& state : view.segments) {
    const Segment& segment = *state.segment;
    for (std::uint32_t doc = 0; doc < segment.size(); doc += step) {
      if (!segment.LivesAt(doc, view.sequence)) continue;
      auto& terms = sample.emplace_back();
      segment.row(doc).ForEachTerm([&](std::uint32_t term, std::uint8_t) {
        if (terms.size() < kRelationTermsPerHelper) terms.push_back(term);
      });
    }
  }
  return sample;
}

}  // namespace

domain::Statistics PoolIndex::CountStatistics(std::int64_t generation) const {
  const base::RcuReadGuard guard;
  const View& v = view();
  domain::Statistics result;
  result.generation = generation;
  std::vector<std::int64_t> having(tables_.terms.size(), 0);
  for (const SegmentState& state : v.segments) {
    const Segment& segment = *state.segment;
    result.helpers += segment.size() - segment.dead();
    for (std::uint32_t doc = 0; doc < segment.size(); ++doc) {
      if (!segment.LivesAt(doc, v.sequence)) continue;
      segment.row(doc).ForEachTerm([&](std::uint32_t term, std::uint8_t) { ++having[term]; });
    }
  }

  const auto step = static_cast<std::uint32_t>(result.helpers / kRelationSample + 1);
  std::vector<std::uint32_t> sampled(tables_.terms.size(), 0);
  PairCounts together;
  for (const auto& terms : SampleTerms(v, step)) {
    for (std::size_t i = 0; i < terms.size(); ++i) {
      ++sampled[terms[i]];
      for (std::size_t j = i + 1; j < terms.size(); ++j) ++together[std::uint64_t{terms[i]} << 32 | terms[j]];
    }
  }
  struct Scored {
    std::uint32_t to;
    std::uint8_t discount;
  };
  std::vector<std::vector<Scored>> related(tables_.terms.size());
  for (const auto& [pair, count] : together) {
    if (count < kMinTogether) continue;
    const auto a = static_cast<std::uint32_t>(pair >> 32);
    const auto b = static_cast<std::uint32_t>(pair);
    const std::uint64_t cosine =
        domain::SqrtFloor((std::uint64_t{count} * count << 16) / (std::uint64_t{sampled[a]} * sampled[b]));
    if (cosine < kMinCosine) continue;
    const auto discount = static_cast<std::uint8_t>(std::min<std::uint64_t>(128, cosine / 2));
    related[a].push_back({b, discount});
    related[b].push_back({a, discount});
  }

  for (std::uint32_t term = 0; term < having.size(); ++term) {
    if (having[term] == 0) continue;
    domain::InterestStatistics entry{std::string(tables_.terms.Name(term)), having[term], {}};
    auto& found = related[term];
    std::sort(found.begin(), found.end(), [&](const Scored& x, const Scored& y) {
      return x.discount != y.discount ? x.discount > y.discount : tables_.terms.Name(x.to) < tables_.terms.Name(y.to);
    });
    if (found.size() > domain::kMaxRelationsPerInterest) found.resize(domain::kMaxRelationsPerInterest);
    for (const Scored& s : found) entry.relations.push_back({std::string(tables_.terms.Name(s.to)), s.discount});
    result.interests.push_back(std::move(entry));
  }
  std::sort(result.interests.begin(), result.interests.end(),
            [](const auto& x, const auto& y) { return x.canonical < y.canonical; });
  return result;
}

}  // namespace warmline::index
