// SipHash-1-3 (Aumasson, Bernstein 2012) over 64-bit words: a fast keyed hash whose values cannot be guessed, nor told
// from random ones, without the key. Values; thread-safe as such.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace warmline::base {

struct SipKey {
  std::uint64_t k0 = 0;
  std::uint64_t k1 = 0;
  // From the first 16 bytes of `secret`, which has at least so many.
  [[nodiscard]] static SipKey Of(std::string_view secret) {
    SipKey key;
    std::memcpy(&key.k0, secret.data(), sizeof key.k0);
    std::memcpy(&key.k1, secret.data() + sizeof key.k0, sizeof key.k1);
    return key;
  }
};

// A hash under way. A copy goes on by itself, so that what many texts begin with is hashed once.
class SipHash13 {
 public:
  constexpr SipHash13() : SipHash13(SipKey{}) {}
  constexpr explicit SipHash13(const SipKey& key)
      : v0_(key.k0 ^ 0x736f6d6570736575ULL),
        v1_(key.k1 ^ 0x646f72616e646f6dULL),
        v2_(key.k0 ^ 0x6c7967656e657261ULL),
        v3_(key.k1 ^ 0x7465646279746573ULL) {}

  constexpr void Add(std::uint64_t word) {
    v3_ ^= word;
    Round();
    v0_ ^= word;
    bytes_ += sizeof word;
  }
  // Of all words added so far, as their bytes in little-endian order.
  [[nodiscard]] constexpr std::uint64_t Value() const {
    SipHash13 end = *this;
    end.Add(bytes_ << 56);
    end.v2_ ^= 0xff;
    for (int i = 0; i < 3; ++i) end.Round();
    return end.v0_ ^ end.v1_ ^ end.v2_ ^ end.v3_;
  }

 private:
  constexpr void Round() {
    v0_ += v1_;
    v1_ = std::rotl(v1_, 13) ^ v0_;
    v0_ = std::rotl(v0_, 32);
    v2_ += v3_;
    v3_ = std::rotl(v3_, 16) ^ v2_;
    v0_ += v3_;
    v3_ = std::rotl(v3_, 21) ^ v0_;
    v2_ += v1_;
    v1_ = std::rotl(v1_, 17) ^ v2_;
    v2_ = std::rotl(v2_, 32);
  }

  std::uint64_t v0_;
  std::uint64_t v1_;
  std::uint64_t v2_;
  std::uint64_t v3_;
  std::uint64_t bytes_ = 0;
};

}  // namespace warmline::base
