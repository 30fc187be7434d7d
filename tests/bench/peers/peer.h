// A search engine of another kind over the same interests: what bench_peers compares with. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "support/child_process.h"

namespace warmline::bench {

struct PeerTerm {
  std::uint32_t term = 0;
  std::uint8_t level = 0;
};

// Helpers by number, each with its interests.
struct PeerData {
  std::vector<std::vector<PeerTerm>> helpers;
  std::uint32_t terms = 0;
};

// Terms of a need with their weights: a helper is worth the sum over shared terms of weight times level.
using PeerQuery = std::vector<std::pair<std::uint32_t, std::uint64_t>>;

inline constexpr int kPeerTopK = 10;

class Peer {
 public:
  virtual ~Peer() = default;
  [[nodiscard]] virtual std::string name() const = 0;
  // How many of the helpers it takes; all, unless building takes too long for that.
  [[nodiscard]] virtual std::size_t Holds(std::size_t helpers) const { return helpers; }
  // Starts its server, where it has one, and loads the data. False, with a message on stderr, when it cannot.
  [[nodiscard]] virtual bool Load(const PeerData& data, const std::string& directory) = 0;
  // What the answer's scores mean: the same as the definition above, or how many terms are shared.
  enum class Scoring { kWeighted, kSharedTerms, kApproximate };
  [[nodiscard]] virtual Scoring scoring() const = 0;
  // The ten best, as helper and score, best first.
  [[nodiscard]] virtual std::vector<std::pair<std::uint32_t, double>> Answer(const PeerQuery& query) = 0;
};

[[nodiscard]] std::unique_ptr<Peer> MakeRedisPeer();
[[nodiscard]] std::unique_ptr<Peer> MakePostgresPeer();
[[nodiscard]] std::unique_ptr<Peer> MakeXapianPeer();
[[nodiscard]] std::unique_ptr<Peer> MakeHnswPeer(std::size_t helpers);

using testing::ChildProcess;

}  // namespace warmline::bench
