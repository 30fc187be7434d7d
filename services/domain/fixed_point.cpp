#include "domain/fixed_point.h"

#include <array>
#include <bit>

namespace warmline::domain {
namespace {

__extension__ using Wide = unsigned __int128;

// 2^(-2^-(i+1)) in units of 2^-63, by repeated square roots of 1/2, from the definition.
constexpr std::array<std::uint64_t, 40> MakeHalvings() {
  std::array<std::uint64_t, 40> table{};
  Wide value = Wide{1} << 62;  // 1/2
  for (auto& entry : table) {
    const Wide square = value << 63;
    Wide low = 0;
    Wide high = Wide{1} << 63;
    while (high - low > 1) {
      const Wide mid = (low + high) / 2;
      (mid * mid <= square ? low : high) = mid;
    }
    value = low;
    entry = static_cast<std::uint64_t>(value);
  }
  return table;
}

const std::array<std::uint64_t, 40> kHalvings = MakeHalvings();

}  // namespace

std::uint64_t Log2Floor(std::uint64_t n) {
  const int whole = std::bit_width(n) - 1;
  Wide mantissa = Wide{n} << (63 - whole);  // in [1, 2), units of 2^-63
  std::uint64_t result = static_cast<std::uint64_t>(whole) << kFixedBits;
  for (int bit = kFixedBits - 1; bit >= 0; --bit) {
    mantissa = (mantissa * mantissa) >> 63;
    if (mantissa >> 64 != 0) {
      mantissa >>= 1;
      result |= std::uint64_t{1} << bit;
    }
  }
  return result;
}

std::uint32_t DecayFloor(std::uint64_t age, std::uint64_t half_life) {
  const std::uint64_t whole = age / half_life;
  if (whole >= 40) return 0;
  Wide value = Wide{1} << 63;
  Wide rest = Wide{age % half_life};
  for (const std::uint64_t halving : kHalvings) {
    rest *= 2;
    if (rest >= half_life) {
      rest -= half_life;
      value = (value * halving) >> 63;
    }
    if (rest == 0) break;
  }
  return static_cast<std::uint32_t>(value >> (63 - kFixedBits + static_cast<int>(whole)));
}

std::uint64_t SqrtFloor(std::uint64_t n) {
  if (n < 2) return n;
  std::uint64_t x = std::uint64_t{1} << ((std::bit_width(n) + 1) / 2);
  while (true) {
    const std::uint64_t y = (x + n / x) / 2;
    if (y >= x) return x;
    x = y;
  }
}

}  // namespace warmline::domain
