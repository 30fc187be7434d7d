#include "domain/fixed_point.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

namespace warmline::domain {
namespace {

TEST(FixedPoint, GoldenValues) {
  EXPECT_EQ(Log2Floor(1), 0U);
  EXPECT_EQ(Log2Floor(2), kOne);
  EXPECT_EQ(Log2Floor(3), 1661953U);  // 1.58496 * 2^20
  EXPECT_EQ(DecayFloor(0, 10), kOne);
  EXPECT_EQ(DecayFloor(10, 10), kOne / 2);
  EXPECT_EQ(DecayFloor(5, 10), 741455U);  // 2^-0.5
  EXPECT_EQ(DecayFloor(1'000, 10), 0U);
  EXPECT_EQ(SqrtFloor(0), 0U);
  EXPECT_EQ(SqrtFloor(99), 9U);
  EXPECT_EQ(SqrtFloor(UINT64_MAX), UINT32_MAX);
}

RC_GTEST_PROP(FixedPoint, LogarithmIsTheFloor, ()) {
  const auto n = *rc::gen::inRange<std::uint64_t>(1, std::uint64_t{1} << 40);
  const long double exact = std::log2(static_cast<long double>(n)) * kOne;
  RC_ASSERT(std::fabs(static_cast<long double>(Log2Floor(n)) - std::floor(exact)) <= 1);
}

RC_GTEST_PROP(FixedPoint, DecayIsTheFloorAndFalls, ()) {
  const auto half_life = *rc::gen::inRange<std::uint64_t>(1, 100'000);
  const auto age = *rc::gen::inRange<std::uint64_t>(0, 3'000'000);
  const long double exact = std::exp2(-static_cast<long double>(age) / static_cast<long double>(half_life)) * kOne;
  RC_ASSERT(std::fabs(static_cast<long double>(DecayFloor(age, half_life)) - std::floor(exact)) <= 1);
  RC_ASSERT(DecayFloor(age + 1, half_life) <= DecayFloor(age, half_life));
}

RC_GTEST_PROP(FixedPoint, RootIsTheFloor, (std::uint64_t n)) {
  const std::uint64_t root = SqrtFloor(n);
  RC_ASSERT(root * root <= n);
  RC_ASSERT(root == UINT32_MAX || (root + 1) * (root + 1) > n);
}

}  // namespace
}  // namespace warmline::domain
