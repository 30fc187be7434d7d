// Stable hashes: the same value on every machine, build and run, since scores and stored ids depend on them.
#pragma once

#include <cstdint>
#include <string_view>

namespace warmline::base {

// The finaliser of splitmix64 (Steele, Lea, Flood 2014): a bijection of 64 bits in which every bit of the input stirs
// all of the output.
[[nodiscard]] constexpr std::uint64_t Mix64(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

// Mix64 of FNV-1a (64 bits) over the bytes of `text`.
[[nodiscard]] constexpr std::uint64_t Hash64(std::string_view text) {
  std::uint64_t h = 0xcbf29ce484222325ULL;
  for (const char c : text) {
    h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  }
  return Mix64(h);
}

}  // namespace warmline::base
