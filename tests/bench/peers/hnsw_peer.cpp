// Interests as vectors: each interest a random direction (Johnson and Lindenstrauss 1984), a helper the sum of its own,
// a need the weighted sum of its own; the nearest by inner product in an HNSW graph (Malkov and Yashunin 2016).
#include <hnswlib/hnswlib.h>

#include <algorithm>
#include <random>

#include "bench/peers/peer.h"

namespace warmline::bench {
namespace {

constexpr std::size_t kDimensions = 128;
constexpr std::size_t kSearchWidth = 200;

class HnswPeer final : public Peer {
 public:
  explicit HnswPeer(std::size_t helpers) : most_(helpers) {}
  std::string name() const override { return "hnswlib"; }
  Scoring scoring() const override { return Scoring::kApproximate; }
  std::size_t Holds(std::size_t helpers) const override { return std::min(helpers, most_); }

  bool Load(const PeerData& data, const std::string&) override {
    std::mt19937_64 random(1);
    std::normal_distribution<float> normal(0, 1.0F / 11.3F);  // about unit length in 128 dimensions
    directions_.resize(std::size_t{data.terms} * kDimensions);
    for (float& x : directions_) x = normal(random);
    graph_ = std::make_unique<hnswlib::HierarchicalNSW<float>>(&space_, data.helpers.size(), 16, 100);
    std::vector<float> vector(kDimensions);
    for (std::size_t helper = 0; helper < data.helpers.size(); ++helper) {
      std::fill(vector.begin(), vector.end(), 0.0F);
      for (const PeerTerm& t : data.helpers[helper]) Add(t.term, static_cast<float>(t.level) / 255.0F, vector);
      graph_->addPoint(vector.data(), helper);
    }
    graph_->setEf(kSearchWidth);
    return true;
  }

  std::vector<std::pair<std::uint32_t, double>> Answer(const PeerQuery& query) override {
    std::uint64_t total = 0;
    for (const auto& [term, weight] : query) total += weight;
    std::vector<float> vector(kDimensions, 0.0F);
    for (const auto& [term, weight] : query) Add(term, static_cast<float>(weight) / static_cast<float>(total), vector);
    auto nearest = graph_->searchKnn(vector.data(), kPeerTopK);
    std::vector<std::pair<std::uint32_t, double>> best;
    for (; !nearest.empty(); nearest.pop())
      best.emplace_back(static_cast<std::uint32_t>(nearest.top().second), -nearest.top().first);
    std::reverse(best.begin(), best.end());
    return best;
  }

 private:
  void Add(std::uint32_t term, float factor, std::vector<float>& vector) const {
    const float* direction = directions_.data() + std::size_t{term} * kDimensions;
    for (std::size_t i = 0; i < kDimensions; ++i) vector[i] += factor * direction[i];
  }

  std::size_t most_;
  hnswlib::InnerProductSpace space_{kDimensions};
  std::vector<float> directions_;
  std::unique_ptr<hnswlib::HierarchicalNSW<float>> graph_;
};

}  // namespace

std::unique_ptr<Peer> MakeHnswPeer(std::size_t helpers) { return std::make_unique<HnswPeer>(helpers); }

}  // namespace warmline::bench
